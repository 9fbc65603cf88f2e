// How long a part may take: a signal that aborts when nothing comes.

import type { Clock, Timer } from '../../platform/clock.ts'
import { PartFailure } from './failure.ts'

/** Milliseconds. `steady` gives an engine up after 8 s without a word: a part must be given up well before. */
export interface Times {
  /** Until the first piece of an answer, a transcript or a sentence's sound, where another part could be asked. */
  readonly firstMs: number
  /** The same of the last part there is. */
  readonly lastMs: number
  /** Between two pieces. */
  readonly stallMs: number
}

export const defaultTimes: Times = { firstMs: 3_500, lastMs: 15_000, stallMs: 4_000 }

export class Patience {
  readonly #clock: Clock
  readonly #own = new AbortController()
  readonly signal: AbortSignal
  #timer: Timer | undefined

  /** `parent` aborts too, with its own reason. */
  constructor(clock: Clock, parent: AbortSignal) {
    this.#clock = clock
    this.signal = AbortSignal.any([parent, this.#own.signal])
  }

  /** From now on this long; replaces what was set before. */
  wait(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(ms, () => this.#own.abort(new PartFailure('timeout')))
  }

  rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
