// A peer that does not read: the engine stops being read until it does, and a peer that never does is cut off.

import { backPressureBytes } from '../../engines/engines.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import type { Channel } from './channel.ts'

/** A peer that takes nothing for this long is closed (4413); it may come back. */
const stuckMs = 5_000
const pollMs = 20

export interface PressureOptions {
  readonly clock: Clock
  readonly onSlow: (slow: boolean) => void
  readonly onStuck: (channel: Channel) => void
}

export class Pressure {
  readonly #options: PressureOptions
  #poll: Timer | undefined

  constructor(options: PressureOptions) {
    this.#options = options
  }

  /** After each frame sent. */
  check(channel: Channel): void {
    if (channel.bufferedBytes <= backPressureBytes || this.#poll !== undefined) return
    const { clock, onSlow, onStuck } = this.#options
    const sinceMs = clock.monotonicMs()
    onSlow(true)
    this.#poll = clock.every(pollMs, () => {
      if (channel.bufferedBytes < backPressureBytes / 4) this.release()
      else if (clock.monotonicMs() - sinceMs > stuckMs) onStuck(channel)
    })
  }

  release(): void {
    if (this.#poll === undefined) return
    this.#poll.cancel()
    this.#poll = undefined
    this.#options.onSlow(false)
  }
}
