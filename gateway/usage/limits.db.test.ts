import { Redis } from '@upstash/redis'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createEmbeddedRedis } from '../embedded/redis/embedded-redis.ts'
import { createLedger, ledgerCollections } from '../ledger/ledger.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { createLog } from '../platform/log.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { admitted, ask, codeOf, fresh, grant, patient, type Rig, soFar, usageRig } from './usage.test-support.ts'
import { type AdmitRequest, createUsage, usageCollections } from './usage.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...ledgerCollections, ...usageCollections])
})
afterAll(() => store[Symbol.asyncDispose]())

const rig = (over: Parameters<typeof usageRig>[1] = {}) => usageRig(store.db, over)
const hanging = () => new Redis({ request: () => new Promise<never>(() => {}) })

describe('requests', () => {
  const asked = (tenantId: string, over = {}) => ({
    ...{ tenantId, plan: 'free' as const, keyId: 'key_1', ip: undefined },
    ...over,
  })
  const burst = async ({ usage }: Rig, request: Parameters<Rig['usage']['allowRequest']>[0], most = 200) => {
    for (let passed = 0; passed < most; passed++) {
      const answer = await usage.allowRequest(request)
      if (answer.is === 'refused') return { passed, answer }
    }
    return { passed: most, answer: undefined }
  }

  test('[U5] request 61 in a burst on the free plan is refused with the time until the next; starts are counted apart', async () => {
    const it = rig()
    const tenantId = fresh()
    const begunMs = Date.now()
    const { passed, answer } = await burst(it, asked(tenantId))
    expect(passed).toBeGreaterThanOrEqual(60)
    expect(passed).toBeLessThanOrEqual(61 + (Date.now() - begunMs) / 2_000)
    expect(answer).toMatchObject({ is: 'refused', retryAfterMs: 2_000 })
    await grant(it.ledger, tenantId, 100)
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('admitted')
  })

  test('[U5] a key over its rate, a tenant over its rate and a day that is spent each say so; other tenants do not notice', async () => {
    const it = rig()
    const tenantId = fresh()
    const spend = (bucket: string) =>
      it.redis.hset(`parley:rate:request:${bucket}`, { refilledAt: Date.now(), tokens: 0 })
    await spend(`key:${tenantId}:key_1`)
    expect(await it.usage.allowRequest(asked(tenantId))).toMatchObject({ code: 'rate_key' })
    expect(await it.usage.allowRequest(asked(tenantId, { keyId: 'key_2' }))).toEqual({ is: 'allowed' })
    await spend(`tenant:${tenantId}`)
    expect(await it.usage.allowRequest(asked(tenantId, { keyId: 'key_2' }))).toMatchObject({ code: 'rate_tenant' })
    await it.redis.set(`parley:rate:request:day:${tenantId}:${Math.floor(Date.now() / 86_400_000)}`, 1_000)
    expect(await it.usage.allowRequest(asked(tenantId, { keyId: 'key_2' }))).toMatchObject({ code: 'rate_day' })
    expect(await it.usage.allowRequest(asked(fresh()))).toEqual({ is: 'allowed' })
  })

  test('[U5] agency gets 600 at once, enterprise is not counted', async () => {
    const it = rig()
    expect((await burst(it, asked(fresh(), { plan: 'enterprise' }), 700)).passed).toBe(700)
    expect(await it.redis.keys('parley:rate:request:*')).toEqual([])
    expect((await burst(it, asked(fresh(), { plan: 'agency' }), 600)).passed).toBe(600)
  })

  test('[S002-31] one address is limited for each tenant by itself', async () => {
    const it = rig()
    const [first, second] = [fresh(), fresh()]
    await it.redis.hset(`parley:rate:request:visitor:${first}:203.0.113.7`, { refilledAt: Date.now(), tokens: 0 })
    const ip = '203.0.113.7'
    expect(await it.usage.allowRequest(asked(first, { ip }))).toMatchObject({ code: 'rate_visitor' })
    expect(await it.usage.allowRequest(asked(second, { ip }))).toEqual({ is: 'allowed' })
  })

  test('[U7] with a Redis that hangs, half of the burst passes and nobody waits longer than the deadline', async () => {
    const it = rig({ clock: systemClock, redis: hanging() })
    const begunMs = performance.now()
    const { passed, answer } = await burst(it, asked(fresh()))
    expect([passed, answer?.code]).toEqual([30, 'rate_key'])
    // Three deadlines, then the breaker asks nobody.
    expect(performance.now() - begunMs).toBeLessThan(1_000)
  })
})

describe("an agent's day", () => {
  const midday = Date.parse('2026-11-24T12:00:00Z')
  const at = (): Clock & { ms: number } => {
    const clock = { ...patient, ms: midday, now: () => clock.ms, monotonicMs: () => clock.ms }
    return clock
  }
  async function talked(
    it: Rig,
    tenantId: ReturnType<typeof fresh>,
    facts: { seconds: number; messages: number; day: string; agentId?: string; sessionId?: string },
  ) {
    const request = ask(tenantId, { plan: 'pro', agentId: facts.agentId ?? 'agt_1' })
    const { holdId, price, epoch } = await admitted(it, request)
    const usage = { ...soFar(facts.seconds), messages: facts.messages }
    const checkpoint = (seconds: number, messages: number, day: string) => {
      const now = { ...soFar(seconds), messages }
      return it.usage.checkpoint({ ...request, holdId, epoch, usage: now, bill: it.usage.bill(price, now), day })
    }
    await checkpoint(usage.seconds, usage.messages, facts.day)
    return checkpoint
  }

  test('[U13] an agent that has answered or cost its share of the day is refused until midnight, the others go on', async () => {
    const clock = at()
    const it = rig({ clock })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 1_000)
    await talked(it, tenantId, { seconds: 60, messages: 7, day: '2026-11-24' })
    await talked(it, tenantId, { seconds: 30, messages: 3, day: '2026-11-24' })
    await talked(it, tenantId, { seconds: 300, messages: 99, day: '2026-11-24', agentId: 'agt_2' })
    const admit = async (agentLimits: object) => it.usage.admit(ask(tenantId, { plan: 'pro', agentLimits }))
    expect(codeOf(await admit({ dailyMessages: 11, dailyCreditsMicro: 9_000_001 }))).toBe('admitted')
    expect(codeOf(await admit({ dailyMessages: null, dailyCreditsMicro: null }))).toBe('admitted')
    const refused = { is: 'refused', retryAfterMs: 43_200_000 }
    expect(await admit({ dailyMessages: 10 })).toEqual({ ...refused, code: 'agent_day_messages' })
    expect(await admit({ dailyCreditsMicro: 9_000_000 })).toEqual({ ...refused, code: 'agent_day_cost' })
    const limits = { tenantId, agentId: 'agt_1', agentLimits: { dailyMessages: 10 } }
    expect(await it.usage.agentDay(limits)).toEqual({ ...refused, code: 'agent_day_messages' })
    expect(await it.usage.mayCharge({ ...limits, action: { is: 'builder' } })).toMatchObject({
      code: 'agent_day_messages',
    })
    clock.ms += 43_200_000
    expect(codeOf(await admit({ dailyMessages: 10, dailyCreditsMicro: 9_000_000 }))).toBe('admitted')
  })

  test('[U13] a refusal leaves neither slot nor hold nor a token of the tenant', async () => {
    const it = rig({ clock: at() })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 1_000)
    await talked(it, tenantId, { seconds: 1, messages: 1, day: '2026-11-24' })
    const slots = await it.redis.zcard(`parley:slots:{${tenantId}}`)
    for (let i = 0; i < 10; i++)
      expect(codeOf(await it.usage.admit(ask(tenantId, { plan: 'pro', agentLimits: { dailyMessages: 1 } })))).toBe(
        'agent_day_messages',
      )
    expect(await it.redis.zcard(`parley:slots:{${tenantId}}`)).toBe(slots)
    expect((await it.ledger.of(tenantId).credits()).holds).toHaveLength(1)
    expect(Number(await it.redis.hget(`parley:rate:tenant:${tenantId}`, 'tokens'))).toBeGreaterThanOrEqual(119)
  })

  test('[U13] of a session over midnight each day has its share, and what was seen counts within seconds', async () => {
    const clock = at()
    const it = rig({ clock })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 1_000)
    const checkpoint = await talked(it, tenantId, { seconds: 100, messages: 10, day: '2026-11-23' })
    await checkpoint(110, 12, '2026-11-24')
    const day = (agentLimits: object) => it.usage.agentDay({ tenantId, agentId: 'agt_1', agentLimits })
    expect((await day({ dailyMessages: 3, dailyCreditsMicro: 1_000_001 })).is).toBe('open')
    expect((await day({ dailyMessages: 2 })).is).toBe('refused')
    expect((await day({ dailyCreditsMicro: 1_000_000 })).is).toBe('refused')
    await checkpoint(115, 15, '2026-11-24')
    clock.ms += 2_500
    expect((await day({ dailyMessages: 5 })).is).toBe('refused')
  })
})

describe('slots of the dead', () => {
  function timed() {
    const wall = { nowMs: 1_800_000_000_000 }
    const redis = new Redis(createEmbeddedRedis({ now: () => wall.nowMs }))
    const clock: Clock = { ...patient, monotonicMs: () => wall.nowMs }
    return { wall, redis, clock }
  }

  test('[U14] at the limit, slots of sessions that are over are freed before anybody is refused', async () => {
    const { wall, redis, clock } = timed()
    const it = rig({ redis, clock })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 500)
    const sessions = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const request = ask(tenantId)
        return { request, ...(await admitted(it, request)) }
      }),
    )
    const settle = ({ holdId }: { holdId: string }) =>
      it.ledger.of(tenantId).settle({ holdId, lines: [], costUsdMicro: 0, note: '', by: { epoch: 1 } })
    // Two ended, and their processes never said so.
    await settle(sessions[0]!)
    await settle(sessions[1]!)
    // A slot just taken is not doubted: its hold may be on the way.
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('no_slot')
    wall.nowMs += 6_000
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('admitted')
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('admitted')
    expect(codeOf(await it.usage.admit(ask(tenantId)))).toBe('no_slot')
    const holders = await redis.zrange(`parley:slots:{${tenantId}}`, 0, -1)
    for (const { request } of sessions.slice(2)) expect(holders).toContain(request.sessionId)
    expect(holders).toHaveLength(5)
  })

  test('[U14] a store that cannot say who lives frees nobody, and refuses in time', async () => {
    for (const liveSessions of [
      () => Promise.reject(new Error('down')),
      () => new Promise<ReadonlySet<string>>(() => {}),
    ]) {
      const { wall, redis, clock } = timed()
      const ledger = createLedger({ db: store.db })
      // Of all deadlines only that of the question who lives runs out, and at once.
      const hasty: Clock = { ...clock, after: (ms, run) => systemClock.after(ms === 1_000 ? 1 : 600_000, run) }
      const log = createLog('silent')
      const usage = createUsage({ db: store.db, redis, ledger, clock: hasty, log, liveSessions })
      const tenantId = fresh()
      await grant(ledger, tenantId, 500)
      for (let i = 0; i < 5; i++) await admitted({ redis, ledger, usage }, ask(tenantId))
      wall.nowMs += 6_000
      expect(codeOf(await usage.admit(ask(tenantId)))).toBe('no_slot')
      expect(await redis.zcard(`parley:slots:{${tenantId}}`)).toBe(5)
    }
  })

  test('[U14] a slot that could not be given back is free all the same, and is given back with the next heartbeat', async () => {
    const real = createEmbeddedRedis()
    let isDown = false
    const request: typeof real.request = (command) =>
      isDown ? Promise.reject(new Error('connection refused')) : real.request(command)
    const it = rig({ redis: new Redis({ request }) })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 500)
    const sessions = Array.from({ length: 5 }, () => ask(tenantId))
    for (const session of sessions) await admitted(it, session)
    const releaseInVain = async (session: AdmitRequest) => {
      isDown = true
      await it.usage.release(session)
      isDown = false
    }
    const holders = async () => (await new Redis(real).zrange(`parley:slots:{${tenantId}}`, 0, -1)).toSorted()
    const idsOf = (some: readonly AdmitRequest[]) => some.map(({ sessionId }) => sessionId).toSorted()
    await releaseInVain(sessions[0]!)
    expect(await holders()).toEqual(idsOf(sessions))
    const next = ask(tenantId)
    expect(codeOf(await it.usage.admit(next))).toBe('admitted')
    expect(await holders()).toEqual(idsOf([...sessions.slice(1), next]))
    await releaseInVain(sessions[1]!)
    await it.usage.heartbeat({ ...next, epoch: 1, usage: soFar(5) })
    expect(await holders()).toEqual(idsOf([...sessions.slice(2), next]))
  })
})

test('[U9] BILL-01: 100 sessions at once through two gateways on credit for one get one hold each time', async () => {
  const redis = new Redis(createEmbeddedRedis())
  const gateways = [rig({ redis }), rig({ redis })]
  for (let round = 0; round < 5; round++) {
    const tenantId = fresh()
    await grant(gateways[0]!.ledger, tenantId, 12)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        gateways[i % 2]!.usage.admit(ask(tenantId, { plan: 'enterprise', channel: 'api' })),
      ),
    )
    expect(answers.filter(({ is }) => is === 'admitted')).toHaveLength(1)
    expect(new Set(answers.map(codeOf))).toEqual(new Set(['admitted', 'out_of_credit']))
    expect(await gateways[0]!.ledger.of(tenantId).credits()).toMatchObject({ availableMicro: 0, heldMicro: 12_000_000 })
    expect(await redis.zcard(`parley:slots:{${tenantId}}`)).toBe(1)
  }
})

test('[U2] a burst of sessions reads the price book once, and an edit counts two seconds later', async () => {
  let reads = 0
  const client = new MongoClient(store.uri, { monitorCommands: true })
  client.on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'find' && command.find === 'prices') reads++
  })
  try {
    let aheadMs = 0
    const clock: Clock = { ...patient, now: () => Date.now() + aheadMs }
    const it = usageRig(client.db(store.database), { clock, ledger: createLedger({ db: store.db }) })
    const tenantId = fresh()
    await grant(it.ledger, tenantId, 500)
    await Promise.all(Array.from({ length: 5 }, () => admitted(it, ask(tenantId, { model: 'none' }))))
    expect(reads).toBe(1)
    aheadMs = 2_001
    await it.usage.admit(ask(tenantId, { plan: 'pro', model: 'none' }))
    expect(reads).toBe(2)
  } finally {
    await client.close()
  }
})
