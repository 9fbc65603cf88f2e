// Which speech is meant for the agent. Where the session tells (`EngineBrief.interruptions`), everything that speech causes waits
// for its word; where it does not, all speech is meant.

import { Recent } from './recent.ts'

type Then = (isMeant: boolean) => void

export class Verdicts {
  readonly isTold: boolean
  readonly #known = new Recent<boolean>()
  readonly #waiting = new Recent<Then[]>()

  constructor(interruptions: 'told' | undefined) {
    this.isTold = interruptions === 'told'
  }

  /** `then` is called once, at once where the verdict is known; in the order of asking otherwise. */
  of(itemId: string, then: Then): void {
    const known = this.isTold ? this.#known.get(itemId) : true
    if (known !== undefined) then(known)
    else this.#waiting.set(itemId, [...(this.#waiting.get(itemId) ?? []), then])
  }

  /** The first one stands. */
  tell(itemId: string, isMeant: boolean): void {
    if (this.#known.has(itemId)) return
    this.#known.set(itemId, isMeant)
    const waiting = this.#waiting.get(itemId) ?? []
    this.#waiting.delete(itemId)
    for (const then of waiting) then(isMeant)
  }
}
