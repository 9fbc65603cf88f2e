// Admission without Redis: half of every limit, counted in this process alone. Rule U7.

import type { Clock } from '../platform/clock.ts'
import { planLimits, type RateLimit } from './limits.ts'
import { networkOf } from './network.ts'
import type { StartAsk } from './rates.ts'
import { intervalMs } from './rates.ts'
import { leaseMs, type SessionKey } from './slots.ts'

export type LocalAnswer =
  | { readonly is: 'taken'; giveBack(): void }
  | { readonly is: 'too_many'; readonly retryAfterMs: number }
  | { readonly is: 'no_slot' }

export interface LocalGate {
  enter(ask: StartAsk, session: SessionKey): LocalAnswer
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

export function createLocalGate(clock: Clock): LocalGate {
  const buckets = new Map<string, LocalBucket>()
  const tenants = new Map<string, Map<string, number>>()

  const fill = (id: string, limit: RateLimit): LocalBucket => {
    const burst = Math.max(1, Math.floor(limit.burst / 2))
    const nowMs = clock.monotonicMs()
    const known = buckets.get(id) ?? { tokens: burst, filledAtMs: nowMs }
    buckets.delete(id)
    known.tokens = Math.min(burst, known.tokens + (nowMs - known.filledAtMs) / (2 * intervalMs(limit)))
    known.filledAtMs = nowMs
    buckets.set(id, known)
    const oldest = buckets.keys().next().value
    if (buckets.size > maxBuckets && oldest !== undefined) buckets.delete(oldest)
    return known
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
    enter(ask, session) {
      const { starts, visitorStarts, sessions } = planLimits[ask.plan]
      const limits: [string, RateLimit][] = []
      if (ask.ip !== undefined) limits.push([`${ask.tenantId}:${networkOf(ask.ip)}`, visitorStarts])
      if (starts !== null) limits.push([`${ask.tenantId}:${ask.keyId}`, starts], [ask.tenantId, starts])
      const filled = limits.map(([id, limit]) => ({ bucket: fill(id, limit), limit }))
      const empty = filled.find(({ bucket }) => bucket.tokens < 1)
      if (empty !== undefined) return { is: 'too_many', retryAfterMs: 2 * intervalMs(empty.limit) }
      const live = sessionsOf(ask.tenantId)
      if (!live.has(session.sessionId) && live.size >= Math.max(1, Math.floor(sessions / 2))) return { is: 'no_slot' }
      for (const { bucket } of filled) bucket.tokens -= 1
      note(session)
      const giveBack = () => {
        for (const { bucket } of filled.slice(ask.ip === undefined ? 0 : 1)) bucket.tokens += 1
      }
      return { is: 'taken', giveBack }
    },
    note,
    leave({ tenantId, sessionId }) {
      const sessions = tenants.get(tenantId)
      sessions?.delete(sessionId)
      if (sessions?.size === 0) tenants.delete(tenantId)
    },
  }
}
