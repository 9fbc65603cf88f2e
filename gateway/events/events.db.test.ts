import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import type { Actor } from '../platform/access.ts'
import { systemClock } from '../platform/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createEvents, eventCollections } from './events.ts'

let store: TestStore
let nowMs = Date.parse('2026-03-01T10:00:00Z')
const clock = { ...systemClock, now: () => nowMs }
const unseen = new Set<string>()
const open = () => createEvents({ db: store.db, clock, unseen: async () => unseen })
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, eventCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

let count = 0
const freshTenant = () => asTenantId(`ten_${String(count++)}`)
const actor = (kind: Actor['kind']): Actor => ({ kind, id: `${kind}_1`, name: kind })

test('[S001-13] an event keeps its actor, schema version, entity and payload, and is found by each', async () => {
  const tenantId = freshTenant()
  const events = open().of(tenantId)
  const kinds = ['operator', 'key', 'visitor', 'agent', 'system', 'webhook'] as const
  for (const kind of kinds) {
    nowMs += 1_000
    await events.emit({ type: `order.${kind}`, actor: actor(kind), payload: { $free: { 'a.b': [1, kind] } } })
  }
  const entity = { type: 'order', id: 'ent_1' }
  nowMs += 1_000
  const placed = await events.emit({ type: 'order.placed', actor: actor('agent'), entity, schemaVersion: 3 })
  const { items } = await events.list({ limit: 50 })
  expect(items.map((each) => [each.type, each.actorType])).toEqual([
    ['order.placed', 'agent'],
    ['order.webhook', 'webhook'],
    ['order.system', 'system'],
    ['order.agent', 'agent'],
    ['order.visitor', 'user'],
    ['order.key', 'system'],
    ['order.operator', 'user'],
  ])
  expect(items[1]?.payload).toEqual({ $free: { 'a.b': [1, 'webhook'] } })
  expect(await events.get(placed.id)).toEqual({ ...placed, schemaVersion: 3, entity, payload: {} })
  expect((await events.getByEntity(entity, { limit: 5 })).items).toEqual([placed])
  expect((await events.getRecent(2)).map((each) => each.type)).toEqual(['order.placed', 'order.webhook'])
  expect(await events.getEventTypes()).toEqual([...kinds.map((each) => `order.${each}`), 'order.placed'].sort())
  expect((await events.list({ limit: 9, actorType: 'user' })).items).toHaveLength(2)
  expect((await events.list({ limit: 9, type: 'order.key', from: new Date(nowMs) })).items).toEqual([])
  expect((await open().of(freshTenant()).list({ limit: 9 })).items).toEqual([])
})

test('[S001-13] the log is append-only: an id that is there keeps its first event, and nothing else writes', async () => {
  const events = open().of(freshTenant())
  const first = await events.emit({ id: 'evt_same', type: 'order.placed', actor: actor('key'), payload: { n: 1 } })
  expect(
    await events.emit({ id: 'evt_same', type: 'order.changed', actor: actor('agent'), payload: { n: 2 } }),
  ).toEqual(first)
  const key = { type: 'order.paid', actor: actor('key') }
  await events.append([
    { ...key, id: 'evt_same' },
    { ...key, id: 'evt_other' },
  ])
  expect((await events.list({ limit: 9 })).items.map((each) => each.id).sort()).toEqual(['evt_other', 'evt_same'])
  expect(Object.keys(events).sort()).toEqual(
    ['append', 'as', 'emit', 'get', 'getByEntity', 'getEventTypes', 'getRecent', 'list'].sort(),
  )
})

test('pages stay as they are while events are emitted, and every event of one moment is on exactly one', async () => {
  const events = open().of(freshTenant())
  const emit = (n: number) => events.emit({ type: 'order.placed', actor: actor('system'), payload: { n } })
  for (let n = 0; n < 25; n++) await emit(n)
  const seen: unknown[] = []
  let cursor: string | undefined
  do {
    const page = await events.list({ limit: 4, cursor })
    seen.push(...page.items.map((each) => each.payload.n))
    cursor = page.next ?? undefined
    nowMs += 1
    await emit(100 + seen.length)
  } while (cursor !== undefined)
  expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 25 }, (_, n) => n))
  await expect(events.list({ limit: 4, cursor: 'nonsense' })).rejects.toMatchObject({ code: 'invalid' })
})

test('[S001-19] rules decide which events a caller sees; entities out of sight take their events with them', async () => {
  const tenantId = freshTenant()
  const events = open().of(tenantId)
  for (const [kind, id] of [
    ['key', 'a'],
    ['agent', 'b'],
    ['agent', 'c'],
  ] as const)
    await events.emit({ type: 'order.placed', actor: actor(kind), entity: { type: 'order', id } })
  const rows = (field: string, values: string[]) =>
    events.as(
      authAs(tenantId, {
        actor: actor('agent'),
        rows: (resource) =>
          resource === 'events' ? { is: 'some', anyOf: [[{ is: 'field', field, op: 'eq', values }]] } : { is: 'all' },
      }),
    )
  const ids = async (log: ReturnType<typeof rows>) =>
    (await log.list({ limit: 9 })).items.map((each) => each.entity?.id)
  expect((await ids(rows('actor.id', ['actor.id']))).sort()).toEqual(['b', 'c'])
  expect(await ids(rows('actor.kind', ['key']))).toEqual(['a'])
  expect(await ids(rows('payload.x', ['y']))).toEqual([])
  expect(await rows('actor.kind', ['webhook']).getEventTypes()).toEqual([])
  unseen.add('order/b')
  expect((await ids(rows('actor.id', ['actor.id']))).sort()).toEqual(['c'])
  const hidden = (await events.getByEntity({ type: 'order', id: 'b' }, { limit: 1 })).items[0]
  expect(await events.as(authAs(tenantId)).get(hidden?.id ?? '')).toBeUndefined()
  await expect(
    events.as(authAs(tenantId)).emit({ type: 'order.seen', entity: { type: 'order', id: 'b' } }),
  ).rejects.toMatchObject({ code: 'not_found' })
  unseen.clear()
})

test('[S001-20] what is masked of an entity is masked in the events about it', async () => {
  const tenantId = freshTenant()
  const events = open().of(tenantId)
  const entity = { type: 'person', id: 'ent_1' }
  await events.emit({
    type: 'person.changed',
    actor: actor('system'),
    entity,
    payload: { data: { name: 'Ann', pay: 'canary' } },
  })
  const masked = authAs(tenantId, {
    sees: (resource, field) => !(resource === 'entities' && field === 'data.pay'),
  })
  expect((await events.as(masked).getRecent(1))[0]?.payload).toEqual({ data: { name: 'Ann' } })
  const unread = authAs(tenantId, { may: (ability) => ability !== 'entities.read' })
  expect((await events.as(unread).getRecent(1))[0]).toMatchObject({ entity, payload: {} })
})

test('a caller’s event of one key is one event, and the gateway’s own types are not for callers', async () => {
  const tenantId = freshTenant()
  const mine = open().of(tenantId).as(authAs(tenantId))
  const first = await mine.emit({ type: 'order.placed', key: 'k1', payload: { n: 1 } })
  expect(first).toMatchObject({ actorType: 'user', actor: { id: 'op_tester' } })
  expect(await mine.emit({ type: 'order.placed', key: 'k1', payload: { n: 2 } })).toEqual(first)
  await expect(mine.emit({ type: 'entity.created' })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(mine.emit({ type: 'order.placed', payload: { x: 'é'.repeat(8_200) } })).rejects.toMatchObject({
    code: 'too_large',
  })
  await expect(mine.emit({ type: 'Order placed' })).rejects.toMatchObject({ code: 'invalid' })
  expect((await mine.list({ limit: 9 })).items).toHaveLength(1)
})

test('every query of the log has its index', async () => {
  const stage = async (filter: object, sort: Record<string, 1 | -1>) =>
    JSON.stringify((await store.db.collection('events').find(filter).sort(sort).explain()).queryPlanner.winningPlan)
  const newest = { at: -1, _id: -1 } as const
  const tenantId = 'ten_0'
  for (const plan of [
    await stage({ tenantId }, newest),
    await stage({ tenantId, type: 'a.b' }, newest),
    await stage({ tenantId, 'entity.type': 'x', 'entity.id': 'y' }, newest),
    await stage({ tenantId, 'actor.id': 'x' }, newest),
    await stage({ tenantId, type: { $gt: '' } }, { type: 1, ...newest }),
  ]) {
    expect(plan).toContain('IXSCAN')
    expect(plan).not.toContain('"SORT"')
  }
})
