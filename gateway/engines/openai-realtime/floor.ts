// Who speaks next: one answer after the other, and the person where they mean it.

import type { CommandAnswer, EngineBrief, EngineCommand, EngineEvent } from '../engines.ts'
import * as commands from './commands.ts'
import { interrupts } from './detection.ts'
import { Speech } from './speech.ts'
import { cannotBeAnswer, Turns } from './turns.ts'

const alreadyAnswering = 'conversation_already_has_active_response'

export interface FloorNeeds {
  readonly answering: () => boolean
  /** As it is now. */
  readonly brief: () => EngineBrief
  readonly write: (event: commands.WireEvent) => CommandAnswer
}

export class Floor {
  readonly #needs: FloorNeeds
  readonly #turns = new Turns()
  readonly #speech: Speech
  #cutsNext = false

  constructor(interruptions: EngineBrief['interruptions'], needs: FloorNeeds) {
    this.#needs = needs
    this.#speech = new Speech(interruptions, {
      cut: () => this.#cut(),
      answer: () => this.#answerSpeech(),
      remove: (itemId) => needs.write(commands.removeItem(itemId)),
    })
  }

  /** The server itself neither cuts nor answers. */
  get isTold(): boolean {
    return this.#speech.isTold
  }

  follow(event: EngineEvent): void {
    if (event.type === 'responseStarted') this.#started()
    else if (event.type === 'responseDone') this.#next()
    else if (event.type === 'userSpeech' && event.phase === 'start') this.#speech.begins(event.itemId)
    else if (event.type === 'userItem' && event.spoken) this.#speech.ends(event.itemId)
  }

  ask(create: commands.WireEvent): CommandAnswer {
    const now = this.#turns.ask(create, this.#needs.answering())
    if (now === false) return { is: 'rejected', reason: 'too_many_answers_waiting' }
    return now === undefined ? { is: 'accepted' } : this.#needs.write(now)
  }

  judged(command: Extract<EngineCommand, { type: 'interrupt' | 'ignore' }>): void {
    this.#speech.judged(command)
  }

  /** What waits to be asked for is not wanted any more. */
  clear(): void {
    this.#turns.clear()
  }

  /** True: the error was about an answer of ours that comes later. */
  waits({ code, eventId }: Extract<EngineEvent, { type: 'error' }>): boolean {
    if (code !== alreadyAnswering) return false
    this.#turns.refused(eventId)
    return true
  }

  /** An error that may have been about the answer that was asked for. */
  failed({ code, eventId }: Extract<EngineEvent, { type: 'error' }>): void {
    if (cannotBeAnswer.has(code)) return
    this.#turns.failed(eventId)
    this.#next()
  }

  /** An answer that was asked for and has not begun is cut as it begins. */
  #cut(): void {
    if (!interrupts(this.#needs.brief())) return
    if (this.#needs.answering()) this.#needs.write(commands.cancelOwn('interrupt'))
    else this.#cutsNext = this.#turns.isAsking
  }

  #answerSpeech(): void {
    if (this.#needs.brief().settings?.turns?.createsResponse === false) return
    const create = this.#turns.ask({ type: 'response.create' }, this.#needs.answering(), true)
    if (create !== undefined && create !== false) this.#needs.write(create)
  }

  #started(): void {
    this.#turns.started()
    if (this.#cutsNext) this.#needs.write(commands.cancelOwn('interrupt'))
    this.#cutsNext = false
  }

  #next(): void {
    const create = this.#turns.next(this.#needs.answering())
    if (create !== undefined) this.#needs.write(create)
  }
}
