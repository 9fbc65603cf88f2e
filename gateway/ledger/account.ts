// A tenant's account as read under one version, and what a mutation may do to it. Pure.

import type { ReceiptLine } from '../protocol/rest.ts'

export interface Hold {
  readonly holdId: string
  readonly sessionId: string
  readonly amountMicro: number
  readonly owner: string
  /** Grows with every change of owner: older owners are refused. */
  readonly epoch: number
  /** Signs of life so far: the janitor settles only if none came since it looked. */
  readonly checkpoints: number
  readonly seenAt: Date
  readonly lines: readonly ReceiptLine[]
  /** Null: known to be unknown, which stays so. Undefined: nobody told yet. */
  readonly costUsdMicro: number | null | undefined
}

/** `hold` and `extend` move nothing posted, only `heldMicro`: they make the held sum replayable too. */
export type EntryKind = 'grant' | 'purchase' | 'refund' | 'adjust' | 'settle' | 'hold' | 'extend'

export interface ReceiptDraft {
  readonly lines: readonly ReceiptLine[]
  readonly waivedMicro: number
  readonly costUsdMicro: number | null
}

export interface Draft {
  readonly kind: EntryKind
  /** Change of what is posted. */
  readonly amountMicro: number
  /** Change of what is held. */
  readonly heldMicro: number
  /** What was asked for, when less was done. */
  readonly askedMicro: number
  readonly note: string
  readonly sessionId?: string
  readonly holdId?: string
  readonly receipt?: ReceiptDraft
}

export interface Entry extends Draft {
  readonly key: string
  /** The account's version this entry made: a total order per tenant. */
  readonly seq: number
  readonly balanceMicro: number
  readonly at: Date
}

export interface Account {
  readonly version: number
  readonly postedMicro: number
  readonly holds: ReadonlyMap<string, Hold>
  /** Entries not yet moved to the ledger collection. */
  readonly outbox: ReadonlyMap<string, Entry>
  /** Set by a reconcile that found a breach: no new holds until one finds none. */
  readonly breached: boolean
}

export type HoldChange =
  | {
      readonly is: 'open'
      readonly holdId: string
      readonly sessionId: string
      readonly owner: string
      readonly amountMicro: number
    }
  | { readonly is: 'extend'; readonly hold: Hold; readonly amountMicro: number }
  | { readonly is: 'close'; readonly hold: Hold }

export interface Change {
  readonly draft: Draft
  readonly hold?: HoldChange
}

/** What a mutation wants, given the account as it stands. */
export type Decision<Answer> =
  | { readonly is: 'refuse'; readonly answer: Answer }
  | { readonly is: 'apply'; readonly change: Change; readonly answer: (entry: Entry) => Answer }

export interface Operation<Answer> {
  /** Unique per tenant: an operation is done once, however often it is tried. */
  readonly key: string
  decide(account: Account): Decision<Answer>
  /** The operation was done before. May throw a `conflict` Problem. */
  replay(entry: Entry, account: Account): Answer
}

export function heldMicro(account: Account): number {
  let sum = 0
  for (const hold of account.holds.values()) sum += hold.amountMicro
  return sum
}

export function availableMicro(account: Account): number {
  return account.postedMicro - heldMicro(account)
}
