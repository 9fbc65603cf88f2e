// What of an account is free, and from which grants it is taken. Pure; rules L4, L18 and L21.

import type { Account, Hold } from './account.ts'
import { burnOrder, type Grant, type Move } from './grants.ts'

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

/** What a new hold or deduction may take: nothing while there is debt, because free credit pays it first. */
export function availableMicro(account: Account): number {
  let sum = 0
  for (const { freeMicro } of freeGrants(account)) sum += freeMicro
  return sum
}

/** By how much credit is missing for `amountMicro`; zero or less: it is there. What comes in pays debt first. */
export function shortfallMicro(account: Account, amountMicro: number): number {
  return account.debtMicro + amountMicro - availableMicro(account)
}
