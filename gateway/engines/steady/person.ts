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
  /** Whether it may begin to answer before the speech is over. */
  readonly answersEarly: boolean
}

export function follow(event: EngineEvent, followers: Followers): void {
  const { answers, speech, holding, answersSpeech, answersEarly } = followers
  if (event.type === 'userSpeech') {
    speech.event(event)
    if (event.phase === 'start' && !speech.isTold) holding.flushed()
    if (event.interrupts) answers.cut()
    if (answersEarly) answers.hears(event.phase === 'start' ? event.itemId : undefined)
    if (event.phase === 'stop' && speech.isDue(event.itemId, 'over') && answersSpeech)
      answers.askedBySpeech(event.itemId)
  } else if (event.type === 'userItem') speech.item(event)
  else if (event.type === 'userText' && (event.final !== undefined || event.failed !== undefined)) {
    speech.words(event.itemId)
    // Nothing was said: an engine need not answer it.
    if (event.final === '') answers.forget((ask) => ask.is === 'speech' && ask.itemId === event.itemId)
  }
}
