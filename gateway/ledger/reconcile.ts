// Replays every account's entries in order and compares: posted, held, and each entry's own balance. Rule L15.

import type { TenantId } from '../platform/ids.ts'
import { type Account, availableMicro, heldMicro } from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { EntryStore, ReplayRow } from './entry-store.ts'

export interface Finding {
  readonly tenantId: TenantId
  readonly message: string
}

/** A tenant with a finding gets no new hold until a later run finds none. */
export async function reconcile(accounts: AccountStore, entries: EntryStore): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for await (const { tenantId, account } of accounts.scan('all')) {
    const messages = await replay(tenantId, account, entries)
    if (messages.length > 0 !== account.breached) await accounts.setBreached(tenantId, messages.length > 0)
    for (const message of messages) findings.push({ tenantId, message })
  }
  return findings
}

/** Exact at the version read, whatever runs meanwhile: an entry up to that version is in the ledger or in the outbox read. */
async function replay(tenantId: TenantId, account: Account, entries: EntryStore): Promise<readonly string[]> {
  const rest = new Map(account.outbox)
  const sum = { posted: 0, held: 0, broken: '' }
  const add = (row: ReplayRow) => {
    sum.posted += row.amountMicro
    sum.held += row.heldMicro
    if (sum.posted !== row.balanceMicro && sum.broken === '') sum.broken = row.key
  }
  for await (const row of entries.replay(tenantId, account.version)) {
    const waiting = rest.get(row.key)
    // Entries of the outbox are the latest ones, but one of them may have been moved before an older one.
    if (waiting === undefined) add(row)
  }
  for (const row of [...rest.values()].sort((a, b) => a.seq - b.seq)) add(row)
  const messages: string[] = []
  if (sum.posted !== account.postedMicro)
    messages.push(`entries sum to ${sum.posted}, posted is ${account.postedMicro}`)
  if (sum.held !== heldMicro(account)) messages.push(`entries hold ${sum.held}, holds are ${heldMicro(account)}`)
  if (sum.broken !== '') messages.push(`the balance of entry ${sum.broken} is not the sum up to it`)
  if (availableMicro(account) < 0) messages.push(`available is ${availableMicro(account)}`)
  return messages
}
