import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { systemClock } from '../platform/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { Turn } from '../protocol/turn.ts'
import { createTranscript, transcriptCollections } from './transcript.ts'
import { turnStore } from './turn-store.ts'

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

test('[T1] updating a turn keeps its creation time, position and tags', async () => {
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

test('[T1] every stored turn carries tenant, channel and session', async () => {
  await createTranscript({ db: store.db })
    .of(tenant)
    .write([turn({ id: 'turn_tags' })])
  const doc = await store.db.collection<{ _id: string }>('turns').findOne({ _id: 'turn_tags' })
  expect(doc).toMatchObject({ tenantId: 'ten_a', channel: 'widget', sessionId: 'sess_1' })
})

test('[T2] turns come back in the order in which speech began, whatever order they were written in', async () => {
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

test('[T3] a later owner changes a turn, an earlier one is told that it is fenced and changes nothing', async () => {
  const transcript = createTranscript({ db: store.db }).of(tenant)
  const at = { sessionId: 'sess_fence', conversationId: 'conv_fence' }
  const said = (id: string, text: string) => turn({ ...at, id, text })
  expect(await transcript.write([said('f1', 'one')], { epoch: 1 })).toEqual({ fenced: [] })
  expect(await transcript.write([said('f1', 'two')], { epoch: 2 })).toEqual({ fenced: [] })
  expect(await transcript.write([said('f1', 'zombie'), said('f2', 'new')], { epoch: 1 })).toEqual({ fenced: ['f1'] })
  expect((await transcript.ofSession('sess_fence')).map((each) => each.text).toSorted()).toEqual(['new', 'two'])
})

test('[T3] a turn stored before turns had an epoch can be changed by anybody', async () => {
  const transcript = createTranscript({ db: store.db }).of(tenant)
  const old = turn({ id: 'old', sessionId: 'sess_old' })
  await transcript.write([old])
  await store.db.collection<{ _id: string }>('turns').updateOne({ _id: 'old' }, { $unset: { epoch: 1, rev: 1 } })
  expect(await transcript.write([{ ...old, text: 'changed' }], { epoch: 1 })).toEqual({ fenced: [] })
  expect(await transcript.ofSession('sess_old')).toMatchObject([{ text: 'changed' }])
})

test('[T3] the epoch stays in the document: readers get a turn as the wire has it', async () => {
  const transcript = createTranscript({ db: store.db }).of(tenant)
  const wire = turn({ id: 'wire', sessionId: 'sess_wire' })
  await transcript.write([wire], { epoch: 7 })
  expect(await transcript.ofSession('sess_wire')).toEqual([wire])
  expect(await store.db.collection<{ _id: string }>('turns').findOne({ _id: 'wire' })).toMatchObject({ epoch: 7 })
})

test('[T4] of 50 versions in any order and twice over the last one stands, and each counts as stored', async () => {
  const turns = turnStore.open(store.db, systemClock)
  const versions = Array.from({ length: 50 }, () => turns.nextRev()).map((rev, n) => ({
    turn: turn({ id: 'versions', sessionId: 'sess_versions', text: `version ${n}` }),
    epoch: 1,
    rev,
  }))
  const shuffled = [...versions, ...versions].toSorted((a, b) => ((a.rev * 7919) % 101) - ((b.rev * 7919) % 101))
  const outcomes = await Promise.all(shuffled.map((version) => turns.write(tenant, { versions: [version] })))
  expect(
    outcomes.flatMap((each) => each?.map(({ is }) => is)).every((is) => is === 'stored' || is === 'superseded'),
  ).toBe(true)
  expect(await turns.ofSession(tenant, 'sess_versions')).toMatchObject([{ text: 'version 49' }])
})

test('[T12] closing partial turns makes them final and fences owners before; a later owner stays free', async () => {
  const transcript = createTranscript({ db: store.db }).of(tenant)
  const at = { sessionId: 'sess_close', conversationId: 'conv_close' }
  const partial = turn({ ...at, id: 'c1', seq: 1 })
  const decided = turn({ ...at, id: 'c2', seq: 2, state: 'final', text: 'decided' })
  await transcript.write([partial, decided], { epoch: 1 })
  expect(await transcript.closePartial('sess_close', { epoch: 2 })).toBe(1)
  expect(
    await transcript.write(
      [
        { ...partial, text: 'zombie' },
        { ...decided, text: 'zombie' },
      ],
      { epoch: 1 },
    ),
  ).toEqual({
    fenced: ['c1', 'c2'],
  })
  expect(await transcript.ofSession('sess_close')).toMatchObject([
    { state: 'final', text: 'Hel' },
    { state: 'final', text: 'decided' },
  ])
  expect(await transcript.write([{ ...partial, text: 'goes on' }], { epoch: 2 })).toEqual({ fenced: [] })
  expect(await transcript.closePartial('sess_close', { epoch: 1 })).toBe(0)
})

test('a fence and the closing of partial turns use an index', async () => {
  for (const filter of [
    { tenantId: 'ten_a', sessionId: 'sess_2', $nor: [{ fence: { $gte: 2 } }] },
    { tenantId: 'ten_a', sessionId: 'sess_2', state: 'partial', $nor: [{ epoch: { $gt: 2 } }, { fence: { $gt: 2 } }] },
  ]) {
    const plan = await store.db.collection('turns').find(filter).explain()
    expect(JSON.stringify(plan)).toContain('IXSCAN')
  }
})

test('[T16] a written turn stands after what was said before it and before what is said after it, whoever asks at once', async () => {
  const transcript = createTranscript({ db: store.db }).of(tenant)
  const { id } = await transcript.conversations.create({ agentId: 'agt_1', channel: 'api' })
  const spoken = (n: number) =>
    turn({ id: `spoken_${n}`, sessionId: 'sess_v', conversationId: id, seq: Date.now() * 1000, text: `${n}` })
  await transcript.write([spoken(1)])
  await new Promise((resolve) => setTimeout(resolve, 5))
  const firsts = await Promise.all(Array.from({ length: 20 }, () => transcript.conversations.place(id, 3)))
  expect(new Set(firsts).size).toBe(20)
  expect(firsts.toSorted((a, b) => a - b).every((seq, i, all) => i === 0 || seq >= (all[i - 1] ?? 0) + 3)).toBe(true)
  await transcript.conversations.append(id, [{ role: 'user', content: 'written' }])
  await new Promise((resolve) => setTimeout(resolve, 5))
  await transcript.write([spoken(2)])
  expect((await transcript.ofConversation(id, 10)).map((each) => each.text)).toEqual(['1', 'written', '2'])
})
