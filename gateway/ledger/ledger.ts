// Credits. Owns the accounts, holds, append-only entries and receipts; moves credit only through one primitive.
// Never knows what a session, an engine or a price is: it is told amounts in integer micro-credits.

import type { Db } from 'mongodb'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import type { CreditsView, EntryView, Page, Receipt, ReceiptLine } from '../protocol/rest.ts'

export interface HoldRequest {
  /** Random per attempt, reused by the retries of that attempt. */
  readonly holdId: string
  readonly sessionId: string
  readonly amountMicro: number
  /** Process that owns the session. */
  readonly owner: string
}

export type HoldAnswer =
  | { readonly is: 'held'; readonly epoch: number; readonly amountMicro: number }
  | { readonly is: 'out_of_credit'; readonly shortfallMicro: number }
  | { readonly is: 'too_many_holds' }

export type ExtendAnswer =
  | { readonly is: 'held'; readonly amountMicro: number }
  | { readonly is: 'out_of_credit'; readonly shortfallMicro: number }
  | { readonly is: 'gone' }

/** `fenced`: another process owns the hold (or it was settled): stop at once. */
export type CheckpointAnswer = 'applied' | 'fenced' | 'gone'

export interface SettleRequest {
  readonly holdId: string
  /** The bill so far; the charge is min(sum, hold), the lines are cut to fit and the rest is waived. */
  readonly lines: readonly ReceiptLine[]
  readonly costUsdMicro: number | null
  readonly note: string
  /** The owner proves itself by epoch; the janitor by what it saw when it scanned. */
  readonly by: { readonly epoch: number } | { readonly seen: { readonly epoch: number; readonly checkpoints: number } }
}

export type SettleAnswer =
  | { readonly is: 'settled'; readonly receipt: Receipt }
  | { readonly is: 'already'; readonly receipt: Receipt }
  | { readonly is: 'fenced' }

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
  extend(request: {
    readonly holdId: string
    readonly n: number
    readonly addMicro: number
    readonly epoch: number
  }): Promise<ExtendAnswer>
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
  post(request: {
    readonly key: string
    readonly kind: 'grant' | 'purchase' | 'refund' | 'adjust'
    readonly amountMicro: number
    readonly note: string
  }): Promise<EntryView>
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

export declare const ledgerCollections: readonly CollectionSpec[]
export declare function createLedger(deps: { readonly db: Db }): Ledger
