// What must be true once all is quiet: nothing is held, open or on its way; what was said to be durable is there once; and
// no more was lost than each death may cost.

import { type Doc, isPlain, num } from '../../gateway/embedded/value.ts'
import { type Breach, part } from './books.ts'
import type { SimStore } from './sim-store.ts'
import type { SessionTruth } from './truth.ts'

/** Of a death, a freeze, a Redis that forgot: the time between two checkpoints. */
const lossSeconds = 15

export interface Rest {
  readonly store: SimStore
  readonly truths: Iterable<SessionTruth>
  /** How long calls of all processes waited beyond the ordinary. */
  readonly troubleMs: number
  /** Of the store: what had ended then has been written down since. */
  readonly endedMs: number
}

interface Known {
  /** By document id. */
  readonly entries: ReadonlyMap<string, { readonly doc: Doc }>
  /** Ids of turns whose first version came when its writer was no owner any more. */
  readonly lateTurns: ReadonlySet<string>
  readonly breach: Breach
}

export function checkRest({ store, truths, troubleMs, endedMs }: Rest, known: Known): void {
  for (const truth of truths) {
    checkTurns(store, truth, known)
    checkLoss(truth, troubleMs, known)
  }
  checkEntries(store, known)
  const { breach } = known
  for (const account of store.collection('credit_accounts').values()) {
    const holds = Object.keys(part(account, 'holds')).length
    if (holds > 0) breach('I5', `${holds} holds are left`)
    for (const grant of Object.values(part(account, 'grants')))
      if (isPlain(grant) && grant.expiresAt instanceof Date && grant.expiresAt.getTime() <= endedMs)
        breach('L19', `${num(grant.leftMicro)} is left of ${String(grant.id)}, which has ended`)
    if (account.live !== undefined || account.dirty !== undefined) breach('L17', 'a mark is left on a quiet account')
  }
  for (const session of store.collection('sessions').values())
    if (session.state !== 'ended') breach('I5', 'a session did not end')
}

/** What the visitor was told is durable is there once, in its words; and nothing is open. */
function checkTurns(store: SimStore, truth: SessionTruth, { lateTurns, breach }: Known): void {
  const mine = [...store.collection('turns').values()].filter((turn) => turn.sessionId === truth.sessionId)
  const found = Map.groupBy(mine, (turn) => String(turn.itemId))
  for (const [itemId, turns] of found) if (turns.length > 1) breach('S17', `${itemId} is stored ${turns.length} times`)
  for (const [itemId, text] of truth.committed) {
    const [turn] = found.get(itemId) ?? []
    if (turn === undefined) breach('S12', `${itemId} was said to be durable and is lost`)
    else if (turn.text !== text) breach('S12', `${itemId} is not as it was said to be durable`)
  }
  for (const turn of mine)
    if (turn.state === 'partial' && !lateTurns.has(String(turn._id))) breach('S15', `${turn.itemId} is still open`)
}

/** At most 15 s are lost by each death, and what a store that did not answer kept from being told. */
function checkLoss(truth: SessionTruth, troubleMs: number, { breach }: Known): void {
  if (truth.billedSeconds === undefined) return
  const allowed = lossSeconds * truth.losses + truth.awayMs / 1000 + troubleMs / 1000 + 1
  const lost = truth.servedSeconds - truth.billedSeconds
  if (lost > allowed) breach('I5', `${lost} s were served and not billed, ${allowed} may be`)
}

/** Every entry that was ever in an outbox is where entries stay, with its one receipt; and no other is. */
function checkEntries(store: SimStore, { entries, breach }: Known): void {
  const moved = store.collection('credit_entries')
  const receipts = Map.groupBy(
    store.collection('credit_receipts').values(),
    (each) => `${String(each.tenantId)}/${String(each.entryId)}`,
  )
  for (const [id, { doc }] of entries) {
    if (!moved.has(id)) breach('I1', `entry ${id} did not come out of the outbox`)
    else if (part(doc, 'receipt').lines !== undefined) {
      const count = receipts.get(id)?.length ?? 0
      if (count !== 1) breach('receipts', `entry ${id} has ${count} receipts`)
    }
  }
  if (moved.size !== entries.size) breach('I1', 'there are entries that nobody made')
  let sum = 0
  for (const entry of moved.values()) sum += num(entry.amountMicro)
  let posted = 0
  for (const account of store.collection('credit_accounts').values()) posted += num(account.posted)
  if (sum !== posted) breach('I1', `all entries sum to ${sum}, all balances to ${posted}`)
}
