import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordsIn } from '../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import { entityCollections, migrateImages } from './entities.ts'
import { entityRoutes } from './routes.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, entityCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

let count = 0
const freshTenant = () => asTenantId(`ten_${String(count++)}`)
const item = (name: string, category: string, colours: string[], priceCents: number) => ({
  slug: name.toLowerCase().replaceAll(' ', '-'),
  data: {
    name,
    category,
    colours,
    priceCents,
    description: 'goes well with a red sofa',
    images: ['https://i.example/a.jpg'],
  },
})
const catalogue = [
  item('Alba', 'sofa', ['red', 'grey'], 49_900),
  item('Porto', 'sofa', ['red'], 129_900),
  item('Lund', 'sofa', ['brown'], 39_900),
  item('Kivi', 'chair', ['red'], 7_900),
  item('Edge', 'sofa', ['red'], 50_000),
]

test('[S002-17] a search returns what matches every criterion, cheapest first', async () => {
  const scope = recordsIn(store.db).entities.of(freshTenant())
  await scope.put('product', catalogue)
  const names = async (query: object) => (await scope.products(query, 20)).map((each) => each.name)
  expect(await names({ query: 'red sofa under 500' })).toEqual(['Alba', 'Edge'])
  expect(await names({ query: 'red sofa', maxPrice: 499 })).toEqual(['Alba'])
  expect(await names({ category: 'Sofas', colour: 'Red' })).toEqual(['Alba', 'Edge', 'Porto'])
  expect(await names({ query: 'the Lund sofa' })).toEqual(['Lund'])
  expect(await names({ query: 'purple sofa' })).toEqual([])
  expect(await names({ query: 'red spaceship' })).toEqual([])
  expect(await names({ query: 'sofa', minPrice: 1_000 })).toEqual(['Porto'])
  expect((await scope.products({ query: 'alba' }, 20))[0]).toMatchObject({ price: 499, currency: 'USD', inStock: true })
})

test('[S002-18] the figures equal a count over the documents', async () => {
  const tenantId = freshTenant()
  const scope = recordsIn(store.db).entities.of(tenantId)
  await scope.put('product', catalogue)
  const docs = await store.db
    .collection<{ data: { priceCents: number; category: string } }>('entities')
    .find({ tenantId })
    .toArray()
  const prices = docs.map((each) => each.data.priceCents / 100)
  expect(await scope.stats({})).toEqual({
    count: docs.length,
    minPrice: Math.min(...prices),
    maxPrice: Math.max(...prices),
    avgPrice: Math.round((prices.reduce((sum, each) => sum + each, 0) / prices.length) * 100) / 100,
    categories: [
      { category: 'chair', count: 1, minPrice: 79 },
      { category: 'sofa', count: 4, minPrice: 399 },
    ],
  })
  expect(await scope.stats({ query: 'red sofa under 500' })).toMatchObject({ count: 2, minPrice: 499, maxPrice: 500 })
  expect(await scope.stats({ query: 'spaceship' })).toEqual({
    count: 0,
    minPrice: null,
    maxPrice: null,
    avgPrice: null,
    categories: [],
  })
})

test('putting the same twice writes nothing, a change is written', async () => {
  const tenantId = freshTenant()
  const scope = recordsIn(store.db).entities.of(tenantId)
  await scope.put('product', catalogue)
  const all = () => store.db.collection('entities').find({ tenantId }).sort({ slug: 1 }).toArray()
  const before = await all()
  await scope.put('product', catalogue)
  expect(await all()).toEqual(before)
  await scope.put('product', [item('Alba', 'sofa', ['blue'], 49_900)])
  expect(await scope.products({ query: 'blue sofa' }, 5)).toHaveLength(1)
  expect((await all()).length).toBe(before.length)
})

test('a record out of shape is refused and nothing of its batch is written', async () => {
  const scope = recordsIn(store.db).entities.of(freshTenant())
  const wrong = [...catalogue, item('Broken', 'sofa', [], -1)]
  await expect(async () => scope.put('product', wrong)).rejects.toMatchObject({ code: 'invalid' })
  expect(await scope.products({}, 20)).toEqual([])
})

test('[S002-21] the migration turns every old shape into a list, and finds nothing to do the second time', async () => {
  const tenantId = freshTenant()
  const a = 'https://i.example/a.jpg'
  const b = 'https://i.example/b.jpg'
  const shapes: Record<string, object> = {
    text: { images: a },
    list: { images: `${a}, ${b}` },
    object: { images: { url: a } },
    objects: { images: [{ url: a }, { src: b }] },
    null: { images: null },
    missing: {},
    nested: { images: [[a], { images: [b] }] },
    'old-field': { image: a, photos: [b] },
    done: { images: [a, b] },
  }
  const raw = store.db.collection<{ _id: string; [field: string]: unknown }>('entities')
  const at = new Date('2025-01-01')
  await raw.insertMany(
    Object.entries(shapes).map(([slug, images]) => ({
      _id: `old_${slug}`,
      tenantId,
      type: 'product',
      slug,
      data: { name: slug, category: 'sofa', colours: [], priceCents: 100, ...images },
      createdAt: at,
      updatedAt: at,
    })),
  )
  expect(await migrateImages(store.db)).toBe(8)
  const docs = await raw.find({ tenantId }).toArray()
  const migrated = Object.fromEntries(docs.map((doc) => [doc.slug, doc.data]))
  expect(migrated).toMatchObject({
    text: { images: [a] },
    list: { images: [a, b] },
    object: { images: [a] },
    objects: { images: [a, b] },
    null: { images: [] },
    missing: { images: [] },
    nested: { images: [a, b] },
    'old-field': { images: [a, b] },
    done: { images: [a, b] },
  })
  expect(migrated['old-field']).not.toHaveProperty('image')
  expect(migrated['old-field']).not.toHaveProperty('photos')
  expect(docs.every((doc) => doc.createdAt instanceof Date && +doc.createdAt === +at)).toBe(true)
  expect(await migrateImages(store.db)).toBe(0)
  const shown = await recordsIn(store.db).entities.of(tenantId).products({}, 20)
  expect(shown).toHaveLength(9)
})

test('another tenant’s products are never found', async () => {
  const entities = recordsIn(store.db).entities
  await entities.of(freshTenant()).put('product', catalogue)
  expect(await entities.of(freshTenant()).products({}, 20)).toEqual([])
  expect((await entities.of(freshTenant()).stats({})).count).toBe(0)
})

test('[S002-20] the public routes answer who speaks at 10', async () => {
  const entities = recordsIn(store.db).entities
  const tenantId = freshTenant()
  await entities.of(tenantId).put('speaker', [{ slug: 'ann', data: { name: 'Ann' } }])
  const base = { track: 'Main', room: 'Hall', day: '2027-03-18', speakers: ['ann'] }
  await entities.of(tenantId).put('session', [
    { slug: 'a', data: { ...base, title: 'Ten', startsAt: '10:00', endsAt: '10:45' } },
    { slug: 'b', data: { ...base, title: 'Eleven', startsAt: '11:00', endsAt: '11:45' } },
  ])
  const routes = entityRoutes({ entities, tenantIdOf: async (slug) => (slug === 'eventco' ? tenantId : undefined) })
  const get = async (path: string, tenant: string, query: object) => {
    const found = routes.find((each) => each.path === `/v1/public/:tenant${path}`)!
    const input = { params: found.params?.parse({ tenant }), query: found.query?.parse(query) }
    return (await found.run({ ...input, body: undefined } as never)).json
  }
  expect(await get('/event/sessions', 'eventco', { at: '10:00' })).toMatchObject({
    items: [{ title: 'Ten', speakers: [{ name: 'Ann' }] }],
  })
  expect(await get('/event/speakers', 'eventco', {})).toMatchObject({ items: [{ slug: 'ann', name: 'Ann' }] })
  await expect(get('/event', 'eventco', {})).rejects.toBeInstanceOf(Problem)
  await expect(get('/event/sessions', 'nobody', {})).rejects.toMatchObject({ code: 'not_found' })
  await expect(get('/event/sessions', 'eventco', { at: 'soon' })).rejects.toThrow('10:00')
  expect(await get('/products', 'eventco', { query: 'sofa', maxPrice: '500', color: 'red' })).toEqual({ items: [] })
  await expect(get('/products', 'eventco', { tenantId: 'ten_other' })).rejects.toThrow('tenantId')
})
