// What a tenant reads of its ledger. Outbox and collection together are the entries: account first, then the collection,
// so that an entry on its way from one to the other is seen at least once.

import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { CreditBalance, CreditsView, CreditTier, EntryView, Page, Receipt, TierBalance } from '../protocol/rest.ts'
import { type Account, type Entry, heldMicro } from './account.ts'
import type { AccountStore } from './account-store.ts'
import { availableMicro, freeGrants } from './burn.ts'
import type { EntryStore } from './entry-store.ts'
import { joinBills, type SessionBill, sumLines } from './lines.ts'
import { expireDue } from './perform.ts'
import { entryView, visibleKinds } from './present.ts'

interface Stores {
  readonly accounts: AccountStore
  readonly entries: EntryStore
}

/** As if what has ended by the store's time were written down already. */
export function balanceOf(read: Account): CreditBalance {
  const { account } = expireDue(read)
  const free = freeGrants(account)
  const tierOf = (tier: CreditTier): TierBalance => {
    const mine = free.filter(({ grant }) => grant.tier === tier)
    const postedMicro = mine.reduce((sum, { grant }) => sum + grant.leftMicro, 0)
    const available = mine.reduce((sum, { freeMicro }) => sum + freeMicro, 0)
    // In burn order, so that the first one with an end ends first.
    const ending = mine.find(({ grant, freeMicro }) => grant.expiresAt !== undefined && freeMicro > 0)?.grant
    const nextExpiryAt = ending?.expiresAt?.toISOString() ?? null
    return { postedMicro, heldMicro: postedMicro - available, availableMicro: available, nextExpiryAt }
  }
  return {
    postedMicro: account.postedMicro,
    heldMicro: heldMicro(account),
    availableMicro: availableMicro(account),
    debtMicro: account.debtMicro,
    tiers: { daily: tierOf('daily'), monthly: tierOf('monthly'), purchased: tierOf('purchased') },
    breached: account.breached,
  }
}

export function creditsView(account: Account): CreditsView {
  return {
    ...balanceOf(account),
    holds: [...account.holds.values()].map((hold) => ({
      id: hold.holdId,
      sessionId: hold.sessionId,
      amountMicro: hold.amountMicro,
      usedMicro: sumLines(hold.lines),
    })),
  }
}

const maxPage = 200

/** Newest first. The cursor is the `seq` of the last entry given. Throws `invalid` for a cursor that is none. */
export async function entriesPage(
  { accounts, entries }: Stores,
  tenantId: TenantId,
  page: { readonly cursor?: string; readonly limit: number },
): Promise<Page<EntryView>> {
  const cursor = page.cursor ?? String(Number.MAX_SAFE_INTEGER)
  if (!/^\d{1,16}$/.test(cursor)) throw new Problem('invalid', 'The cursor is not one of ours.')
  const beforeSeq = Number(cursor)
  const limit = Math.min(Math.max(1, Math.trunc(page.limit)), maxPage)
  const outbox = [...((await accounts.find(tenantId))?.outbox.values() ?? [])].filter(
    (entry) => entry.seq < beforeSeq && isVisible(entry),
  )
  const stored = await entries.page(tenantId, beforeSeq, limit + 1)
  const byKey = new Map([...outbox, ...stored].map((entry) => [entry.key, entry]))
  const sorted = [...byKey.values()].sort((a, b) => b.seq - a.seq)
  const shown = sorted.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(entryView),
    next: sorted.length > limit && last !== undefined ? String(last.seq) : null,
  }
}

/** Everything charged for a session: it may have come back after its end, or have deductions beside its settlements. */
export async function sessionReceipt(
  { accounts, entries }: Stores,
  tenantId: TenantId,
  sessionId: string,
): Promise<Receipt | undefined> {
  const outbox = [...((await accounts.find(tenantId))?.outbox.values() ?? [])]
  const waiting = outbox.filter((entry) => entry.receipt !== undefined && entry.sessionId === sessionId)
  const stored = await entries.receipts(tenantId, sessionId)
  const bills = new Map<string, SessionBill>(stored.map((doc) => [doc.entryId, { ...doc, at: doc.settledAt }]))
  for (const { key, at, seq, holdId, receipt, amountMicro } of waiting) {
    if (receipt === undefined) continue
    bills.set(key, { ...receipt, entryId: key, at, seq, totalMicro: 0 - amountMicro, ...(holdId && { holdId }) })
  }
  return joinBills(sessionId, [...bills.values()])
}

function isVisible(entry: Entry): boolean {
  return visibleKinds.some((kind) => kind === entry.kind)
}
