// Token buckets per visitor network, key and tenant and a count per day, shared by all gateways through Redis. Rule U5.

import { type Duration, Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { type Plan, type PlanLimits, planLimits, type RateLimit } from './limits.ts'
import { networkOf } from './network.ts'

/** Each has its buckets: whoever reads reports keeps no visitor out. */
export type RateScope = 'start' | 'request'

export interface RateAsk {
  readonly tenantId: string
  readonly plan: Plan
  readonly keyId: string
  /** Undefined: the peer is the tenant's own server or a carrier, no visitor. */
  readonly ip: string | undefined
}

/** Which limit said no: a problem code of its own for each. */
export type RateCode = 'rate_visitor' | 'rate_key' | 'rate_tenant' | 'rate_day'

export interface RateRefusal {
  readonly is: 'refused'
  readonly code: RateCode
  readonly retryAfterMs: number
}

/** `giveBack` returns what a refusal further on must not cost the tenant; the visitor's own token stays spent. */
export type RateAnswer = { readonly is: 'taken'; giveBack(): Promise<void> } | RateRefusal

export interface Rates {
  take(ask: RateAsk, scope: RateScope): Promise<RateAnswer>
}

interface Bucket {
  readonly limiter: Ratelimit
  readonly id: string
  readonly code: RateCode
  readonly retryAfterMs: number
}

type Limiters = ReturnType<typeof limitersOf>

export function createRates(redis: Redis): Rates {
  const byPlan = (scope: RateScope): Readonly<Record<Plan, Limiters>> => ({
    free: limitersOf(redis, scope, planLimits.free),
    pro: limitersOf(redis, scope, planLimits.pro),
    agency: limitersOf(redis, scope, planLimits.agency),
    enterprise: limitersOf(redis, scope, planLimits.enterprise),
  })
  const limiters = { start: byPlan('start'), request: byPlan('request') }
  return {
    async take(ask, scope) {
      const { visitor, shared } = bucketsOf(limiters[scope][ask.plan], ask)
      // The visitor first: one that is over its limit must not touch the tenant's buckets at all.
      for (const bucket of visitor) if (!(await take(bucket))) return refusal(bucket)
      const taken = await Promise.all(shared.map(async (bucket) => ({ bucket, ok: await take(bucket) })))
      const giveBack = async () => {
        await Promise.all(taken.filter(({ ok }) => ok).map(({ bucket }) => take(bucket, -1)))
      }
      // The one that takes longest to come back is told.
      const [refused] = taken.filter(({ ok }) => !ok).sort((a, b) => b.bucket.retryAfterMs - a.bucket.retryAfterMs)
      if (refused === undefined) return { is: 'taken', giveBack }
      await giveBack()
      return refusal(refused.bucket)
    },
  }
}

function refusal({ code, retryAfterMs }: Bucket): RateRefusal {
  return { is: 'refused', code, retryAfterMs }
}

async function take({ limiter, id }: Bucket, rate = 1): Promise<boolean> {
  return (await limiter.limit(id, { rate })).success
}

const dayMs = 86_400_000
/** A spent day is not over soon, but a client told to wait for hours would never come back. */
export const dayRetryMs = 3_600_000

function limitersOf(redis: Redis, scope: RateScope, { rate, visitor }: PlanLimits) {
  // No cache: it would keep refusing an id after its token was given back. No own timeout: the caller has a deadline.
  const fixed = { redis, ephemeralCache: false, timeout: 0, analytics: false } as const
  const prefix = (name: string) => `parley:rate:${scope === 'start' ? '' : `${scope}:`}${name}`
  const bucket = (name: string, limit: RateLimit) =>
    new Ratelimit({ ...fixed, prefix: prefix(name), limiter: tokens(limit) })
  return {
    visitor: { limiter: bucket('visitor', visitor), retryAfterMs: intervalMs(visitor) },
    shared:
      rate === null
        ? undefined
        : {
            key: bucket('key', rate),
            tenant: bucket('tenant', rate),
            day: new Ratelimit({
              ...fixed,
              prefix: prefix('day'),
              limiter: Ratelimit.fixedWindow(rate.perDay, `${dayMs} ms`),
            }),
            retryAfterMs: intervalMs(rate),
          },
  }
}

function bucketsOf({ visitor, shared }: Limiters, ask: RateAsk): { visitor: Bucket[]; shared: Bucket[] } {
  const { tenantId, keyId, ip } = ask
  const retryAfterMs = shared?.retryAfterMs ?? 0
  return {
    visitor: ip === undefined ? [] : [{ ...visitor, code: 'rate_visitor', id: `${tenantId}:${networkOf(ip)}` }],
    shared:
      shared === undefined
        ? []
        : [
            { limiter: shared.key, code: 'rate_key', id: `${tenantId}:${keyId}`, retryAfterMs },
            { limiter: shared.tenant, code: 'rate_tenant', id: tenantId, retryAfterMs },
            { limiter: shared.day, code: 'rate_day', id: tenantId, retryAfterMs: dayRetryMs },
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
