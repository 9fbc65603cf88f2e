// Whose slot is held by a session that is over: asked when a tenant has no slot left. Rule U14.

import type { Ledger } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import { withDeadline } from '../platform/deadline.ts'
import type { TenantId } from '../platform/ids.ts'
import { type Holder, leaseMs, type SessionKey } from './slots.ts'

/** Sessions of the tenant that really live. */
export type LiveSessions = (tenantId: TenantId) => Promise<ReadonlySet<string>>

/** A session that lives has a hold: it gets it right after its slot, and it is settled at its end. */
export function holders(ledger: Ledger): LiveSessions {
  return async (tenantId) => new Set((await ledger.of(tenantId).credits()).holds.map((hold) => hold.sessionId))
}

/** A slot taken or renewed since then is not doubted: its hold may be on the way. */
const settledMs = 5_000
/** A visitor waits for the answer. */
const askMs = 1_000
/** A tenant that is really full is not asked about at every refusal. */
const restMs = 1_000
const maxResting = 10_000

export interface SlotCheck {
  /** Holders that are over. Empty when nobody can tell in time; never throws. */
  dead(tenantId: TenantId, holders: readonly Holder[]): Promise<readonly string[]>
  /** The slot could not be given back: it is free all the same. */
  owe(session: SessionKey): void
  /** What is owed, once. */
  takeOwed(): readonly SessionKey[]
}

export function createSlotCheck(deps: { readonly live: LiveSessions; readonly clock: Clock }): SlotCheck {
  const { live, clock } = deps
  const owed = new Map<string, SessionKey>()
  const resting = new Map<TenantId, number>()
  const reallyDead = async (tenantId: TenantId, doubtful: readonly string[]): Promise<readonly string[]> => {
    const restedAtMs = resting.get(tenantId)
    if (doubtful.length === 0 || (restedAtMs !== undefined && clock.monotonicMs() - restedAtMs < restMs)) return []
    if (resting.size >= maxResting) resting.clear()
    resting.set(tenantId, clock.monotonicMs())
    const none = (): ReadonlySet<string> => new Set(doubtful)
    const living = await withDeadline(live(tenantId).catch(none), { timeoutMs: askMs, fallback: none, clock })
    return doubtful.filter((sessionId) => !living.has(sessionId))
  }
  return {
    async dead(tenantId, all) {
      const known = all.filter(({ sessionId }) => owed.has(sessionId)).map(({ sessionId }) => sessionId)
      if (known.length > 0) return known
      const doubtful = all.filter(({ leftMs }) => leftMs <= leaseMs - settledMs)
      return reallyDead(
        tenantId,
        doubtful.map(({ sessionId }) => sessionId),
      )
    },
    owe(session) {
      if (owed.size >= maxResting) owed.clear()
      owed.set(session.sessionId, { tenantId: session.tenantId, sessionId: session.sessionId })
    },
    takeOwed() {
      const all = [...owed.values()]
      owed.clear()
      return all
    },
  }
}
