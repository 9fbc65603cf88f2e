// Credits. Owns the accounts, holds, append-only entries and receipts; moves credit only through one primitive.
// Never knows what a session, an engine or a price is: it is told amounts in integer micro-credits.

import type { Db } from 'mongodb'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { CreditsView, EntryView, Page, Receipt, ReceiptLine } from '../protocol/rest.ts'
import { type AccountStore, openAccounts } from './account-store.ts'
import { requireId, requireInteger } from './amount.ts'
import { collections } from './documents.ts'
import { type EntryStore, openEntries } from './entry-store.ts'
import { checkLines } from './lines.ts'
import { answerInTime, createMutate, type Mutate } from './mutate.ts'
import {
  type ExtendAnswer,
  type ExtendRequest,
  extendOperation,
  type HoldAnswer,
  type HoldRequest,
  holdOperation,
  type PostRequest,
  postOperation,
  type SettleAnswer,
  type SettleRequest,
  settleOperation,
} from './operations.ts'
import { creditsView, entriesPage, latestReceipt } from './read.ts'
import { reconcile } from './reconcile.ts'

export type { ExtendAnswer, HoldAnswer, HoldRequest, SettleAnswer, SettleRequest } from './operations.ts'

/** `fenced`: another process owns the hold (or it was settled): stop at once. */
export type CheckpointAnswer = 'applied' | 'fenced' | 'gone'

/** A hold nobody checkpointed for a while, by the database's clock. `lines` and cost as of its last checkpoint. */
export interface StaleHold {
  readonly tenantId: TenantId
  readonly holdId: string
  readonly sessionId: string
  readonly amountMicro: number
  readonly lines: readonly ReceiptLine[]
  readonly costUsdMicro: number | null
  readonly seen: { readonly epoch: number; readonly checkpoints: number }
}

export interface TenantLedger {
  credits(): Promise<CreditsView>
  hold(request: HoldRequest): Promise<HoldAnswer>
  /** `n` numbers the extensions of one hold from 1: the same n twice extends once. */
  extend(request: ExtendRequest): Promise<ExtendAnswer>
  /** Cumulative bill so far: max-merged, so repeats, retries and reordering are harmless. Also says "still alive". */
  checkpoint(request: {
    readonly holdId: string
    readonly epoch: number
    readonly lines: readonly ReceiptLine[]
    readonly costUsdMicro: number | null
  }): Promise<CheckpointAnswer>
  /** Takes the hold over from a dead owner: the old epoch is refused from then on. */
  takeOver(request: {
    readonly holdId: string
    readonly fromEpoch: number
    readonly owner: string
  }): Promise<{ readonly is: 'owned'; readonly epoch: number } | { readonly is: 'lost' }>
  settle(request: SettleRequest): Promise<SettleAnswer>
  /** Credit in (or out, negative, down to zero). The key makes it exactly-once; other arguments under the same key are a `conflict` Problem. */
  post(request: PostRequest): Promise<EntryView>
  entries(page: { readonly cursor?: string; readonly limit: number }): Promise<Page<EntryView>>
  receipt(sessionId: string): Promise<Receipt | undefined>
}

export interface Ledger {
  of(tenantId: TenantId): TenantLedger
  /** Holds of all tenants without a checkpoint for `olderThanMs`. */
  stale(query: { readonly olderThanMs: number; readonly limit: number }): Promise<readonly StaleHold[]>
  /** Moves outbox entries to the ledger collection; any number of processes may run it at once. Returns how many moved. */
  flush(): Promise<number>
  /** Replays entries against balances; empty when all is well. */
  reconcile(): Promise<readonly { readonly tenantId: TenantId; readonly message: string }[]>
}

export const ledgerCollections: readonly CollectionSpec[] = collections

interface Parts {
  readonly accounts: AccountStore
  readonly entries: EntryStore
  readonly mutate: Mutate
  /** Bounds the wait for an answer of the store. */
  readonly inTime: <T>(answer: Promise<T>) => Promise<T>
}

export interface LedgerDeps {
  readonly db: Db
  /** For pauses and deadlines; what is due is decided by the store's clock. */
  readonly clock?: Clock
  /** From [0, 1): spreads retries. */
  readonly random?: () => number
}

export function createLedger({ db, clock = systemClock, random = Math.random }: LedgerDeps): Ledger {
  const accounts = openAccounts(db)
  const entries = openEntries(db)
  const parts: Parts = {
    accounts,
    entries,
    mutate: createMutate({ accounts, entries, clock, random }),
    inTime: (answer) => answerInTime(answer, clock),
  }
  return {
    of: (tenantId) => tenantLedger(parts, tenantId),
    stale: (query) => staleHolds(accounts, query),
    async flush() {
      let moved = 0
      for await (const { tenantId, account } of accounts.scan('dirty')) {
        moved += await entries.append(tenantId, account)
        await accounts.clear(tenantId, account)
      }
      return moved
    },
    reconcile: () => reconcile(accounts, entries),
  }
}

function tenantLedger(parts: Parts, tenantId: TenantId): TenantLedger {
  const { accounts, mutate, inTime } = parts
  requireId(tenantId, 'tenantId')
  return {
    hold: async (request) => mutate(tenantId, holdOperation(request)),
    extend: async (request) => mutate(tenantId, extendOperation(request)),
    settle: async (request) => mutate(tenantId, settleOperation(request)),
    post: async (request) => mutate(tenantId, postOperation(request)),
    async checkpoint({ holdId, epoch, lines, costUsdMicro }) {
      requireId(holdId, 'holdId')
      if (costUsdMicro !== null) requireInteger(costUsdMicro, 'costUsdMicro', 0)
      const write = { epoch: requireInteger(epoch, 'epoch', 1), lines: checkLines(lines), costUsdMicro }
      if (await inTime(accounts.checkpoint(tenantId, holdId, write))) return 'applied'
      return (await inTime(accounts.find(tenantId)))?.holds.has(holdId) === true ? 'fenced' : 'gone'
    },
    async takeOver({ holdId, fromEpoch, owner }) {
      requireId(holdId, 'holdId')
      const epoch = requireInteger(fromEpoch, 'fromEpoch', 1) + 1
      if (await inTime(accounts.takeOver(tenantId, holdId, { fromEpoch, owner }))) return { is: 'owned', epoch }
      // The reply to the first try may have been lost: then the hold is ours already.
      const hold = (await inTime(accounts.find(tenantId)))?.holds.get(holdId)
      return hold?.epoch === epoch && hold.owner === owner ? { is: 'owned', epoch } : { is: 'lost' }
    },
    credits: async () => creditsView(await inTime(accounts.find(tenantId))),
    entries: (page) => inTime(entriesPage(parts, tenantId, page)),
    receipt: (sessionId) => inTime(latestReceipt(parts, tenantId, sessionId)),
  }
}

async function staleHolds(
  accounts: AccountStore,
  query: { readonly olderThanMs: number; readonly limit: number },
): Promise<readonly StaleHold[]> {
  const found: StaleHold[] = []
  for await (const { tenantId, account, now } of accounts.scan('live')) {
    for (const hold of account.holds.values()) {
      if (now.getTime() - hold.seenAt.getTime() < query.olderThanMs) continue
      const { holdId, sessionId, amountMicro, lines, epoch, checkpoints } = hold
      const costUsdMicro = hold.costUsdMicro ?? null
      found.push({ tenantId, holdId, sessionId, amountMicro, lines, costUsdMicro, seen: { epoch, checkpoints } })
      if (found.length >= query.limit) return found
    }
  }
  return found
}
