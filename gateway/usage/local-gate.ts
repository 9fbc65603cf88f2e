// Admission without Redis: half of every limit, counted in this process alone. Rule U7.

import type { Clock } from '../platform/clock.ts'
import { planLimits, type RateLimit } from './limits.ts'
import { networkOf } from './network.ts'
import { dayRetryMs, intervalMs, type RateAsk, type RateCode, type RateRefusal, type RateScope } from './rates.ts'
import { leaseMs, type SessionKey } from './slots.ts'

export type LocalRate = { readonly is: 'taken'; giveBack(): void } | RateRefusal
export type LocalAnswer = LocalRate | { readonly is: 'no_slot' }

export interface LocalGate {
  rate(ask: RateAsk, scope: RateScope): LocalRate
  /** Rate and slot of a session's start. */
  enter(ask: RateAsk, session: SessionKey): LocalAnswer
  /** Sessions admitted through Redis count here too, for when it goes away. */
  note(session: SessionKey): void
  leave(session: SessionKey): void
}

interface LocalBucket {
  tokens: number
  filledAtMs: number
}

/** Beyond it the oldest buckets go: a flood of addresses must not fill the memory. */
const maxBuckets = 10_000
const dayMs = 86_400_000

const half = (limit: number) => Math.max(1, Math.floor(limit / 2))

interface Limit {
  readonly id: string
  readonly code: RateCode
  readonly limit: RateLimit
  readonly retryAfterMs: number
}

/** What comes back in a day comes back at midnight: the day is part of the bucket's name, and none comes back before. */
function limitsOf(ask: RateAsk, scope: RateScope, nowMs: number): readonly Limit[] {
  const { tenantId, keyId, ip } = ask
  const { rate, visitor } = planLimits[ask.plan]
  const limits: Limit[] = []
  const limit = (code: RateCode, id: string, each: RateLimit, retryAfterMs = 2 * intervalMs(each)) =>
    limits.push({ id: `${scope}/${code}/${id}`, code, limit: each, retryAfterMs })
  if (ip !== undefined) limit('rate_visitor', `${tenantId}/${networkOf(ip)}`, visitor)
  if (rate === null) return limits
  const day = { perMinute: 0, burst: rate.perDay }
  limit('rate_day', `${tenantId}/${Math.floor(nowMs / dayMs)}`, day, dayRetryMs)
  limit('rate_key', `${tenantId}/${keyId}`, rate)
  limit('rate_tenant', tenantId, rate)
  return limits
}

export function createLocalGate(clock: Clock): LocalGate {
  const buckets = new Map<string, LocalBucket>()
  const tenants = new Map<string, Map<string, number>>()

  const fill = (id: string, limit: RateLimit): LocalBucket => {
    const nowMs = clock.monotonicMs()
    const known = buckets.get(id) ?? { tokens: half(limit.burst), filledAtMs: nowMs }
    buckets.delete(id)
    const back = limit.perMinute === 0 ? 0 : (nowMs - known.filledAtMs) / (2 * intervalMs(limit))
    known.tokens = Math.min(half(limit.burst), known.tokens + back)
    known.filledAtMs = nowMs
    buckets.set(id, known)
    const oldest = buckets.keys().next().value
    if (buckets.size > maxBuckets && oldest !== undefined) buckets.delete(oldest)
    return known
  }
  const rate = (ask: RateAsk, scope: RateScope): LocalRate => {
    const filled = limitsOf(ask, scope, clock.now()).map((each) => ({ ...each, bucket: fill(each.id, each.limit) }))
    const empty = filled.find(({ bucket }) => bucket.tokens < 1)
    if (empty !== undefined) return { is: 'refused', code: empty.code, retryAfterMs: empty.retryAfterMs }
    for (const { bucket } of filled) bucket.tokens -= 1
    const giveBack = () => {
      for (const { bucket, code } of filled) if (code !== 'rate_visitor') bucket.tokens += 1
    }
    return { is: 'taken', giveBack }
  }
  const sessionsOf = (tenantId: string): Map<string, number> => {
    const sessions = tenants.get(tenantId) ?? new Map<string, number>()
    for (const [id, seenAtMs] of sessions) if (clock.monotonicMs() - seenAtMs > leaseMs) sessions.delete(id)
    return sessions
  }
  const note = ({ tenantId, sessionId }: SessionKey) => {
    tenants.set(tenantId, sessionsOf(tenantId).set(sessionId, clock.monotonicMs()))
  }

  return {
    rate,
    enter(ask, session) {
      const taken = rate(ask, 'start')
      if (taken.is === 'refused') return taken
      const live = sessionsOf(ask.tenantId)
      if (!live.has(session.sessionId) && live.size >= half(planLimits[ask.plan].sessions)) {
        taken.giveBack()
        return { is: 'no_slot' }
      }
      note(session)
      return taken
    },
    note,
    leave({ tenantId, sessionId }) {
      const sessions = tenants.get(tenantId)
      sessions?.delete(sessionId)
      if (sessions?.size === 0) tenants.delete(tenantId)
    },
  }
}
