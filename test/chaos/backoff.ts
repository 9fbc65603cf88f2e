// When a chaos client tries again: at once, then ever later, never in step with the others.

import type { Random } from './random.ts'

const pausesMs = [0, 500, 1_000, 2_000, 4_000, 4_000] as const
const firstSpreadMs = 300

export class Backoff {
  readonly #random: Random
  #tries = 0

  constructor(random: Random) {
    this.#random = random
  }

  reset(): void {
    this.#tries = 0
  }

  /** Pause before the next try. */
  nextMs(): number {
    const spreadMs = this.#tries === 0 ? this.#random.next() * firstSpreadMs : 0
    const baseMs = pausesMs[Math.min(this.#tries, pausesMs.length - 1)] ?? 0
    this.#tries++
    return baseMs * (0.75 + this.#random.next() / 2) + spreadMs
  }
}
