// What a session wants of the engine behind: sent on, kept for the next one, or found to be about one that is gone.

import { accepted, applied } from '../answers.ts'
import { isAside } from '../client-frame.ts'
import type { Capabilities, CommandAnswer, EngineCommand } from '../engines.ts'
import type { Recent } from '../recent.ts'
import { type Answers, type Ask, askOf, commandOf } from './answers.ts'
import { type Chain, hearsNow, type Slot } from './chain.ts'
import type { Memory } from './memory.ts'
import type { Retry } from './retry.ts'
import type { Speech } from './speech.ts'
import type { Holding } from './watch.ts'

type Of<T extends EngineCommand['type']> = Extract<EngineCommand, { type: T }>

export interface IntentsNeeds {
  readonly chain: Chain
  readonly answers: Answers
  readonly memory: Memory
  readonly speech: Speech
  readonly holding: Holding
  readonly retry: Retry
  /** Which engine said an item; ours have none. */
  readonly items: Recent<Slot | undefined>
  readonly dialect: () => Capabilities['dialect']
}

const tooMany: CommandAnswer = { is: 'rejected', reason: 'too_many_answers_waiting' }
const missing: CommandAnswer = { is: 'rejected', reason: 'engine_trouble' }

export class Intents {
  readonly #with: IntentsNeeds

  constructor(needs: IntentsNeeds) {
    this.#with = needs
  }

  do(command: EngineCommand): CommandAnswer {
    switch (command.type) {
      case 'respond':
      case 'say':
      case 'goOn':
        return this.#ask(command)
      case 'cancel':
        return this.#cancel(command)
      case 'interrupt':
        return this.#interrupt(command)
      case 'truncate':
        return this.#truncate(command)
      case 'toolResult':
        return this.#toolResult(command)
      case 'commitAudio':
        if (hearsNow(this.#with.chain)) return this.#pass(command)
        this.#with.speech.commitDue = true
        return accepted
      case 'clearAudio':
        this.#with.speech.audio.clear()
        this.#with.speech.commitDue = false
        return this.#pass(command)
      case 'note':
        this.#with.memory.note(command.text)
        return this.#pass(command)
      case 'update':
        return this.#update(command)
      case 'native':
        return this.#native(command)
      case 'userText':
      case 'ignore':
        return this.#pass(command)
    }
  }

  /** Without an engine it is in the history or in the memory, from which the next one is told. */
  #pass(command: EngineCommand): CommandAnswer {
    return this.#with.chain.now?.engine.send(command) ?? applied
  }

  #ask(command: Of<'respond' | 'say' | 'goOn'>): CommandAnswer {
    const live = this.#with.chain.live
    if (command.type === 'respond' && isAside(command.raw)) {
      return live ? this.#pass(command) : missing
    }
    // Who asks something new no longer waits for the rest of an old answer.
    if (command.type === 'respond') this.#moveOn()
    if (live) {
      const answer = this.#pass(command)
      if (!('reason' in answer)) this.#with.answers.asked(askOf(command))
      return answer
    }
    const again =
      command.type === 'respond' && command.raw === undefined && this.#with.chain.now !== this.#with.chain.first
    return this.#with.answers.asked(again ? { is: 'goOn', after: '' } : askOf(command)) ? accepted : tooMany
  }

  #moveOn(): void {
    if (this.#with.retry.ask?.is === 'goOn') this.#with.retry.take()
    if (!this.#with.chain.live) this.#with.answers.forget((ask) => ask.is === 'goOn')
  }

  /** To the present engine, which is ready. To a replacement a question is part of the history that it was given. */
  request(ask: Ask): void {
    const { chain, dialect } = this.#with
    const isForeign = ask.is === 'respond' && (ask.raw === undefined || dialect() === 'none')
    const translated: Ask = isForeign && chain.now !== chain.first ? { is: 'goOn', after: '' } : ask
    const command = commandOf(translated)
    if (command !== undefined && !('reason' in this.#pass(command))) this.#with.answers.asked(translated)
  }

  #interrupt(command: Of<'interrupt'>): CommandAnswer {
    const { holding, answers, speech, memory } = this.#with
    holding.flushed()
    answers.cut()
    const { itemId } = command
    if (speech.isDue(itemId, 'meant') && memory.answersSpeech) answers.askedBySpeech(itemId)
    return this.#pass(command)
  }

  #cancel(command: Of<'cancel'>): CommandAnswer {
    this.#with.holding.flushed()
    const { due, active } = this.#with.answers
    const isThere = command.responseId === undefined ? due : command.responseId === active?.responseId
    if (command.responseId === undefined || command.responseId === this.#with.answers.active?.responseId) {
      this.#with.answers.cut()
      this.#with.retry.take()
    }
    if (command.responseId === undefined) this.#with.answers.forget((ask) => ask.is !== 'speech')
    if (this.#with.chain.live) return this.#pass(command)
    return isThere ? accepted : { is: 'rejected', reason: 'nothing_to_cancel' }
  }

  #truncate(command: Of<'truncate'>): CommandAnswer {
    this.#with.holding.flushed()
    if (this.#with.answers.active?.items.some(({ itemId }) => itemId === command.itemId) === true)
      this.#with.answers.cut()
    const gone = this.#with.items.has(command.itemId) && this.#with.items.get(command.itemId) !== this.#with.chain.now
    return gone ? applied : this.#pass(command)
  }

  #toolResult(command: Of<'toolResult'>): CommandAnswer {
    const told = this.#with.memory.result(command, this.#with.chain.now?.engine)
    const answer = this.#pass(told)
    if ('reason' in answer) this.#with.memory.unresult(command.callId)
    return answer
  }

  #update(command: Of<'update'>): CommandAnswer {
    const answer = this.#pass(command)
    if ('reason' in answer) return answer
    this.#with.memory.update(command.fields)
    this.#with.speech.manual = this.#with.memory.brief.turnDetection === 'none'
    return answer
  }

  #native(command: Of<'native'>): CommandAnswer {
    const isSetting = command.event.type === 'session.update'
    if (this.#with.chain.now === undefined && !isSetting) return missing
    const answer = this.#pass(command)
    if (isSetting && !('reason' in answer)) this.#with.memory.native(command.event)
    return answer
  }
}
