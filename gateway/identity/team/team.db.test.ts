import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authAs } from '../../../test/harness/auth.ts'
import { QueryWatch } from '../../../test/harness/indexed.ts'
import { noAgents } from '../../../test/harness/no-agents.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { systemClock } from '../../platform/clock.ts'
import { ensureIndexes, type Mongo, openMongo } from '../../platform/mongo.ts'
import { createTenants, type Tenant, tenantCollections } from '../../tenants/tenants.ts'
import { createIdentity, type Identity, identityCollections } from '../identity.ts'

const watch = new QueryWatch()
const clock = { ...systemClock, now: () => Date.now() + offsetMs }
let offsetMs = 0
let store: TestStore
let mongo: Mongo
let identity: Identity
let tenant: Tenant
let other: Tenant
let count = 0

beforeAll(async () => {
  store = await openTestStore()
  mongo = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  await ensureIndexes(mongo.db, [...tenantCollections, ...identityCollections])
})
afterAll(async () => {
  await mongo.close()
  await store[Symbol.asyncDispose]()
})
beforeEach(async () => {
  const { db } = mongo
  const tenants = createTenants({ db })
  identity = createIdentity({
    db,
    publicUrl: 'https://talk.example',
    secret: randomBytes(32),
    tenants,
    agents: noAgents,
    clock,
  })
  offsetMs = 0
  tenant = await tenants.create({ slug: `t-${count++}`, name: 'T' })
  other = await tenants.create({ slug: `t-${count++}`, name: 'O' })
})

const owner = () => authAs(tenant.id)
const team = () => identity.team.of(tenant.id)
const person = (name: string, role: string, tenantId: string = tenant.id) =>
  identity.createOperator(name, [{ tenantId, role }])
const tokenOf = (link: string) => link.split('#invitation=')[1] ?? ''
const invite = async (email: string, roles = ['operator']) =>
  tokenOf((await team().invite({ email, roles }, owner())).link)

describe('members', () => {
  test('are listed page by page with their roles, and only those of the tenant', async () => {
    const ids = [await person('A', 'owner'), await person('B', 'admin'), await person('C', 'client')].sort()
    await person('Z', 'owner', other.id)
    const first = await team().members({ limit: 2 })
    const rest = await team().members({ limit: 2, cursor: first.next ?? '' })
    expect([...first.items, ...rest.items].map((each) => each.id)).toEqual(ids)
    expect(first.items).toHaveLength(2)
    expect(rest.next).toBeNull()
  })

  test('[S001-2] a removed person has no access with their very next request, and roles elsewhere stay', async () => {
    const operatorId = await identity.createOperator('B', [
      { tenantId: tenant.id, role: 'operator' },
      { tenantId: other.id, role: 'client' },
    ])
    const { cookie } = await identity.startSession(operatorId)
    expect((await identity.operatorOf(cookie))?.tenants.map((each) => each.id).sort()).toEqual(
      [tenant.id, other.id].sort(),
    )
    await team().remove(operatorId, owner())
    expect((await identity.operatorOf(cookie))?.tenants.map((each) => each.id)).toEqual([other.id])
    await expect(team().member(operatorId)).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a person of another tenant is not found, whatever is done', async () => {
    const foreign = await person('Z', 'operator', other.id)
    await expect(team().member(foreign)).rejects.toMatchObject({ code: 'not_found' })
    await expect(team().remove(foreign, owner())).rejects.toMatchObject({ code: 'not_found' })
    await expect(team().setRoles(foreign, ['admin'], owner())).rejects.toMatchObject({ code: 'not_found' })
  })

  test('the last owner can neither be removed nor made less; one of two can', async () => {
    const [a, b] = [await person('A', 'owner'), await person('B', 'admin')]
    await expect(team().remove(a, owner())).rejects.toMatchObject({ code: 'conflict' })
    await expect(team().setRoles(a, ['admin'], owner())).rejects.toMatchObject({ code: 'conflict' })
    await team().setRoles(b, ['owner', 'admin'], owner())
    expect((await team().setRoles(a, ['client'], owner())).roles).toEqual(['client'])
    await expect(team().remove(b, owner())).rejects.toMatchObject({ code: 'conflict' })
  })

  test('of two owners who remove each other at once, one stays', async () => {
    for (let round = 0; round < 10; round++) {
      const room = identity.team.of(round % 2 === 0 ? tenant.id : other.id)
      const before = (await room.members({ limit: 100 })).items.filter((each) => each.roles.includes('owner'))
      const fresh = await Promise.all(
        Array.from({ length: 2 - before.length }, () => person('O', 'owner', round % 2 === 0 ? tenant.id : other.id)),
      )
      const [a, b] = [...before.map((each) => each.id), ...fresh]
      const done = await Promise.allSettled([room.remove(a ?? '', owner()), room.remove(b ?? '', owner())])
      expect(done.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    }
  })

  test('nobody gives or takes a role that allows more than their own', async () => {
    const admin = authAs(tenant.id, { may: (ability) => ability !== 'credits.write' })
    const [a, b] = [await person('A', 'owner'), await person('B', 'client')]
    await person('C', 'owner')
    await expect(team().setRoles(b, ['owner'], admin)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(team().setRoles(a, ['client'], admin)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(team().remove(a, admin)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(team().invite({ email: 'x@y.example', roles: ['owner'] }, admin)).rejects.toMatchObject({
      code: 'forbidden',
    })
    expect((await team().setRoles(b, ['operator'], admin)).roles).toEqual(['operator'])
    await expect(team().setRoles(b, ['emperor'], owner())).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('invitations', () => {
  test('a link works once: of 20 who take it up at once, one comes in', async () => {
    const token = await invite('New@Example.com')
    const taken = await Promise.all(Array.from({ length: 20 }, () => identity.team.accept(token, { name: 'New' })))
    const ids = taken.filter((each) => each !== undefined)
    expect(ids).toHaveLength(1)
    expect(await team().member(ids[0] ?? '')).toMatchObject({
      name: 'New',
      email: 'new@example.com',
      roles: ['operator'],
    })
    expect(await identity.team.invited(token)).toBeUndefined()
  })

  test('ends after 7 days, when it is taken back, and when the same person is invited anew', async () => {
    const late = await invite('late@example.com')
    offsetMs = 7 * 86_400_000
    expect(await identity.team.accept(late, { name: 'L' })).toBeUndefined()
    expect((await team().invitations({ limit: 10 })).items[0]).toMatchObject({ status: 'expired' })
    offsetMs = 0
    const first = await team().invite({ email: 'a@example.com', roles: ['client'] }, owner())
    await expect(identity.team.of(other.id).revokeInvitation(first.id)).rejects.toMatchObject({ code: 'not_found' })
    await team().revokeInvitation(first.id)
    expect(await identity.team.accept(tokenOf(first.link), { name: 'A' })).toBeUndefined()
    const again = await invite('b@example.com')
    await invite('b@example.com')
    expect(await identity.team.accept(again, { name: 'B' })).toBeUndefined()
  })

  test('gives who is a member already what it offers beside what they have', async () => {
    const operatorId = await person('A', 'client')
    expect(await identity.team.accept(await invite('a2@example.com', ['admin']), { operatorId })).toBe(operatorId)
    expect((await team().member(operatorId)).roles.toSorted()).toEqual(['admin', 'client'])
  })

  test('its secret is not stored', async () => {
    const token = await invite('s@example.com')
    expect(JSON.stringify(await store.db.collection('invitations').find({}).toArray())).not.toContain(token)
  })
})

test('every query of the team has an index', async () => {
  expect(watch.seen).toBeGreaterThan(10)
  expect(await watch.scans(mongo.db, ['operators', 'invitations', 'team_owners', 'operator_sessions'])).toEqual([])
})
