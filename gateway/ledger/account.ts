// A tenant's account as read under one version, and what a mutation may do to it. Pure.

import type { EntryView, ReceiptLine } from '../protocol/rest.ts'
import type { Allocations, Grant, Move } from './grants.ts'

export interface Hold {
  readonly holdId: string
  readonly sessionId: string
  readonly amountMicro: number
  readonly allocations: Allocations
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

/**
 * `hold` and `extend` move nothing posted, only `heldMicro`: they make the held sum replayable too. `fold` moves credit
 * from one grant to another.
 */
export type EntryKind = EntryView['kind'] | 'hold' | 'extend' | 'fold'

export interface ReceiptDraft {
  readonly lines: readonly ReceiptLine[]
  readonly waivedMicro: number
  readonly costUsdMicro: number | null
}

export interface Draft {
  readonly kind: EntryKind
  /** Change of what is posted: the sum of the moves. */
  readonly amountMicro: number
  readonly moves: readonly Move[]
  /** Change of what is held. */
  readonly heldMicro: number
  /** Change of what is owed. */
  readonly debtMicro: number
  /** What was asked for, when less was done. */
  readonly askedMicro: number
  readonly note: string
  readonly sessionId?: string
  readonly holdId?: string
  /** The grant that a refund, its debt, an expiry or a fold is about. */
  readonly ofGrant?: string
  /** Of the credit given. */
  readonly expiresAt?: Date
  readonly receipt?: ReceiptDraft
}

export interface PendingEntry extends Draft {
  readonly key: string
  /** The account's version this entry made: a total order per tenant. */
  readonly seq: number
  readonly balanceMicro: number
}

export interface Entry extends PendingEntry {
  readonly at: Date
  /** A deduction that has a receipt. */
  readonly billed?: true
}

export interface Account {
  readonly version: number
  /** The store's time of the look: what decides which grants have ended. */
  readonly now: Date
  readonly postedMicro: number
  readonly debtMicro: number
  readonly grants: ReadonlyMap<string, Grant>
  readonly holds: ReadonlyMap<string, Hold>
  /** Entries not yet moved to the ledger collection. */
  readonly outbox: ReadonlyMap<string, Entry>
  /** Set by a reconcile that found a breach: no new holds until one finds none. */
  readonly breached: boolean
  /** False: stored before there were grants. The next write stores them. */
  readonly tiered: boolean
}

export type HoldChange =
  | { readonly is: 'open'; readonly holdId: string; readonly sessionId: string; readonly owner: string }
  | { readonly is: 'extend'; readonly hold: Hold }
  | { readonly is: 'close'; readonly hold: Hold }

export interface Change {
  readonly key: string
  readonly draft: Draft
  readonly hold?: HoldChange
  /** What a hold gets, from which grants. */
  readonly allocated?: readonly Move[]
}

/** What a mutation wants, given the account as it stands. `change` takes the operation's key, `also` brings its own. */
export type Decision<Answer> =
  /** `expire`: what has ended is written down all the same. */
  | { readonly is: 'refuse'; readonly answer: Answer; readonly expire?: true }
  | {
      readonly is: 'apply'
      readonly change: Omit<Change, 'key'>
      readonly also?: readonly Change[]
      readonly answer: (entry: Entry) => Answer
    }

export interface Operation<Answer> {
  /** Unique per tenant: an operation is done once, however often it is tried. */
  key(account: Account): string
  /** A grant whose entries the decision needs. */
  readonly about?: string
  decide(account: Account, history: readonly Entry[]): Decision<Answer>
  /** The operation was done before. May throw a `conflict` Problem. */
  replay(entry: Entry, account: Account, history: readonly Entry[]): Answer
}

export function heldMicro(account: Account): number {
  let sum = 0
  for (const hold of account.holds.values()) sum += hold.amountMicro
  return sum
}

export const plainDraft = { amountMicro: 0, moves: [], heldMicro: 0, debtMicro: 0 } as const
