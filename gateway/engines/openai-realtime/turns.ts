// Only one answer at a time may write to the conversation. Answers we ask for while one is under way wait for its end
// here instead of being refused and lost.

import type { WireEvent } from './commands.ts'

/** A session has one closing sentence, one greeting and a few tool results in the air, never more. */
const waitingLimit = 8

export class Turns {
  #waiting: WireEvent[] = []
  #asked: WireEvent | undefined

  /** Returns the frame to send now, or undefined when it waits; false when too many wait. */
  ask(create: WireEvent, answering: boolean): WireEvent | undefined | false {
    if (!answering && this.#asked === undefined && this.#waiting.length === 0) {
      this.#asked = create
      return create
    }
    if (this.#waiting.length >= waitingLimit) return false
    this.#waiting.push(create)
    return undefined
  }

  /** An answer began: ours, or one the server made for the person's speech. */
  started(): void {
    this.#asked = undefined
  }

  /** The server was answering already: our request comes back for the next gap. */
  refused(): void {
    if (this.#asked !== undefined) this.#waiting.unshift(this.#asked)
    this.#asked = undefined
  }

  /** What to send once nothing is under way any more. */
  next(answering: boolean): WireEvent | undefined {
    if (answering || this.#asked !== undefined) return undefined
    this.#asked = this.#waiting.shift()
    return this.#asked
  }

  clear(): void {
    this.#waiting = []
  }
}
