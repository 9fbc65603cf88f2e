// Grants: credit with a tier and perhaps an end, and in which order they burn. Pure; rules L18–L20.

import type { CreditTier } from '../protocol/rest.ts'

/** In the order in which they burn. */
export const tiers: readonly CreditTier[] = ['daily', 'monthly', 'purchased']

export interface Grant {
  /** The key of the entry that gave it. */
  readonly grantId: string
  /** Of that entry: the grant's age, and its short name on disk. */
  readonly seq: number
  readonly tier: CreditTier
  /** With what holds have of it. */
  readonly leftMicro: number
  readonly expiresAt: Date | undefined
  /** It has an `expire` entry: what holds give back later expires under keys of their own. */
  readonly expired: boolean
}

/** What an entry changes of one grant. An entry's moves sum to its amount. */
export interface Move {
  readonly grantId: string
  readonly tier: CreditTier
  readonly amountMicro: number
}

/** By grant id, what a hold has of it. Sums to the hold's amount. */
export type Allocations = ReadonlyMap<string, number>

/** Tier, then soonest end, then oldest. */
export function burnOrder(a: Grant, b: Grant): number {
  const ends = (grant: Grant) => grant.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY
  const [endA, endB] = [ends(a), ends(b)]
  return tiers.indexOf(a.tier) - tiers.indexOf(b.tier) || (endA === endB ? a.seq - b.seq : endA - endB)
}

export function negated(moves: readonly Move[]): readonly Move[] {
  return moves.map((move) => ({ ...move, amountMicro: 0 - move.amountMicro }))
}

export function withMoves(allocations: Allocations, moves: readonly Move[]): Allocations {
  const sum = new Map(allocations)
  for (const { grantId, amountMicro } of moves) sum.set(grantId, (sum.get(grantId) ?? 0) + amountMicro)
  return sum
}
