import type { Clock } from '../../platform/clock.ts'

/**
 * The session's own time, from its start. It is the wall's, not the input's: a client that sends sound only while somebody
 * speaks gets its acknowledgements all the same.
 */
export class Timeline {
  readonly #clock: Clock
  #beganMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(): void {
    this.#beganMs ??= this.#clock.monotonicMs()
  }

  get hasBegun(): boolean {
    return this.#beganMs !== undefined
  }

  /** Whole milliseconds: strict clients take no others. */
  get nowMs(): number {
    return this.#beganMs === undefined ? 0 : Math.round(this.#clock.monotonicMs() - this.#beganMs)
  }
}
