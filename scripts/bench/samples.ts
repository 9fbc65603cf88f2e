// Latencies of one measured window, kept whole: percentiles are exact.

import { z } from 'zod'

export const percentiles = z.object({ count: z.number(), p50: z.number(), p95: z.number(), p99: z.number() })
export type Percentiles = z.output<typeof percentiles>

export class Samples {
  #values = new Float64Array(1 << 14)
  #count = 0

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count++] = value
  }

  clear(): void {
    this.#count = 0
  }

  percentiles(): Percentiles {
    const sorted = this.#values.slice(0, this.#count).sort()
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
  }
}

/** Of repeats; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2
}
