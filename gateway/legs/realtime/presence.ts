// Whether anybody is at the other end of a connection: half-open ones say nothing, and a frozen page's browser still
// answers pings.

import type { Clock, Timer } from '../../platform/clock.ts'
import { limits } from '../../protocol/realtime.ts'
import type { Channel } from './channel.ts'

const pingMs = 10_000
/** A page that answers no heartbeat for this long is frozen, though its browser answers pings. */
const asleepMs = 20_000

export interface PresenceOptions {
  readonly clock: Clock
  /** Who can come back is given up sooner: it loses nothing by it. */
  readonly canReturn: boolean
  readonly onSilent: (channel: Channel) => void
  readonly onAsleep: (sinceMs: number | undefined) => void
}

export class Presence {
  readonly #options: PresenceOptions
  #pings: Timer | undefined
  #lastSignMs: number
  #lastAnswerMs: number
  #isAsleep = false

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#lastSignMs = options.clock.monotonicMs()
    this.#lastAnswerMs = this.#lastSignMs
  }

  /** Of the last byte or pong of the peer. */
  get lastSignMs(): number {
    return this.#lastSignMs
  }

  watch(channel: Channel): void {
    this.#lastSignMs = this.#options.clock.monotonicMs()
    this.#lastAnswerMs = this.#lastSignMs
    this.#pings?.cancel()
    this.#pings = this.#options.clock.every(pingMs, () => this.#ping(channel))
  }

  stop(): void {
    this.#pings?.cancel()
    this.#pings = undefined
  }

  alive(): void {
    this.#lastSignMs = this.#options.clock.monotonicMs()
  }

  /** The program behind the connection itself sent something. */
  answered(): void {
    this.#lastAnswerMs = this.#options.clock.monotonicMs()
    if (!this.#isAsleep) return
    this.#isAsleep = false
    this.#options.onAsleep(undefined)
  }

  #ping(channel: Channel): void {
    const { clock, canReturn } = this.#options
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#lastSignMs > (canReturn ? limits.silentResumableMs : limits.silentMs)) {
      this.#options.onSilent(channel)
      return
    }
    if (canReturn && !this.#isAsleep && nowMs - this.#lastAnswerMs > asleepMs) {
      this.#isAsleep = true
      this.#options.onAsleep(this.#lastAnswerMs)
    }
    channel.ping()
  }
}
