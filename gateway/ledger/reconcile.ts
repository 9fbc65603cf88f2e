// Replays every account's entries in order and compares: posted, held, owed, each grant and tier, each entry's own
// balance, each receipt. Rule L15.

import type { TenantId } from '../platform/ids.ts'
import { type Account, heldMicro } from './account.ts'
import type { AccountStore } from './account-store.ts'
import { freeGrants } from './burn.ts'
import type { BillRow, EntryStore, ReplayRow } from './entry-store.ts'
import { tiers } from './grants.ts'
import { sumLines } from './lines.ts'

export interface Finding {
  readonly tenantId: TenantId
  readonly message: string
}

/** A tenant with a finding gets no new hold until a later run finds none. */
export async function reconcile(accounts: AccountStore, entries: EntryStore): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for await (const { tenantId, account } of accounts.scan('all')) {
    const messages = [...(await replay(tenantId, account, entries)), ...shapeOf(account)]
    if (messages.length > 0 !== account.breached) await accounts.setBreached(tenantId, messages.length > 0)
    for (const message of messages) findings.push({ tenantId, message })
  }
  return findings
}

/** Exact at the version read, whatever runs meanwhile: an entry up to that version is in the ledger or in the outbox read. */
async function replay(tenantId: TenantId, account: Account, entries: EntryStore): Promise<readonly string[]> {
  const sums = new Sums()
  for await (const row of entries.replay(tenantId, account.version)) {
    // Entries of the outbox are the latest ones, but one of them may have been moved before an older one.
    if (!account.outbox.has(row.key)) sums.add(row)
  }
  const waiting = [...account.outbox.values()].sort((a, b) => a.seq - b.seq)
  for (const entry of waiting) sums.add(entry)
  for await (const bill of entries.bills(tenantId, account.version))
    if (!account.outbox.has(bill.entryId)) sums.addBill(bill)
  for (const { key, amountMicro, receipt } of waiting)
    if (receipt !== undefined) sums.addBill({ entryId: key, totalMicro: 0 - amountMicro, lines: receipt.lines })
  return sums.compare(account)
}

class Sums {
  #posted = 0
  #held = 0
  #debt = 0
  #charged = 0
  #billed = 0
  /** The first entry or receipt that is wrong in itself. */
  readonly #broken: string[] = []
  /** Only grants that have something left: entries are many, live grants are few. */
  readonly #grants = new Map<string, number>()

  add(row: ReplayRow): void {
    const { key, amountMicro, moves, heldMicro: held, debtMicro, balanceMicro } = row
    this.#posted += amountMicro
    this.#held += held
    this.#debt += debtMicro
    if (row.kind === 'settle' || row.billed === true) this.#charged -= amountMicro
    let moved = 0
    for (const move of moves) {
      moved += move.amountMicro
      const name = `${move.tier} ${move.grantId}`
      const leftMicro = (this.#grants.get(name) ?? 0) + move.amountMicro
      if (leftMicro === 0) this.#grants.delete(name)
      else this.#grants.set(name, leftMicro)
    }
    if (this.#broken.length > 0) return
    if (this.#posted !== balanceMicro) this.#broken.push(`the balance of entry ${key} is not the sum up to it`)
    else if (moved !== amountMicro) this.#broken.push(`the moves of entry ${key} do not sum to its amount`)
  }

  addBill({ entryId, totalMicro, lines }: BillRow): void {
    this.#billed += totalMicro
    if (sumLines(lines) !== totalMicro) this.#broken.push(`the lines of the receipt of ${entryId} do not sum to it`)
  }

  compare(account: Account): readonly string[] {
    const messages: string[] = []
    const expect = (what: string, entries: number, stored: number) => {
      if (entries !== stored) messages.push(`entries give ${what} ${entries}, the account has ${stored}`)
    }
    expect('posted', this.#posted, account.postedMicro)
    expect('held', this.#held, heldMicro(account))
    expect('owed', this.#debt, account.debtMicro)
    const left = new Map([...account.grants.values()].map((each) => [`${each.tier} ${each.grantId}`, each.leftMicro]))
    for (const tier of tiers) expect(tier, ofTier(this.#grants, tier), ofTier(left, tier))
    for (const name of new Set([...this.#grants.keys(), ...left.keys()]))
      expect(`grant ${name}`, this.#grants.get(name) ?? 0, left.get(name) ?? 0)
    if (this.#charged !== this.#billed)
      messages.push(`charges with a receipt are ${this.#charged}, their receipts ${this.#billed}`)
    return [...messages, ...this.#broken]
  }
}

function ofTier(grants: ReadonlyMap<string, number>, tier: string): number {
  let sum = 0
  for (const [name, micro] of grants) if (name.startsWith(`${tier} `)) sum += micro
  return sum
}

/** What must hold of an account whatever its entries say. */
function shapeOf(account: Account): readonly string[] {
  const messages: string[] = []
  for (const { grant, freeMicro } of freeGrants(account))
    if (freeMicro < 0) messages.push(`holds have ${-freeMicro} more of ${grant.grantId} than is left of it`)
  for (const { holdId, amountMicro, allocations } of account.holds.values()) {
    const sum = [...allocations.values()].reduce((a, b) => a + b, 0)
    if (sum !== amountMicro) messages.push(`hold ${holdId} is ${amountMicro}, its grants give ${sum}`)
    if ([...allocations.keys()].some((grantId) => !account.grants.has(grantId)))
      messages.push(`hold ${holdId} has credit of a grant that is gone`)
  }
  if (account.debtMicro < 0) messages.push(`owed is ${account.debtMicro}`)
  return messages
}
