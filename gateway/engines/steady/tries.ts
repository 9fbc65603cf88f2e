// Which engine is opened next, and when: the one that was lost at once, then twice more with a growing pause, then the
// next of the chain. Pure: no clock, chance is given.

/** Opening it again would be answered the same. */
const fatal = new Set([
  'bad_address',
  'beta_api_shape_disabled',
  'credit_balance_exhausted',
  'http_400',
  'http_401',
  'http_403',
  'http_404',
  'insufficient_quota',
  'invalid_api_key',
  'invalid_model',
  'invalid_value',
  'missing_model',
  'model_not_found',
  'not_found',
  'unknown_parameter',
  'voice_unavailable',
])

/** Two repetitions, ± 50 %: many sessions lose the same provider in the same moment. */
const pausesMs = [300, 800] as const
/** Nobody waits longer for a provider that names its time; and no longer in all while another engine is there. */
const longestWaitMs = 3_000

export interface Failure {
  readonly code: string
  readonly retryAfterMs: number | null
  /** It took the connection and said nothing: once is enough. */
  readonly hung: boolean
}

export interface Try {
  /** Of the chain. */
  readonly index: number
  readonly delayMs: number
}

export function isFatal(code: string): boolean {
  return fatal.has(code)
}

/** How long to wait before the n-th repetition (from 0); undefined: not worth waiting. */
export function pauseMs(n: number, retryAfterMs: number | null, random: () => number): number | undefined {
  const pause = pausesMs[n]
  if (pause === undefined || (retryAfterMs !== null && retryAfterMs > longestWaitMs)) return undefined
  return (retryAfterMs ?? pause * 0.5) + pause * random()
}

/** One trouble, from the loss to an engine that answers again. */
export class Tries {
  readonly #random: () => number
  /** Still to be tried, the present one first. */
  readonly #order: number[]
  #repeated = 0
  #waitedMs = 0

  constructor(count: number, from: number, random: () => number) {
    this.#random = random
    this.#order = Array.from({ length: count }, (_, i) => (from + i) % count)
  }

  /** Whether another engine is left when the present one fails for good. */
  get hasOther(): boolean {
    return this.#order.length > 1
  }

  /** The present one, at once. */
  first(): Try {
    return { index: this.#order[0] ?? 0, delayMs: 0 }
  }

  /** Undefined: nothing is left to try. */
  after({ code, retryAfterMs, hung }: Failure): Try | undefined {
    const delayMs = hung || isFatal(code) ? undefined : pauseMs(this.#repeated, retryAfterMs, this.#random)
    const [index] = this.#order
    if (delayMs === undefined || index === undefined) return this.other()
    if (this.hasOther && this.#waitedMs + delayMs > longestWaitMs) return this.other()
    this.#repeated++
    this.#waitedMs += delayMs
    return { index, delayMs }
  }

  /** The next engine of the chain, at once. */
  other(): Try | undefined {
    this.#order.shift()
    this.#repeated = 0
    this.#waitedMs = 0
    const [index] = this.#order
    return index === undefined ? undefined : { index, delayMs: 0 }
  }
}
