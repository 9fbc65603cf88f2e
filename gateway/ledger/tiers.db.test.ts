// Tiers, expiry and debt on the store: the store's clock, several processes, the document's size, accounts of old.

import { calculateObjectSize } from 'bson'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runsOf } from '../../test/harness/runs.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { anyCommand, compare, line, startMs } from './commands.test-support.ts'
import { createLedger, type Ledger, ledgerCollections } from './ledger.ts'
import { lossyDb } from './lossy-db.test-support.ts'
import { Model } from './model.test-support.ts'
import { steppedDb } from './stepped-db.test-support.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, ledgerCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

const credit = 1_000_000
const fresh = () => asTenantId(newId('ten'))
const accounts = () => store.db.collection<{ _id: string }>('credit_accounts')
const raw = (tenantId: TenantId) => accounts().findOne({ _id: tenantId })
const holdOf = (ledger: Ledger, tenantId: TenantId, holdId: string, amountMicro: number) =>
  ledger.of(tenantId).hold({ holdId, sessionId: `sess_${holdId}`, amountMicro, owner: 'node_1' })
const settled = (holdId: string, amountMicro: number) => ({
  ...{ holdId, lines: line(amountMicro), costUsdMicro: 0, note: '', by: { epoch: 1 } },
})
const findings = async (ledger: Ledger, tenantId: TenantId) =>
  (await ledger.reconcile()).filter((each) => each.tenantId === tenantId).map(({ message }) => message)
/** A ledger that takes any time for now. */
function stepped() {
  const clock = { nowMs: startMs }
  return { clock, ledger: createLedger({ db: steppedDb(store.db, () => new Date(clock.nowMs)) }) }
}

test('[L15][L19][L22] the stored ledger, from two processes with lost replies and clock steps, is what plain arithmetic says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyCommand, { size: 'max', maxLength: 25 }), fc.nat(4), async (commands, shaky) => {
      const { clock, ledger } = stepped()
      const tenantId = fresh()
      let writes = 0
      const db = lossyDb(store.db, () => shaky > 0 && ++writes % (shaky + 1) === 0)
      const other = createLedger({ db: steppedDb(db, () => new Date(clock.nowMs)) })
      const stage = {
        model: new Model(startMs),
        lossy: shaky > 0,
        setNow: (ms: number) => {
          clock.nowMs = ms
        },
        flush: () => other.flush().catch(() => undefined),
        expire: () => ledger.expire(),
      }
      for (const [i, command] of commands.entries()) {
        await command.play(stage, (i % 2 === 0 ? ledger : other).of(tenantId))
      }
      await compare(stage, ledger.of(tenantId))
      expect(await findings(ledger, tenantId)).toEqual([])
      // A walk over all tenants is part of most sequences: what this one left must not make the next one slower.
      await accounts().deleteOne({ _id: tenantId, tenantId })
    }),
    { numRuns: runsOf('LEDGER_DB_RUNS', 80), interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true },
  )
}, 120_000)

test("[L19] what has ended is told by the store's clock, not by the gateway's", async () => {
  const ledger = createLedger({ db: store.db })
  const tenantId = fresh()
  const trueNow = Date.now
  try {
    Date.now = () => trueNow() + 48 * 3_600_000
    const mine = ledger.of(tenantId)
    await mine.grantDailyCredits({ amountMicro: credit, timeZone: 'UTC', note: '' })
    const periodEnd = new Date(trueNow() + 3_600_000)
    await mine.grantMonthlyCredits({ periodId: 'p1', periodEnd, amountMicro: credit, note: '' })
    expect(await mine.check(2 * credit)).toMatchObject({ is: 'enough' })
  } finally {
    Date.now = trueNow
  }
})

test('[L19] a store whose clock is set back expires nothing twice, and gives nothing back', async () => {
  const { clock, ledger } = stepped()
  const tenantId = fresh()
  const mine = ledger.of(tenantId)
  await mine.grantDailyCredits({ amountMicro: 10, timeZone: 'UTC', note: '' })
  await holdOf(ledger, tenantId, 'hold_1', 4)
  clock.nowMs = startMs + 86_400_000
  await ledger.expire()
  clock.nowMs = startMs
  await mine.settle(settled('hold_1', 1))
  expect(await mine.getCreditBalance()).toMatchObject({ availableMicro: 0, postedMicro: 0 })
  const { items } = await mine.entries({ limit: 9 })
  expect(items.map(({ kind, amountMicro }) => [kind, amountMicro])).toEqual([
    ['expire', -3],
    ['settle', -1],
    ['expire', -6],
    ['grant', 10],
  ])
  expect(await findings(ledger, tenantId)).toEqual([])
})

test('[L20] one login told to three processes 30 times at once gives one daily grant', async () => {
  const tenantId = fresh()
  const ledgers = [1, 2, 3].map(() => createLedger({ db: store.db }))
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      ledgers[i % 3]?.of(tenantId).grantDailyCredits({ amountMicro: credit, timeZone: 'Pacific/Auckland', note: '' }),
    ),
  )
  expect(answers.filter((answer) => answer?.is === 'granted')).toHaveLength(1)
  expect((await ledgers[0]?.of(tenantId).getCreditBalance())?.tiers.daily.availableMicro).toBe(credit)
})

test('[L18] S000-43: 40 deductions from two processes racing for the last credit never take more than there is', async () => {
  const tenantId = fresh()
  const [a, b] = [createLedger({ db: store.db }), createLedger({ db: store.db })]
  await a.of(tenantId).grantDailyCredits({ amountMicro: 5 * credit, timeZone: 'UTC', note: '' })
  await a.of(tenantId).addPurchasedCredits({ paymentId: 'pi_1', amountMicro: 5 * credit + 1, note: '' })
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      i % 4 === 3
        ? holdOf(i % 2 === 0 ? a : b, tenantId, `hold_${i}`, credit)
        : (i % 2 === 0 ? a : b).of(tenantId).deductCredits({ key: `turn_${i}`, amountMicro: credit, note: '' }),
    ),
  )
  expect(answers.filter((answer) => answer.is !== 'out_of_credit')).toHaveLength(10)
  expect(await a.of(tenantId).getCreditBalance()).toMatchObject({ availableMicro: 1, debtMicro: 0 })
  expect(await findings(a, tenantId)).toEqual([])
})

test('[L4] BILL-01: 100 sessions opened at once on credit for one, over three tiers: one is held', async () => {
  const tenantId = fresh()
  const ledgers = [1, 2, 3, 4].map(() => createLedger({ db: store.db }))
  const [ledger] = ledgers
  const mine = ledger?.of(tenantId)
  await mine?.grantDailyCredits({ amountMicro: 4 * credit, timeZone: 'UTC', note: '' })
  await mine?.addPurchasedCredits({ paymentId: 'pi_1', amountMicro: 10 * credit, note: '' })
  const answers = await Promise.all(
    Array.from(
      { length: 100 },
      (_, i) => ledgers[i % 4] && holdOf(ledgers[i % 4] as Ledger, tenantId, `hold_${i}`, 12 * credit),
    ),
  )
  expect(answers.filter((answer) => answer?.is === 'held')).toHaveLength(1)
  expect(await mine?.getCreditBalance()).toMatchObject({ heldMicro: 12 * credit, availableMicro: 2 * credit })
})

test('[L22] BILL-05: two refunds of one payment, told at once to two processes, take back what was paid and no more', async () => {
  const tenantId = fresh()
  const [a, b] = [createLedger({ db: store.db }), createLedger({ db: store.db })]
  await a.of(tenantId).addPurchasedCredits({ paymentId: 'pi_1', amountMicro: 10, note: '' })
  await a.of(tenantId).deductCredits({ key: 'turn_1', amountMicro: 10, note: '' })
  await a.flush()
  const refund = (ledger: Ledger, refundId: string) =>
    ledger.of(tenantId).refund({ grantId: 'purchase:pi_1', refundId, amountMicro: 7, note: '' })
  const answers = await Promise.all([refund(a, 're_1'), refund(b, 're_2'), refund(b, 're_1'), refund(a, 're_2')])
  expect(answers.filter((answer) => answer.is === 'too_much')).toHaveLength(2)
  expect((await a.of(tenantId).getCreditBalance()).debtMicro).toBe(7)
})

test('[L24] an account from before there were grants keeps its credit: one purchased grant without an end', async () => {
  const ledger = createLedger({ db: store.db })
  const tenantId = fresh()
  const seenAt = new Date()
  const hold = { sessionId: 'sess_1', amountMicro: 30, owner: 'node_1', epoch: 1, checkpoints: 0, seenAt }
  await accounts().insertOne({
    ...{ _id: tenantId, tenantId, v: 2, posted: 100, live: true, dirty: true },
    holds: { hold_1: hold },
    outbox: {
      'topup:1': {
        ...{ kind: 'purchase', amountMicro: 100, heldMicro: 0, askedMicro: 100, balanceMicro: 100, seq: 1, note: '' },
        at: seenAt,
      },
      'hold:hold_1': {
        ...{ kind: 'hold', amountMicro: 0, heldMicro: 30, askedMicro: 30, balanceMicro: 100, seq: 2, note: '' },
        ...{ at: seenAt, sessionId: 'sess_1', holdId: 'hold_1' },
      },
    },
  } as { _id: string })
  const mine = ledger.of(tenantId)
  const purchased = { postedMicro: 100, heldMicro: 30, availableMicro: 70, nextExpiryAt: null }
  expect(await mine.getCreditBalance()).toMatchObject({ tiers: { purchased }, availableMicro: 70 })
  expect(await findings(ledger, tenantId)).toEqual([])
  await ledger.flush()
  await mine.grantDailyCredits({ amountMicro: 5, timeZone: 'UTC', note: '' })
  expect(await raw(tenantId)).toMatchObject({
    grants: { g0: { id: 'before', leftMicro: 100 }, g3: { tier: 'daily' } },
    holds: { hold_1: { allocations: { g0: 30 } } },
  })
  expect(await mine.settle(settled('hold_1', 10))).toMatchObject({ receipt: { totalMicro: 10 } })
  expect(await mine.getCreditBalance()).toMatchObject({ availableMicro: 95 })
  expect(await findings(ledger, tenantId)).toEqual([])
})

test('[L23] the largest account a tenant can make stays below 200 kB', async () => {
  const { ledger } = stepped()
  const tenantId = fresh()
  const mine = ledger.of(tenantId)
  for (let i = 0; i < 110; i++)
    await mine.addPurchasedCredits({ paymentId: `pi_${'x'.repeat(24)}${i}`, amountMicro: 40, note: 'a pack of credit' })
  const meters = ['session.seconds', 'input.text.tokens', 'output.text.tokens', 'output.audio.tokens']
  const lines = meters.map((meter) => ({ ...line(1), meter })).map((each) => ({ ...line(1)[0], meter: each.meter }))
  for (let i = 0; i < 200; i++) {
    const holdId = `hold_${'x'.repeat(16)}${i}`
    expect(await holdOf(ledger, tenantId, holdId, 20)).toMatchObject({ is: 'held' })
    await mine.checkpoint({ holdId, epoch: 1, lines: lines as ReturnType<typeof line>, costUsdMicro: 5 })
  }
  const doc = await raw(tenantId)
  const size = calculateObjectSize(doc ?? {})
  expect(Object.keys(Reflect.get(doc ?? {}, 'holds'))).toHaveLength(200)
  expect(Object.keys(Reflect.get(doc ?? {}, 'grants'))).toHaveLength(100)
  expect(size).toBeGreaterThan(100_000)
  expect(size).toBeLessThan(200_000)
})

test('[L1] opening a session is two reads and one write, as before there were grants', async () => {
  const tenantId = fresh()
  await createLedger({ db: store.db }).of(tenantId).addPurchasedCredits({ paymentId: 'pi_1', amountMicro: 9, note: '' })
  const calls: string[] = []
  const counting = new Proxy(store.db, {
    get(db, name) {
      const value: unknown = Reflect.get(db, name, db)
      if (typeof value !== 'function') return value
      if (name !== 'collection') return value.bind(db)
      return (...args: unknown[]) =>
        new Proxy(value.apply(db, args), {
          get(collection, method) {
            const member: unknown = Reflect.get(collection, method, collection)
            if (typeof member !== 'function') return member
            return (...rest: unknown[]) => {
              calls.push(String(method))
              return member.apply(collection, rest)
            }
          },
        })
    },
  })
  await holdOf(createLedger({ db: counting }), tenantId, 'hold_1', 5)
  expect(calls).toEqual(['findOne', 'findOne', 'findOneAndUpdate'])
})

test('[L19] the nightly walk writes down what has ended of accounts that nobody moves', async () => {
  const { clock, ledger } = stepped()
  const tenantId = fresh()
  await ledger.of(tenantId).grantDailyCredits({ amountMicro: 7, timeZone: 'UTC', note: '' })
  clock.nowMs += 86_400_000
  expect(await ledger.expire()).toBeGreaterThanOrEqual(1)
  expect((await ledger.of(tenantId).entries({ limit: 5 })).items).toMatchObject([
    { kind: 'expire', amountMicro: -7, balanceMicro: 0, tiers: { daily: -7 } },
    { kind: 'grant', amountMicro: 7, expiresAt: '2026-03-02T00:00:00.000Z' },
  ])
  expect(await findings(ledger, tenantId)).toEqual([])
})
