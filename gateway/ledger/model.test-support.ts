// Test double: what a tenant's credit must be, as plain arithmetic over lists. Shares no code with the ledger.

import type { CreditTier } from '../protocol/rest.ts'

interface ModelGrant {
  readonly id: string
  readonly tier: CreditTier
  readonly endsMs: number
  free: number
  /** Expired once: nothing of it comes back. */
  ended: boolean
  readonly given: number
  refunded: number
  taken: number
  owed: number
  expired: number
}

interface ModelHold {
  readonly parts: Map<string, number>
  used: number
  extensions: number
}

export const order: readonly CreditTier[] = ['daily', 'monthly', 'purchased']
export const total = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0)

export class Model {
  nowMs: number
  debt = 0
  /** In the order in which they came. */
  grants: ModelGrant[] = []
  holds = new Map<string, ModelHold>()
  settled = new Map<string, number>()
  done = new Map<string, string>()

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  free(): number {
    return total(this.grants.map((grant) => grant.free))
  }

  held(tier?: CreditTier): number {
    const mine = new Set(this.grants.filter((grant) => tier === undefined || grant.tier === tier).map(({ id }) => id))
    return total([...this.holds.values()].flatMap(({ parts }) => [...parts].map(([id, n]) => (mine.has(id) ? n : 0))))
  }

  /** Free credit per tier. */
  freeOf(tier: CreditTier): number {
    return total(this.grants.filter((grant) => grant.tier === tier).map((grant) => grant.free))
  }

  expire(): void {
    for (const grant of this.grants) {
      if (grant.free === 0 || !(grant.ended || grant.endsMs <= this.nowMs)) continue
      grant.expired += grant.free
      grant.free = 0
      grant.ended = true
    }
  }

  give(grant: { id: string; tier: CreditTier; endsMs: number; amount: number }): void {
    const { id, tier, endsMs, amount } = grant
    const past = { refunded: 0, taken: 0, owed: 0, expired: 0 }
    this.grants.push({ id, tier, endsMs, free: amount, given: amount, ended: false, ...past })
  }

  #burning(): ModelGrant[] {
    const ends = (a: ModelGrant, b: ModelGrant) => (a.endsMs === b.endsMs ? 0 : a.endsMs - b.endsMs)
    return this.grants.toSorted((a, b) => order.indexOf(a.tier) - order.indexOf(b.tier) || ends(a, b))
  }

  /** Takes `n` of what is free; says from where. */
  spend(n: number): Map<string, number> {
    const parts = new Map<string, number>()
    let rest = n
    for (const grant of this.#burning()) {
      const part = Math.min(rest, grant.free)
      grant.free -= part
      rest -= part
      if (part > 0) parts.set(grant.id, part)
    }
    return parts
  }

  settle(hold: ModelHold, charge: number): void {
    let rest = charge
    for (const grant of this.#burning()) {
      const part = hold.parts.get(grant.id) ?? 0
      const paid = Math.min(rest, part)
      rest -= paid
      grant.free += part - paid
    }
  }

  finish(): void {
    this.expire()
    const paid = Math.min(this.debt, this.free())
    this.spend(paid)
    this.debt -= paid
  }

  /** What is missing for `n`. */
  short(n: number): number {
    return this.debt + n - this.free()
  }

  copy(): Model {
    const copy = new Model(this.nowMs)
    copy.debt = this.debt
    copy.grants = this.grants.map((grant) => ({ ...grant }))
    copy.holds = new Map([...this.holds].map(([id, hold]) => [id, { ...hold, parts: new Map(hold.parts) }]))
    copy.settled = new Map(this.settled)
    copy.done = new Map(this.done)
    return copy
  }
}
