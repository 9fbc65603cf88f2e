// Test double: one account in memory, moved by the real decisions. The entries are kept twice: as sums per grant, to be
// compared with the account after every step, and by key, to see that none comes twice.

import { expect } from 'vitest'
import type { Account, Entry, Operation } from './account.ts'
import { freeGrants } from './burn.ts'
import type { Played } from './commands.test-support.ts'
import { dailyOperation, monthlyOperation, postOperation, purchaseOperation } from './credit-in.ts'
import { checkOf, debtOperation, deductOperation, refundOperation } from './credit-out.ts'
import { mergeLines, sumLines } from './lines.ts'
import { extendOperation, holdOperation, settleOperation } from './operations.ts'
import { expireDue, expiry, perform } from './perform.ts'
import { balanceOf } from './read.ts'

export class MemoryLedger {
  account: Account
  readonly entries = new Map<string, Entry>()
  readonly #sums = new Map<string, number>()
  #posted = 0
  #held = 0
  #debt = 0

  constructor(nowMs: number) {
    this.account = {
      ...{ version: 0, now: new Date(nowMs), postedMicro: 0, debtMicro: 0, breached: false, tiered: true },
      ...{ grants: new Map(), holds: new Map(), outbox: new Map() },
    }
  }

  setNow(ms: number): void {
    this.account = { ...this.account, now: new Date(ms) }
  }

  run<Answer>(operation: Operation<Answer>): Answer {
    const { account } = this
    const key = operation.key(account)
    const { about } = operation
    const history =
      about === undefined
        ? []
        : [...this.entries.values()].filter((entry) => entry.key === about || entry.ofGrant === about)
    const done = this.entries.get(key)
    if (done !== undefined) return operation.replay(done, account, history)
    const outcome = perform(account, operation, history)
    if (outcome.is === 'refuse') return outcome.answer
    for (const pending of outcome.entries) this.#append({ ...pending, at: account.now })
    this.account = outcome.account
    this.check()
    if (outcome.entries.length === 0) throw new Error('nothing was written')
    const main = this.entries.get(outcome.key)
    if (main === undefined) throw new Error('no entry under the key')
    return outcome.answer(main)
  }

  #append(entry: Entry): void {
    if (this.entries.has(entry.key)) throw new Error(`a second entry ${entry.key}`)
    if (entry.seq !== this.entries.size + 1) throw new Error(`${entry.key} is out of order`)
    this.entries.set(entry.key, entry)
    this.#posted += entry.amountMicro
    this.#held += entry.heldMicro
    this.#debt += entry.debtMicro
    if (entry.balanceMicro !== this.#posted) throw new Error(`the balance of ${entry.key} is not the sum up to it`)
    let moved = 0
    for (const { grantId, amountMicro } of entry.moves) {
      moved += amountMicro
      this.#sums.set(grantId, (this.#sums.get(grantId) ?? 0) + amountMicro)
    }
    if (moved !== entry.amountMicro) throw new Error(`the moves of ${entry.key} do not sum to it`)
    const { receipt } = entry
    if (receipt !== undefined && sumLines(receipt.lines) !== 0 - entry.amountMicro)
      throw new Error(`the receipt of ${entry.key} does not sum to it`)
  }

  /** The entries give the account, and nothing in it is negative. */
  check(): void {
    const { account } = this
    let held = 0
    for (const hold of account.holds.values()) {
      held += hold.amountMicro
      let parts = 0
      for (const part of hold.allocations.values()) parts += part
      if (parts !== hold.amountMicro) throw new Error(`hold ${hold.holdId} is not the sum of its parts`)
    }
    let posted = 0
    let free = 0
    for (const { grant, freeMicro } of freeGrants(account)) {
      posted += grant.leftMicro
      free += freeMicro
      if (freeMicro < 0 || grant.leftMicro <= 0) throw new Error(`grant ${grant.grantId} is below zero`)
    }
    expect([posted, held, account.debtMicro]).toEqual([this.#posted, this.#held, this.#debt])
    if (account.postedMicro !== posted) throw new Error('posted is not the sum of the grants')
    for (const [grantId, sum] of this.#sums)
      if (sum !== (account.grants.get(grantId)?.leftMicro ?? 0)) throw new Error(`entries do not give ${grantId}`)
    if (account.debtMicro < 0 || (account.debtMicro > 0 && free > 0)) throw new Error('debt beside free credit')
  }

  expire(): void {
    this.run(expiry)
  }

  /** As the stored ledger is spoken to. */
  readonly played: Played = {
    hold: async (request) => this.run(holdOperation(request)),
    extend: async (request) => this.run(extendOperation(request)),
    settle: async (request) => this.run(settleOperation(request)),
    post: async (request) => this.run(postOperation(request)),
    deductCredits: async (request) => this.run(deductOperation(request)),
    grantDailyCredits: async (request) => this.run(dailyOperation(request)),
    grantMonthlyCredits: async (request) => this.run(monthlyOperation(request)),
    addPurchasedCredits: async (request) => this.run(purchaseOperation(request)),
    refund: async (request) => this.run(refundOperation(request)),
    debt: async (request) => this.run(debtOperation(request)),
    check: async (amountMicro) => checkOf(expireDue(this.account).account, amountMicro),
    getCreditBalance: async () => balanceOf(this.account),
    checkpoint: async ({ holdId, lines }) => {
      const hold = this.account.holds.get(holdId)
      if (hold === undefined) return 'gone'
      const holds = new Map(this.account.holds).set(holdId, { ...hold, lines: mergeLines(hold.lines, lines) })
      this.account = { ...this.account, holds }
      return 'applied'
    },
  }
}
