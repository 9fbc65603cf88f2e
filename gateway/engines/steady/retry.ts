// An answer that failed is asked for again: twice after a pause, then of another engine; where there is none, it stands.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { Ask } from './answers.ts'
import { isFatal, pauseMs } from './tries.ts'

export interface RetryNeeds {
  readonly clock: Clock
  readonly random: () => number
  readonly hasOther: boolean
  readonly ask: (ask: Ask) => void
}

export class Retry {
  readonly #needs: RetryNeeds
  /** In a row. */
  #failures = 0
  #waiting: { readonly ask: Ask; readonly timer: Timer } | undefined

  constructor(needs: RetryNeeds) {
    this.#needs = needs
  }

  /** What will be asked for again. */
  get ask(): Ask | undefined {
    return this.#waiting?.ask
  }

  failed(ask: Ask, code: string, retryAfterMs: number | null): 'again' | 'another' | 'stands' {
    const { clock, random, hasOther } = this.#needs
    const delayMs = isFatal(code) ? undefined : pauseMs(this.#failures, retryAfterMs, random)
    if (delayMs === undefined) {
      this.#failures = 0
      return hasOther ? 'another' : 'stands'
    }
    this.#failures++
    this.take()
    const timer = clock.after(delayMs, () => {
      this.#waiting = undefined
      this.#needs.ask(ask)
    })
    this.#waiting = { ask, timer }
    return 'again'
  }

  succeeded(): void {
    this.#failures = 0
  }

  /** Not to be asked for any more, or by somebody else. */
  take(): Ask | undefined {
    const ask = this.#waiting?.ask
    this.#waiting?.timer.cancel()
    this.#waiting = undefined
    return ask
  }
}
