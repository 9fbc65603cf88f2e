import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../../test/harness/auth.ts'
import { QueryWatch } from '../../../test/harness/indexed.ts'
import { recordsIn } from '../../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { eventCollections } from '../../events/events.ts'
import { asTenantId } from '../../platform/ids.ts'
import { ensureIndexes, type Mongo, openMongo } from '../../platform/mongo.ts'
import { type Entities, entityCollections } from '../entities.ts'
import { typeSlug } from '../entity-kind.ts'
import { checkSchema } from '../schema.ts'
import { compiles } from '../validator.ts'
import { templates } from './templates.ts'

let store: TestStore
let watched: Mongo
let entities: Entities
const watch = new QueryWatch()

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...entityCollections, ...eventCollections])
  watched = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  entities = recordsIn(watched.db).entities
})
afterAll(async () => {
  await watched.close()
  await store[Symbol.asyncDispose]()
})

let count = 0
const freshTenant = () => asTenantId(`ten_t${String(count++)}`)
/** Works with records, and may not change what types there are. */
const worker = (tenantId: string) =>
  authAs(tenantId, { may: (ability) => ability === 'entities.read' || ability === 'entities.write' })

test.each(Object.entries(templates))('the template %s is a type as tenants may make them', (name, { slug, fields }) => {
  expect(slug).toBe(name)
  expect(typeSlug.safeParse(slug).success).toBe(true)
  const checked = checkSchema(fields.schema)
  expect('issues' in checked ? checked.issues : []).toEqual([])
  if ('issues' in checked) return
  expect(compiles(checked.schema)).toBe(true)
  for (const each of fields.searchFields ?? []) expect(['text', 'texts'], each).toContain(checked.fields.get(each))
  expect(checked.fields.get(fields.titleField ?? '') ?? 'text').toBe('text')
})

test('a type is installed when a caller who may not make types first needs it, once for fifty at a time', async () => {
  const tenantId = freshTenant()
  const deals = () => entities.of(tenantId).as(worker(tenantId)).template('deal')
  await Promise.all(Array.from({ length: 50 }, (_, i) => deals().create({ data: { title: `Deal ${i}` } })))
  expect(await deals().count({})).toBe(50)
  const all = await entities.of(tenantId).as(authAs(tenantId)).listTypes()
  expect(all.filter((each) => each.slug === 'deal')).toHaveLength(1)
  const { items } = await deals().list({ q: 'deal 7', limit: 5 })
  expect(items[0]).toMatchObject({ title: 'Deal 7', data: { stage: 'new' } })
})

test('an entity made twice under one key is one entity, also fifty times at once and under another slug', async () => {
  const tenantId = freshTenant()
  const companies = entities.of(tenantId).as(worker(tenantId)).template('company')
  const made = await Promise.all(
    Array.from({ length: 50 }, (_, i) => companies.create({ key: 'call_1', data: { name: `Acme ${i}` } })),
  )
  expect(new Set(made.map((each) => each.id)).size).toBe(1)
  expect(await companies.count({})).toBe(1)
  const again = await companies.create({ key: 'call_1', slug: 'other', data: { name: 'Acme' } })
  expect(again).toEqual(made[0])
  expect((await companies.create({ key: 'call_2', data: { name: 'Acme' } })).id).not.toBe(again.id)
})

test('a tenant’s own type of a template’s name is used as it is, and what does not fit it is said', async () => {
  const tenantId = freshTenant()
  const all = entities.of(tenantId).as(authAs(tenantId))
  const schema = { type: 'object', properties: { label: { type: 'string' } }, additionalProperties: false }
  await all.createType('deal', { name: 'Own', description: '', schema, searchFields: null, titleField: 'label' })
  await entities.of(tenantId).ensure(['deal'])
  expect((await all.getType('deal')).name).toBe('Own')
  await expect(all.template('deal').create({ data: { title: 'Chairs' } })).rejects.toMatchObject({
    code: 'unsupported',
    details: { issues: [{ path: 'data.title' }, { path: 'data.stage' }] },
  })
  const own = await all.create('deal', { data: { label: 'Chairs' } })
  expect(() => all.template('deal').read(own)).toThrow(expect.objectContaining({ code: 'unsupported' }))
})

test('fields that a tenant added to an installed type stay when a record is changed', async () => {
  const tenantId = freshTenant()
  const all = entities.of(tenantId).as(authAs(tenantId))
  await entities.of(tenantId).ensure(['deal'])
  const { schema } = await all.getType('deal')
  const properties = { ...Object(schema.properties), region: { type: 'string' } }
  await all.updateType('deal', { schema: { ...schema, properties } })
  const { id } = await all.create('deal', { data: { title: 'Chairs', region: 'north' } })
  const changed = await all
    .template('deal')
    .change(id, ({ stage }) => ({ stage: stage === undefined ? 'lost' : 'won' }))
  expect(changed.data).toMatchObject({ region: 'north', stage: 'won' })
  expect(all.template('deal').read(changed)).toEqual({ title: 'Chairs', stage: 'won' })
})

test('a change that depends on what is there loses nothing to others at the same time', async () => {
  const tenantId = freshTenant()
  const deals = entities.of(tenantId).as(worker(tenantId)).template('deal')
  const { id } = await deals.create({ data: { title: 'Chairs', valueMinor: 0 } })
  const add = () => deals.change(id, ({ valueMinor = 0 }) => ({ valueMinor: valueMinor + 1 }))
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, add))
  const done = outcomes.filter((each) => each.status === 'fulfilled').length
  expect(done).toBeGreaterThan(0)
  expect((await deals.get(id)).data.valueMinor).toBe(done)
})

test('every query of templates is served by an index', async () => {
  expect(watch.seen).toBeGreaterThan(5)
  expect(await watch.scans(store.db, ['entities'])).toEqual([])
})
