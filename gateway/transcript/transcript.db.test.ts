import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { Turn } from '../protocol/turn.ts'
import { createTranscript, transcriptCollections } from './transcript.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, transcriptCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

const tenant = asTenantId('ten_a')
const turn = (over: Partial<Turn>): Turn => ({
  id: 'turn_1',
  sessionId: 'sess_1',
  conversationId: 'conv_1',
  channel: 'widget',
  role: 'agent',
  state: 'partial',
  seq: 1,
  text: 'Hel',
  voice: true,
  itemId: 'item_1',
  createdAt: '2026-11-24T10:00:00.000Z',
  updatedAt: '2026-11-24T10:00:00.000Z',
  ...over,
})

test('updating a turn keeps its creation time, position and tags', async () => {
  const transcript = createTranscript({ db: store.db }).of(tenant)
  await transcript.write([turn({})])
  await transcript.write([
    turn({
      text: 'Hello',
      state: 'final',
      seq: 99,
      channel: 'api',
      createdAt: '2026-11-24T11:00:00.000Z',
      updatedAt: '2026-11-24T11:00:00.000Z',
    }),
  ])
  const [stored] = await transcript.ofSession('sess_1')
  expect(stored).toMatchObject({ text: 'Hello', state: 'final', seq: 1, channel: 'widget' })
  expect(stored?.createdAt).toBe('2026-11-24T10:00:00.000Z')
  expect(stored?.updatedAt).toBe('2026-11-24T11:00:00.000Z')
})

test('every stored turn carries tenant, channel and session', async () => {
  await createTranscript({ db: store.db })
    .of(tenant)
    .write([turn({ id: 'turn_tags' })])
  const doc = await store.db.collection<{ _id: string }>('turns').findOne({ _id: 'turn_tags' })
  expect(doc).toMatchObject({ tenantId: 'ten_a', channel: 'widget', sessionId: 'sess_1' })
})

test('turns come back in the order in which speech began, whatever order they were written in', async () => {
  const transcript = createTranscript({ db: store.db }).of(tenant)
  const base = { sessionId: 'sess_2', conversationId: 'conv_2' }
  await transcript.write([
    turn({ ...base, id: 'b', seq: 2 }),
    turn({ ...base, id: 'a', seq: 1 }),
    turn({ ...base, id: 'c', seq: 3 }),
  ])
  expect((await transcript.ofConversation('conv_2', 10)).map((each) => each.id)).toEqual(['a', 'b', 'c'])
  expect((await transcript.ofConversation('conv_2', 2)).map((each) => each.id)).toEqual(['b', 'c'])
})

test('100 concurrent first messages of one contact open one conversation', async () => {
  const transcript = createTranscript({ db: store.db }).of(tenant)
  const ids = await Promise.all(
    Array.from({ length: 100 }, () => transcript.conversation({ agentId: 'agt_1', contactId: 'cont_1' })),
  )
  expect(new Set(ids).size).toBe(1)
})

test('another tenant sees nothing', async () => {
  const other = createTranscript({ db: store.db }).of(asTenantId('ten_b'))
  expect(await other.ofSession('sess_1')).toEqual([])
  expect(await other.ofConversation('conv_2', 10)).toEqual([])
})

test('both reads use an index', async () => {
  for (const filter of [
    { tenantId: 'ten_a', conversationId: 'conv_2' },
    { tenantId: 'ten_a', sessionId: 'sess_2' },
  ]) {
    const plan = await store.db.collection('turns').find(filter).sort({ seq: 1 }).explain()
    expect(JSON.stringify(plan)).toContain('IXSCAN')
  }
})
