// Receipts against entries, and what a replay finds when somebody changed either.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import { createLedger, type Ledger, ledgerCollections } from './ledger.ts'

let store: TestStore
let ledger: Ledger
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, ledgerCollections)
  ledger = createLedger({ db: store.db })
})
afterAll(() => store[Symbol.asyncDispose]())

const line = (meter: string, amountMicro: number, priceMicroPerMillion = 2_000_000): ReceiptLine => ({
  ...{ meter, quantity: amountMicro, unit: 'second', priceMicroPerMillion, amountMicro },
})

async function talked(): Promise<TenantId> {
  const tenantId = asTenantId(newId('ten'))
  const mine = ledger.of(tenantId)
  await mine.addPurchasedCredits({ paymentId: 'pi_1', amountMicro: 200, note: '' })
  await mine.grantDailyCredits({ amountMicro: 20, timeZone: 'UTC', note: '' })
  return tenantId
}

const hold = (tenantId: TenantId, holdId: string, amountMicro: number) =>
  ledger.of(tenantId).hold({ holdId, sessionId: 'sess_1', amountMicro, owner: 'node_1' })
const settle = (tenantId: TenantId, holdId: string, lines: readonly ReceiptLine[], costUsdMicro: number | null = 1) =>
  ledger.of(tenantId).settle({ holdId, lines, costUsdMicro, note: '', by: { epoch: 1 } })
const findings = async (tenantId: TenantId) =>
  (await ledger.reconcile()).filter((each) => each.tenantId === tenantId).map(({ message }) => message)

test('[L25] a session that was extended, came back twice and had a deduction has one receipt that sums to its entries', async () => {
  const tenantId = await talked()
  const mine = ledger.of(tenantId)
  await hold(tenantId, 'hold_1', 30)
  await mine.extend({ holdId: 'hold_1', n: 1, addMicro: 15, epoch: 1 })
  await settle(tenantId, 'hold_1', [line('session.seconds', 40), line('tool.calls', 9)])
  await ledger.flush()
  await hold(tenantId, 'hold_2', 30)
  await settle(tenantId, 'hold_2', [line('session.seconds', 8), line('tool.calls', 3, 5_000_000)])
  const lines = [line('message.simple', 2)]
  await mine.deductCredits({ key: 'turn_1', amountMicro: 2, note: '', lines, costUsdMicro: 4, sessionId: 'sess_1' })
  // Half of it in the outbox, then all of it in the collection.
  for (const flushed of [false, true]) {
    if (flushed) await ledger.flush()
    const receipt = await mine.receipt('sess_1')
    expect(receipt).toMatchObject({
      totalMicro: 58,
      waivedMicro: 4,
      costUsdMicro: 6,
      entryId: 'turn_1',
      holdId: 'hold_2',
    })
    expect(
      receipt?.lines.map(({ meter, amountMicro, priceMicroPerMillion }) => [meter, amountMicro, priceMicroPerMillion]),
    ).toEqual([
      ['session.seconds', 48, 2_000_000],
      ['message.simple', 2, 2_000_000],
      ['tool.calls', 5, 2_000_000],
      ['tool.calls', 3, 5_000_000],
    ])
    const { items } = await mine.entries({ limit: 50 })
    const charged = items.filter((entry) => entry.sessionId === 'sess_1')
    expect(receipt?.charges.map(({ entryId, amountMicro }) => [entryId, 0 - amountMicro])).toEqual(
      charged.map((entry) => [entry.id, entry.amountMicro]).reverse(),
    )
    expect(charged.reduce((sum, entry) => sum + entry.amountMicro, 0)).toBe(-58)
    expect(await findings(tenantId)).toEqual([])
  }
})

test('[L11] one settlement of unknown cost makes the cost of the session unknown', async () => {
  const tenantId = await talked()
  await hold(tenantId, 'hold_1', 30)
  await settle(tenantId, 'hold_1', [line('session.seconds', 4)], 7)
  await hold(tenantId, 'hold_2', 30)
  await settle(tenantId, 'hold_2', [line('session.seconds', 4)], null)
  expect(await ledger.of(tenantId).receipt('sess_1')).toMatchObject({ costUsdMicro: null, totalMicro: 8 })
  expect(await ledger.of(tenantId).receipt('sess_other')).toBeUndefined()
})

test('[L15] every figure that is changed behind the ledger is found, stops new spending, and is seen in the balance', async () => {
  const tenantId = await talked()
  await hold(tenantId, 'hold_1', 30)
  await settle(tenantId, 'hold_1', [line('session.seconds', 10)])
  await hold(tenantId, 'hold_2', 25)
  await ledger.flush()
  const update = (name: string, _id: string) => (change: number) => (field: string) =>
    store.db.collection<{ _id: string }>(name).updateOne({ _id }, { $inc: { [field]: change } })
  const account = update('credit_accounts', tenantId)
  const doc = await store.db.collection<{ _id: string }>('credit_accounts').findOne({ _id: tenantId })
  const daily = Object.entries<{ tier: string }>(Reflect.get(doc ?? {}, 'grants')).find(
    ([, each]) => each.tier === 'daily',
  )?.[0]
  const entry = update('credit_entries', `${tenantId}/settle:hold_1`)
  const receipt = update('credit_receipts', `${tenantId}/hold_1`)
  const tampering: readonly [string, (change: number) => Promise<unknown>, RegExp][] = [
    ['the posted sum', (n) => account(n)('posted'), /posted/],
    ['a debt', (n) => account(n)('debt'), /owed/],
    ['a grant', (n) => account(n)(`grants.${daily}.leftMicro`), /^entries give daily \d+, the account has \d+$/],
    ['a hold', (n) => account(n)('holds.hold_2.amountMicro'), /held|hold_2/],
    ['what a hold has of a grant', (n) => account(n)(`holds.hold_2.allocations.${daily}`), /hold hold_2|more of/],
    ['the amount of an entry', (n) => entry(n)('amountMicro'), /settle:hold_1|posted/],
    ['a move of an entry', (n) => entry(n)('moves.0.amountMicro'), /^the moves of entry settle:hold_1 do not sum/],
    ['what an entry held', (n) => entry(n)('heldMicro'), /held/],
    ['the total of a receipt', (n) => receipt(n)('totalMicro'), /receipt/],
    ['a line of a receipt', (n) => receipt(n)('lines.0.amountMicro'), /receipt of settle:hold_1/],
  ]
  const mine = ledger.of(tenantId)
  expect(await findings(tenantId)).toEqual([])
  for (const [what, change, message] of tampering) {
    await change(1)
    const found = await findings(tenantId)
    expect([what, found.some((each) => message.test(each))]).toEqual([what, true])
    expect([what, (await mine.credits()).breached]).toEqual([what, true])
    const deduct = mine.deductCredits({ key: `k_${tampering.length}`, amountMicro: 1, note: '' })
    await expect(deduct).rejects.toMatchObject({ code: 'unavailable' })
    await change(-1)
    expect([what, await findings(tenantId)]).toEqual([what, []])
    expect([what, (await mine.credits()).breached]).toEqual([what, false])
  }
})

test('[L15] a receipt that is gone, and one that never had an entry, are found', async () => {
  const tenantId = await talked()
  await hold(tenantId, 'hold_1', 30)
  await settle(tenantId, 'hold_1', [line('session.seconds', 10)])
  const mine = ledger.of(tenantId)
  await mine.deductCredits({ key: 'turn_1', amountMicro: 2, note: '', lines: [line('message.simple', 2)] })
  await mine.deductCredits({ key: 'turn_2', amountMicro: 5, note: '' })
  expect(await findings(tenantId)).toEqual([])
  await ledger.flush()
  expect(await findings(tenantId)).toEqual([])
  const receipts = store.db.collection<{ _id: string }>('credit_receipts')
  const receipt = await receipts.findOne({ _id: `${tenantId}/hold_1` })
  await receipts.deleteOne({ _id: `${tenantId}/hold_1` })
  expect(await findings(tenantId)).toEqual(['charges with a receipt are 12, their receipts 2'])
  await receipts.insertOne(receipt ?? { _id: '' })
  await receipts.insertOne({ ...receipt, _id: `${tenantId}/hold_9` })
  expect(await findings(tenantId)).toEqual(['charges with a receipt are 12, their receipts 22'])
})

test('[L15] the nightly walk is done once a day over all processes, and taken over when its process died', async () => {
  const clock = new ManualClock('2026-07-01T02:00:00.000Z')
  const others = [1, 2, 3].map(() => createLedger({ db: store.db, clock }))
  const answers = await Promise.all(others.map((each) => each.nightly()))
  expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1)
  clock.jump(3 * 3_600_000)
  expect(await others[0]?.nightly()).toBeUndefined()
  const audits = store.db.collection<{ _id: string }>('credit_audits')
  await audits.updateOne({ _id: '2026-07-01' }, { $unset: { doneAt: true } })
  expect(await others[0]?.nightly()).toBeDefined()
  expect(await others[1]?.nightly()).toBeUndefined()
  clock.jump(24 * 3_600_000)
  expect(await others[1]?.nightly()).toBeDefined()
})
