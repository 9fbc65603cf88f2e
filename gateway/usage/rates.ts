// Token buckets for session starts: per visitor network, key and tenant, shared by all gateways through Redis. Rule U5.

import { type Duration, Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { type Plan, type PlanLimits, planLimits, type RateLimit } from './limits.ts'
import { networkOf } from './network.ts'

export interface StartAsk {
  readonly tenantId: string
  readonly plan: Plan
  readonly keyId: string
  /** Undefined: the peer is the tenant's own server or a carrier, no visitor. */
  readonly ip: string | undefined
}

/** `giveBack` returns what a refusal further on must not cost the tenant; the visitor's own token stays spent. */
export type StartAnswer =
  | { readonly is: 'taken'; giveBack(): Promise<void> }
  | { readonly is: 'refused'; readonly retryAfterMs: number }

interface Bucket {
  readonly limiter: Ratelimit
  readonly id: string
  readonly retryAfterMs: number
}

type Limiters = ReturnType<typeof limitersOf>

export function createRates(redis: Redis): { take(ask: StartAsk): Promise<StartAnswer> } {
  const byPlan: Readonly<Record<Plan, Limiters>> = {
    free: limitersOf(redis, planLimits.free),
    pro: limitersOf(redis, planLimits.pro),
    enterprise: limitersOf(redis, planLimits.enterprise),
  }
  return {
    async take(ask) {
      const { visitor, shared } = bucketsOf(byPlan[ask.plan], ask)
      // The visitor first: one that is over its limit must not touch the tenant's buckets at all.
      for (const bucket of visitor) {
        if (!(await take(bucket))) return { is: 'refused', retryAfterMs: bucket.retryAfterMs }
      }
      const taken = await Promise.all(shared.map(async (bucket) => ({ bucket, ok: await take(bucket) })))
      const giveBack = async () => {
        await Promise.all(taken.filter(({ ok }) => ok).map(({ bucket }) => take(bucket, -1)))
      }
      const refusals = taken.filter(({ ok }) => !ok)
      if (refusals.length === 0) return { is: 'taken', giveBack }
      await giveBack()
      return { is: 'refused', retryAfterMs: Math.max(...refusals.map(({ bucket }) => bucket.retryAfterMs)) }
    },
  }
}

async function take({ limiter, id }: Bucket, rate = 1): Promise<boolean> {
  return (await limiter.limit(id, { rate })).success
}

const dayMs = 86_400_000
/** A spent day is not over soon, but a client told to wait for hours would never come back. */
const dayRetryMs = 3_600_000

function limitersOf(redis: Redis, { starts, visitorStarts }: PlanLimits) {
  // No cache: it would keep refusing an id after its token was given back. No own timeout: the caller has a deadline.
  const fixed = { redis, ephemeralCache: false, timeout: 0, analytics: false } as const
  const bucket = (scope: string, limit: RateLimit) =>
    new Ratelimit({ ...fixed, prefix: `parley:rate:${scope}`, limiter: tokens(limit) })
  return {
    visitor: { limiter: bucket('visitor', visitorStarts), retryAfterMs: intervalMs(visitorStarts) },
    shared:
      starts === null
        ? undefined
        : {
            key: bucket('key', starts),
            tenant: bucket('tenant', starts),
            day: new Ratelimit({
              ...fixed,
              prefix: 'parley:rate:day',
              limiter: Ratelimit.fixedWindow(starts.perDay, `${dayMs} ms`),
            }),
            retryAfterMs: intervalMs(starts),
          },
  }
}

function bucketsOf({ visitor, shared }: Limiters, ask: StartAsk): { visitor: Bucket[]; shared: Bucket[] } {
  const { tenantId, keyId, ip } = ask
  return {
    visitor: ip === undefined ? [] : [{ ...visitor, id: `${tenantId}:${networkOf(ip)}` }],
    shared:
      shared === undefined
        ? []
        : [
            { limiter: shared.key, id: `${tenantId}:${keyId}`, retryAfterMs: shared.retryAfterMs },
            { limiter: shared.tenant, id: tenantId, retryAfterMs: shared.retryAfterMs },
            { limiter: shared.day, id: tenantId, retryAfterMs: dayRetryMs },
          ],
  }
}

/** One token at a time, so that a refused visitor waits for one interval and not for a minute. */
function tokens({ perMinute, burst }: RateLimit) {
  const interval: Duration = `${intervalMs({ perMinute })} ms`
  return Ratelimit.tokenBucket(1, interval, burst)
}

export function intervalMs({ perMinute }: Pick<RateLimit, 'perMinute'>): number {
  return Math.ceil(60_000 / perMinute)
}
