// Connections that come back for one session: one after the other, and the newest makes those before it give up. Without
// this, a client that tried twice while the owner before let go would be given its session twice.

import { Problem } from '../platform/problem.ts'

interface Turn {
  readonly done: Promise<void>
  isPassed: boolean
}

export class Returns {
  readonly #last = new Map<string, Turn>()

  /** `work` begins when those before it have ended; `isPassed` tells it that a newer one waits. Throws `replaced`. */
  async next<T>(sessionId: string, work: (isPassed: () => boolean) => Promise<T>): Promise<T> {
    const before = this.#last.get(sessionId)
    if (before !== undefined) before.isPassed = true
    const { promise: done, resolve: end } = Promise.withResolvers<void>()
    const turn: Turn = { done, isPassed: false }
    this.#last.set(sessionId, turn)
    try {
      if (before !== undefined) await before.done
      if (turn.isPassed) throw new Problem('replaced')
      return await work(() => turn.isPassed)
    } finally {
      end()
      if (this.#last.get(sessionId) === turn) this.#last.delete(sessionId)
    }
  }
}
