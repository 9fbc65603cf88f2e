// The provider's session cap: from 80 % of it the engine is exchanged where nobody speaks, at 97 % in any case.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { EngineEvent } from '../engines.ts'
import type { Chain } from './chain.ts'

const fromShare = 0.8
const atLastShare = 0.97

export class Cap {
  readonly #clock: Clock
  readonly #againMs: number
  readonly #chain: Pick<Chain, 'live' | 'preparing' | 'prepare' | 'promote' | 'drop' | 'leave' | 'settled'>
  /** A moment in which nobody notices. */
  readonly #quiet: () => boolean
  #timers: Timer[] = []
  #due = false
  #maxMs: number | null = null
  /** Since the replacement was seeded something was said that it does not know. */
  #stale = false

  constructor(
    clock: Clock,
    againMs: number,
    chain: Pick<Chain, 'live' | 'preparing' | 'prepare' | 'promote' | 'drop' | 'leave' | 'settled'>,
    quiet: () => boolean,
  ) {
    this.#clock = clock
    this.#againMs = againMs
    this.#chain = chain
    this.#quiet = quiet
  }

  /** The engine that is there lives this long at most, as it has learned now. */
  lives(maxMs: number | null): void {
    if (maxMs !== this.#maxMs) this.starts(maxMs)
  }

  /** An engine is there, and lives this long at most. */
  starts(maxMs: number | null): void {
    this.over()
    this.#maxMs = maxMs
    if (maxMs === null) return
    this.#timers = [
      this.#clock.after(maxMs * fromShare, () => {
        this.#due = true
        this.look()
      }),
      this.#clock.after(maxMs * atLastShare, () => {
        // No failure of the engine.
        this.#chain.settled()
        this.#chain.leave('session_cap')
      }),
    ]
  }

  seen({ type }: EngineEvent): void {
    if (type === 'userSpeech' || type === 'userItem') this.stale()
  }

  stale(): void {
    this.#stale = true
  }

  /** Something changed: it may be the moment. */
  look(): void {
    if (!this.#due || !this.#chain.live || this.#chain.preparing || !this.#quiet()) return
    this.#stale = false
    this.#chain.prepare()
  }

  prepared(ready: boolean): void {
    if (!ready) {
      this.#due = false
      this.#timers.push(
        this.#clock.after(this.#againMs, () => {
          this.#due = true
          this.look()
        }),
      )
    } else if (this.#stale || !this.#quiet()) {
      this.#chain.drop()
      this.look()
    } else this.#chain.promote()
  }

  over(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel()
    this.#due = false
  }
}
