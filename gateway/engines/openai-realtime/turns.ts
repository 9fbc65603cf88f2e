// Only one answer at a time may write to the conversation. Answers we ask for while one is under way wait for its end
// here instead of being refused and lost.

import { ownEventId, type WireEvent } from './commands.ts'

/** A session has one closing sentence, one greeting and a few tool results in the air, never more. */
const waitingLimit = 8

export class Turns {
  #waiting: WireEvent[] = []
  /** Sent, and neither begun nor refused yet. */
  #asked = false
  #last: WireEvent | undefined
  #count = 0

  /** Returns the frame to send now, or undefined when it waits; false when too many wait. */
  ask(create: WireEvent, answering: boolean): WireEvent | undefined | false {
    if (this.#waiting.length >= waitingLimit) return false
    this.#waiting.push({ ...create, event_id: ownEventId(`answer_${++this.#count}`) })
    return this.next(answering)
  }

  /** An answer began: ours, or one the server made for the person's speech. */
  started(): void {
    this.#asked = false
  }

  /** The server was answering already: our request, if it was ours, comes back for the next gap. */
  refused(eventId: string | undefined): void {
    const ours = eventId === undefined ? this.#asked : eventId === this.#last?.event_id
    this.#asked = false
    if (ours && this.#last !== undefined) this.#waiting.unshift(this.#last)
    this.#last = undefined
  }

  /** The request failed for another reason: the next one need not wait for it. */
  failed(eventId: string | undefined): void {
    if (eventId === undefined || eventId === this.#last?.event_id) this.#asked = false
  }

  /** What to send once nothing is under way any more. */
  next(answering: boolean): WireEvent | undefined {
    if (answering || this.#asked) return undefined
    const create = this.#waiting.shift()
    if (create === undefined) return undefined
    this.#last = create
    this.#asked = true
    return create
  }

  clear(): void {
    this.#waiting = []
  }
}
