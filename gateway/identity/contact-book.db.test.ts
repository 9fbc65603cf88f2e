import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { QueryWatch } from '../../test/harness/indexed.ts'
import { noAgents } from '../../test/harness/no-agents.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import type { AuthContext } from '../platform/access.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes, type Mongo, openMongo } from '../platform/mongo.ts'
import { createTenants } from '../tenants/tenants.ts'
import { createIdentity, type Identity, identityCollections } from './identity.ts'

let store: TestStore
let watched: Mongo
let identity: Identity
const watch = new QueryWatch()

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, identityCollections)
  watched = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  const { db } = watched
  const secret = Buffer.alloc(32, 1)
  identity = createIdentity({
    db,
    secret,
    tenants: createTenants({ db }),
    agents: noAgents,
    publicUrl: 'http://localhost',
  })
})
afterAll(async () => {
  await watched.close()
  await store[Symbol.asyncDispose]()
})

let count = 0
const freshTenant = () => asTenantId(`ten_c${String(count++)}`)
const agent: Partial<AuthContext> = { actor: { kind: 'agent', id: 'agt_1', name: 'Helper' }, roles: ['service'] }
const bookOf = (tenantId: string, own: Partial<AuthContext> = {}) => identity.contactBook(authAs(tenantId, own))
const ann = { name: 'Ánn Lee', email: 'Ann@Example.com', phone: '+49 170 1234567', company: 'Acme' }

test('[S000-22] a contact is found by the beginnings of its name, by e-mail and by number, and never in another tenant', async () => {
  const [tenantId, other] = [freshTenant(), freshTenant()]
  const book = bookOf(tenantId, agent)
  const { contact } = await book.create(ann, 'key_1')
  await bookOf(other, agent).create({ ...ann, name: 'Canary' }, 'key_1')
  await book.create({ name: 'Bob Lee' }, 'key_2')
  for (const query of [
    ...[{ q: 'ann' }, { q: 'le an' }, { q: 'acme' }, { q: 'ann@example.com' }, { q: 'example.com' }],
    ...[{ q: '+49 170 123' }, { email: 'ANN@example.com ' }, { phone: '0049 170/1234567' }],
  ])
    expect(await book.search({ ...query, limit: 5 }), JSON.stringify(query)).toEqual([contact])
  expect(await book.search({ q: 'lee', limit: 5 })).toHaveLength(2)
  expect(await book.search({ q: 'canary', limit: 5 })).toEqual([])
  expect(await book.search({ q: '.*', limit: 5 })).toEqual([])
})

test('[S000-22] a contact made again under its key, or with an address that somebody has, is the one that there is', async () => {
  const tenantId = freshTenant()
  const book = bookOf(tenantId, agent)
  const made = await Promise.all(Array.from({ length: 20 }, () => book.create(ann, 'key_1')))
  expect(new Set(made.map((each) => each.contact.id)).size).toBe(1)
  const again = await book.create({ name: 'Someone', email: 'ann@example.com' }, 'key_2')
  expect(again).toMatchObject({ isNew: false, contact: { id: made[0]?.contact.id, name: 'Ánn Lee' } })
  const all = await identity.contacts(authAs(tenantId), { limit: 10 })
  expect(all).toHaveLength(1)
})

test('what an agent was told makes nobody known by it: whoever comes with that address is somebody else', async () => {
  const tenantId = freshTenant()
  const visitor = await identity.contact({ tenantId, visitorId: 'browser', vouched: false })
  const book = bookOf(tenantId, agent)
  const noted = await book.update(visitor, { email: 'victim@example.com', phone: '+4917099999' })
  expect(noted).toMatchObject({ email: 'victim@example.com', unverified: ['email', 'phone'], channels: [] })
  const victim = await identity.contact({ tenantId, email: 'victim@example.com', visitorId: 'user-1', vouched: true })
  expect(victim).not.toBe(visitor)
  const phoned = await identity.contact({ tenantId, phone: '+4917099999', vouched: true })
  expect([visitor, victim]).not.toContain(phoned)
  expect(await identity.contact({ tenantId, visitorId: 'browser', vouched: false })).toBe(visitor)
})

test('what the tenant’s people write down makes known: whoever is vouched for by that address is that contact', async () => {
  const tenantId = freshTenant()
  const { contact } = await bookOf(tenantId).create(ann, 'key_1')
  expect(contact).toMatchObject({ email: 'Ann@Example.com', phone: '+491701234567', unverified: [] })
  expect(await identity.contact({ tenantId, email: 'ann@example.com', vouched: true })).toBe(contact.id)
  expect(await identity.contact({ tenantId, phone: '+491701234567', vouched: true })).toBe(contact.id)
  const { contact: bob } = await bookOf(tenantId).create({ name: 'Bob' }, 'key_2')
  await expect(bookOf(tenantId).update(bob.id, { email: 'ann@example.com' })).rejects.toMatchObject({
    code: 'conflict',
  })
})

test('a caller finds, reads and changes no contact that is none of its rows, and asks by no field that it does not see', async () => {
  const tenantId = freshTenant()
  const { contact: mine } = await bookOf(tenantId).create({ name: 'Ann Lee' }, 'key_1')
  const { contact: other } = await bookOf(tenantId).create({ name: 'Ann Secret', email: 'secret@example.com' }, 'key_2')
  const only = bookOf(tenantId, {
    ...agent,
    rows: () => ({ is: 'some', anyOf: [[{ is: 'field', field: 'id', op: 'eq', values: [mine.id] }]] }),
  })
  expect((await only.search({ q: 'ann', limit: 5 })).map((each) => each.id)).toEqual([mine.id])
  expect(await only.search({ email: 'secret@example.com', limit: 5 })).toEqual([])
  await expect(only.get(other.id)).rejects.toMatchObject({ code: 'not_found' })
  await expect(only.update(other.id, { name: 'X' })).rejects.toMatchObject({ code: 'not_found' })
  await expect(only.create({ name: 'X', email: 'secret@example.com' }, 'k')).rejects.toMatchObject({
    code: 'forbidden',
  })
  const blind = bookOf(tenantId, { ...agent, sees: (_resource, field) => field !== 'email' })
  expect(await blind.search({ q: 'secret@example.com', limit: 5 })).toEqual([])
  await expect(blind.search({ email: 'secret@example.com', limit: 5 })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(blind.update(mine.id, { email: 'a@b.c' })).rejects.toMatchObject({ code: 'forbidden' })
  const reader = bookOf(tenantId, { ...agent, may: (ability) => ability === 'contacts.read' })
  await expect(reader.update(mine.id, { name: 'X' })).rejects.toMatchObject({ code: 'forbidden' })
})

test('changes at the same time lose nothing of one another, and null takes away', async () => {
  const tenantId = freshTenant()
  const book = bookOf(tenantId, agent)
  const { contact } = await book.create(ann, 'key_1')
  await Promise.all([book.update(contact.id, { notes: 'likes tea' }), book.update(contact.id, { jobTitle: 'CEO' })])
  const changed = await book.update(contact.id, { company: null, email: null, tags: ['vip'] })
  expect(changed).toMatchObject({ notes: 'likes tea', jobTitle: 'CEO', company: null, email: null, tags: ['vip'] })
  expect(await book.search({ q: 'acme', limit: 5 })).toEqual([])
})

test('every query of contacts is served by an index', async () => {
  expect(watch.seen).toBeGreaterThan(5)
  expect(await watch.scans(store.db, ['contacts'])).toEqual([])
})
