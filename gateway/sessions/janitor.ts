// Closes what was left behind: sessions without a checkpoint for 45 s by the database's clock. Any number of processes
// may run it at once: the ledger settles a hold once, and a session document ends once.

import type { Ledger, StaleHold } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Transcript } from '../transcript/transcript.ts'
import type { Usage } from '../usage/usage.ts'
import type { SessionStore, StaleSession } from './store.ts'

/** Three missed checkpoints of 15 s. With a run every 10 s a dead session is closed within 60 s of its last checkpoint. */
export const staleAfterMs = 45_000
const batch = 200

export interface JanitorDeps {
  readonly clock: Clock
  readonly log: Log
  readonly ledger: Ledger
  readonly usage: Usage
  readonly transcript: Transcript
  readonly store: SessionStore
}

export interface JanitorReport {
  readonly closed: number
  readonly settled: number
  readonly failed: number
}

export async function closeStale(deps: JanitorDeps): Promise<JanitorReport> {
  let settled = 0
  let failed = 0
  let closed = 0
  const attempt = async (what: () => Promise<void>, ids: Record<string, string>): Promise<void> => {
    try {
      await what()
    } catch (error) {
      failed++
      deps.log.error({ err: error, ...ids }, 'janitor could not close this session, next run tries again')
    }
  }
  for (const hold of await deps.ledger.stale({ olderThanMs: staleAfterMs, limit: batch })) {
    await attempt(
      async () => {
        if (await settleHold(deps, hold)) settled++
      },
      { sessionId: hold.sessionId },
    )
  }
  for (const session of await deps.store.stale(staleAfterMs, batch)) {
    await attempt(
      async () => {
        if (await endSession(deps, session)) closed++
      },
      { sessionId: session.sessionId },
    )
  }
  return { closed, settled, failed }
}

async function settleHold(deps: JanitorDeps, hold: StaleHold): Promise<boolean> {
  const answer = await deps.ledger.of(hold.tenantId).settle({
    holdId: hold.holdId,
    lines: hold.lines,
    costUsdMicro: hold.costUsdMicro,
    note: 'closed by the janitor',
    by: { seen: hold.seen },
  })
  return answer.is === 'settled'
}

async function endSession(deps: JanitorDeps, session: StaleSession): Promise<boolean> {
  const ledger = deps.ledger.of(session.tenantId)
  const receipt = await ledger.receipt(session.sessionId)
  // A hold that is still there was checkpointed after our scan: its owner lives.
  if (receipt === undefined && (await ledger.credits()).holds.some((hold) => hold.id === session.holdId)) return false
  const ended = await deps.store.end(session.tenantId, session.sessionId, {
    reason: 'janitor',
    progress: receipt === undefined ? {} : { creditsMicro: receipt.totalMicro, costUsdMicro: receipt.costUsdMicro },
    at: new Date(deps.clock.now()),
    onlyIfSeenAt: session.lastSeenAt,
  })
  if (!ended) return false
  await deps.transcript.of(session.tenantId).closePartial(session.sessionId)
  await deps.usage.release({ tenantId: session.tenantId, sessionId: session.sessionId })
  deps.log.info({ tenantId: session.tenantId, sessionId: session.sessionId }, 'stale session closed')
  return true
}
