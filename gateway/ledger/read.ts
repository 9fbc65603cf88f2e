// What a tenant reads of its ledger. Outbox and collection together are the entries: account first, then the collection,
// so that an entry on its way from one to the other is seen at least once.

import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { CreditsView, EntryView, Page, Receipt } from '../protocol/rest.ts'
import { type Account, availableMicro, type Entry, heldMicro } from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { EntryStore } from './entry-store.ts'
import { sumLines } from './lines.ts'
import { entryView, receiptOf, visibleKinds } from './operations.ts'

interface Stores {
  readonly accounts: AccountStore
  readonly entries: EntryStore
}

export function creditsView(account: Account | undefined): CreditsView {
  if (account === undefined) return { postedMicro: 0, heldMicro: 0, availableMicro: 0, holds: [] }
  return {
    postedMicro: account.postedMicro,
    heldMicro: heldMicro(account),
    availableMicro: availableMicro(account),
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

/** A session that was settled more than once (it came back after its end) shows the latest receipt. */
export async function latestReceipt(
  { accounts, entries }: Stores,
  tenantId: TenantId,
  sessionId: string,
): Promise<Receipt | undefined> {
  const outbox = (await accounts.find(tenantId))?.outbox.values() ?? []
  const waiting = [...outbox].filter((entry) => entry.kind === 'settle' && entry.sessionId === sessionId)
  const newest = waiting.sort((a, b) => b.seq - a.seq)[0]
  return newest === undefined ? entries.receipt(tenantId, sessionId) : receiptOf(newest)
}

function isVisible(entry: Entry): boolean {
  return visibleKinds.some((kind) => kind === entry.kind)
}
