// Seconds of a session that are charged: time since the engine was ready, less the free part of the client's absences. Rules S30–S32.

import type { Clock } from '../platform/clock.ts'

/** An absence is free from here on: what a network hiccup costs is charged. */
const gapGraceMs = 5_000
/** Free time of one session in sum, whoever owned it: coming back every 44 s buys nothing more. Who stays away pays nothing. */
export const freeGapLimitMs = 60_000

export interface TimeBefore {
  readonly seconds: number
  readonly freeGapMs: number
  /** Told and not yet passed: the started second, and absences that were noticed late. The next owner's first time is paid. */
  readonly aheadMs?: number
}

export class BilledTime {
  readonly #clock: Clock
  readonly #before: TimeBefore
  #startedAtMs: number | undefined
  #stoppedAtMs: number | undefined
  #awayFromMs: number | undefined
  /** Nobody is connected: what is beyond the free time is charged once the client is back, and never if it stays away. */
  #isGone = false
  #freeMs = 0
  #toldSeconds = 0

  /** `before`: of earlier owners of the session. */
  constructor(clock: Clock, before: TimeBefore) {
    this.#clock = clock
    this.#before = before
  }

  start(): void {
    this.#startedAtMs ??= this.#clock.monotonicMs()
  }

  stop(): void {
    this.#stoppedAtMs ??= this.#clock.monotonicMs()
  }

  /** Connected, and nobody is there, since this time of the monotonic clock. Told twice, the first counts. */
  asleep(sinceMs: number): void {
    this.#awayFromMs ??= Math.min(sinceMs, this.#clock.monotonicMs()) + gapGraceMs
  }

  /** Not connected any more. */
  away(lastByteAtMs: number): void {
    this.asleep(lastByteAtMs)
    this.#isGone = true
  }

  back(): void {
    this.#freeMs += this.#freeOfThisGapMs
    this.#awayFromMs = undefined
    this.#isGone = false
  }

  /** Cumulative over all owners. A started second counts, and what was told once never shrinks. */
  get seconds(): number {
    return this.#before.seconds + this.#told()
  }

  /** So much of what was told is not yet due. */
  get aheadMs(): number {
    return this.#told() * 1000 - this.#chargedMs
  }

  #told(): number {
    this.#toldSeconds = Math.max(this.#toldSeconds, Math.ceil(this.#chargedMs / 1000))
    return this.#toldSeconds
  }

  /** Less than nothing while what earlier owners told is not used up. */
  get #chargedMs(): number {
    const ownMs = this.#startedAtMs === undefined ? 0 : this.#nowMs() - this.#startedAtMs
    const pausedMs = this.#isGone ? this.#pausedMs : this.#freeOfThisGapMs
    return ownMs - this.#freeMs - pausedMs - (this.#before.aheadMs ?? 0)
  }

  get freeGapMs(): number {
    return this.#before.freeGapMs + this.#freeMs + this.#freeOfThisGapMs
  }

  #nowMs(): number {
    return this.#stoppedAtMs ?? this.#clock.monotonicMs()
  }

  get #pausedMs(): number {
    if (this.#awayFromMs === undefined || this.#startedAtMs === undefined) return 0
    return Math.max(0, this.#nowMs() - Math.max(this.#awayFromMs, this.#startedAtMs))
  }

  get #freeOfThisGapMs(): number {
    const leftMs = freeGapLimitMs - this.#before.freeGapMs - this.#freeMs
    return Math.max(0, Math.min(this.#pausedMs, leftMs))
  }
}
