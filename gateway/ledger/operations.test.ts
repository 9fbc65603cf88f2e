import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ReceiptLine } from '../protocol/rest.ts'
import type { Account, Hold, Operation } from './account.ts'
import { postOperation } from './credit-in.ts'
import { extendOperation, holdOperation, maxHolds, settleOperation } from './operations.ts'

const line = (amountMicro: number): ReceiptLine => ({
  meter: 'session.seconds',
  unit: 'second',
  quantity: 1,
  priceMicroPerMillion: 1,
  amountMicro,
})
const hold = (over: Partial<Hold> = {}): Hold => ({
  holdId: 'hold_1',
  sessionId: 'sess_1',
  amountMicro: 100,
  allocations: new Map([['pack', over.amountMicro ?? 100]]),
  owner: 'node_1',
  epoch: 2,
  checkpoints: 3,
  seenAt: new Date(0),
  lines: [],
  costUsdMicro: undefined,
  ...over,
})
const account = (postedMicro: number, ...holds: Hold[]): Account => ({
  version: 1,
  now: new Date(0),
  postedMicro,
  debtMicro: 0,
  grants: new Map([
    [
      'pack',
      { grantId: 'pack', seq: 1, tier: 'purchased', leftMicro: postedMicro, expiresAt: undefined, expired: false },
    ],
  ]),
  tiered: true,
  holds: new Map(holds.map((each) => [each.holdId, each])),
  outbox: new Map(),
  breached: false,
})
const decided = <A>(operation: Operation<A>, on: Account) => operation.decide(on, [])
const request = { holdId: 'hold_2', sessionId: 'sess_2', amountMicro: 60, owner: 'node_1' }
const settle = { holdId: 'hold_1', lines: [line(40)], costUsdMicro: 5, note: '', by: { epoch: 2 } }

test('[L4] a hold needs what is available, and says how much is missing', () => {
  expect(decided(holdOperation(request), account(159, hold()))).toEqual({
    is: 'refuse',
    answer: { is: 'out_of_credit', shortfallMicro: 1 },
  })
  expect(decided(holdOperation(request), account(160, hold())).is).toBe('apply')
})

test('[L4] an extension needs what is available, and says how much is missing', () => {
  const extend = { holdId: 'hold_1', n: 1, addMicro: 60, epoch: 2 }
  expect(decided(extendOperation(extend), account(159, hold()))).toEqual({
    is: 'refuse',
    answer: { is: 'out_of_credit', shortfallMicro: 1 },
  })
  expect(decided(extendOperation(extend), account(160, hold()))).toMatchObject({
    is: 'apply',
    change: { draft: { heldMicro: 60, amountMicro: 0 }, allocated: [{ grantId: 'pack', amountMicro: 60 }] },
  })
})

test('[L5] the 201st hold is refused', () => {
  const holds = Array.from({ length: maxHolds }, (_, i) => hold({ holdId: `hold_x${i}`, amountMicro: 0 }))
  expect(decided(holdOperation(request), account(1_000, ...holds))).toEqual({
    is: 'refuse',
    answer: { is: 'too_many_holds' },
  })
  expect(decided(holdOperation(request), account(1_000, ...holds.slice(1))).is).toBe('apply')
})

test('[L6] an extension under another epoch or without a hold is gone', () => {
  for (const extend of [
    { holdId: 'hold_1', n: 1, addMicro: 1, epoch: 1 },
    { holdId: 'hold_9', n: 1, addMicro: 1, epoch: 2 },
  ]) {
    expect(decided(extendOperation(extend), account(1_000, hold()))).toEqual({ is: 'refuse', answer: { is: 'gone' } })
  }
})

test('[L8] a charge is min(max(told, checkpointed), hold), its lines sum to it and the rest is waived', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), (told, stored, held) => {
      const before = account(held, hold({ amountMicro: held, lines: [line(stored)] }))
      const decision = decided(settleOperation({ ...settle, lines: [line(told)] }), before)
      if (decision.is !== 'apply') throw new Error('refused')
      const { draft } = decision.change
      const used = Math.max(told, stored)
      expect(0 - draft.amountMicro).toBe(Math.min(used, held))
      expect(draft.heldMicro).toBe(0 - held)
      expect(draft.receipt?.waivedMicro).toBe(Math.max(0, used - held))
      expect(draft.receipt?.lines.reduce((sum, each) => sum + each.amountMicro, 0)).toBe(Math.min(used, held))
    }),
    { numRuns: 1_000 },
  )
})

test('[L9] neither an old owner nor a janitor that saw less settles', () => {
  for (const by of [
    { epoch: 1 },
    { epoch: 3 },
    { seen: { epoch: 2, checkpoints: 2 } },
    { seen: { epoch: 1, checkpoints: 3 } },
  ]) {
    expect(decided(settleOperation({ ...settle, by }), account(100, hold()))).toEqual({
      is: 'refuse',
      answer: { is: 'fenced' },
    })
  }
  expect(
    decided(settleOperation({ ...settle, by: { seen: { epoch: 2, checkpoints: 3 } } }), account(100, hold())).is,
  ).toBe('apply')
})

test('[L11] a cost once unknown stays unknown, otherwise the later one counts', () => {
  const costOf = (stored: number | null | undefined, told: number | null) => {
    const decision = decided(
      settleOperation({ ...settle, costUsdMicro: told }),
      account(100, hold({ costUsdMicro: stored })),
    )
    return decision.is === 'apply' ? decision.change.draft.receipt?.costUsdMicro : 'refused'
  }
  expect(costOf(undefined, 5)).toBe(5)
  expect(costOf(7, 5)).toBe(7)
  expect(costOf(null, 5)).toBeNull()
  expect(costOf(7, null)).toBeNull()
})

test('[L12] credit goes out down to zero of what is available', () => {
  const out = (amountMicro: number, before: Account) => {
    const decision = decided(postOperation({ key: 'k', kind: 'refund', amountMicro, note: '' }), before)
    return decision.is === 'apply' ? decision.change.draft.amountMicro : 'refused'
  }
  expect(out(-30, account(150, hold()))).toBe(-30)
  expect(out(-80, account(150, hold()))).toBe(-50)
  expect(out(-80, account(100, hold()))).toBe(0)
})

test('[L13] ids and keys that could address another field are refused', () => {
  for (const id of ['a.b', '$set', '__proto__', '', 'a b', 'hold:1', '1', `h${'x'.repeat(80)}`, 'a\u0000']) {
    expect(() => holdOperation({ ...request, holdId: id })).toThrow(/usable/)
    expect(() => holdOperation({ ...request, sessionId: id })).toThrow(/usable/)
    expect(() => extendOperation({ holdId: id, n: 1, addMicro: 1, epoch: 1 })).toThrow(/usable/)
    expect(() => settleOperation({ ...settle, holdId: id })).toThrow(/usable/)
  }
  for (const key of ['a.b', '$inc', '__proto__', '', 'hold:x', 'ext:x:1', 'settle:x']) {
    expect(() => postOperation({ key, kind: 'grant', amountMicro: 1, note: '' })).toThrow(/usable/)
  }
})

test('[L13] amounts that are no whole numbers within 2^53 are refused', () => {
  for (const bad of [0.1, Number.NaN, 2 ** 53, -(2 ** 53), Number.POSITIVE_INFINITY]) {
    expect(() => postOperation({ key: 'k', kind: 'grant', amountMicro: bad, note: '' })).toThrow(/whole number/)
    expect(() => holdOperation({ ...request, amountMicro: bad })).toThrow(/whole number/)
    expect(() => extendOperation({ holdId: 'hold_1', n: 1, addMicro: bad, epoch: 1 })).toThrow(/whole number/)
  }
  expect(() => holdOperation({ ...request, amountMicro: -1 })).toThrow(/whole number/)
  expect(() => settleOperation({ ...settle, costUsdMicro: 1.5 })).toThrow(/whole number/)
  const full = postOperation({ key: 'k', kind: 'grant', amountMicro: Number.MAX_SAFE_INTEGER, note: '' })
  expect(() => decided(full, account(1))).toThrow(/balance/)
})

test('[L15] a tenant whose entries do not replay gets no new hold', () => {
  expect(() => decided(holdOperation(request), { ...account(1_000), breached: true })).toThrow(/checked/)
})
