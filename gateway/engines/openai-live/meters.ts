// Usage as disjoint cumulative meters: seconds of each session of the provider (a high-water mark, `session.closed` final),
// and the tokens of whoever works behind the voice, under the name of its model, because their prices differ.

import { z } from 'zod'
import type { MeterKey, Meters } from '../engines.ts'
import { Recent } from '../recent.ts'

const tokens = z.number().nonnegative()

/** Of a response of the backend at the provider. Cached tokens are a part of the input, reasoning of the output. */
export const backendUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  input_tokens_details: z
    .object({ cached_tokens: tokens.catch(0) })
    .optional()
    .catch(undefined),
})

interface Session {
  seconds: number
  final: boolean
}

export class LiveMeters {
  readonly #sessions = new Map<string, Session>()
  readonly #counted = new Recent<true>()
  readonly #own: Record<string, number> = {}
  #desk: Meters = {}

  /** The new totals, or undefined when they did not change: reports repeat and overtake each other. */
  seconds(sessionId: string, seconds: number, final: boolean): Meters | undefined {
    const session = this.#sessions.get(sessionId) ?? { seconds: 0, final: false }
    this.#sessions.set(sessionId, session)
    if (session.final) return undefined
    session.final = final
    if (seconds <= session.seconds) return undefined
    session.seconds = seconds
    return this.totals
  }

  /** The provider ended a session without a word about its bill: `seconds` are our own, and the cost is unknown. */
  unconfirmed(sessionId: string, seconds: number): Meters {
    this.seconds(sessionId, seconds, true)
    this.#add('unknown.usages', 1)
    return this.totals
  }

  /** A session that may have been made: nobody told. */
  unknown(): Meters {
    this.#add('unknown.usages', 1)
    return this.totals
  }

  /** As `seconds`, for one response of the backend at the provider. */
  backend(responseId: string, model: string, usage: z.output<typeof backendUsage> | undefined): Meters | undefined {
    if (this.#counted.has(responseId)) return undefined
    this.#counted.set(responseId, true)
    if (usage === undefined) {
      this.#add('unknown.usages', 1)
      return this.totals
    }
    const cached = Math.min(usage.input_tokens, usage.input_tokens_details?.cached_tokens ?? 0)
    this.#add(workMeter(model, 'input.text.tokens'), usage.input_tokens - cached)
    this.#add(workMeter(model, 'input.cached.text.tokens'), cached)
    this.#add(workMeter(model, 'output.text.tokens'), usage.output_tokens)
    return this.totals
  }

  /** Cumulative, of our own text pipeline. */
  desk(model: string, meters: Meters): Meters {
    this.#desk = Object.fromEntries(Object.entries(meters).map(([key, value]) => [workMeter(model, key), value]))
    return this.totals
  }

  get totals(): Meters {
    const seconds = [...this.#sessions.values()].reduce((sum, session) => sum + session.seconds, 0)
    const live = seconds > 0 ? { 'live.seconds': seconds } : {}
    const work: Record<string, number> = { ...this.#own }
    for (const [key, value] of Object.entries(this.#desk) as [MeterKey, number][]) work[key] = (work[key] ?? 0) + value
    return { ...work, ...live }
  }

  #add(key: MeterKey, amount: number): void {
    if (amount > 0) this.#own[key] = (this.#own[key] ?? 0) + amount
  }
}

/** Names of meters have 64 characters at most; dots separate their parts. */
function workMeter(model: string, key: string): MeterKey {
  const name = model
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '_')
    .slice(0, 32)
  return `work.${name === '' ? 'unknown' : name}.${key}`
}
