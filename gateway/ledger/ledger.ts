// Credits. Owns the accounts, holds, append-only entries and receipts; moves credit only through one primitive.
// Never knows what a session, an engine or a price is: it is told amounts in integer micro-credits.

import type { Db } from 'mongodb'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { CreditBalance, CreditsView, EntryView, Page, Receipt, ReceiptLine } from '../protocol/rest.ts'
import type { Account } from './account.ts'
import { type AccountStore, openAccounts } from './account-store.ts'
import { requireId, requireInteger } from './amount.ts'
import { openAudits } from './audit-store.ts'
import {
  type DailyGrant,
  dailyOperation,
  type GrantAnswer,
  type MonthlyGrant,
  monthlyOperation,
  type PostRequest,
  type Purchase,
  postOperation,
  purchaseOperation,
} from './credit-in.ts'
import {
  type CheckAnswer,
  checkOf,
  type Debt,
  type DeductAnswer,
  type Deduction,
  debtOperation,
  deductOperation,
  type Refund,
  type RefundAnswer,
  refundOperation,
} from './credit-out.ts'
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
  type SettleAnswer,
  type SettleRequest,
  settleOperation,
} from './operations.ts'
import { expireDue, expiry } from './perform.ts'
import { balanceOf, creditsView, entriesPage, sessionReceipt } from './read.ts'
import { type Finding, reconcile } from './reconcile.ts'

export type { ExtendAnswer, ExtendRequest, HoldAnswer, HoldRequest, SettleAnswer, SettleRequest } from './operations.ts'

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
  /** Per tier, what is free, held and owed. */
  getCreditBalance(): Promise<CreditBalance>
  /** Whether so much could be spent now, and what is missing. Sets nothing aside. */
  check(amountMicro: number): Promise<CheckAnswer>
  /** Spends without a hold: the whole amount or nothing. Done once per key; a refusal leaves the key unused. */
  deductCredits(request: Deduction): Promise<DeductAnswer>
  /** Once per calendar day of the zone; ends at its next midnight. */
  grantDailyCredits(request: DailyGrant): Promise<GrantAnswer>
  /** Once per billing period; ends with it. */
  grantMonthlyCredits(request: MonthlyGrant): Promise<GrantAnswer>
  /** Once per payment; never ends unless told so. */
  addPurchasedCredits(request: Purchase): Promise<GrantAnswer>
  /** Takes credit back from the grant it came with; what was spent of it becomes debt. */
  refund(request: Refund): Promise<RefundAnswer>
  /** By hand, in either direction: in as purchased credit, out down to zero. */
  adjust(request: Omit<PostRequest, 'kind'>): Promise<EntryView>
  /** Owed without a grant behind it, a fee of a dispute say. Free credit pays at once, later credit the rest. */
  debt(request: Debt): Promise<EntryView>
  entries(page: { readonly cursor?: string; readonly limit: number }): Promise<Page<EntryView>>
  /** All that was charged for a session. */
  receipt(sessionId: string): Promise<Receipt | undefined>
}

export interface Ledger {
  of(tenantId: TenantId): TenantLedger
  /** Holds of all tenants without a checkpoint for `olderThanMs`. */
  stale(query: { readonly olderThanMs: number; readonly limit: number }): Promise<readonly StaleHold[]>
  /** Moves outbox entries to the ledger collection; any number of processes may run it at once. Returns how many moved. */
  flush(): Promise<number>
  /** Writes down what has ended of accounts that nobody moves. Returns how many accounts had something. */
  expire(): Promise<number>
  /** Replays entries against balances; empty when all is well. A tenant with a finding spends nothing new. */
  reconcile(): Promise<readonly Finding[]>
  /** Once per UTC day over all processes: writes down what has ended, then replays. Undefined: it was somebody else's. */
  nightly(): Promise<readonly Finding[] | undefined>
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
  const audits = openAudits(db)
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
    expire: () => expireAll(parts),
    reconcile: () => reconcile(accounts, entries),
    async nightly() {
      const now = () => new Date(clock.now())
      const day = now().toISOString().slice(0, 10)
      if (!(await audits.claim(day, now()))) return undefined
      await expireAll(parts)
      const findings = await reconcile(accounts, entries)
      await audits.finish(day, { now: now(), findings: findings.length })
      return findings
    },
  }
}

async function expireAll({ accounts, mutate }: Parts): Promise<number> {
  let touched = 0
  for await (const { tenantId, account } of accounts.scan('all')) {
    if (expireDue(account).entries.length === 0) continue
    await mutate(tenantId, expiry)
    touched++
  }
  return touched
}

function tenantLedger(parts: Parts, tenantId: TenantId): TenantLedger {
  const { accounts, mutate, inTime } = parts
  requireId(tenantId, 'tenantId')
  const read = async (): Promise<Account> => (await inTime(accounts.find(tenantId))) ?? noAccount
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
    deductCredits: async (request) => mutate(tenantId, deductOperation(request)),
    grantDailyCredits: async (request) => mutate(tenantId, dailyOperation(request)),
    grantMonthlyCredits: async (request) => mutate(tenantId, monthlyOperation(request)),
    addPurchasedCredits: async (request) => mutate(tenantId, purchaseOperation(request)),
    refund: async (request) => mutate(tenantId, refundOperation(request)),
    adjust: async (request) => mutate(tenantId, postOperation({ ...request, kind: 'adjust' })),
    debt: async (request) => mutate(tenantId, debtOperation(request)),
    credits: async () => creditsView(await read()),
    getCreditBalance: async () => balanceOf(await read()),
    check: async (amountMicro) => checkOf(expireDue(await read()).account, amountMicro),
    entries: (page) => inTime(entriesPage(parts, tenantId, page)),
    receipt: (sessionId) => inTime(sessionReceipt(parts, tenantId, sessionId)),
  }
}

/** Of a tenant that has had no credit yet. */
const noAccount: Account = {
  ...{ version: 0, now: new Date(0), postedMicro: 0, debtMicro: 0, breached: false, tiered: true },
  ...{ grants: new Map(), holds: new Map(), outbox: new Map() },
}

async function staleHolds(
  accounts: AccountStore,
  query: { readonly olderThanMs: number; readonly limit: number },
): Promise<readonly StaleHold[]> {
  const found: StaleHold[] = []
  for await (const { tenantId, account } of accounts.scan('live')) {
    for (const hold of account.holds.values()) {
      if (account.now.getTime() - hold.seenAt.getTime() < query.olderThanMs) continue
      const { holdId, sessionId, amountMicro, lines, epoch, checkpoints } = hold
      const costUsdMicro = hold.costUsdMicro ?? null
      found.push({ tenantId, holdId, sessionId, amountMicro, lines, costUsdMicro, seen: { epoch, checkpoints } })
      if (found.length >= query.limit) return found
    }
  }
  return found
}
