// What was really served and said, told by the simulated visitors and engines themselves: the oracle's only measure.

import { billOf, type PriceSnapshot } from '../../gateway/usage/bill.ts'
import type { Life, Scheduler } from './scheduler.ts'

/** One process serving one session. */
export interface Stint {
  readonly owner: string
  readonly life: Life
  readonly startMs: number
  /** Since when it serves nobody any more: hung up, died, taken over. */
  endMs: number | undefined
  frozenAtMs: number | undefined
  /** When its process stood still meanwhile. */
  readonly freezes: { readonly atMs: number; readonly ms: number }[]
}

export interface Served {
  readonly seconds: number
  readonly tokens: number
  readonly toolCalls: number
  readonly messages: number
}

export const tokenMeter = 'output.text.tokens'

/** A process counts from its own birth: whole seconds are not to the last bit the same number. */
const clockNoise = 1e-6

export class SessionTruth {
  readonly sessionId: string
  readonly tenantId: string
  readonly tokensPerSecond: number
  readonly stints: Stint[] = []
  /** By item, by call id: however often one is told of, and by how many owners, it is one. */
  readonly messages = new Set<string>()
  readonly toolCalls = new Set<string>()
  /** What the visitor was told is durable, by item: the words as told last. */
  readonly committed = new Map<string, string>()
  price: PriceSnapshot | undefined
  /** Deaths and freezes of its owners, losses of Redis, forced closes: each may cost up to 15 s. */
  losses = 0
  /** The visitor's connection broke: part of that time may be free. */
  awayMs = 0
  billedSeconds: number | undefined
  /** When it was settled. */
  servedSeconds = 0
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler, facts: { sessionId: string; tenantId: string; tokensPerSecond: number }) {
    this.#scheduler = scheduler
    this.sessionId = facts.sessionId
    this.tenantId = facts.tenantId
    this.tokensPerSecond = facts.tokensPerSecond
  }

  begin(owner: string, life: Life): Stint {
    const startMs = this.#scheduler.nowMs
    const stint: Stint = { owner, life, startMs, endMs: undefined, frozenAtMs: undefined, freezes: [] }
    this.stints.push(stint)
    return stint
  }

  /** Everybody but the new owner has served all that he will ever be paid for. */
  cut(but: string): void {
    for (const stint of this.stints) if (stint.owner !== but) this.end(stint)
  }

  /** Taken from an owner that did not let go: its last checkpoint counts. Deaths and freezes count by themselves. */
  forced(): void {
    const last = this.stints.at(-1)
    if (last?.endMs === undefined && last?.life.alive === true && last.frozenAtMs === undefined) this.losses++
  }

  end(stint: Stint): void {
    stint.endMs ??= this.#upTo(stint)
  }

  get seconds(): number {
    return this.stints.reduce(
      (sum, stint) => sum + Math.ceil(((stint.endMs ?? this.#upTo(stint)) - stint.startMs) / 1000 + clockNoise),
      0,
    )
  }

  /** Without the time in which its owners stood still: they may charge for it when they wake as owners, and need not. */
  get leastSeconds(): number {
    let frozenMs = 0
    for (const stint of this.stints) {
      const endMs = stint.endMs ?? this.#scheduler.nowMs
      for (const { atMs, ms } of stint.freezes) frozenMs += Math.max(0, Math.min(atMs + ms, endMs) - atMs)
    }
    return this.seconds - frozenMs / 1000
  }

  /** A frozen process serves nobody; what it counts when it wakes is its own only if it is still the owner then. */
  #upTo(stint: Stint): number {
    const frozen = stint.life.frozenUntilMs > this.#scheduler.nowMs ? stint.frozenAtMs : undefined
    return frozen ?? this.#scheduler.nowMs
  }

  /** The most that may stand on its bill now. */
  most(): Served & { readonly totalMicro: number } {
    const { seconds } = this
    const tokens = Math.ceil(seconds * this.tokensPerSecond)
    const served = { seconds, tokens, toolCalls: this.toolCalls.size, messages: this.messages.size }
    const tools = { lookup: served.toolCalls }
    const usage = {
      seconds,
      meters: { [tokenMeter]: tokens },
      toolCalls: served.toolCalls,
      tools,
      messages: served.messages,
    }
    return { ...served, totalMicro: this.price === undefined ? 0 : billOf(this.price, usage).totalMicro }
  }
}
