// How fast an answer may leave: ahead of real time, but bounded, and not at all while the client is slow.

import type { Clock } from '../platform/clock.ts'

/** Holds the flow while the client is slow. */
export class Gate {
  #held: PromiseWithResolvers<void> | undefined

  pause(): void {
    this.#held ??= Promise.withResolvers()
  }

  resume(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  /** Resolves when open, or when `signal` aborts. */
  async passed(signal: AbortSignal): Promise<void> {
    if (this.#held === undefined || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const go = () => resolve()
    signal.addEventListener('abort', go, { once: true })
    await Promise.race([this.#held.promise, promise])
    signal.removeEventListener('abort', go)
  }
}

export interface Pacing {
  /** Leaves at once. */
  readonly headStartMs: number
  /** Times real time, after that. */
  readonly speed: number
  /** What the player may hold at most. */
  readonly aheadMs: number
}

export class Pacer {
  readonly #clock: Clock
  readonly #gate: Gate
  readonly #pacing: Pacing
  #beganMs: number | undefined
  #sentMs = 0

  constructor(clock: Clock, gate: Gate, pacing: Pacing) {
    this.#clock = clock
    this.#gate = gate
    this.#pacing = pacing
  }

  /** Resolves when the next stretch may leave. */
  async turn(ms: number, signal: AbortSignal): Promise<void> {
    this.#beganMs ??= this.#clock.monotonicMs()
    while (!signal.aborted) {
      await this.#gate.passed(signal)
      const waitMs = this.#waitMs(this.#clock.monotonicMs() - this.#beganMs)
      if (waitMs <= 0) break
      await rest(this.#clock, waitMs, signal)
    }
    this.#sentMs += ms
  }

  #waitMs(elapsedMs: number): number {
    const { headStartMs, speed, aheadMs } = this.#pacing
    return Math.max((this.#sentMs - headStartMs) / speed, this.#sentMs - aheadMs) - elapsedMs
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done)
    signal.addEventListener('abort', done, { once: true })
  })
}
