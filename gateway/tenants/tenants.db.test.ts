import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { authAs } from '../../test/harness/auth.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import type { RouteInput } from '../platform/http.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { tenantRoutes } from './routes.ts'
import { createTenants, type Tenants, tenantCollections } from './tenants.ts'

let store: TestStore
let tenants: Tenants
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, tenantCollections)
  tenants = createTenants({ db: store.db })
})
afterAll(() => store[Symbol.asyncDispose]())

test('a tenant is found by slug and id, and 20 at once with one slug make one', async () => {
  const made = await Promise.allSettled(
    Array.from({ length: 20 }, () => tenants.create({ slug: 'acme', name: 'Acme' })),
  )
  expect(made.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
  const tenant = await tenants.bySlug('acme')
  expect(tenant).toMatchObject({ slug: 'acme', status: 'active', plan: 'free', origins: [], timezone: 'UTC' })
  expect(await tenants.byId(tenant!.id)).toEqual(tenant)
  expect(await tenants.bySlug('nobody')).toBeUndefined()
})

test.each([
  ['a slug with capitals', { slug: 'Acme', name: 'A' }],
  ['no name', { slug: 'a', name: ' ' }],
  ['a wildcard origin', { slug: 'a', name: 'A', origins: ['https://*.example'] }],
  ['an origin with a path', { slug: 'a', name: 'A', origins: ['https://a.example/'] }],
  ['a script origin', { slug: 'a', name: 'A', origins: ['javascript:alert(1)'] }],
  ['a colour that is code', { slug: 'a', name: 'A', brand: { accent: 'red;}', title: 'x' } }],
  ['a time zone nobody knows', { slug: 'a', name: 'A', timezone: 'Mars/Olympus' }],
  ['an offset for a time zone', { slug: 'a', name: 'A', timezone: '+02:00' }],
  ['a field nobody knows', { slug: 'a', name: 'A', credits: 5 }],
])('%s is refused', async (_name, input) => {
  await expect(tenants.create(input)).rejects.toMatchObject({ code: 'invalid' })
})

test('only what is named changes', async () => {
  const tenant = await tenants.create({ slug: 'change', name: 'Before', plan: 'pro' })
  const changed = await tenants.of(tenant.id).change({ name: 'After' })
  expect(changed).toEqual({ ...tenant, name: 'After' })
  await expect(tenants.of(asTenantId('ten_none')).change({ name: 'x' })).rejects.toMatchObject({ code: 'not_found' })
})

test('the time zone can be chosen later, and a tenant from before there was one lives in UTC', async () => {
  const tenant = await tenants.create({ slug: 'zone', name: 'Z' })
  expect(await tenants.of(tenant.id).change({ timezone: 'Europe/Zurich' })).toMatchObject({ timezone: 'Europe/Zurich' })
  await expect(tenants.of(tenant.id).change({ timezone: 'Europe/Atlantis' })).rejects.toMatchObject({ code: 'invalid' })
  await store.db.collection('tenants').updateOne({ slug: 'zone' }, { $unset: { timezone: true } })
  expect(await tenants.bySlug('zone')).toMatchObject({ timezone: 'UTC' })
})

test('allowing an origin twice writes once', async () => {
  const { id } = await tenants.create({ slug: 'origins', name: 'O' })
  await tenants.of(id).allowOrigins(['https://a.example', 'http://localhost:3000'])
  const before = await store.db.collection('tenants').findOne({ slug: 'origins' })
  await tenants.of(id).allowOrigins(['https://a.example'])
  expect(await store.db.collection('tenants').findOne({ slug: 'origins' })).toEqual(before)
  await expect(tenants.of(id).allowOrigins(['https://a.example/x'])).rejects.toMatchObject({ code: 'invalid' })
})

test('active() names those that exist and are not suspended', async () => {
  const [a, b] = await Promise.all(['act-a', 'act-b'].map((slug) => tenants.create({ slug, name: slug })))
  await tenants.setStatus(b!.id, 'suspended')
  expect(await tenants.active([a!.id, b!.id, 'ten_none'])).toEqual(new Set([a!.id]))
})

test('a sub-tenant is listed under its parent', async () => {
  const parent = await tenants.create({ slug: 'parent', name: 'P' })
  const child = await tenants.create({ slug: 'child', name: 'C', parentTenantId: parent.id })
  expect(await tenants.of(parent.id).children()).toEqual([child])
  expect(child.parentTenantId).toBe(parent.id)
})

test('the routes show and suspend the tenant of the credential', async () => {
  const tenant = await tenants.create({ slug: 'routes', name: 'R' })
  const routes = tenantRoutes({
    ...{ tenants, agentView: z.never() },
    agentsOf: async () => [],
    mayChoosePlan: async () => false,
  })
  const input = (body: unknown): RouteInput<unknown, unknown, unknown> => ({
    params: undefined,
    query: undefined,
    body,
    facts: { ip: '127.0.0.1', origin: undefined, userAgent: '', header: () => undefined },
    tenantId: tenant.id,
    actor: undefined,
    auth: authAs(tenant.id),
  })
  const [show, change, suspend] = routes
  expect((await show!.run(input(undefined))).json).toMatchObject({ id: tenant.id, status: 'active', agents: [] })
  expect((await change!.run(input({ name: 'Renamed' }))).json).toMatchObject({ name: 'Renamed', timezone: 'UTC' })
  await expect(change!.run(input({ plan: 'enterprise' }))).rejects.toMatchObject({ code: 'forbidden' })
  expect(change!.body?.parse({ name: 'Only' })).toEqual({ name: 'Only' })
  expect(change!.body?.safeParse({ slug: 'other' }).success).toBe(false)
  expect((await suspend!.run(input({ status: 'suspended' }))).json).toMatchObject({ status: 'suspended' })
  expect(suspend!.body?.safeParse({ status: 'suspended', tenantId: 'ten_other' }).success).toBe(false)
  expect((await tenants.byId(tenant.id))?.status).toBe('suspended')
})

test('[S001-36] the same name many times at once gives slugs of at most 50 characters, each its own', async () => {
  const name = 'A Very Long Name of a Company with Many Words in It, Ltd.'
  const made = await Promise.all(Array.from({ length: 12 }, () => tenants.createNamed({ name })))
  const slugs = made.map((each) => each.slug)
  expect(new Set(slugs).size).toBe(12)
  for (const slug of slugs) {
    expect(slug).toMatch(/^a-very-long-name[a-z0-9-]*[a-z0-9]$/)
    expect(slug.length).toBeLessThanOrEqual(50)
  }
  expect((await tenants.createNamed({ name: '株式会社' })).slug).toBe('tenant')
  expect((await tenants.createNamed({ name: '株式会社' })).slug).toBe('tenant-2')
})
