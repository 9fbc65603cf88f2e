import { Redis, type Requester, type UpstashRequest } from '@upstash/redis'
import { type CommandStartedEvent, type Db, type Document, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createEmbeddedRedis } from '../embedded/redis/embedded-redis.ts'
import { createLedger, type Ledger, ledgerCollections } from '../ledger/ledger.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import {
  admitted,
  ask,
  codeOf,
  fresh,
  grant,
  patient,
  type Rig,
  type RigOptions,
  soFar,
  usageRig,
} from './usage.test-support.ts'
import { type AdmitAnswer, type AdmitRequest, type UsageSoFar, usageCollections } from './usage.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...ledgerCollections, ...usageCollections])
})
afterAll(() => store[Symbol.asyncDispose]())

/** What this process kept of the price book is old. */
const later = (): Clock => {
  let reads = 0
  return { ...patient, now: () => Date.now() + 3_000 * reads++ }
}

const rig = (over: RigOptions & { readonly db?: Db } = {}) => usageRig(over.db ?? store.db, over)

const day = '2026-11-24'

/** Admits and gives the slot back at once: what remains is the spent rate. */
async function start({ usage }: Rig, request: AdmitRequest): Promise<AdmitAnswer> {
  const answer = await usage.admit(request)
  if (answer.is === 'admitted') await usage.release(request)
  return answer
}
describe('admission', () => {
  test('[U4] an admitted session has a price, an epoch and 120 s of hold', async () => {
    const it = rig()
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 20)
    const admission = await admitted(it, ask(tenantId))
    expect(admission).toMatchObject({
      epoch: 1,
      heldMicro: 12_000_000,
      price: { engine: 'demo', secondMicro: 100_000 },
    })
    expect((await it.ledger.of(tenantId).credits()).holds.map((hold) => hold.id)).toEqual([admission.holdId])
  })

  test('[U5] a burst of 60 starts passes on the free plan, what follows is refused with the time until the next', async () => {
    const it = rig()
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 2_000)
    const begunMs = Date.now()
    let passed = 0
    let last: AdmitAnswer | undefined
    for (; passed < 150; passed++) {
      last = await start(it, ask(tenantId))
      if (last.is === 'refused') break
    }
    expect(passed).toBeGreaterThanOrEqual(60)
    expect(passed).toBeLessThanOrEqual(61 + (Date.now() - begunMs) / 2_000)
    expect(last).toEqual({ is: 'refused', code: 'rate_visitor', retryAfterMs: 2_000 })
  })

  test('[U5] one visitor over its limit leaves the others theirs; servers and carriers are no visitors', async () => {
    const it = rig()
    const tenantId = fresh()
    await it.redis.hset(`parley:rate:visitor:${tenantId}:203.0.113.7`, { refilledAt: Date.now(), tokens: 0 })
    await grant(it.ledger, tenantId, 2_000)
    expect(codeOf(await start(it, ask(tenantId)))).toBe('rate_visitor')
    expect(await it.redis.exists(`parley:rate:tenant:${tenantId}`)).toBe(0)
    expect(codeOf(await start(it, ask(tenantId, { ip: '203.0.113.8' })))).toBe('admitted')
    expect(codeOf(await start(it, ask(tenantId, { channel: 'api' })))).toBe('admitted')
    expect(codeOf(await start(it, ask(tenantId, { channel: 'voice' })))).toBe('admitted')
  })

  test('[U5] a key, a tenant or a day that is spent refuses, and what the others gave goes back to them', async () => {
    const spent: readonly [name: string, spend: (it: Rig, tenantId: TenantId) => Promise<unknown>][] = [
      ['key', (it, id) => it.redis.hset(`parley:rate:key:${id}:key_1`, { refilledAt: Date.now(), tokens: 0 })],
      ['tenant', (it, id) => it.redis.hset(`parley:rate:tenant:${id}`, { refilledAt: Date.now(), tokens: 0 })],
      ['day', (it, id) => it.redis.set(`parley:rate:day:${id}:${Math.floor(Date.now() / 86_400_000)}`, 1_000)],
    ]
    for (const [name, spend] of spent) {
      const it = rig()
      const tenantId = fresh()
      await grant(it.ledger, tenantId, 100)
      await spend(it, tenantId)
      expect([name, codeOf(await start(it, ask(tenantId)))]).toEqual([name, `rate_${name}`])
      for (const bucket of [`parley:rate:key:${tenantId}:key_1`, `parley:rate:tenant:${tenantId}`]) {
        if (!bucket.includes(`:${name}:`)) expect([name, await it.redis.hget(bucket, 'tokens')]).toEqual([name, 60])
      }
      const otherKey = await start(it, ask(tenantId, { keyId: 'key_2' }))
      expect([name, codeOf(otherKey)]).toEqual([name, name === 'key' ? 'admitted' : `rate_${name}`])
    }
  })

  test('[U5] enterprise starts are not counted', async () => {
    const it = rig()
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 100)
    expect(codeOf(await start(it, ask(tenantId, { plan: 'enterprise', channel: 'api' })))).toBe('admitted')
    expect((await it.redis.keys('parley:rate:*')).filter((key) => key.includes(tenantId))).toEqual([])
  })

  test('[U6] the sixth session of a free tenant has no slot until one is given back or its lease ends', async () => {
    let nowMs = 1_800_000_000_000
    const it = rig({ redis: new Redis(createEmbeddedRedis({ now: () => nowMs })) })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 500)
    const sessions = Array.from({ length: 5 }, () => ask(tenantId))
    for (const session of sessions) expect(codeOf(await it.usage.admit(session))).toBe('admitted')
    expect(await it.usage.admit(ask(tenantId))).toEqual({ is: 'refused', code: 'no_slot', retryAfterMs: 5_000 })
    expect(codeOf(await it.usage.admit(sessions[1]!))).toBe('admitted')
    await it.usage.release(sessions[0]!)
    await it.usage.release(sessions[0]!)
    const next = ask(tenantId)
    expect(codeOf(await it.usage.admit(next))).toBe('admitted')
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('no_slot')
    // 20 s later one of the five still beats; 20 s after that only its lease is left.
    nowMs += 20_000
    await it.usage.heartbeat({ ...next, epoch: 1, usage: soFar(20) })
    nowMs += 20_000
    for (let i = 0; i < 4; i++) expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('admitted')
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('no_slot')
  })

  test('[U6] 100 sessions asking at once through two gateways get 5 slots', async () => {
    const redis = new Redis(createEmbeddedRedis())
    const gateways = [rig({ redis }), rig({ redis })]
    const tenantId = fresh()
    await grant(gateways[0]!.ledger, tenantId, 2_000)
    const asks = Array.from({ length: 100 }, () => ask(tenantId, { channel: 'api' }))
    const answers = await Promise.all(asks.map((request, i) => gateways[i % 2]!.usage.admit(request)))
    expect(answers.filter(({ is }) => is === 'admitted')).toHaveLength(5)
  })

  test('[U6] a slot lost with all of Redis comes back with the next heartbeat', async () => {
    const it = rig()
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 500)
    const session = ask(tenantId)
    await admitted(it, session)
    await it.redis.flushall()
    await it.usage.heartbeat({ ...session, epoch: 1, usage: soFar(5) })
    expect(await it.redis.zcard(`parley:slots:{${tenantId}}`)).toBe(1)
  })

  test('[U4] without credit nothing stays behind: no slot, no hold, no token of the tenant', async () => {
    const it = rig()
    const tenantId = fresh()
    for (let i = 0; i < 70; i++) {
      expect(await it.usage.admit(ask(tenantId, { channel: 'api' }))).toEqual({
        is: 'refused',
        code: 'out_of_credit',
        retryAfterMs: 0,
      })
    }
    expect(await it.redis.zcard(`parley:slots:{${tenantId}}`)).toBe(0)
    expect(await it.redis.hget(`parley:rate:tenant:${tenantId}`, 'tokens')).toBe(60)
    expect(await it.redis.get(`parley:rate:day:${tenantId}:${Math.floor(Date.now() / 86_400_000)}`)).toBe(0)
    expect((await it.ledger.of(tenantId).credits()).holds).toEqual([])
    await grant(it.ledger, tenantId, 12)
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('admitted')
  })

  test('[U4] a refused slot gives the tokens back, but an attempt of a visitor counts', async () => {
    const it = rig()
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 500)
    for (let i = 0; i < 5; i++) await admitted(it, ask(tenantId))
    for (let i = 0; i < 10; i++) expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('no_slot')
    const tokens = async (bucket: string) => Number(await it.redis.hget(`parley:rate:${bucket}`, 'tokens'))
    expect(await tokens(`tenant:${tenantId}`)).toBeGreaterThanOrEqual(55)
    expect(await tokens(`visitor:${tenantId}:203.0.113.7`)).toBeLessThanOrEqual(47)
  })

  test('[U4] a ledger that fails gives slot and tokens back', async () => {
    const { redis } = rig()
    const tenantId = fresh()
    const broken: Ledger = {
      ...createLedger({ db: store.db }),
      of: () => {
        throw new Error('the store is gone')
      },
    }
    const it = rig({ redis, ledger: broken })
    await expect(it.usage.admit(ask(tenantId))).rejects.toThrow(/gone/)
    expect(await redis.zcard(`parley:slots:{${tenantId}}`)).toBe(0)
    expect(await redis.hget(`parley:rate:tenant:${tenantId}`, 'tokens')).toBe(60)
  })
})

describe('without Redis', () => {
  const hanging = () => new Redis({ request: () => new Promise<never>(() => {}) })
  const failing = () =>
    new Redis({
      request: () => Promise.reject(new Error('connection refused')),
    })

  test('[U7] a Redis that hangs or fails admits half of the plan from this process alone', async () => {
    for (const redis of [hanging(), failing()]) {
      const it = rig({ clock: systemClock, redis })
      const tenantId = fresh()
      await grant(it.ledger, tenantId, 500)
      const codes = []
      for (let i = 0; i < 4; i++) codes.push(codeOf(await it.usage.admit(ask(tenantId))))
      expect(codes).toEqual(['admitted', 'admitted', 'no_slot', 'no_slot'])
    }
  })

  test('[U7] a Redis that answers too late does not keep what the process decided without', async () => {
    const real = createEmbeddedRedis()
    let delayMs = 0
    const request = async (command: UpstashRequest) => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      return real.request(command)
    }
    const it = rig({ clock: systemClock, redis: new Redis({ request: request as Requester['request'] }) })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 500)
    await admitted(it, ask(tenantId))
    await admitted(it, ask(tenantId))
    delayMs = 80
    // Half of five is two: alone, this process has no third.
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('no_slot')
    await new Promise((resolve) => setTimeout(resolve, 700))
    delayMs = 0
    expect(await new Redis(real).zcard(`parley:slots:{${tenantId}}`)).toBe(2)
    expect(Number(await new Redis(real).hget(`parley:rate:tenant:${tenantId}`, 'tokens'))).toBeGreaterThanOrEqual(58)
  })

  test('[U8] heartbeat, release and lastBeat never throw and never hang', async () => {
    for (const redis of [hanging(), failing()]) {
      const { usage } = rig({ clock: systemClock, redis })
      const session = { tenantId: fresh(), sessionId: 'sess_1' }
      await usage.heartbeat({ ...session, epoch: 1, usage: soFar(5) })
      expect(await usage.lastBeat(session)).toBeUndefined()
      await usage.release(session)
      await usage.release(session)
    }
  })
})

describe('heartbeat', () => {
  test('[U8] counters only grow, in whatever order the beats arrive', async () => {
    const { usage } = rig()
    const session = { tenantId: fresh(), sessionId: 'sess_1' }
    for (const n of [5, 20, 10, 20, 15]) {
      await usage.heartbeat({ ...session, epoch: 1, usage: soFar(n, { 'output.audio.tokens': 100 - n }) })
    }
    expect(await usage.lastBeat(session)).toEqual({
      epoch: 1,
      usage: { seconds: 20, toolCalls: 0, meters: { 'output.audio.tokens': 95 } },
    })
  })

  test('[U8] tool calls by name and messages come back as they were told', async () => {
    const { usage } = rig()
    const session = { tenantId: fresh(), sessionId: 'sess_1' }
    const used = { ...soFar(7), toolCalls: 3, tools: { find: 2, seconds: 1 }, messages: 4 }
    await usage.heartbeat({ ...session, epoch: 1, usage: used })
    expect(await usage.lastBeat(session)).toEqual({ epoch: 1, usage: used })
  })

  test('[U8] a session that was taken over no longer counts and no longer renews its slot', async () => {
    let nowMs = 1_800_000_000_000
    const it = rig({ redis: new Redis(createEmbeddedRedis({ now: () => nowMs })) })
    const session = { tenantId: fresh(), sessionId: 'sess_1' }
    await it.usage.heartbeat({ ...session, epoch: 1, usage: soFar(10) })
    await it.usage.heartbeat({ ...session, epoch: 2, usage: soFar(12) })
    nowMs += 20_000
    await it.usage.heartbeat({ ...session, epoch: 1, usage: soFar(99) })
    expect(await it.usage.lastBeat(session)).toMatchObject({ epoch: 2, usage: { seconds: 12 } })
    const lease = Number(await it.redis.zscore(`parley:slots:{${session.tenantId}}`, 'sess_1'))
    expect(lease - nowMs).toBe(10_000)
  })

  test('[U8] nonsense from a provider does not break the beat', async () => {
    const { usage } = rig()
    const session = { tenantId: fresh(), sessionId: 'sess_1' }
    await usage.heartbeat({ ...session, epoch: 1, usage: soFar(Number.NaN, { 'input.text.tokens': -1 }) })
    expect(await usage.lastBeat(session)).toMatchObject({ usage: { seconds: 0, meters: { 'input.text.tokens': 0 } } })
  })
})

describe('prices', () => {
  const priceOf = async (it: Rig, over: Partial<AdmitRequest>) => {
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 100)
    return (await admitted(it, ask(tenantId, over))).price
  }

  test('[U2] the row in force counts, a later one does not yet, and defaults never overwrite an edit', async () => {
    const prices = store.db.collection<{ _id: string }>('prices')
    const it = rig({ clock: later() })
    expect((await priceOf(it, {})).id).toBe('demo/*@2026-01-01')
    const row = (await prices.findOne({ _id: 'demo/*@2026-01-01' })) ?? { _id: '' }
    await prices.insertOne({ ...row, _id: 'demo/*@2099', ...{ effectiveFrom: new Date('2099-01-01'), secondMicro: 1 } })
    await prices.insertOne({
      ...row,
      _id: 'demo/*@2026-02',
      ...{ effectiveFrom: new Date('2026-02-01'), secondMicro: 7 },
    })
    try {
      expect(await priceOf(it, {})).toMatchObject({ id: 'demo/*@2026-02', secondMicro: 7 })
      await prices.updateOne({ _id: 'demo/*@2026-02' }, { $set: { secondMicro: 8 } })
      expect(await priceOf(rig(), {})).toMatchObject({ id: 'demo/*@2026-02', secondMicro: 8 })
    } finally {
      await prices.deleteMany({ _id: { $in: ['demo/*@2099', 'demo/*@2026-02'] } })
    }
  })

  test('[U2] BILL-09: an edit during the call changes nothing for it', async () => {
    const it = rig({ clock: later() })
    const price = await priceOf(it, {})
    const prices = store.db.collection<{ _id: string }>('prices')
    await prices.updateOne({ _id: price.id }, { $set: { secondMicro: 999_999 } })
    try {
      expect(it.usage.bill(price, soFar(1)).totalMicro).toBe(100_000)
      expect((await priceOf(it, {})).secondMicro).toBe(999_999)
      // A new process inserts what is missing and leaves the operator's edit alone.
      expect((await priceOf(rig(), {})).secondMicro).toBe(999_999)
    } finally {
      await prices.updateOne({ _id: price.id }, { $set: { secondMicro: 100_000 } })
    }
  })

  test('[U3] a model or engine nobody priced is charged, its cost is unknown and the log says so', async () => {
    const lines: string[] = []
    const it = rig({ log: createLog('warn', { write: (line: string) => lines.push(line) }) })
    const engine = 'openai-realtime'
    expect(await priceOf(it, { engine })).toMatchObject({ id: 'openai-realtime/gpt-realtime-2.1@2026-01-01' })
    expect((await priceOf(it, { engine, model: 'gpt-realtime-2.1-mini' })).costUsdMicroPerMillion).toMatchObject({
      'input.audio.tokens': 10_000_000,
    })
    expect(lines).toEqual([])
    for (const over of [{ engine, model: 'gpt-realtime-9' }, { engine: 'other' }]) {
      const price = await priceOf(it, over)
      expect(price).toMatchObject({ engine: over.engine, costUsdMicroPerMillion: null })
      const bill = it.usage.bill(price, soFar(10, { 'output.audio.tokens': 5 }))
      expect(bill.costUsdMicro).toBeNull()
      expect(bill.totalMicro).toBeGreaterThan(0)
    }
    expect(lines.filter((line) => line.includes('cost of this model is unknown'))).toHaveLength(2)
  })
})

describe('what was used', () => {
  async function call(it: Rig, over: Partial<AdmitRequest> = {}) {
    const tenantId = over.tenantId ?? fresh()
    await grant(it.ledger, tenantId, 100)
    const request = ask(tenantId, over)
    const { holdId, price, epoch } = await admitted(it, request)
    const checkpoint = (seconds: number, on: string, meters: UsageSoFar['meters'] = {}, at = epoch) => {
      const usage = soFar(seconds, meters)
      const bill = it.usage.bill(price, usage)
      return it.usage.checkpoint({ ...request, holdId, epoch: at, usage, bill, day: on })
    }
    return {
      tenantId,
      request,
      holdId,
      checkpoint,
      days: (from: string, to: string) => it.usage.days(tenantId, { from, to }),
    }
  }

  test('[U10] checkpoints in any order and number count once, exact to the bill', async () => {
    const it = rig()
    const { tenantId, checkpoint, days, holdId } = await call(it)
    const meters = { 'output.audio.tokens': 30, 'input.text.tokens': 12 } as const
    await Promise.all([15, 45, 30, 45, 1].map((n) => checkpoint(n, day, n === 45 ? meters : {})))
    expect(await days(day, day)).toEqual([
      {
        day,
        channel: 'widget',
        agentId: 'agt_1',
        sessions: 1,
        seconds: 45,
        tokens: 42,
        costUnknown: 0,
        costUsdMicro: 0,
        creditsMicro: 4_500_000,
      },
    ])
    expect((await it.ledger.of(tenantId).credits()).holds).toMatchObject([{ id: holdId, usedMicro: 4_500_000 }])
  })

  test('[U10] a fenced or settled session counts no more', async () => {
    const it = rig()
    const { tenantId, holdId, checkpoint, days } = await call(it)
    await checkpoint(10, day)
    await it.ledger.of(tenantId).takeOver({ holdId, fromEpoch: 1, owner: 'node_2' })
    expect(await checkpoint(20, day)).toBe('fenced')
    expect(await checkpoint(15, day, {}, 2)).toBe('applied')
    await it.ledger.of(tenantId).settle({ holdId, lines: [], costUsdMicro: 0, note: '', by: { epoch: 2 } })
    expect(await checkpoint(30, day, {}, 2)).toBe('gone')
    expect(await days(day, day)).toMatchObject([{ seconds: 15, sessions: 1 }])
  })

  test('[U11] over two midnights every second is in one day, and the session counts on its first', async () => {
    const it = rig()
    const { checkpoint, days } = await call(it)
    await checkpoint(10, '2026-11-24')
    await checkpoint(25, '2026-11-25')
    await checkpoint(40, '2026-11-25')
    await checkpoint(41, '2026-11-26')
    const figures = (await days('2026-11-24', '2026-11-26')).map((row) => [row.day, row.seconds, row.sessions])
    expect(figures).toEqual([
      ['2026-11-24', 10, 1],
      ['2026-11-25', 30, 0],
      ['2026-11-26', 1, 0],
    ])
    expect(await days('2026-11-25', '2026-11-25')).toMatchObject([{ seconds: 30, creditsMicro: 3_000_000 }])
    expect(await days('2026-11-26', '2026-11-30')).toMatchObject([{ seconds: 1 }])
  })

  test('[U11] the last checkpoint of a day may arrive after the first of the next, in any order', async () => {
    const it = rig()
    for (const order of [
      [12, 10, 30],
      [30, 12, 10],
      [30, 10, 12],
      [10, 30, 12],
    ]) {
      const { checkpoint, days } = await call(it)
      for (const n of order) await checkpoint(n, n === 30 ? '2026-11-25' : '2026-11-24')
      const figures = (await days('2026-11-01', '2026-11-30')).map((row) => [row.seconds, row.sessions])
      expect([order, figures]).toEqual([
        order,
        [
          [12, 1],
          [18, 0],
        ],
      ])
    }
  })

  test('[U11] the first rows of two days written at once still make one whole', async () => {
    const it = rig()
    for (let i = 0; i < 20; i++) {
      const { checkpoint, days } = await call(it)
      await Promise.all([checkpoint(30, '2026-11-25'), checkpoint(12, '2026-11-24')])
      expect((await days('2026-11-24', '2026-11-25')).map((row) => [row.seconds, row.sessions])).toEqual([
        [12, 1],
        [18, 0],
      ])
    }
  })

  test('days are summed by channel and agent, in order, and only of the tenant and the range asked for', async () => {
    const it = rig()
    const first = await call(it)
    await first.checkpoint(10, day)
    const { tenantId } = first
    for (const over of [{ channel: 'voice' as const }, { agentId: 'agt_2' }, {}]) {
      await (await call(it, { tenantId, ...over })).checkpoint(5, day)
    }
    await (await call(it)).checkpoint(99, day)
    await (await call(it, { tenantId })).checkpoint(7, '2026-12-01')
    const rows = await first.days(day, '2026-11-30')
    expect(rows.map((row) => [row.channel, row.agentId, row.sessions, row.seconds])).toEqual([
      ['voice', 'agt_1', 1, 5],
      ['widget', 'agt_1', 2, 15],
      ['widget', 'agt_2', 1, 5],
    ])
    await expect(it.usage.days(tenantId, { from: '$gt', to: day })).rejects.toMatchObject({ code: 'invalid' })
  })

  test('[U10] unknown cost does not hide what is known, and is marked', async () => {
    const it = rig()
    const { tenantId, checkpoint, days } = await call(it, { engine: 'openai-realtime' })
    await checkpoint(10, day, { 'output.audio.tokens': 1_000 })
    await checkpoint(11, day, { 'output.audio.tokens': 1_000, 'speech.characters': 3 })
    expect(await days(day, day)).toMatchObject([{ costUsdMicro: 64_000, costUnknown: 1, seconds: 11 }])
    expect(await store.db.collection('usage_daily').findOne({ tenantId })).toMatchObject({ costUnknown: true })
  })
})

test('[U12] every query of usage names its tenant and runs on an index', async () => {
  const sent: { name: string; command: Document }[] = []
  const client = new MongoClient(store.uri, { monitorCommands: true })
  client.on('commandStarted', ({ commandName, command }: CommandStartedEvent) =>
    sent.push({ name: commandName, command }),
  )
  try {
    const db = client.db(store.database)
    const it = rig({ db, ledger: createLedger({ db: store.db }) })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 100)
    const request = ask(tenantId, { model: 'none' })
    const { holdId, price } = await admitted(it, request)
    const facts = { ...request, holdId, epoch: 1, usage: soFar(3), bill: it.usage.bill(price, soFar(3)) }
    await it.usage.checkpoint({ ...facts, day: '2026-11-24' })
    await it.usage.checkpoint({ ...facts, day: '2026-11-25' })
    await it.usage.days(tenantId, { from: '2026-11-01', to: '2026-11-30' })
    const limits = { tenantId, agentId: 'agt_1', agentLimits: { dailyMessages: 1 } }
    await it.usage.agentDay(limits)
    const action = { is: 'message', weight: 'simple' } as const
    await it.usage.charge({ ...limits, action, key: 'turn_1', channel: 'sms', note: '' })
    const queries = sent.flatMap(({ name, command }) => {
      if (name === 'find') return [{ on: command.find, filter: command.filter, sort: command.sort }]
      if (name === 'aggregate') return [{ on: command.aggregate, filter: command.pipeline[0].$match, sort: undefined }]
      if (name !== 'update') return []
      return command.updates.map(({ q }: Document) => ({ on: command.update, filter: q, sort: undefined }))
    })
    expect(new Set(queries.map(({ on }) => on))).toEqual(new Set(['prices', 'usage_daily']))
    for (const { on, filter, sort } of queries) {
      if (on !== 'prices') expect(filter).toMatchObject({ tenantId })
      const cursor = store.db.collection(on).find(filter)
      const plan = JSON.stringify(await (sort === undefined ? cursor : cursor.sort(sort)).explain('queryPlanner'))
      expect(plan).toMatch(/IXSCAN|IDHACK|EXPRESS/)
      expect(plan).not.toContain('COLLSCAN')
      expect(plan).not.toMatch(/"stage":"SORT"/)
    }
  } finally {
    await client.close()
  }
})
