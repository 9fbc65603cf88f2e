import { Redis } from '@upstash/redis'
import type { Db } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createEmbeddedRedis } from '../embedded/redis/embedded-redis.ts'
import { createLedger, type Ledger, ledgerCollections } from '../ledger/ledger.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { AdmitRequest } from './admission.ts'
import { planLimits } from './limits.ts'
import { createUsage, usageCollections } from './usage.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...ledgerCollections, ...usageCollections])
})
afterAll(() => store[Symbol.asyncDispose]())

function rig(over: { redis?: Redis; clock?: Clock; db?: Db; ledger?: Ledger } = {}) {
  const db = over.db ?? store.db
  const redis = over.redis ?? new Redis(createEmbeddedRedis())
  const ledger = over.ledger ?? createLedger({ db })
  const clock = over.clock ?? systemClock
  return { redis, ledger, usage: createUsage({ db, redis, ledger, clock, log: createLog('silent') }) }
}

const fresh = () => asTenantId(newId('ten'))
const grant = (ledger: Ledger, tenantId: TenantId, credits: number) =>
  ledger.of(tenantId).post({ key: newId('req'), kind: 'grant', amountMicro: credits * 1_000_000, note: '' })
const ask = (tenantId: TenantId, over: Partial<AdmitRequest> = {}): AdmitRequest => ({
  tenantId,
  plan: 'free',
  agentId: 'agt_1',
  sessionId: newId('sess'),
  channel: 'widget',
  engine: 'demo',
  ip: '203.0.113.7',
  keyId: 'key_1',
  owner: 'node_1',
  ...over,
})

test('smoke', async () => {
  const { usage, ledger } = rig()
  const tenantId = fresh()
  await grant(ledger, tenantId, 100)
  const request = ask(tenantId)
  const answer = await usage.admit(request)
  expect(answer).toMatchObject({ is: 'admitted', admission: { heldMicro: 12_000_000, epoch: 1 } })
  if (answer.is !== 'admitted') return
  const { admission } = answer
  const soFar = { seconds: 7, meters: { 'output.audio.tokens': 3 }, toolCalls: 1 }
  const bill = usage.bill(admission.price, soFar)
  expect(bill).toMatchObject({ totalMicro: 700_000, costUsdMicro: 0 })
  await usage.heartbeat({ ...request, epoch: 1, usage: soFar })
  const facts = { ...request, holdId: admission.holdId, epoch: 1, usage: soFar, bill, day: '2026-11-24' }
  expect(await usage.checkpoint(facts)).toBe('applied')
  expect(await usage.days(tenantId, { from: '2026-11-24', to: '2026-11-24' })).toEqual([
    {
      day: '2026-11-24',
      channel: 'widget',
      agentId: 'agt_1',
      sessions: 1,
      seconds: 7,
      tokens: 3,
      costUsdMicro: 0,
      creditsMicro: 700_000,
    },
  ])
  await usage.release(request)
  expect(planLimits.free.sessions).toBe(5)
})
