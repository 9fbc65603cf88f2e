// Closes what was left behind: sessions without a checkpoint for 45 s by the database's clock. Any number of processes
// may run it at once: the ledger settles a hold once, and a session document ends once.

import type { Ledger, StaleHold } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Transcript } from '../transcript/transcript.ts'
import type { Bill, Usage } from '../usage/usage.ts'
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

/**
 * The bill as far as anything proves it: the last checkpoint, or the last heartbeat under the same epoch when that is
 * later. Without Redis, or with an older session, the checkpoint stands: at most 15 s are ours to lose.
 */
async function lastBill(deps: JanitorDeps, hold: StaleHold): Promise<Pick<Bill, 'lines' | 'costUsdMicro'>> {
  const { tenantId, sessionId } = hold
  const beat = await deps.usage.lastBeat({ tenantId, sessionId })
  if (beat === undefined || beat.epoch !== hold.seen.epoch) return hold
  const price = await deps.store.price(tenantId, sessionId)
  if (price === undefined) return hold
  const bill = deps.usage.bill(price, beat.usage)
  return bill.totalMicro > hold.lines.reduce((sum, line) => sum + line.amountMicro, 0) ? bill : hold
}

async function settleHold(deps: JanitorDeps, hold: StaleHold): Promise<boolean> {
  const { lines, costUsdMicro } = await lastBill(deps, hold)
  const answer = await deps.ledger.of(hold.tenantId).settle({
    holdId: hold.holdId,
    lines,
    costUsdMicro,
    note: 'closed by the janitor',
    by: { seen: hold.seen },
  })
  return answer.is === 'settled'
}

async function endSession(deps: JanitorDeps, session: StaleSession): Promise<boolean> {
  const ledger = deps.ledger.of(session.tenantId)
  // A hold that is still there was checkpointed after our scan: its owner lives.
  if ((await ledger.credits()).holds.some((hold) => hold.id === session.holdId)) return false
  const receipt = await ledger.receipt(session.sessionId)
  // Before the end, which is written once: what the store does not take of this, the next run finds again.
  await deps.transcript.of(session.tenantId).closePartial(session.sessionId, { epoch: session.epoch + 1 })
  const ended = await deps.store.end(session.tenantId, session.sessionId, {
    reason: 'janitor',
    progress: receipt === undefined ? {} : { creditsMicro: receipt.totalMicro, costUsdMicro: receipt.costUsdMicro },
    at: new Date(deps.clock.now()),
    onlyIf: { lastSeenAt: session.lastSeenAt },
  })
  if (!ended) return false
  await deps.usage.release({ tenantId: session.tenantId, sessionId: session.sessionId })
  deps.log.info({ tenantId: session.tenantId, sessionId: session.sessionId }, 'stale session closed')
  return true
}
