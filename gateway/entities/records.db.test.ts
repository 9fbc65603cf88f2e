import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createEvents, type Events, eventCollections } from '../events/events.ts'
import type { AuthContext } from '../platform/access.ts'
import { systemClock } from '../platform/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createEntities, type Entities, entityCollections } from './entities.ts'

let store: TestStore
let entities: Entities
let events: Events
let nowMs = Date.parse('2026-03-01T10:00:00Z')
const clock = { ...systemClock, now: () => nowMs++ }
/** Says whether the log takes anything: a process that dies between a change and its event. */
let isDead = false

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...entityCollections, ...eventCollections])
  entities = createEntities({
    ...{ db: store.db, clock },
    events: {
      async append(tenantId, list) {
        if (isDead) throw new Error('died')
        await events.of(tenantId).append(list)
      },
    },
  })
  events = createEvents({ db: store.db, clock, unseen: (auth, refs) => entities.unseen(auth, refs) })
})
afterAll(() => store[Symbol.asyncDispose]())

let count = 0
const freshTenant = () => asTenantId(`ten_${String(count++)}`)
const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 200 },
    notes: { type: 'string' },
    status: { enum: ['open', 'closed'] },
    price: { type: 'number', minimum: 0 },
    tags: { type: 'array', items: { type: 'string' } },
    address: { type: 'object', properties: { city: { type: 'string' } } },
  },
  required: ['name'],
  additionalProperties: false,
}
const lead = { name: 'Lead', description: '', schema, searchFields: ['name'], titleField: 'name' }
async function place(own: Partial<typeof lead> & { searchFields?: string[] } = {}, auth?: Partial<AuthContext>) {
  const tenantId = freshTenant()
  const all = entities.of(tenantId).as(authAs(tenantId))
  await all.createType('lead', { ...lead, ...own })
  return { tenantId, all, mine: entities.of(tenantId).as(authAs(tenantId, auth ?? {})) }
}
const names = (page: { items: readonly { data: object }[] }) => page.items.map((each) => Reflect.get(each.data, 'name'))
const emitted = async (tenantId: ReturnType<typeof asTenantId>) =>
  (await events.of(tenantId).list({ limit: 200 })).items.toReversed()

test('[S001-10] an entity that does not match the schema of its type is rejected with the paths of what is wrong', async () => {
  const { all } = await place()
  const wrong = all.create('lead', { data: { price: -1, status: 'lost', address: { city: 7 }, more: 1 } })
  await expect(wrong).rejects.toMatchObject({ code: 'invalid' })
  const issues = await wrong.catch((error) => error.details.issues)
  expect(issues.map((each: { path: string }) => each.path).sort()).toEqual([
    'data.address.city',
    'data.more',
    'data.name',
    'data.price',
    'data.status',
  ])
  const kept = await all.create('lead', { slug: 'ann', data: { name: 'Ann', price: 5 } })
  await expect(all.update('lead', 'ann', { data: { name: null } })).rejects.toMatchObject({ code: 'invalid' })
  expect(await all.get('lead', kept.id)).toEqual(kept)
  expect(kept).toMatchObject({ title: 'Ann', rev: 1, createdBy: 'op_tester', slug: 'ann' })
})

test('[S001-10] types are listed, read by slug, changed and removed; those of the gateway stay as they are', async () => {
  const { all, tenantId } = await place()
  expect((await all.listTypes()).map((each) => [each.slug, each.builtIn])).toEqual([
    ['event', true],
    ['lead', false],
    ['product', true],
    ['session', true],
    ['speaker', true],
  ])
  expect(await all.getType('lead')).toMatchObject({ ...lead, version: 1 })
  await expect(all.createType('lead', lead)).rejects.toMatchObject({ code: 'conflict' })
  await expect(all.createType('agent', lead)).rejects.toMatchObject({ code: 'invalid' })
  await expect(all.createType('product', lead)).rejects.toMatchObject({ code: 'invalid' })
  await expect(all.updateType('product', { name: 'X' })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(all.updateType('lead', { searchFields: ['price'] })).rejects.toMatchObject({ code: 'invalid' })
  await expect(all.updateType('lead', { titleField: 'gone' })).rejects.toMatchObject({ code: 'invalid' })
  expect(await all.updateType('lead', { name: 'Prospect' })).toMatchObject({ name: 'Prospect', version: 2 })
  await all.create('lead', { slug: 'ann', data: { name: 'Ann' } })
  await expect(all.removeType('lead', false)).rejects.toMatchObject({ code: 'conflict' })
  await all.create('lead', { slug: 'bob', data: { name: 'Bob' } })
  const key = entities.of(tenantId).as(authAs(tenantId, { actor: { kind: 'key', id: 'key_1', name: 'k' } }))
  await expect(key.removeType('lead', true)).rejects.toMatchObject({ code: 'forbidden' })
  expect(await all.count('lead', {})).toBe(2)
  await all.removeType('lead', true)
  await expect(all.getType('lead')).rejects.toMatchObject({ code: 'not_found' })
  await expect(all.list('lead', { limit: 5 })).rejects.toMatchObject({ code: 'not_found' })
  await all.createType('lead', lead)
  expect(await all.count('lead', {})).toBe(0)
  const types = (await emitted(tenantId)).filter((each) => each.entity?.type === 'entity-type').map((each) => each.type)
  expect(types).toEqual(['entity-type.created', 'entity-type.updated', 'entity-type.deleted', 'entity-type.created'])
})

test('[S001-10] a type that comes with the gateway is read and written through the same door', async () => {
  const { all, tenantId } = await place()
  const scope = entities.of(tenantId)
  await scope.put('product', [
    { slug: 'alba', data: { name: 'Alba', category: 'sofa', priceCents: 49_900, images: [] } },
  ])
  expect(await all.get('product', 'alba')).toMatchObject({ title: 'Alba', data: { category: 'sofa' } })
  await all.create('product', {
    slug: 'porto',
    data: { name: 'Porto', category: 'sofa', priceCents: 100, colours: ['red'] },
  })
  await all.update('product', 'alba', { data: { colours: ['red'] } })
  expect((await scope.products({ query: 'red sofa' }, 5)).map((each) => each.name)).toEqual(['Porto', 'Alba'])
  await expect(all.create('product', { data: { name: 'X' } })).rejects.toMatchObject({ code: 'invalid' })
  expect(names(await all.list('product', { q: 'alb', limit: 5 }))).toEqual(['Alba'])
  expect(names(await all.list('product', { where: { priceCents: { gt: 1_000 } }, limit: 5 }))).toEqual(['Alba'])
})

test('[S001-11] full-text search finds by the configured fields only, by beginnings of words, every word needed', async () => {
  const { all } = await place()
  await all.create('lead', { data: { name: 'Zoë van der Straat', notes: 'likes telescopes' } })
  await all.create('lead', { data: { name: 'Telemann Georg', notes: 'van' } })
  const found = async (q: string) => names(await all.list('lead', { q, limit: 9 }))
  expect(await found('zoe')).toEqual(['Zoë van der Straat'])
  expect(await found('STRAAT vAn')).toEqual(['Zoë van der Straat'])
  expect(await found('stra z')).toEqual(['Zoë van der Straat'])
  expect(await found('tele')).toEqual(['Telemann Georg'])
  expect(await found('telemannia')).toEqual([])
  expect(await found('telemxnn')).toEqual([])
  expect(await found('van georg')).toEqual([])
  expect(await found('!?')).toEqual([])
  expect(await found('.* $where')).toEqual([])
})

test('[S001-11] with no search fields configured every text is searched; a change of them counts at once', async () => {
  const { all } = await place({ searchFields: null as never })
  await all.create('lead', { data: { name: 'Ann', notes: 'telescopes', tags: ['vip'], address: { city: 'Oslo' } } })
  const found = async (q: string) => (await all.list('lead', { q, limit: 9 })).items.length
  expect([await found('ann'), await found('tele'), await found('vip'), await found('oslo')]).toEqual([1, 1, 1, 1])
  await all.updateType('lead', { searchFields: ['name', 'tags'] })
  expect([await found('ann'), await found('tele'), await found('vip'), await found('oslo')]).toEqual([1, 0, 1, 0])
})

test('[S001-11] lists are filtered by declared fields, sorted and paged without loss or repeat', async () => {
  const { all } = await place()
  const rows = Array.from({ length: 23 }, (_, n) => ({
    name: `L${String(n).padStart(2, '0')}`,
    ...(n % 4 === 0 ? {} : { price: n % 5 }),
    status: n % 2 === 0 ? 'open' : 'closed',
  }))
  for (const data of rows) await all.create('lead', { data })
  const walk = async (query: object) => {
    const seen: unknown[] = []
    let cursor: string | undefined
    do {
      const page = await all.list('lead', { ...query, limit: 4, cursor })
      seen.push(...names(page))
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    return seen
  }
  const all23 = rows.map((each) => each.name)
  expect(await walk({})).toEqual(all23.toReversed())
  expect(await walk({ sort: 'name' })).toEqual(all23)
  expect(await walk({ sort: 'createdAt' })).toEqual(all23)
  const byPrice = rows
    .toSorted((a, b) => (a.price ?? -1) - (b.price ?? -1) || (a.name < b.name ? -1 : 1))
    .map((each) => each.name)
  expect(await walk({ sort: 'price' })).toEqual(byPrice)
  expect(await walk({ sort: '-price' })).toEqual(byPrice.toReversed())
  expect(await walk({ where: { status: 'open', price: { gte: 2 } }, sort: 'name' })).toEqual(
    rows.filter((each) => each.status === 'open' && (each.price ?? 0) >= 2).map((each) => each.name),
  )
  expect(await all.count('lead', { where: { price: { in: [1, null] } } })).toBe(
    rows.filter((each) => each.price === 1 || each.price === undefined).length,
  )
  await expect(all.list('lead', { where: { nonsense: 1 }, limit: 5 })).rejects.toMatchObject({ code: 'invalid' })
  await expect(all.list('lead', { sort: 'tags', limit: 5 })).rejects.toMatchObject({ code: 'invalid' })
  await expect(all.list('lead', { cursor: 'abc', limit: 5 })).rejects.toMatchObject({ code: 'invalid' })
})

test('[S001-11] of two who change one revision one wins; without a revision both changes are there', async () => {
  const { all } = await place()
  const first = await all.create('lead', { slug: 'ann', data: { name: 'Ann' } })
  const both = await Promise.allSettled([
    all.update('lead', first.id, { rev: 1, data: { price: 1 } }),
    all.update('lead', first.id, { rev: 1, data: { price: 2 } }),
  ])
  expect(both.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected'])
  await Promise.all([
    all.update('lead', 'ann', { data: { notes: 'a' } }),
    all.update('lead', 'ann', { data: { status: 'open' } }),
  ])
  expect(await all.get('lead', 'ann')).toMatchObject({ rev: 4, data: { notes: 'a', status: 'open' } })
  await all.create('lead', { slug: 'bob', data: { name: 'Bob' } })
  await expect(all.update('lead', 'bob', { slug: 'ann' })).rejects.toMatchObject({ code: 'conflict' })
  await expect(all.remove('lead', 'bob', 7)).rejects.toMatchObject({ code: 'conflict' })
  await all.remove('lead', 'bob')
  await expect(all.get('lead', 'bob')).rejects.toMatchObject({ code: 'not_found' })
  await all.create('lead', { slug: 'bob', data: { name: 'Bob again' } })
})

test('[S001-12] a duplicate link is one link, unlink removes it, and what is removed takes its links along', async () => {
  const { all, tenantId } = await place()
  const [ann, bob] = [
    await all.create('lead', { data: { name: 'Ann' } }),
    await all.create('lead', { data: { name: 'Bob' } }),
  ]
  const link = { relation: 'knows', to: { type: 'lead', key: bob.id } }
  await Promise.all([all.link('lead', ann.id, link), all.link('lead', ann.id, link)])
  await all.link('lead', ann.id, link)
  await all.link('lead', ann.id, { ...link, relation: 'likes' })
  const out = async (id: string) => (await all.relations('lead', id, { limit: 9, direction: 'out' })).items
  expect((await out(ann.id)).map((each) => [each.relation, each.entity.title])).toEqual([
    ['knows', 'Bob'],
    ['likes', 'Bob'],
  ])
  expect((await all.relations('lead', bob.id, { limit: 9, direction: 'in' })).items).toEqual([
    { relation: 'knows', direction: 'in', entity: { id: ann.id, type: 'lead', slug: ann.slug, title: 'Ann' } },
    { relation: 'likes', direction: 'in', entity: { id: ann.id, type: 'lead', slug: ann.slug, title: 'Ann' } },
  ])
  await all.unlink('lead', ann.id, link)
  await all.unlink('lead', ann.id, link)
  expect((await out(ann.id)).map((each) => each.relation)).toEqual(['likes'])
  await all.remove('lead', bob.id)
  expect(await out(ann.id)).toEqual([])
  const raw = await store.db.collection<{ _id: string }>('entities').findOne({ _id: ann.id, tenantId })
  expect(raw).not.toHaveProperty('links')
  expect((await emitted(tenantId)).map((each) => each.type)).toEqual([
    ...['entity-type.created', 'entity.created', 'entity.created', 'entity.linked', 'entity.linked', 'entity.unlinked'],
    ...['entity.deleted', 'entity.unlinked'],
  ])
  const other = await place()
  const foreign = await other.all.create('lead', { data: { name: 'Eve' } })
  await expect(
    all.link('lead', ann.id, { relation: 'knows', to: { type: 'lead', key: foreign.id } }),
  ).rejects.toMatchObject({
    code: 'not_found',
  })
})

test('[S001-13] every mutation emits one event with its actor, whenever the process dies', async () => {
  const { all, tenantId } = await place()
  const agent = { kind: 'agent', id: 'agt_1', name: 'Mia' } as const
  const mine = entities.of(tenantId).as(authAs(tenantId, { actor: agent }))
  isDead = true
  await expect(mine.create('lead', { slug: 'ann', data: { name: 'Ann' } })).rejects.toThrow('died')
  await expect(mine.update('lead', 'ann', { data: { price: 3 } })).rejects.toThrow('died')
  await expect(all.create('lead', { slug: 'bob', data: { name: 'Bob' } })).rejects.toThrow('died')
  await expect(all.link('lead', 'bob', { relation: 'knows', to: { type: 'lead', key: 'ann' } })).rejects.toThrow('died')
  await expect(mine.remove('lead', 'ann')).rejects.toThrow('died')
  isDead = false
  nowMs += 60_000
  await entities.repair()
  await entities.repair()
  expect(await store.db.collection('entities').countDocuments({ tenantId, pendingAt: { $exists: true } })).toBe(0)
  const told = (await emitted(tenantId)).map((each) => [each.type, each.actor.id, each.payload.rev])
  expect(told).toEqual([
    ['entity-type.created', 'op_tester', undefined],
    ['entity.created', 'agt_1', 1],
    ['entity.updated', 'agt_1', 2],
    ['entity.created', 'op_tester', 1],
    ['entity.linked', 'op_tester', 2],
    ['entity.deleted', 'agt_1', 3],
    ['entity.unlinked', 'agt_1', 3],
  ])
  const [, created] = await emitted(tenantId)
  expect(created?.payload).toEqual({ rev: 1, slug: 'ann', data: { name: 'Ann' } })
  expect((await all.relations('lead', 'bob', { limit: 5 })).items).toEqual([])
})

test('an event that reached the log before its process died is not told twice', async () => {
  const { all, tenantId } = await place()
  await all.create('lead', { slug: 'ann', data: { name: 'Ann' } })
  const raw = store.db.collection('entities')
  const [told] = (await events.of(tenantId).list({ limit: 1 })).items
  const outbox = [{ ...told, at: new Date(told?.at ?? 0) }]
  await raw.updateOne({ tenantId, slug: 'ann' }, { $set: { pendingAt: new Date(0), outbox } })
  await entities.repair()
  expect((await emitted(tenantId)).map((each) => each.type)).toEqual(['entity-type.created', 'entity.created'])
})

test('[S001-20] a masked field is not shown, not asked about, not changed, and not a title', async () => {
  const { all, mine, tenantId } = await place(
    { searchFields: null as never, titleField: 'notes' },
    {
      masked: (resource, record) =>
        resource === 'entities'
          ? JSON.parse(JSON.stringify(record, (key, value) => (key === 'notes' ? undefined : value)))
          : record,
      sees: (resource, field) => !(resource === 'entities' && ['data', 'data.notes'].includes(field)),
    },
  )
  await all.create('lead', { slug: 'ann', data: { name: 'Ann', notes: 'canary telescopes' } })
  const shown = JSON.stringify([await mine.get('lead', 'ann'), await mine.list('lead', { limit: 5 })])
  expect(shown).toContain('Ann')
  expect(shown).not.toContain('canary')
  expect((await mine.list('lead', { q: 'telescopes', limit: 5 })).items).toEqual([])
  expect(await mine.count('lead', { q: 'canary' })).toBe(0)
  expect(names(await mine.list('lead', { q: 'ann', limit: 5 }))).toEqual(['Ann'])
  for (const query of [{ where: { notes: 'x' } }, { sort: 'notes' }, { sort: '-notes' }])
    await expect(mine.list('lead', { ...query, limit: 5 })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(mine.update('lead', 'ann', { data: { notes: 'mine' } })).rejects.toMatchObject({ code: 'forbidden' })
  const answer = await mine.update('lead', 'ann', { data: { price: 2 } })
  expect(JSON.stringify(answer)).not.toContain('canary')
  expect(await all.get('lead', 'ann')).toMatchObject({ data: { notes: 'canary telescopes', price: 2 } })
  await all.update('lead', 'ann', { data: { notes: 'canary again' } })
  const own = authAs(tenantId, {
    masked: (_resource, record) => record,
    sees: (_resource, field) => field !== 'data.notes',
  })
  const log = JSON.stringify(await events.of(tenantId).as(own).list({ limit: 50 }))
  expect(log).toContain('entity.updated')
  expect(log).not.toContain('canary')
})

test('[S001-19] rules by field and by relation decide what is read, searched, counted, changed and linked', async () => {
  const { all, tenantId } = await place({ searchFields: null as never })
  const team = await all.create('lead', { slug: 'team', data: { name: 'Team' } })
  for (const n of [1, 2, 3, 4]) {
    await all.create('lead', {
      slug: `l${n}`,
      data: { name: `canary${n} word`, status: n % 2 === 0 ? 'open' : 'closed' },
    })
    if (n < 3) await all.link('lead', `l${n}`, { relation: 'of', to: { type: 'lead', key: team.id } })
  }
  const seeing = (...anyOf: Parameters<typeof rowsOf>[0]) => {
    const auth = authAs(tenantId, { rows: rowsOf(anyOf) })
    return { auth, mine: entities.of(tenantId).as(auth) }
  }
  const rowsOf =
    (anyOf: Extract<ReturnType<AuthContext['rows']>, { is: 'some' }>['anyOf'][number][]): AuthContext['rows'] =>
    (resource) =>
      resource === 'entities' ? { is: 'some', anyOf } : { is: 'all' }
  const open = { is: 'field', field: 'data.status', op: 'eq', values: ['open'] } as const
  const ofTeam = { is: 'relation', relation: 'of', to: team.id } as const
  const slugs = async (...anyOf: Parameters<typeof rowsOf>[0]) =>
    (await seeing(...anyOf).mine.list('lead', { q: 'word', sort: 'name', limit: 9 })).items.map((each) => each.slug)
  expect(await slugs([open])).toEqual(['l2', 'l4'])
  expect(await slugs([ofTeam])).toEqual(['l1', 'l2'])
  expect(await slugs([open, ofTeam])).toEqual(['l2'])
  expect(await slugs([open], [ofTeam])).toEqual(['l1', 'l2', 'l4'])
  expect(await slugs([{ ...open, field: 'data.unknown' }])).toEqual([])
  expect(await slugs([{ ...open, field: 'data.unknown', op: 'ne' }])).toEqual([])
  const { mine, auth } = seeing([open])
  expect(await mine.count('lead', {})).toBe(2)
  await expect(mine.get('lead', 'l1')).rejects.toMatchObject({ code: 'not_found' })
  await expect(mine.update('lead', 'l1', { data: { price: 1 } })).rejects.toMatchObject({ code: 'not_found' })
  await expect(mine.remove('lead', 'l1')).rejects.toMatchObject({ code: 'not_found' })
  await expect(mine.link('lead', 'l2', { relation: 'x', to: { type: 'lead', key: 'l1' } })).rejects.toMatchObject({
    code: 'not_found',
  })
  await expect(mine.update('lead', 'l2', { data: { status: 'closed' } })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(mine.create('lead', { data: { name: 'X', status: 'closed' } })).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect((await mine.relations('lead', 'l2', { limit: 9 })).items).toEqual([])
  const log = JSON.stringify(await events.of(tenantId).as(auth).list({ limit: 200 }))
  expect(log).toContain('canary2')
  expect(log).not.toContain('canary1')
})

test('a type that the caller may not read does not exist for them', async () => {
  const { all, mine } = await place({}, { may: (_ability, kind) => kind !== 'lead' })
  await all.create('lead', { slug: 'ann', data: { name: 'Ann' } })
  expect((await mine.listTypes()).map((each) => each.slug)).not.toContain('lead')
  for (const asked of [
    mine.getType('lead'),
    mine.list('lead', { limit: 1 }),
    mine.get('lead', 'ann'),
    mine.remove('lead', 'ann'),
  ])
    await expect(asked).rejects.toMatchObject({ code: 'not_found' })
})

test('every query of entities has its index', async () => {
  const plan = async (filter: object, sort: Record<string, 1 | -1>) => {
    const explained = await store.db.collection('entities').find(filter).sort(sort).explain()
    return JSON.stringify(explained.queryPlanner.winningPlan)
  }
  const tenantId = 'ten_0'
  const some = { $and: [{ $and: [{ tokens: '~alb' }, { tokens: '~a' }, { words: /:albania[^:]*$/ }] }] }
  for (const each of [
    await plan({ tenantId, type: 'lead' }, { _id: -1 }),
    await plan({ tenantId, type: 'lead', ...some }, { _id: -1 }),
    await plan({ tenantId, linkedTo: 'lead/ent_1', _id: { $gt: '' } }, { _id: 1 }),
  ]) {
    expect(each).toContain('IXSCAN')
    expect(each).not.toContain('"SORT"')
  }
  for (const each of [
    await plan({ tenantId, type: 'lead', 'data.price': { $gt: 3 } }, { 'data.price': 1, _id: 1 }),
    await plan({ tenantId, type: 'lead', links: 'of>ent_1' }, { _id: -1 }),
    await plan({ tenantId, type: 'lead', tokensFor: { $lt: 2 } }, { _id: 1 }),
    await plan({ pendingAt: { $lte: new Date() } }, { pendingAt: 1 }),
  ])
    expect(each).toContain('IXSCAN')
})
