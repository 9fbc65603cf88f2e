// Patience: when nothing comes although an answer is due, and when the person should be told that it takes a moment.

import type { Clock, Timer } from '../../platform/clock.ts'

export interface SteadyTimes {
  /** Nothing came for this long while an answer is due: trouble. */
  readonly quietMs: number
  /** Then the engine is given up. */
  readonly deadMs: number
  /** From the loss of an engine to the holding line. */
  readonly holdingMs: number
  /** An engine that does not get ready is given up: sooner where another is left to try. */
  readonly tryMs: number
  readonly recoverMs: number
  /** An engine that has lived this long has recovered, even if nobody asked it for anything. */
  readonly settledMs: number
  /** After a replacement for the provider's cap could not be opened. */
  readonly rollAgainMs: number
}

export const defaultTimes: SteadyTimes = {
  quietMs: 4_000,
  deadMs: 8_000,
  holdingMs: 2_000,
  tryMs: 3_000,
  recoverMs: 8_000,
  settledMs: 10_000,
  rollAgainMs: 5_000,
}

export interface SilenceEvents {
  quiet(): void
  dead(): void
}

/** Looks only while an answer is due; events are counted by a clock reading, not by timers. */
export class Silence {
  readonly #clock: Clock
  readonly #times: SteadyTimes
  readonly #on: SilenceEvents
  #heardMs = 0
  #told = false
  #timer: Timer | undefined

  constructor(clock: Clock, times: SteadyTimes, on: SilenceEvents) {
    this.#clock = clock
    this.#times = times
    this.#on = on
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs()
  }

  /** `impatient`: the engine before it was silent too. */
  watch(due: boolean, impatient: boolean): void {
    if (!due) {
      this.#timer?.cancel()
      this.#timer = undefined
    } else if (this.#timer === undefined) {
      this.heard()
      this.#told = false
      this.#arm(impatient)
    }
  }

  #arm(impatient: boolean): void {
    const { quietMs, deadMs } = this.#times
    const silentMs = this.#clock.monotonicMs() - this.#heardMs
    const endMs = impatient ? quietMs : deadMs
    const nextMs = silentMs < quietMs ? quietMs : endMs
    this.#timer = this.#clock.after(Math.max(1, nextMs - silentMs), () => {
      const nowSilentMs = this.#clock.monotonicMs() - this.#heardMs
      if (nowSilentMs >= endMs) {
        this.#timer = undefined
        this.#on.dead()
        return
      }
      if (nowSilentMs < quietMs) this.#told = false
      else if (!this.#told) {
        this.#told = true
        this.#on.quiet()
      }
      if (this.#timer !== undefined) this.#arm(impatient)
    })
  }
}

export interface HoldingEvents {
  /** Whether it may be said now, apart from what is playing. */
  wanted(): boolean
  say(): void
}

/** One line for each trouble, when the person has nothing else to hear. */
export class Holding {
  readonly #clock: Clock
  readonly #on: HoldingEvents
  #playsUntilMs = 0
  #timer: Timer | undefined

  constructor(clock: Clock, on: HoldingEvents) {
    this.#clock = clock
    this.#on = on
  }

  /** Sound went out: the person hears it after what went before. */
  sound(ms: number): void {
    this.#playsUntilMs = Math.max(this.#playsUntilMs, this.#clock.monotonicMs()) + ms
  }

  /** The player was flushed. */
  flushed(): void {
    this.#playsUntilMs = 0
  }

  in(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(ms, () => {
      const playsMs = this.#playsUntilMs - this.#clock.monotonicMs()
      this.#timer = undefined
      if (playsMs > 0) this.in(playsMs)
      else if (this.#on.wanted()) this.#on.say()
    })
  }

  over(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
