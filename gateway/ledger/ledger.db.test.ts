import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId, newId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import { createLedger, ledgerCollections } from './ledger.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, ledgerCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

const fresh = () => asTenantId(newId('ten'))
const seconds = (n: number): ReceiptLine => ({
  meter: 'session.seconds',
  quantity: n,
  unit: 'second',
  priceMicroPerMillion: 100_000_000_000,
  amountMicro: n * 100_000,
})

test('smoke', async () => {
  const tenant = fresh()
  const ledger = createLedger({ db: store.db })
  const mine = ledger.of(tenant)
  expect(await mine.post({ key: 'g', kind: 'grant', amountMicro: 12_000_000, note: 'x' })).toMatchObject({
    balanceMicro: 12_000_000,
  })
  expect(await mine.hold({ holdId: 'hold_1', sessionId: 'sess_1', amountMicro: 12_000_000, owner: 'n' })).toEqual({
    is: 'held',
    epoch: 1,
    amountMicro: 12_000_000,
  })
  expect(await mine.checkpoint({ holdId: 'hold_1', epoch: 1, lines: [seconds(5)], costUsdMicro: 0 })).toBe('applied')
  expect(
    await mine.settle({ holdId: 'hold_1', lines: [seconds(7)], costUsdMicro: 0, note: '', by: { epoch: 1 } }),
  ).toMatchObject({ is: 'settled' })
  expect(await ledger.reconcile()).toEqual([])
  expect(await ledger.flush()).toBe(3)
  expect(await ledger.reconcile()).toEqual([])
})
