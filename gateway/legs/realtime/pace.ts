// Keeps a client from sending faster than it may: audio at most twice real time after a generous credit, events at a
// steady rate. Too fast is not an error: the channel is simply read later.

import { backPressureBytes } from '../../engines/engines.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import type { Channel } from './channel.ts'

/** Audio: a whole prepared question may come at once, then twice real time. */
const audioCreditMs = 20_000
const audioSpeed = 2
/** Other frames: bursts of 200, then 50 a second. */
const eventCredit = 200
const eventsPerSecond = 50
const resumePollMs = 20

export class Pace {
  readonly #clock: Clock
  readonly #channel: Pick<Channel, 'pause' | 'resume'>
  readonly #backlogBytes: () => number
  #audioMs = audioCreditMs
  #events = eventCredit
  #atMs: number
  #paused: Timer | undefined

  constructor(clock: Clock, channel: Pick<Channel, 'pause' | 'resume'>, backlogBytes: () => number) {
    this.#clock = clock
    this.#channel = channel
    this.#backlogBytes = backlogBytes
    this.#atMs = clock.monotonicMs()
  }

  /** A frame came in: `audioMs` of audio, or 0 for an event of `bytes`. */
  took(audioMs: number, bytes: number): void {
    if (audioMs > 0) this.#audioMs -= audioMs
    // A large event counts as several.
    else this.#events -= 1 + Math.floor(bytes / 4096)
    if (
      (this.#audioMs < 0 || this.#events < 0 || this.#backlogBytes() > backPressureBytes) &&
      this.#paused === undefined
    )
      this.#pause()
  }

  #refill(): void {
    const now = this.#clock.monotonicMs()
    const passedMs = now - this.#atMs
    this.#atMs = now
    this.#audioMs = Math.min(audioCreditMs, this.#audioMs + passedMs * audioSpeed)
    this.#events = Math.min(eventCredit, this.#events + (passedMs * eventsPerSecond) / 1000)
  }

  #pause(): void {
    this.#refill()
    if (this.#audioMs >= 0 && this.#events >= 0 && this.#backlogBytes() <= backPressureBytes) return
    this.#channel.pause()
    this.#paused = this.#clock.every(resumePollMs, () => {
      this.#refill()
      if (this.#audioMs < 0 || this.#events < 0 || this.#backlogBytes() > backPressureBytes / 2) return
      this.stop()
      this.#channel.resume()
    })
  }

  stop(): void {
    this.#paused?.cancel()
    this.#paused = undefined
  }
}
