import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { age } from '../../test/harness/age.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createEmbeddedRedis } from '../embedded/redis/embedded-redis.ts'
import { createLedger, ledgerCollections } from '../ledger/ledger.ts'
import { systemClock } from '../platform/clock.ts'
import { asTenantId, newId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTranscript, type Transcript, transcriptCollections } from '../transcript/transcript.ts'
import { createUsage, type PriceSnapshot, usageCollections } from '../usage/usage.ts'
import { closeStale } from './janitor.ts'
import { openSessionStore, sessionCollection } from './store.ts'

const secondMicro = 100_000
const price: PriceSnapshot = {
  id: 'price_test',
  engine: 'demo',
  secondMicro,
  meterMicroPerMillion: {},
  costUsdMicroPerMillion: {},
  holdSecondMicro: secondMicro,
}

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [
    sessionCollection,
    ...ledgerCollections,
    ...usageCollections,
    ...transcriptCollections,
  ])
})
afterAll(() => store[Symbol.asyncDispose]())

function parts() {
  const { db } = store
  const log = createLog('silent', { write: () => {} })
  const ledger = createLedger({ db })
  const redis = new Redis(createEmbeddedRedis())
  const usage = createUsage({ db, redis, ledger, clock: systemClock, log })
  return {
    clock: systemClock,
    log,
    ledger,
    usage,
    redis,
    transcript: createTranscript({ db }),
    store: openSessionStore(db),
  }
}

/** A session with a checkpoint of 3 s, whose process then died. */
async function leaveBehind(deps: ReturnType<typeof parts>) {
  const tenantId = asTenantId(newId('ten'))
  const ids = { sessionId: newId('sess'), holdId: newId('hold') }
  const ledger = deps.ledger.of(tenantId)
  await ledger.post({ key: 'grant', kind: 'grant', amountMicro: 1_000 * secondMicro, note: 'test' })
  const hold = await ledger.hold({ ...ids, amountMicro: 120 * secondMicro, owner: 'node_dead' })
  if (hold.is !== 'held') throw new Error(hold.is)
  const { lines } = deps.usage.bill(price, { seconds: 3, meters: {}, toolCalls: 0 })
  await ledger.checkpoint({ holdId: ids.holdId, epoch: hold.epoch, lines, costUsdMicro: 0 })
  await deps.store.create(
    tenantId,
    {
      ...ids,
      agent: { id: 'a', slug: 'a', name: 'A' },
      conversationId: 'c',
      contactId: 'c',
      channel: 'widget',
      keyId: 'k',
      engine: { kind: 'demo', model: 'demo', demo: true },
      owner: 'node_dead',
      epoch: hold.epoch,
      price,
    },
    new Date(),
  )
  return { tenantId, ...ids, epoch: hold.epoch }
}

const beat = (left: Awaited<ReturnType<typeof leaveBehind>>, epoch: number) => ({
  tenantId: left.tenantId,
  sessionId: left.sessionId,
  epoch,
  usage: { seconds: 8, meters: {}, toolCalls: 0 },
})

test('[S15] the bill of a dead session is its last heartbeat, when that is later than its checkpoint', async () => {
  const deps = parts()
  const left = await leaveBehind(deps)
  await deps.usage.heartbeat(beat(left, left.epoch))
  await age(store.db, left.tenantId)
  expect(await closeStale(deps)).toEqual({ closed: 1, settled: 1, failed: 0 })
  expect((await deps.ledger.of(left.tenantId).receipt(left.sessionId))?.totalMicro).toBe(8 * secondMicro)
})

test('[S15] a heartbeat of another epoch, or a Redis that was wiped, bills the checkpoint', async () => {
  const deps = parts()
  const other = await leaveBehind(deps)
  await deps.usage.heartbeat(beat(other, other.epoch + 1))
  const wiped = await leaveBehind(deps)
  await deps.usage.heartbeat(beat(wiped, wiped.epoch))
  await age(store.db, other.tenantId)
  await closeStale(deps)
  await deps.redis.flushall()
  await age(store.db, wiped.tenantId)
  await closeStale(deps)
  for (const left of [other, wiped]) {
    expect((await deps.ledger.of(left.tenantId).receipt(left.sessionId))?.totalMicro).toBe(3 * secondMicro)
  }
})

test('[S15] a session that was checkpointed a moment ago is left alone', async () => {
  const deps = parts()
  const left = await leaveBehind(deps)
  expect(await closeStale(deps)).toEqual({ closed: 0, settled: 0, failed: 0 })
  expect(await deps.store.get(left.tenantId, left.sessionId)).toMatchObject({ state: 'opening' })
})

/** Refuses the first closing of open turns. */
function failingOnce(transcript: Transcript): Transcript {
  let failures = 1
  return {
    ...transcript,
    of: (tenantId) => ({
      ...transcript.of(tenantId),
      closePartial: async (...args) => {
        if (failures-- > 0) throw new Error('the store is down')
        return transcript.of(tenantId).closePartial(...args)
      },
    }),
  }
}

test('[S15] a session whose open turns could not be closed is not ended before the next run has closed them', async () => {
  const deps = parts()
  const { tenantId, sessionId } = await leaveBehind(deps)
  await deps.transcript.of(tenantId).write([
    {
      ...{ id: newId('turn'), sessionId, conversationId: 'c', channel: 'widget', role: 'agent', state: 'partial' },
      ...{ seq: 1, text: 'I was about to', voice: false, itemId: 'item_1' },
      ...{ createdAt: new Date().toISOString(), updatedAt: new Date().toISOString() },
    },
  ])
  await age(store.db, tenantId)
  const transcript = failingOnce(deps.transcript)
  const state = async () => [
    (await deps.store.get(tenantId, sessionId))?.state,
    (await deps.transcript.of(tenantId).ofSession(sessionId))[0]?.state,
  ]
  expect(await closeStale({ ...deps, transcript })).toEqual({ closed: 0, settled: 1, failed: 1 })
  expect(await state()).toEqual(['opening', 'partial'])
  expect(await closeStale({ ...deps, transcript })).toEqual({ closed: 1, settled: 0, failed: 0 })
  expect(await state()).toEqual(['ended', 'final'])
})
