// Entries as tenants see them. Pure.

import { Problem } from '../platform/problem.ts'
import type { CreditTier, EntryView, Receipt } from '../protocol/rest.ts'
import type { Entry, PendingEntry } from './account.ts'

/** Entries a tenant sees: those that move what is posted or owed. */
export const visibleKinds = [
  'grant',
  'purchase',
  'settle',
  'deduct',
  'refund',
  'adjust',
  'expire',
  'debt',
  'repay',
] as const satisfies readonly EntryView['kind'][]

export function entryView(entry: Entry): EntryView {
  const kind = visibleKinds.find((each) => each === entry.kind)
  if (kind === undefined) throw new Problem('internal')
  return {
    id: entry.key,
    kind,
    amountMicro: entry.amountMicro,
    balanceMicro: entry.balanceMicro,
    tiers: byTier(entry),
    debtMicro: entry.debtMicro,
    ...(entry.sessionId === undefined ? {} : { sessionId: entry.sessionId }),
    ...(entry.expiresAt === undefined ? {} : { expiresAt: entry.expiresAt.toISOString() }),
    note: entry.note,
    at: entry.at.toISOString(),
  }
}

export function byTier({ moves }: Pick<PendingEntry, 'moves'>): Partial<Record<CreditTier, number>> {
  const sums: Partial<Record<CreditTier, number>> = {}
  for (const { tier, amountMicro } of moves) sums[tier] = (sums[tier] ?? 0) + amountMicro
  return sums
}

/** The receipt of one settlement. */
export function receiptOf(entry: Entry): Receipt {
  const { receipt, sessionId, holdId } = entry
  if (receipt === undefined || sessionId === undefined || holdId === undefined) throw new Problem('internal')
  const totalMicro = 0 - entry.amountMicro
  const settledAt = entry.at.toISOString()
  return {
    sessionId,
    holdId,
    lines: receipt.lines,
    totalMicro,
    waivedMicro: receipt.waivedMicro,
    costUsdMicro: receipt.costUsdMicro,
    entryId: entry.key,
    settledAt,
    charges: [{ entryId: entry.key, amountMicro: totalMicro, at: settledAt }],
  }
}
