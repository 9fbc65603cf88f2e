// Grants: credit with a tier and perhaps an end. What is free of each, and in which order they burn. Pure; rules L18–L20.

import type { CreditTier } from '../protocol/rest.ts'
import type { Account, Hold } from './account.ts'

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

/** What no hold has, of every grant, in burn order. */
export function freeGrants(account: Account): { readonly grant: Grant; readonly freeMicro: number }[] {
  const held = new Map<string, number>()
  for (const hold of account.holds.values())
    for (const [grantId, micro] of hold.allocations) held.set(grantId, (held.get(grantId) ?? 0) + micro)
  return [...account.grants.values()]
    .sort(burnOrder)
    .map((grant) => ({ grant, freeMicro: grant.leftMicro - (held.get(grant.grantId) ?? 0) }))
}

/** From the front of the burn order. The caller has made sure that so much is free. */
export function allocate(account: Account, amountMicro: number): readonly Move[] {
  const moves: Move[] = []
  let restMicro = amountMicro
  for (const { grant, freeMicro } of freeGrants(account)) {
    if (restMicro === 0) break
    const micro = Math.min(restMicro, freeMicro)
    if (micro <= 0) continue
    restMicro -= micro
    moves.push({ grantId: grant.grantId, tier: grant.tier, amountMicro: micro })
  }
  return moves
}

/** The grants of a hold in burn order, as far as the charge goes. */
export function chargeMoves(account: Account, hold: Hold, chargeMicro: number): readonly Move[] {
  const grants = [...hold.allocations.keys()].flatMap((grantId) => account.grants.get(grantId) ?? []).sort(burnOrder)
  const moves: Move[] = []
  let restMicro = chargeMicro
  for (const { grantId, tier } of grants) {
    const micro = Math.min(restMicro, hold.allocations.get(grantId) ?? 0)
    restMicro -= micro
    if (micro > 0) moves.push({ grantId, tier, amountMicro: 0 - micro })
  }
  return moves
}

export function negated(moves: readonly Move[]): readonly Move[] {
  return moves.map((move) => ({ ...move, amountMicro: 0 - move.amountMicro }))
}

export function withMoves(allocations: Allocations, moves: readonly Move[]): Allocations {
  const sum = new Map(allocations)
  for (const { grantId, amountMicro } of moves) sum.set(grantId, (sum.get(grantId) ?? 0) + amountMicro)
  return sum
}
