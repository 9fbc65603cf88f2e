// What the person does, as an engine notices it.

import type { EngineEvent } from '../engines.ts'
import type { Answers } from './answers.ts'
import type { Speech } from './speech.ts'
import type { Holding } from './watch.ts'

export interface Followers {
  readonly answers: Answers
  readonly speech: Speech
  readonly holding: Holding
  /** Whether the engine answers speech without being asked. */
  readonly answersSpeech: boolean
}

export function follow(event: EngineEvent, { answers, speech, holding, answersSpeech }: Followers): void {
  if (event.type === 'userSpeech') {
    speech.event(event)
    if (event.phase === 'start' && !speech.isTold) holding.flushed()
    if (event.interrupts) answers.cut()
    if (event.phase === 'stop' && speech.isDue(event.itemId, 'over') && answersSpeech)
      answers.asked({ is: 'speech', itemId: event.itemId })
  } else if (event.type === 'userItem') speech.item(event)
  else if (event.type === 'userText' && (event.final !== undefined || event.failed !== undefined)) {
    speech.words(event.itemId)
    // Nothing was said: an engine need not answer it.
    if (event.final === '') answers.forget((ask) => ask.is === 'speech' && ask.itemId === event.itemId)
  }
}
