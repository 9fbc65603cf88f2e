// Do two kinds of request take the same time? Medians of interleaved samples, with a bound from the noise itself.

export interface Compared {
  readonly differenceMs: number
  /** What noise alone explains, and what no store's round trip fits into. */
  readonly boundMs: number
}

/** Less than one further round trip to a store on the network; what is smaller is not seen. */
const leastMs = 1

export function compareMs(a: readonly number[], b: readonly number[]): Compared {
  const [one, two] = [median(a), median(b)]
  const spread = (all: readonly number[], of: number): number => 1.4826 * median(all.map((each) => Math.abs(each - of)))
  // The standard error of a median is 1.25 of that of a mean; five of them, so that a sweep of hundreds is not red by chance.
  const error = 1.25 * Math.hypot(spread(a, one) / Math.sqrt(a.length), spread(b, two) / Math.sqrt(b.length))
  return { differenceMs: Math.abs(one - two), boundMs: Math.max(leastMs, 5 * error) }
}

function median(all: readonly number[]): number {
  const sorted = all.toSorted((x, y) => x - y)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
