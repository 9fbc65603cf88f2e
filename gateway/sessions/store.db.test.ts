import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId, newId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { openSessionStore, type SessionFacts, type SessionProgress, sessionCollection } from './store.ts'

const tenantId = asTenantId('ten_store')

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [sessionCollection])
})
afterAll(() => store[Symbol.asyncDispose]())

const claim = { fromEpoch: 1, owner: 'node_b', resume: { hash: 'second', previous: 'first', confirmed: false } }

async function open() {
  const sessions = openSessionStore(store.db)
  const facts: SessionFacts = {
    ...{ sessionId: newId('sess'), conversationId: 'c', contactId: 'c', channel: 'widget', keyId: 'k' },
    agent: { id: 'a', slug: 'a', name: 'A' },
    engine: { kind: 'demo', model: 'demo', demo: true },
    ...{ owner: 'node_a', epoch: 1, holdId: newId('hold') },
    price: {
      ...{ id: 'p', engine: 'demo', secondMicro: 1, holdSecondMicro: 1 },
      ...{ meterMicroPerMillion: {}, costUsdMicroPerMillion: null },
    },
    resume: { hash: 'first', previous: null, confirmed: true },
  }
  await sessions.create(tenantId, facts, new Date())
  return { sessions, sessionId: facts.sessionId }
}

const progress: SessionProgress = {
  ...{ seconds: 0, tokens: 0, creditsMicro: 0, costUsdMicro: null, turns: 0, interruptions: 0, latencyMs: null },
  ...{ lastText: '', activity: 'listening' },
}

const carried = (seconds: number) => ({
  used: { seconds, meters: {}, toolCalls: 0 },
  ...{ freeGapMs: 0, aheadMs: 0, lastSeq: 0, voice: false },
})

test('[S14] progress that comes after a later one of its owner changes nothing, a new owner starts anew', async () => {
  const { sessions, sessionId } = await open()
  const write = (by: { epoch: number; order: number }, seconds: number) =>
    sessions.progress(tenantId, sessionId, { ...by, state: 'live', progress, carried: carried(seconds) })
  const used = async () => (await sessions.resumable(tenantId, sessionId))?.used.seconds
  expect(await write({ epoch: 1, order: 2 }, 30)).toBe(true)
  await write({ epoch: 1, order: 1 }, 15)
  expect(await used()).toBe(30)
  expect(await write({ epoch: 1, order: 3 }, 45)).toBe(true)
  expect(await sessions.claim(tenantId, sessionId, claim)).toMatchObject({ epoch: 2, used: { seconds: 45 } })
  expect(await write({ epoch: 1, order: 4 }, 46)).toBe(false)
  expect(await write({ epoch: 2, order: 1 }, 47)).toBe(true)
  expect(await used()).toBe(47)
})

test('[S14] what an owner that lets go has written last is its last word', async () => {
  const { sessions, sessionId } = await open()
  expect(await sessions.release(tenantId, sessionId, { epoch: 1, progress, carried: carried(40) })).toBe(true)
  await sessions.progress(tenantId, sessionId, {
    ...{ epoch: 1, order: 7, state: 'live', progress, carried: carried(20) },
  })
  expect(await sessions.resumable(tenantId, sessionId)).toMatchObject({ used: { seconds: 40 }, released: true })
})

test('[S20] an owner from whom the session was claimed does not end it', async () => {
  const { sessions, sessionId } = await open()
  const end = (epoch: number) =>
    sessions.end(tenantId, sessionId, { reason: 'client_ended', progress: {}, at: new Date(), onlyIf: { epoch } })
  await sessions.claim(tenantId, sessionId, claim)
  expect(await end(1)).toBe(false)
  expect(await sessions.get(tenantId, sessionId)).toMatchObject({ state: 'opening' })
  expect(await end(2)).toBe(true)
  expect(await end(2)).toBe(false)
})

test.each(['client_ended', 'janitor'] as const)(
  '[S20] whose the last words of a session are that ended as %s',
  async (reason) => {
    const { sessions, sessionId } = await open()
    const owns = () => sessions.owns(tenantId, sessionId, 1)
    expect(await owns()).toBe(true)
    await sessions.end(tenantId, sessionId, { reason, progress: {}, at: new Date(), onlyIf: { epoch: 1 } })
    // The store was away when the session ended: what waited for it is written after that.
    expect(await owns()).toBe(reason !== 'janitor')
    expect(await sessions.owns(tenantId, sessionId, 2)).toBe(false)
  },
)
