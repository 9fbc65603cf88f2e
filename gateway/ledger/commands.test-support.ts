// Random commands, each played on a ledger and on the plain arithmetic beside it. For the pure and the stored ledger.

import fc from 'fast-check'
import { expect } from 'vitest'
import { Problem } from '../platform/problem.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import type { TenantLedger } from './ledger.ts'
import { type Model, order, total } from './model.test-support.ts'

export type Played = Pick<
  TenantLedger,
  | 'hold'
  | 'extend'
  | 'checkpoint'
  | 'settle'
  | 'post'
  | 'deductCredits'
  | 'grantDailyCredits'
  | 'grantMonthlyCredits'
  | 'addPurchasedCredits'
  | 'refund'
  | 'debt'
  | 'check'
  | 'getCreditBalance'
>

export interface Stage {
  model: Model
  /** A write whose reply got lost is found done: it answers `already`. */
  readonly lossy?: boolean
  /** Sets the store's clock. */
  readonly setNow: (ms: number) => void
  readonly flush: () => Promise<unknown>
  /** The nightly job. */
  readonly expire: () => Promise<unknown>
}

export interface Command {
  readonly name: string
  readonly [fc.toStringMethod]: () => string
  play(stage: Stage, ledger: Played): Promise<void>
}

export const dayMs = 86_400_000
export const line = (amountMicro: number): ReceiptLine[] => [
  { meter: 'session.seconds', quantity: amountMicro, unit: 'second', priceMicroPerMillion: 1_000_000, amountMicro },
]

async function outcome<T>(answer: Promise<T>): Promise<T | 'conflict'> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof Problem && error.code === 'conflict') return 'conflict'
    throw error
  }
}

/** Plays a keyed operation: `apply` returns what is expected, or undefined for a refusal that leaves nothing. */
async function keyed<T>(
  stage: Stage,
  { key, args, ask }: { key: string; args: unknown; ask: () => Promise<T> },
  rules: { apply: (model: Model) => unknown; again: (before: string) => unknown },
): Promise<void> {
  const before = stage.model.done.get(key)
  const answer = await outcome(ask())
  const told = JSON.stringify(args)
  if (before !== undefined) {
    if (before !== told) expect([key, answer]).toEqual([key, rules.again(before)])
    else expect(answer).not.toBe('conflict')
    return
  }
  const model = stage.model.copy()
  model.expire()
  const expected = rules.apply(model)
  if (expected instanceof Refused) {
    expect(answer).toMatchObject(expected.answer)
    return
  }
  expect(answer).toMatchObject(expected as object)
  model.finish()
  model.done.set(key, told)
  stage.model = model
}

class Refused {
  readonly answer: object
  constructor(answer: object) {
    this.answer = answer
  }
}
const conflict = () => 'conflict'
const tooShort = (n: number) => new Refused({ is: 'out_of_credit', shortfallMicro: n })

const id = (prefix: string, n: number) => fc.integer({ min: 1, max: n }).map((i) => `${prefix}${i}`)
/** A hold's id is used once: few would soon be used up, many would seldom meet their settlement. */
const holdIds = id('hold_', 5)
const amount = fc.oneof(fc.nat(60), fc.constantFrom(0, 1, 1_000))
const positive = fc.integer({ min: 1, max: 120 })

const first = ({ lossy }: Stage) => (lossy === true ? expect.stringMatching(/^(granted|already)$/) : 'granted')

function make(name: string, play: Command['play']): Command {
  // For the report of a failure.
  return { name, play, [fc.toStringMethod]: () => name }
}

const grants = [
  fc
    .tuple(id('pi_', 6), positive, fc.option(fc.integer({ min: -1, max: 4 }), { nil: undefined }))
    .map(([paymentId, n, days]) =>
      make(`purchase(${paymentId}, ${n}, ${days})`, (stage, ledger) => {
        const endsMs = days === undefined ? Number.POSITIVE_INFINITY : day(1 + days)
        const expiresAt = days === undefined ? {} : { expiresAt: new Date(endsMs) }
        const key = `purchase:${paymentId}`
        const ask = () => ledger.addPurchasedCredits({ paymentId, amountMicro: n, ...expiresAt, note: '' })
        const apply = (model: Model) => {
          model.give({ id: key, tier: 'purchased', endsMs, amount: n })
          return { is: first(stage), grantId: key, entry: { amountMicro: n } }
        }
        return keyed(stage, { key, args: [n, days], ask }, { apply, again: conflict })
      }),
    ),
  fc.tuple(id('period_', 4), positive, fc.integer({ min: -1, max: 4 })).map(([periodId, n, days]) =>
    make(`monthly(${periodId}, ${n}, ${days})`, (stage, ledger) => {
      const periodEnd = new Date(day(1 + days))
      const key = `monthly:${periodId}`
      const ask = () => ledger.grantMonthlyCredits({ periodId, periodEnd, amountMicro: n, note: '' })
      const apply = (model: Model) => {
        model.give({ id: key, tier: 'monthly', endsMs: periodEnd.getTime(), amount: n })
        return { is: first(stage), grantId: key }
      }
      return keyed(stage, { key, args: [n, days], ask }, { apply, again: conflict })
    }),
  ),
  positive.map((n) =>
    make(`daily(${n})`, (stage, ledger) => {
      const today = Math.floor(stage.model.nowMs / dayMs)
      const key = `daily:${new Date(today * dayMs).toISOString().slice(0, 10)}`
      const ask = () => ledger.grantDailyCredits({ amountMicro: n, timeZone: 'UTC', note: '' })
      const apply = (model: Model) => {
        model.give({ id: key, tier: 'daily', endsMs: (today + 1) * dayMs, amount: n })
        return { is: first(stage), grantId: key }
      }
      const again = (before: string) => expect.objectContaining({ is: 'already', entry: given(JSON.parse(before)) })
      return keyed(stage, { key, args: n, ask }, { apply, again })
    }),
  ),
  fc.tuple(id('k', 5), fc.integer({ min: -80, max: 150 })).map(([key, n]) =>
    make(`post(${key}, ${n})`, (stage, ledger) => {
      const ask = () => ledger.post({ key, kind: 'adjust', amountMicro: n, note: '' })
      const apply = (model: Model) => {
        if (n > 0) model.give({ id: key, tier: 'purchased', endsMs: Number.POSITIVE_INFINITY, amount: n })
        const out = n < 0 ? Math.min(-n, model.free()) : 0
        model.spend(out)
        return { amountMicro: n > 0 ? n : 0 - out }
      }
      return keyed(stage, { key, args: ['adjust', n], ask }, { apply, again: conflict })
    }),
  ),
]

const given = (amountMicro: unknown) => expect.objectContaining({ amountMicro })
/** Days are counted from here. */
export const startMs = Date.parse('2026-03-01T15:00:00.000Z')
const day = (n: number) => startMs + n * dayMs

const spending = [
  fc.tuple(id('k', 7), amount).map(([key, n]) =>
    make(`deduct(${key}, ${n})`, (stage, ledger) => {
      const ask = () =>
        ledger.deductCredits({ key, amountMicro: n, note: '', ...(n % 2 === 0 ? {} : { lines: line(n) }) })
      const apply = (model: Model) => {
        const short = model.short(n)
        if (short > 0) return tooShort(short)
        model.spend(n)
        return { is: 'deducted', entry: { amountMicro: 0 - n } }
      }
      return keyed(stage, { key, args: ['deduct', n], ask }, { apply, again: conflict })
    }),
  ),
  fc.tuple(holdIds, amount).map(([holdId, n]) =>
    make(`hold(${holdId}, ${n})`, async (stage, ledger) => {
      const request = { holdId, sessionId: `sess_${holdId}`, amountMicro: n, owner: 'node_1' }
      const answer = await outcome(ledger.hold(request))
      if (stage.model.holds.has(holdId) || stage.model.settled.has(holdId)) return
      const model = stage.model.copy()
      model.expire()
      const short = model.short(n)
      if (short > 0) return expect(answer).toEqual({ is: 'out_of_credit', shortfallMicro: short })
      expect(answer).toEqual({ is: 'held', epoch: 1, amountMicro: n })
      model.holds.set(holdId, { parts: model.spend(n), used: 0, extensions: 0 })
      model.finish()
      stage.model = model
    }),
  ),
  fc.tuple(holdIds, amount, fc.boolean()).map(([holdId, n, again]) =>
    make(`extend(${holdId}, ${n}${again ? ', again' : ''})`, async (stage, ledger) => {
      const extensions = stage.model.holds.get(holdId)?.extensions ?? 0
      const turn = again && extensions > 0 ? extensions : extensions + 1
      const answer = await ledger.extend({ holdId, n: turn, addMicro: n, epoch: 1 })
      const model = stage.model.copy()
      const hold = model.holds.get(holdId)
      if (hold === undefined) return expect(answer).toEqual({ is: 'gone' })
      if (turn > extensions) {
        model.expire()
        const short = model.short(n)
        if (short > 0) return expect(answer).toEqual({ is: 'out_of_credit', shortfallMicro: short })
        for (const [grantId, part] of model.spend(n)) hold.parts.set(grantId, (hold.parts.get(grantId) ?? 0) + part)
        hold.extensions = turn
        model.finish()
        stage.model = model
      }
      expect(answer).toEqual({ is: 'held', amountMicro: total(hold.parts.values()) })
    }),
  ),
  fc.tuple(holdIds, amount).map(([holdId, used]) =>
    make(`checkpoint(${holdId}, ${used})`, async (stage, ledger) => {
      const write = () => ledger.checkpoint({ holdId, epoch: 1, lines: line(used), costUsdMicro: 0 })
      const answer = await write().catch(write)
      const hold = stage.model.holds.get(holdId)
      expect(answer).toBe(hold === undefined ? 'gone' : 'applied')
      if (hold !== undefined) hold.used = Math.max(hold.used, used)
    }),
  ),
  fc.tuple(holdIds, amount).map(([holdId, told]) =>
    make(`settle(${holdId}, ${told})`, async (stage, ledger) => {
      const answer = await ledger.settle({ holdId, lines: line(told), costUsdMicro: 0, note: '', by: { epoch: 1 } })
      const before = stage.model.settled.get(holdId)
      if (before !== undefined) return expect(answer).toMatchObject({ is: 'already', receipt: { totalMicro: before } })
      const model = stage.model.copy()
      const hold = model.holds.get(holdId)
      if (hold === undefined) return expect(answer).toEqual({ is: 'fenced' })
      model.expire()
      const used = Math.max(told, hold.used)
      const charge = Math.min(used, total(hold.parts.values()))
      expect(answer).toMatchObject({ receipt: { totalMicro: charge, waivedMicro: used - charge } })
      model.settle(hold, charge)
      model.holds.delete(holdId)
      model.settled.set(holdId, charge)
      model.finish()
      stage.model = model
    }),
  ),
]

const takingBack = [
  fc.tuple(fc.nat(9), id('re_', 5), positive).map(([at, refundId, n]) =>
    make(`refund(grant ${at}, ${refundId}, ${n})`, (stage, ledger) => {
      const grantId = stage.model.grants[at]?.id ?? 'purchase:never'
      const key = `refund:${refundId}`
      const ask = () => ledger.refund({ grantId, refundId, amountMicro: n, note: '' })
      const apply = (model: Model) => {
        const grant = model.grants.find((each) => each.id === grantId)
        if (grant === undefined) return new Refused({ is: 'unknown_grant' })
        const refundableMicro = grant.given - grant.refunded
        if (n > refundableMicro) return new Refused({ is: 'too_much', refundableMicro })
        const taken = Math.min(n, grant.free)
        grant.free -= taken
        grant.taken += taken
        grant.refunded += n
        // Of all that was refunded: neither taken back nor expired, so it was spent (or is held), so it is owed.
        const owed = Math.max(0, grant.refunded - grant.taken - grant.expired - grant.owed)
        grant.owed += owed
        model.debt += owed
        return { is: 'refunded', owedMicro: owed, entry: { amountMicro: 0 - taken } }
      }
      return keyed(stage, { key, args: [grantId, n], ask }, { apply, again: conflict })
    }),
  ),
  fc.tuple(id('k', 7), fc.integer({ min: 1, max: 15 })).map(([key, n]) =>
    make(`debt(${key}, ${n})`, (stage, ledger) => {
      const ask = () => ledger.debt({ key, amountMicro: n, note: '' })
      const apply = (model: Model) => {
        model.debt += n
        return { debtMicro: n }
      }
      return keyed(stage, { key, args: ['debt', n], ask }, { apply, again: conflict })
    }),
  ),
]

const time = [
  fc.oneof(fc.integer({ min: 0, max: dayMs }), fc.integer({ min: -dayMs, max: 0 })).map((ms) =>
    make(`clock(${ms > 0 ? '+' : ''}${ms} ms)`, async (stage) => {
      stage.model.nowMs += ms
      stage.setNow(stage.model.nowMs)
    }),
  ),
  fc.constant(make('flush', async (stage) => void (await stage.flush()))),
  fc.constant(
    make('nightly', async (stage) => {
      await stage.expire()
      stage.model.expire()
    }),
  ),
]

const often = (weight: number, arbitraries: readonly fc.Arbitrary<Command>[]) =>
  arbitraries.map((arbitrary) => ({ arbitrary, weight }))

/** Weights so that most sequences hold, extend and settle across the end of a grant, and few drown in debt. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  ...often(3, grants),
  ...often(4, spending),
  ...often(1, takingBack),
  ...often(3, time.slice(0, 1)),
  ...often(1, time.slice(1)),
)

/** Never negative, and the same per tier as the arithmetic says, as of now. */
export async function compare(stage: Stage, ledger: Played): Promise<void> {
  const model = stage.model.copy()
  model.expire()
  const balance = await ledger.getCreditBalance()
  const figures = order.map((tier) => [tier, balance.tiers[tier].availableMicro, balance.tiers[tier].heldMicro])
  expect(figures).toEqual(order.map((tier) => [tier, model.freeOf(tier), model.held(tier)]))
  const { availableMicro, debtMicro, heldMicro, postedMicro } = balance
  expect([availableMicro, debtMicro, heldMicro]).toEqual([model.free(), model.debt, model.held()])
  expect(postedMicro).toBe(availableMicro + heldMicro)
  expect(availableMicro).toBeGreaterThanOrEqual(0)
  if (debtMicro > 0) expect(availableMicro).toBe(0)
}
