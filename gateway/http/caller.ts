// Who is at the other end of the socket, and how fast it may ask.

import type { IncomingMessage } from 'node:http'
import type { Clock } from '../platform/clock.ts'

/** The address as seen by the outermost proxy that is trusted; without one, the socket's own. */
export function clientIp(request: IncomingMessage, trustedProxies: number): string {
  const own = request.socket.remoteAddress ?? ''
  if (trustedProxies === 0) return own
  const header = request.headers['x-forwarded-for']
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
  return hops.at(-trustedProxies) ?? own
}

interface Bucket {
  tokens: number
  atMs: number
}

/** Addresses remembered at once; beyond it the oldest is forgotten, which only ever lets somebody in. */
const maxBuckets = 50_000

/** A token bucket per address, in this process. The limits that cost money are `usage`'s, shared by all processes. */
export class RateLimit {
  readonly #clock: Clock
  readonly #burst: number
  readonly #perSecond: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock
    this.#burst = burst
    this.#perSecond = perSecond
  }

  /** 0 when the request may go on, else the milliseconds to wait. */
  take(ip: string): number {
    const now = this.#clock.monotonicMs()
    const known = this.#buckets.get(ip)
    const tokens =
      known === undefined
        ? this.#burst
        : Math.min(this.#burst, known.tokens + ((now - known.atMs) / 1000) * this.#perSecond)
    this.#buckets.delete(ip)
    this.#buckets.set(ip, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: now })
    const oldest = this.#buckets.size > maxBuckets ? this.#buckets.keys().next().value : undefined
    if (oldest !== undefined) this.#buckets.delete(oldest)
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / this.#perSecond) * 1000)
  }
}
