// What a caller writes or presses instead of speaking, at a bounded rate.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { ProblemCode } from '../../protocol/codes.ts'
import { limits } from '../../protocol/realtime.ts'

/** Messages at once, then one a second. */
const burst = 10
/** After this pause the number is complete; `#` says so at once. */
const keysPauseMs = 2_000
const mostKeys = 64

export interface TypedOptions {
  readonly clock: Clock
  readonly say: (itemId: string, text: string) => void
  /** Not taken, and why. */
  readonly refused: (code: ProblemCode) => void
}

export class Typed {
  readonly #options: TypedOptions
  #tokens = burst
  #atMs: number
  #keys = ''
  #pause: Timer | undefined

  constructor(options: TypedOptions) {
    this.#options = options
    this.#atMs = options.clock.monotonicMs()
  }

  text(text: string): void {
    const trimmed = text.trim()
    if (trimmed === '') return
    if (trimmed.length > limits.userTextChars) this.#options.refused('too_large')
    else if (!this.#take()) this.#options.refused('rate_visitor')
    else this.#options.say(newId('item'), trimmed)
  }

  key(digit: string): void {
    if (!/^[0-9A-D*#]$/.test(digit)) return
    this.#pause?.cancel()
    if (digit !== '#' && this.#keys.length < mostKeys) this.#keys += digit
    if (digit === '#') this.#pressed()
    else this.#pause = this.#options.clock.after(keysPauseMs, () => this.#pressed())
  }

  close(): void {
    this.#pause?.cancel()
  }

  #pressed(): void {
    const keys = this.#keys
    this.#keys = ''
    if (keys !== '') this.text(`I press ${[...keys].join(' ')} on the keypad.`)
  }

  #take(): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    this.#tokens = Math.min(burst, this.#tokens + (nowMs - this.#atMs) / 1000)
    this.#atMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
