// A grant that ends while a movement is under way, on the store.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId, newId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createLedger, ledgerCollections, type TenantLedger } from './ledger.ts'
import { steppedDb } from './stepped-db.test-support.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, ledgerCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

const start = new Date('2026-11-24T12:00:00.000Z')

test('[L19] what was decided before a grant ended is decided anew when it could not be written before', async () => {
  const spends: Readonly<Record<string, (mine: TenantLedger) => Promise<unknown>>> = {
    hold: (mine) => mine.hold({ holdId: 'hold_late', sessionId: 'sess_late', amountMicro: 8, owner: 'node_1' }),
    extend: (mine) => mine.extend({ holdId: 'hold_1', epoch: 1, n: 1, addMicro: 8 }),
    deduct: (mine) => mine.deductCredits({ key: 'message:1', amountMicro: 8, note: '' }),
    debt: (mine) => mine.debt({ key: 'fee:1', amountMicro: 8, note: '' }),
  }
  for (const [name, spend] of Object.entries(spends)) {
    const ledger = createLedger({ db: steppedDb(store.db, () => start) })
    const tenantId = asTenantId(newId('ten'))
    const periodEnd = new Date(start.getTime() + 60_000)
    // It ends between the look and the write.
    const times = [start]
    const late = createLedger({ db: steppedDb(store.db, () => times.shift() ?? periodEnd) })
    await ledger.of(tenantId).grantMonthlyCredits({ periodId: 'p1', periodEnd, amountMicro: 10, note: '' })
    await ledger.of(tenantId).hold({ holdId: 'hold_1', sessionId: 'sess_1', amountMicro: 2, owner: 'node_1' })
    const answer = await spend(late.of(tenantId))
    if (name !== 'debt') expect(answer, name).toEqual({ is: 'out_of_credit', shortfallMicro: 8 })
    const { postedMicro, debtMicro } = await late.of(tenantId).getCreditBalance()
    // Of the grant only what was held before its end is left.
    expect([name, postedMicro, debtMicro]).toEqual([name, 2, name === 'debt' ? 8 : 0])
    expect(await late.reconcile(), name).toEqual([])
  }
})
