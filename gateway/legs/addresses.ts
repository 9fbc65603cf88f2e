// How many connections one network address may have, and how fast it may ask for them, in this process and before
// anybody knows whose they are. Limits per tenant are `usage`'s.

import type { Clock } from '../platform/clock.ts'

/** Sockets of one address at a time: a browser tab needs one, an office behind one address a few dozen. */
export const socketsPerAddress = 200
/** Everybody behind one address comes back at once after a restart, a few times each. */
const burst = 600
const perSecond = 50
/** Beyond it the oldest is forgotten, which only ever lets somebody in. */
const maxAddresses = 50_000
/** Some socket of the address closes: nobody knows when. */
const crowdedRetryMs = 5_000

export type Entry =
  | { readonly is: 'welcome' }
  /** Too many at a time: told in a way a browser can read. */
  | { readonly is: 'crowded'; readonly retryAfterMs: number }
  /** Too fast: not worth a handshake. */
  | { readonly is: 'flood'; readonly retryAfterMs: number }

export class Addresses {
  readonly #clock: Clock
  readonly #open = new Map<string, number>()
  readonly #asked = new Map<string, { tokens: number; atMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ask(ip: string): Entry {
    if (!this.#take(ip)) return { is: 'flood', retryAfterMs: 1_000 }
    if ((this.#open.get(ip) ?? 0) >= socketsPerAddress) return { is: 'crowded', retryAfterMs: crowdedRetryMs }
    return { is: 'welcome' }
  }

  opened(ip: string): void {
    this.#open.set(ip, (this.#open.get(ip) ?? 0) + 1)
  }

  closed(ip: string): void {
    const left = (this.#open.get(ip) ?? 0) - 1
    if (left <= 0) this.#open.delete(ip)
    else this.#open.set(ip, left)
  }

  #take(ip: string): boolean {
    const atMs = this.#clock.monotonicMs()
    const known = this.#asked.get(ip) ?? { tokens: burst, atMs }
    const tokens = Math.min(burst, known.tokens + ((atMs - known.atMs) / 1000) * perSecond)
    this.#asked.delete(ip)
    this.#asked.set(ip, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs })
    const oldest = this.#asked.size > maxAddresses ? this.#asked.keys().next().value : undefined
    if (oldest !== undefined) this.#asked.delete(oldest)
    return tokens >= 1
  }
}
