import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { ReceiptLine } from '../protocol/rest.ts'
import { createLedger, type Ledger, ledgerCollections } from './ledger.ts'
import { lossyDb } from './lossy-db.test-support.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, ledgerCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

const credit = 1_000_000
const fresh = () => asTenantId(newId('ten'))
/** One per process: they share nothing but the store. */
const processes = (n: number) => Array.from({ length: n }, () => createLedger({ db: store.db }))
const seconds = (n: number): ReceiptLine => ({
  meter: 'session.seconds',
  quantity: n,
  unit: 'second',
  priceMicroPerMillion: 100_000 * credit,
  amountMicro: n * 100_000,
})
const tokens = (n: number): ReceiptLine => ({
  meter: 'output.audio.tokens',
  quantity: n,
  unit: 'token',
  priceMicroPerMillion: credit,
  amountMicro: n,
})
const settle = (holdId: string, lines: readonly ReceiptLine[], epoch = 1) => ({
  holdId,
  lines,
  costUsdMicro: 0,
  note: '',
  by: { epoch },
})
const raw = (tenantId: TenantId) => store.db.collection<{ _id: string }>('credit_accounts').findOne({ _id: tenantId })
const count = (name: string, tenantId: TenantId) => store.db.collection(name).countDocuments({ tenantId })

async function funded(amountMicro: number): Promise<{ ledger: Ledger; tenantId: TenantId }> {
  const [ledger] = processes(1)
  const tenantId = fresh()
  if (ledger === undefined) throw new Error('no ledger')
  await ledger.of(tenantId).post({ key: 'grant:1', kind: 'grant', amountMicro, note: '' })
  return { ledger, tenantId }
}
const holdOf = (ledger: Ledger, tenantId: TenantId, holdId: string, amountMicro = 12 * credit) =>
  ledger.of(tenantId).hold({ holdId, sessionId: `sess_${holdId}`, amountMicro, owner: 'node_1' })

describe('one session', () => {
  test('[L8] hold, extend, checkpoint, settle: the receipt sums to the charge and the rest is free again', async () => {
    const { ledger, tenantId } = await funded(30 * credit)
    const mine = ledger.of(tenantId)
    expect(await holdOf(ledger, tenantId, 'hold_a')).toEqual({ is: 'held', epoch: 1, amountMicro: 12 * credit })
    expect(await mine.extend({ holdId: 'hold_a', n: 1, addMicro: credit, epoch: 1 })).toEqual({
      is: 'held',
      amountMicro: 13 * credit,
    })
    expect(await mine.checkpoint({ holdId: 'hold_a', epoch: 1, lines: [seconds(5)], costUsdMicro: 3 })).toBe('applied')
    expect(await mine.credits()).toMatchObject({
      postedMicro: 30 * credit,
      heldMicro: 13 * credit,
      availableMicro: 17 * credit,
      holds: [{ id: 'hold_a', sessionId: 'sess_hold_a', amountMicro: 13 * credit, usedMicro: 500_000 }],
    })
    const answer = await mine.settle({ ...settle('hold_a', [tokens(9), seconds(7)]), costUsdMicro: 4, note: 'idle' })
    expect(answer).toMatchObject({
      is: 'settled',
      receipt: {
        sessionId: 'sess_hold_a',
        holdId: 'hold_a',
        lines: [seconds(7), tokens(9)],
        totalMicro: 700_009,
        waivedMicro: 0,
        costUsdMicro: 4,
        entryId: 'settle:hold_a',
      },
    })
    expect(await mine.credits()).toMatchObject({
      postedMicro: 30 * credit - 700_009,
      heldMicro: 0,
      availableMicro: 30 * credit - 700_009,
      holds: [],
    })
  })

  test('[L8] usage beyond the hold is waived, and what a checkpoint saw counts even if the settlement forgot it', async () => {
    const { ledger, tenantId } = await funded(credit)
    const mine = ledger.of(tenantId)
    await holdOf(ledger, tenantId, 'hold_a', credit)
    await mine.checkpoint({ holdId: 'hold_a', epoch: 1, lines: [seconds(9), tokens(400_000)], costUsdMicro: null })
    const answer = await mine.settle(settle('hold_a', [seconds(8)]))
    expect(answer).toMatchObject({
      receipt: {
        lines: [seconds(9), { ...tokens(400_000), amountMicro: 100_000 }],
        totalMicro: credit,
        waivedMicro: 300_000,
        costUsdMicro: null,
      },
    })
    expect((await mine.credits()).postedMicro).toBe(0)
  })

  test('[L7] checkpoints in any order and number leave the greatest figures, and make no version', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    const mine = ledger.of(tenantId)
    await holdOf(ledger, tenantId, 'hold_a')
    const before = await raw(tenantId)
    await Promise.all(
      [3, 9, 1, 9, 5, 2].map((n) =>
        mine.checkpoint({ holdId: 'hold_a', epoch: 1, lines: [seconds(n), tokens(10 - n)], costUsdMicro: n }),
      ),
    )
    expect((await mine.credits()).holds[0]?.usedMicro).toBe(900_000 + 9)
    expect(await raw(tenantId)).toMatchObject({ v: Reflect.get(before ?? {}, 'v') })
    expect(await mine.settle(settle('hold_a', []))).toMatchObject({
      receipt: { lines: [seconds(9), tokens(9)], costUsdMicro: 9 },
    })
  })

  test('[L7] a checkpoint under another epoch is fenced, after settlement gone', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    const mine = ledger.of(tenantId)
    await holdOf(ledger, tenantId, 'hold_a')
    const checkpoint = { holdId: 'hold_a', lines: [seconds(1)], costUsdMicro: 0 }
    expect(await mine.checkpoint({ ...checkpoint, epoch: 2 })).toBe('fenced')
    expect((await mine.credits()).holds[0]?.usedMicro).toBe(0)
    await mine.settle(settle('hold_a', []))
    expect(await mine.checkpoint({ ...checkpoint, epoch: 1 })).toBe('gone')
    expect(await raw(tenantId)).toMatchObject({ holds: {} })
  })

  test('[L10] after a takeover the old owner neither checkpoints nor settles; the new one goes on from its figures', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    const mine = ledger.of(tenantId)
    await holdOf(ledger, tenantId, 'hold_a')
    await mine.checkpoint({ holdId: 'hold_a', epoch: 1, lines: [seconds(5)], costUsdMicro: 0 })
    expect(await mine.takeOver({ holdId: 'hold_a', fromEpoch: 1, owner: 'node_2' })).toEqual({ is: 'owned', epoch: 2 })
    expect(await mine.takeOver({ holdId: 'hold_a', fromEpoch: 1, owner: 'node_2' })).toEqual({ is: 'owned', epoch: 2 })
    expect(await mine.takeOver({ holdId: 'hold_a', fromEpoch: 1, owner: 'node_3' })).toEqual({ is: 'lost' })
    expect(await mine.takeOver({ holdId: 'hold_z', fromEpoch: 1, owner: 'node_3' })).toEqual({ is: 'lost' })
    expect(await mine.checkpoint({ holdId: 'hold_a', epoch: 1, lines: [seconds(9)], costUsdMicro: 0 })).toBe('fenced')
    expect(await mine.extend({ holdId: 'hold_a', n: 1, addMicro: 1, epoch: 1 })).toEqual({ is: 'gone' })
    expect(await mine.settle(settle('hold_a', [seconds(9)], 1))).toEqual({ is: 'fenced' })
    expect(await mine.settle(settle('hold_a', [], 2))).toMatchObject({
      is: 'settled',
      receipt: { totalMicro: 500_000 },
    })
  })

  test('[L2] settling twice gives the same receipt, before and after the outbox was moved', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    const mine = ledger.of(tenantId)
    await holdOf(ledger, tenantId, 'hold_a')
    const first = await mine.settle(settle('hold_a', [seconds(5)]))
    const again = { is: 'already', receipt: Reflect.get(first, 'receipt') }
    expect(await mine.settle(settle('hold_a', [seconds(6)]))).toEqual(again)
    expect(await mine.receipt('sess_hold_a')).toEqual(again.receipt)
    await ledger.flush()
    expect(await mine.settle(settle('hold_a', [seconds(6)], 7))).toEqual(again)
    expect(await mine.receipt('sess_hold_a')).toEqual(again.receipt)
    expect((await mine.credits()).postedMicro).toBe(20 * credit - 500_000)
  })

  test('[L9] settling a hold that never was is fenced', async () => {
    const { ledger, tenantId } = await funded(credit)
    expect(await ledger.of(tenantId).settle(settle('hold_never', []))).toEqual({ is: 'fenced' })
  })

  test('[L3] a hold tried again after its settlement, or for another session, is a conflict', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    await holdOf(ledger, tenantId, 'hold_a')
    await expect(
      ledger.of(tenantId).hold({ holdId: 'hold_a', sessionId: 'sess_b', amountMicro: 12 * credit, owner: 'node_1' }),
    ).rejects.toMatchObject({ code: 'conflict' })
    await ledger.of(tenantId).settle(settle('hold_a', []))
    await expect(holdOf(ledger, tenantId, 'hold_a')).rejects.toMatchObject({ code: 'conflict' })
    expect((await ledger.of(tenantId).credits()).heldMicro).toBe(0)
  })

  test('[L6] the same extension twice extends once, also when two processes send it', async () => {
    const { tenantId } = await funded(20 * credit)
    const [a, b] = processes(2)
    await holdOf(a!, tenantId, 'hold_a', credit)
    const extend = { holdId: 'hold_a', n: 1, addMicro: credit, epoch: 1 }
    const answers = await Promise.all([a!, b!, a!, b!].map((ledger) => ledger.of(tenantId).extend(extend)))
    expect(answers).toEqual(Array(4).fill({ is: 'held', amountMicro: 2 * credit }))
    await a!.flush()
    expect(await b!.of(tenantId).extend(extend)).toEqual({ is: 'held', amountMicro: 2 * credit })
    expect(await b!.of(tenantId).extend({ ...extend, n: 2 })).toEqual({ is: 'held', amountMicro: 3 * credit })
  })
})

describe('posting', () => {
  test('[L3] the same key twice posts once; other arguments under it are a conflict, before and after a flush', async () => {
    const { ledger, tenantId } = await funded(credit)
    const mine = ledger.of(tenantId)
    const purchase = { key: 'topup:pi_1', kind: 'purchase', amountMicro: 5 * credit, note: 'pack' } as const
    const entry = await mine.post(purchase)
    expect(entry).toMatchObject({
      id: 'topup:pi_1',
      kind: 'purchase',
      amountMicro: 5 * credit,
      balanceMicro: 6 * credit,
    })
    for (const flushed of [false, true]) {
      if (flushed) await ledger.flush()
      expect(await mine.post({ ...purchase, note: 'seen by another webhook' })).toEqual(entry)
      await expect(mine.post({ ...purchase, amountMicro: 4 * credit })).rejects.toMatchObject({ code: 'conflict' })
      await expect(mine.post({ ...purchase, kind: 'grant' })).rejects.toMatchObject({ code: 'conflict' })
    }
    expect((await mine.credits()).postedMicro).toBe(6 * credit)
  })

  test('[L2] one payment told by 60 webhooks to 3 processes while a flusher runs is credited once', async () => {
    const { tenantId } = await funded(credit)
    const ledgers = processes(3)
    let running = true
    const flushing = (async () => {
      while (running) await ledgers[0]!.flush()
    })()
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        ledgers[i % 3]!.of(tenantId).post({ key: 'topup:pi_9', kind: 'purchase', amountMicro: credit, note: '' }),
      ),
    )
    running = false
    await flushing
    expect((await ledgers[1]!.of(tenantId).credits()).postedMicro).toBe(2 * credit)
  })

  test('[L1] another process doing and flushing the same operation between any two steps of ours does not double it', async () => {
    for (const [operation, at] of [
      ['findOne', 1],
      ['findOne', 2],
      ['findOneAndUpdate', 1],
    ] as const) {
      const { ledger, tenantId } = await funded(credit)
      const post = { key: 'topup:pi_1', kind: 'purchase', amountMicro: credit, note: '' } as const
      let calls = 0
      const slow = createLedger({
        db: interposed(operation, async () => {
          if (++calls !== at) return
          await ledger.of(tenantId).post(post)
          await ledger.flush()
        }),
      })
      expect(await slow.of(tenantId).post(post)).toMatchObject({ balanceMicro: 2 * credit })
      expect(calls).toBeGreaterThanOrEqual(at)
      expect([operation, at, (await ledger.of(tenantId).credits()).postedMicro]).toEqual([operation, at, 2 * credit])
    }
  })

  test('[L12] a refund stops at zero and leaves holds alone', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    await holdOf(ledger, tenantId, 'hold_a')
    const refund = { key: 'refund:re_1', kind: 'refund', amountMicro: -50 * credit, note: '' } as const
    expect(await ledger.of(tenantId).post(refund)).toMatchObject({
      amountMicro: -8 * credit,
      balanceMicro: 12 * credit,
    })
    expect(await ledger.of(tenantId).credits()).toMatchObject({ availableMicro: 0, heldMicro: 12 * credit })
  })

  test('[L13] money is int64 on disk, also beyond 2^31 and in every counter', async () => {
    const { ledger, tenantId } = await funded(9_000_000_000_000_001)
    await holdOf(ledger, tenantId, 'hold_a', 5_000_000_000_000_001)
    await ledger.of(tenantId).checkpoint({ holdId: 'hold_a', epoch: 1, lines: [seconds(1)], costUsdMicro: 1 })
    await ledger.of(tenantId).extend({ holdId: 'hold_a', n: 1, addMicro: 1, epoch: 1 })
    const isLong = async (filter: Record<string, unknown>) =>
      (await store.db.collection('credit_accounts').countDocuments({ tenantId, ...filter })) === 1
    for (const path of [
      'posted',
      'holds.hold_a.amountMicro',
      'holds.hold_a.costUsdMicro',
      'holds.hold_a.lines.session/seconds.amountMicro',
      'outbox.grant:1.amountMicro',
      'outbox.hold:hold_a.heldMicro',
    ]) {
      expect([path, await isLong({ [path]: { $type: 'long' } })]).toEqual([path, true])
    }
    await ledger.of(tenantId).settle(settle('hold_a', [seconds(1)]))
    expect((await ledger.of(tenantId).credits()).postedMicro).toBe(8_999_999_999_900_001)
    await ledger.flush()
    expect(
      await store.db.collection('credit_entries').countDocuments({ tenantId, amountMicro: { $type: 'long' } }),
    ).toBe(4)
  })

  test('entries come newest first and page without gap or repeat, half of them still in the outbox', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    const mine = ledger.of(tenantId)
    for (let i = 0; i < 7; i++) {
      await mine.post({ key: `k${i}`, kind: 'grant', amountMicro: i, note: '' })
      if (i === 3) await ledger.flush()
    }
    await holdOf(ledger, tenantId, 'hold_a')
    await mine.settle(settle('hold_a', [seconds(1)]))
    const seen: string[] = []
    let cursor: string | undefined
    for (let turn = 0; turn < 20; turn++) {
      const page = await mine.entries({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.items.map((entry) => entry.id))
      if (page.next === null) break
      cursor = page.next
    }
    expect(seen).toEqual(['settle:hold_a', 'k6', 'k5', 'k4', 'k3', 'k2', 'k1', 'k0', 'grant:1'])
    await expect(mine.entries({ limit: 1, cursor: '{"$gt":0}' })).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('races', () => {
  test('[L4] 100 parallel holds on credit for one: one is granted, from one process and from four', async () => {
    for (const n of [1, 4]) {
      const { tenantId } = await funded(12 * credit)
      const ledgers = processes(n)
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, i) => holdOf(ledgers[i % n]!, tenantId, `hold_${i}`)),
      )
      expect(answers.filter((answer) => answer.is === 'held')).toHaveLength(1)
      expect(answers.filter((answer) => answer.is === 'out_of_credit')).toHaveLength(99)
      expect(await ledgers[0]!.of(tenantId).credits()).toMatchObject({ availableMicro: 0, postedMicro: 12 * credit })
    }
  })

  test('[L5] the 201st hold is refused, also when 210 ask at once', async () => {
    const { tenantId } = await funded(300 * credit)
    const ledgers = processes(2)
    const answers = await Promise.all(
      Array.from({ length: 210 }, (_, i) => holdOf(ledgers[i % 2]!, tenantId, `hold_${i}`, credit)),
    )
    expect(answers.filter((answer) => answer.is === 'held')).toHaveLength(200)
    expect(answers.filter((answer) => answer.is === 'too_many_holds')).toHaveLength(10)
  })

  test('[L9] two janitors racing over 100 holds settle each once', async () => {
    const { tenantId } = await funded(100 * credit)
    const [a, b] = processes(2)
    await Promise.all(Array.from({ length: 100 }, (_, i) => holdOf(a!, tenantId, `hold_${i}`, credit)))
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        a!.of(tenantId).checkpoint({ holdId: `hold_${i}`, epoch: 1, lines: [seconds(i % 12)], costUsdMicro: 0 }),
      ),
    )
    const janitor = async (ledger: Ledger) => {
      const holds = (await ledger.stale({ olderThanMs: 0, limit: 1_000 })).filter((hold) => hold.tenantId === tenantId)
      return Promise.all(
        holds.map(({ holdId, lines, seen }) =>
          ledger.of(tenantId).settle({ holdId, lines, costUsdMicro: null, note: 'janitor', by: { seen } }),
        ),
      )
    }
    const answers = (await Promise.all([janitor(a!), janitor(b!)])).flat()
    expect(answers).toHaveLength(200)
    expect(answers.filter((answer) => answer.is === 'settled')).toHaveLength(100)
    expect(answers.filter((answer) => answer.is === 'already')).toHaveLength(100)
    const charged = Array.from({ length: 100 }, (_, i) => Math.min(i % 12, 10) * 100_000).reduce((x, y) => x + y, 0)
    expect(await a!.of(tenantId).credits()).toMatchObject({ postedMicro: 100 * credit - charged, heldMicro: 0 })
    await a!.flush()
    expect(await count('credit_receipts', tenantId)).toBe(100)
  })

  test('[L9] owner against janitor: one of them settles, and a janitor that saw an older checkpoint never does', async () => {
    const { tenantId } = await funded(100 * credit)
    const [owner, janitor] = processes(2)
    for (let i = 0; i < 30; i++) {
      const holdId = `hold_${i}`
      await holdOf(owner!, tenantId, holdId, credit)
      const [seen] = (await janitor!.stale({ olderThanMs: 0, limit: 1_000 })).filter((hold) => hold.holdId === holdId)
      const late = i % 2 === 0
      const checkpoint = { holdId, epoch: 1, lines: [seconds(2)], costUsdMicro: 0 }
      if (late) await owner!.of(tenantId).checkpoint(checkpoint)
      const [mine, theirs] = await Promise.all([
        owner!.of(tenantId).settle(settle(holdId, [seconds(3)])),
        janitor!.of(tenantId).settle({ ...settle(holdId, []), by: { seen: seen!.seen } }),
      ])
      expect([mine.is, theirs.is].filter((is) => is === 'settled')).toHaveLength(1)
      if (late) expect(mine.is).toBe('settled')
    }
    expect((await owner!.of(tenantId).credits()).heldMicro).toBe(0)
  })

  test('[L9] a checkpoint between a janitor reading and writing makes it let go', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    await holdOf(ledger, tenantId, 'hold_a')
    const [stale] = (await ledger.stale({ olderThanMs: 0, limit: 1_000 })).filter((hold) => hold.tenantId === tenantId)
    const racing = createLedger({
      db: interposed('findOneAndUpdate', () =>
        ledger.of(tenantId).checkpoint({ holdId: 'hold_a', epoch: 1, lines: [seconds(3)], costUsdMicro: 0 }),
      ),
    })
    const answer = await racing.of(tenantId).settle({ ...settle('hold_a', []), by: { seen: stale!.seen } })
    expect(answer).toEqual({ is: 'fenced' })
    expect((await ledger.of(tenantId).credits()).holds).toHaveLength(1)
  })

  test('[L8] a checkpoint between the owner reading and writing is still charged', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    await holdOf(ledger, tenantId, 'hold_a')
    let once = false
    const racing = createLedger({
      db: interposed('findOneAndUpdate', async () => {
        if (once) return
        once = true
        await ledger.of(tenantId).checkpoint({ holdId: 'hold_a', epoch: 1, lines: [seconds(9)], costUsdMicro: 0 })
      }),
    })
    expect(await racing.of(tenantId).settle(settle('hold_a', [seconds(3)]))).toMatchObject({
      is: 'settled',
      receipt: { totalMicro: 900_000 },
    })
  })

  test('[L14] five workers flushing while credit moves leave every entry once and the outbox empty', async () => {
    const { tenantId } = await funded(credit)
    const ledgers = processes(5)
    let running = true
    const flushers = ledgers.map(async (ledger) => {
      let moved = 0
      while (running) moved += await ledger.flush()
      return moved
    })
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        ledgers[i % 5]!.of(tenantId).post({ key: `k${i}`, kind: 'grant', amountMicro: 1, note: '' }),
      ),
    )
    running = false
    const moved = (await Promise.all(flushers)).reduce((a, b) => a + b, 0)
    const rest = await ledgers[0]!.flush()
    expect(moved + rest).toBeGreaterThanOrEqual(61)
    expect(await count('credit_entries', tenantId)).toBe(61)
    const account = await raw(tenantId)
    expect(account).toMatchObject({ outbox: {}, posted: credit + 60 })
    expect(account).not.toHaveProperty('dirty')
    expect(await ledgers[0]!.flush()).toBe(0)
    expect(await ledgers[0]!.reconcile()).toEqual([])
  })

  test('[L14] an entry that comes while a flusher works is found by the next one', async () => {
    const { ledger, tenantId } = await funded(credit)
    let late = 0
    const slow = createLedger({
      db: interposed('insertMany', async () => {
        if (late++ > 0) return
        await ledger.of(tenantId).post({ key: 'late', kind: 'grant', amountMicro: 1, note: '' })
      }),
    })
    await slow.flush()
    expect(Object.keys(Reflect.get((await raw(tenantId)) ?? {}, 'outbox'))).toEqual(['late'])
    await ledger.flush()
    expect(await count('credit_entries', tenantId)).toBe(2)
    expect(await raw(tenantId)).toMatchObject({ outbox: {} })
  })

  test('[L14] nobody flushes: the outbox stays small all the same', async () => {
    const { ledger, tenantId } = await funded(credit)
    for (let i = 0; i < 140; i++)
      await ledger.of(tenantId).post({ key: `k${i}`, kind: 'grant', amountMicro: 1, note: '' })
    expect(Object.keys(Reflect.get((await raw(tenantId)) ?? {}, 'outbox')).length).toBeLessThanOrEqual(65)
    expect((await ledger.of(tenantId).credits()).postedMicro).toBe(credit + 140)
  })
})

describe('lost replies', () => {
  test('[L2] every write whose reply is lost happens once', async () => {
    const { ledger, tenantId } = await funded(40 * credit)
    let writes = 0
    const shaky = createLedger({ db: lossyDb(store.db, () => ++writes > 0) }).of(tenantId)
    await shaky.post({ key: 'topup:1', kind: 'purchase', amountMicro: credit, note: '' })
    await shaky.hold({ holdId: 'hold_a', sessionId: 'sess_a', amountMicro: 12 * credit, owner: 'node_1' })
    await shaky.extend({ holdId: 'hold_a', n: 1, addMicro: credit, epoch: 1 })
    expect(await ledger.of(tenantId).credits()).toMatchObject({ postedMicro: 41 * credit, heldMicro: 13 * credit })
    const answer = await shaky.settle(settle('hold_a', [seconds(3)]))
    expect(answer).toMatchObject({ receipt: { totalMicro: 300_000 } })
    expect(await ledger.of(tenantId).credits()).toMatchObject({ postedMicro: 41 * credit - 300_000, heldMicro: 0 })
    expect(writes).toBe(4)
  })

  test('[L1] a store that never replies is unavailable in the end, and the retry with the same key finds the work done', async () => {
    const { ledger, tenantId } = await funded(credit)
    const dead = createLedger({ db: lossyDb(store.db, () => true) })
    const post = { key: 'topup:1', kind: 'purchase', amountMicro: credit, note: '' } as const
    expect(await dead.of(tenantId).post(post)).toMatchObject({ balanceMicro: 2 * credit })
    const deaf = createLedger({
      db: interposed('findOne', async () => {
        throw Object.assign(new Error('down'), { name: 'MongoServerSelectionError' })
      }),
    })
    await expect(deaf.of(tenantId).post({ ...post, key: 'topup:2' })).rejects.toMatchObject({ code: 'unavailable' })
    expect((await ledger.of(tenantId).credits()).postedMicro).toBe(2 * credit)
  })

  test('[L14] a flusher that dies after any of its writes loses and doubles nothing', async () => {
    const { ledger, tenantId } = await funded(20 * credit)
    await holdOf(ledger, tenantId, 'hold_a')
    await ledger.of(tenantId).settle(settle('hold_a', [seconds(1)]))
    for (const dieAt of [1, 2, 3]) {
      let writes = 0
      const dying = createLedger({ db: lossyDb(store.db, () => ++writes === dieAt) })
      await dying.flush().catch(() => undefined)
      expect((await ledger.of(tenantId).entries({ limit: 10 })).items).toHaveLength(2)
      expect(await ledger.of(tenantId).receipt('sess_hold_a')).toMatchObject({ totalMicro: 100_000 })
      expect((await ledger.reconcile()).filter((finding) => finding.tenantId === tenantId)).toEqual([])
    }
    await ledger.flush()
    expect(await count('credit_entries', tenantId)).toBe(3)
    expect(await count('credit_receipts', tenantId)).toBe(1)
  })
})

describe('watching', () => {
  test('[L16] a hold is stale by the time since its last sign of life, as the store counts it', async () => {
    const { ledger, tenantId } = await funded(30 * credit)
    await holdOf(ledger, tenantId, 'hold_a', credit)
    await holdOf(ledger, tenantId, 'hold_b', credit)
    const stale = async (olderThanMs: number) =>
      (await ledger.stale({ olderThanMs, limit: 1_000 }))
        .filter((hold) => hold.tenantId === tenantId)
        .map((hold) => hold.holdId)
    expect(await stale(60_000)).toEqual([])
    expect(await stale(0)).toEqual(['hold_a', 'hold_b'])
    await store.db
      .collection<{ _id: string }>('credit_accounts')
      .updateOne({ _id: tenantId }, { $set: { 'holds.hold_a.seenAt': new Date(Date.now() - 120_000) } })
    expect(await stale(90_000)).toEqual(['hold_a'])
    await ledger.of(tenantId).checkpoint({ holdId: 'hold_a', epoch: 1, lines: [], costUsdMicro: 0 })
    expect(await stale(90_000)).toEqual([])
    expect(await ledger.stale({ olderThanMs: 0, limit: 1 })).toHaveLength(1)
  })

  test('[L16] settling one hold does not hide the others', async () => {
    const { ledger, tenantId } = await funded(30 * credit)
    await holdOf(ledger, tenantId, 'hold_a', credit)
    await holdOf(ledger, tenantId, 'hold_b', credit)
    await ledger.of(tenantId).settle(settle('hold_a', []))
    const found = await ledger.stale({ olderThanMs: 0, limit: 1_000 })
    expect(found.filter((hold) => hold.tenantId === tenantId).map((hold) => hold.holdId)).toEqual(['hold_b'])
    await ledger.of(tenantId).settle(settle('hold_b', []))
    expect(await raw(tenantId)).not.toHaveProperty('live')
  })

  test('[L16] a gateway clock an hour wrong changes nothing', async () => {
    const { ledger, tenantId } = await funded(30 * credit)
    const trueNow = Date.now
    try {
      Date.now = () => trueNow() + 3_600_000
      await holdOf(ledger, tenantId, 'hold_a', credit)
      const found = await ledger.stale({ olderThanMs: 30_000, limit: 1_000 })
      expect(found.filter((hold) => hold.tenantId === tenantId)).toEqual([])
    } finally {
      Date.now = trueNow
    }
  })

  test('[L15] a balance, hold or entry that was tampered with is found and blocks new holds until it is right again', async () => {
    const { ledger, tenantId } = await funded(30 * credit)
    await holdOf(ledger, tenantId, 'hold_a', credit)
    await ledger.flush()
    const accounts = store.db.collection<{ _id: string }>('credit_accounts')
    const entries = store.db.collection<{ _id: string }>('credit_entries')
    const findings = async () => (await ledger.reconcile()).filter((finding) => finding.tenantId === tenantId)
    expect(await findings()).toEqual([])
    const tamper = [
      () => accounts.updateOne({ _id: tenantId }, { $inc: { posted: 1 } }),
      () => accounts.updateOne({ _id: tenantId }, { $inc: { 'holds.hold_a.amountMicro': 1 } }),
      () => entries.updateOne({ _id: `${tenantId}/grant:1` }, { $inc: { balanceMicro: 1 } }),
    ]
    const repair = [
      () => accounts.updateOne({ _id: tenantId }, { $inc: { posted: -1 } }),
      () => accounts.updateOne({ _id: tenantId }, { $inc: { 'holds.hold_a.amountMicro': -1 } }),
      () => entries.updateOne({ _id: `${tenantId}/grant:1` }, { $inc: { balanceMicro: -1 } }),
    ]
    for (const [i, break_] of tamper.entries()) {
      await break_()
      expect((await findings()).length).toBeGreaterThanOrEqual(1)
      await expect(holdOf(ledger, tenantId, `hold_x${i}`, 1)).rejects.toMatchObject({ code: 'unavailable' })
      await repair[i]!()
      expect(await findings()).toEqual([])
      expect(await holdOf(ledger, tenantId, `hold_y${i}`, 1)).toMatchObject({ is: 'held' })
      await ledger.of(tenantId).settle(settle(`hold_y${i}`, []))
    }
  })

  test('[L17] two tenants with the same keys do not meet', async () => {
    const a = await funded(credit)
    const b = await funded(2 * credit)
    for (const { ledger, tenantId } of [a, b]) {
      await holdOf(ledger, tenantId, 'hold_same', credit)
      await ledger.of(tenantId).settle(settle('hold_same', [seconds(1)]))
    }
    await a.ledger.flush()
    expect((await a.ledger.of(a.tenantId).entries({ limit: 9 })).items.map((entry) => entry.balanceMicro)).toEqual([
      900_000, 1_000_000,
    ])
    expect((await b.ledger.of(b.tenantId).entries({ limit: 9 })).items.map((entry) => entry.balanceMicro)).toEqual([
      1_900_000, 2_000_000,
    ])
    expect((await a.ledger.reconcile()).filter(({ tenantId }) => [a.tenantId, b.tenantId].includes(tenantId))).toEqual(
      [],
    )
    expect(() => a.ledger.of(asTenantId('x.y'))).toThrow(/usable/)
  })
})

/** The store, with something happening just before one kind of operation. */
function interposed(operation: string, before: () => Promise<unknown>): typeof store.db {
  return new Proxy(store.db, {
    get(db, name) {
      const value: unknown = Reflect.get(db, name, db)
      if (typeof value !== 'function') return value
      if (name !== 'collection') return value.bind(db)
      return (...args: unknown[]) =>
        new Proxy(value.apply(db, args), {
          get(collection, method) {
            const member: unknown = Reflect.get(collection, method, collection)
            if (typeof member !== 'function') return member
            if (method !== operation) return member.bind(collection)
            return async (...rest: unknown[]) => {
              await before()
              return member.apply(collection, rest)
            }
          },
        })
    },
  })
}
