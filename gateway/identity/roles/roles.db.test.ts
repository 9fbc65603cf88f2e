import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authAs } from '../../../test/harness/auth.ts'
import { QueryWatch } from '../../../test/harness/indexed.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { agentCollections, createAgents } from '../../agents/agents.ts'
import { createObjects, objectCollections } from '../../objects/objects.ts'
import type { AuthContext } from '../../platform/access.ts'
import { ensureIndexes, type Mongo, openMongo } from '../../platform/mongo.ts'
import { meetsRows } from '../../platform/rows.ts'
import { createTenants, type Tenant, tenantCollections } from '../../tenants/tenants.ts'
import { createIdentity, type Identity, identityCollections } from '../identity.ts'
import { newRole, policyFields } from './role.ts'

const watch = new QueryWatch()
let store: TestStore
let mongo: Mongo
let identity: Identity
let agents: ReturnType<typeof createAgents>
let tenant: Tenant
let other: Tenant
let count = 0

beforeAll(async () => {
  store = await openTestStore()
  mongo = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  await ensureIndexes(mongo.db, [
    ...tenantCollections,
    ...agentCollections,
    ...objectCollections,
    ...identityCollections,
  ])
})
afterAll(async () => {
  await mongo.close()
  await store[Symbol.asyncDispose]()
})
beforeEach(async () => {
  const { db } = mongo
  const tenants = createTenants({ db })
  agents = createAgents({ db, tenants, objects: createObjects({ db }) })
  identity = createIdentity({ db, publicUrl: 'https://talk.example', secret: randomBytes(32), tenants, agents })
  tenant = await tenants.create({ slug: `r-${count++}`, name: 'R' })
  other = await tenants.create({ slug: `r-${count++}`, name: 'O' })
})

const owner = () => authAs(tenant.id)
const roles = () => identity.roles.of(tenant.id)
const policy = async (fields: object, by = owner()) =>
  (await roles().createPolicy(policyFields.parse({ effect: 'allow', ...fields }), by)).id
const role = async (name: string, policies: readonly object[], more: object = {}) => {
  const policyIds = await Promise.all(policies.map((each) => policy(each)))
  return roles().create(newRole.parse({ name, policyIds, ...more }), owner())
}
const person = (...names: readonly string[]) =>
  identity.createOperator(
    'P',
    names.map((each) => ({ tenantId: tenant.id, role: each })),
  )
/** As their next request finds it. */
async function authOf(operatorId: string): Promise<AuthContext> {
  const { cookie } = await identity.startSession(operatorId)
  const operator = await identity.operatorOf(cookie)
  const auth = operator && (await identity.authFor.operator(operator, tenant.id))
  if (auth === undefined) throw new Error('not in the tenant')
  return auth
}

describe('roles', () => {
  test('[S001-17] are listed, found, changed and removed in their own tenant only', async () => {
    const made = await role('sales', [{ resource: 'entities', action: '*' }], { description: 'Sells' })
    expect(made).toMatchObject({ name: 'sales', builtin: false, policies: [{ resource: 'entities', action: '*' }] })
    expect(made.abilities).toEqual(['entities.read', 'entities.write'])
    const names = (await roles().list()).map((each) => each.name)
    expect(names).toEqual(['owner', 'admin', 'operator', 'client', 'service', 'sales'])
    expect(await roles().get(made.id)).toMatchObject({ description: 'Sells' })
    expect(await roles().getByName('sales')).toMatchObject({ id: made.id })
    expect(await roles().getWithPolicies(made.id)).toEqual(made)
    expect(await roles().update(made.id, { description: 'Sells more' }, owner())).toMatchObject({
      description: 'Sells more',
      policyIds: made.policyIds,
    })
    const foreign = identity.roles.of(other.id)
    const by = authAs(other.id)
    const [policyId = ''] = made.policyIds
    for (const attempt of [
      () => foreign.get(made.id),
      () => foreign.getByName('sales'),
      () => foreign.getWithPolicies(made.id),
      () => foreign.update(made.id, { description: 'mine' }, by),
      () => foreign.remove(made.id, by),
      () => foreign.assignPolicy(made.id, policyId, by),
      () => foreign.policy(policyId),
      () => foreign.updatePolicy(policyId, policyFields.parse({ resource: '*', action: '*', effect: 'allow' }), by),
      () => foreign.removePolicy(policyId, by),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: 'not_found' })
    await expect(foreign.create(newRole.parse({ name: 'x', policyIds: [policyId] }), by)).rejects.toMatchObject({
      code: 'invalid',
    })
    expect((await foreign.list()).some((each) => !each.builtin)).toBe(false)
    expect((await foreign.policies({ limit: 10 })).items).toEqual([])
    expect(await foreign.unknown(['sales'])).toEqual(['sales'])
    await roles().remove(made.id, owner())
    await expect(roles().get(made.id)).rejects.toMatchObject({ code: 'not_found' })
  })

  test('[S001-17] a name is taken once, and the five of every tenant are nobody’s to change', async () => {
    await role('sales', [])
    await expect(role('sales', [])).rejects.toMatchObject({ code: 'conflict' })
    for (const name of ['owner', 'admin', 'member', 'viewer', 'service', 'visitor', 'Has Space', 'UP'])
      expect(newRole.safeParse({ name }).success, name).toBe(false)
    await expect(roles().update('owner', { description: 'x' }, owner())).rejects.toMatchObject({ code: 'forbidden' })
    await expect(roles().remove('admin', owner())).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('[S001-17] one that somebody has, was promised or a key has is not removed', async () => {
    const { id } = await role('held', [])
    const operatorId = await person('held')
    await expect(roles().remove(id, owner())).rejects.toMatchObject({ code: 'conflict' })
    await identity.team.of(tenant.id).setRoles(operatorId, ['client'], owner())
    const { id: invitation } = await identity.team
      .of(tenant.id)
      .invite({ email: 'a@b.example', roles: ['held'] }, owner())
    await expect(roles().remove(id, owner())).rejects.toMatchObject({ code: 'conflict' })
    await identity.team.of(tenant.id).revokeInvitation(invitation)
    const { view } = await identity.createApiKey(tenant.id, 'k', { role: 'held' })
    await expect(roles().remove(id, owner())).rejects.toMatchObject({ code: 'conflict' })
    await identity.revokeApiKey(tenant.id, view.id)
    await roles().remove(id, owner())
  })

  test('[S001-18] a policy changed counts in every role that has it, with the next request', async () => {
    const policyId = await policy({ resource: 'agents', action: 'read' })
    await roles().create(newRole.parse({ name: 'a', policyIds: [policyId] }), owner())
    await roles().create(newRole.parse({ name: 'b', policyIds: [policyId] }), owner())
    const [first, second] = [await person('a'), await person('b')]
    expect((await authOf(first)).may('agents.read')).toBe(true)
    const denial = policyFields.parse({ resource: 'agents', action: 'read', effect: 'deny' })
    await roles().updatePolicy(policyId, denial, owner())
    for (const each of [first, second]) expect((await authOf(each)).may('agents.read')).toBe(false)
    await expect(roles().removePolicy(policyId, owner())).rejects.toMatchObject({ code: 'conflict' })
  })

  test.each([
    ['an action the resource has not', { resource: 'credits', action: 'deploy', effect: 'allow' }],
    ['a kind of what has none', { resource: 'credits', action: 'read', kind: 'x', effect: 'allow' }],
    ['a kind of everything', { resource: '*', action: '*', kind: 'x', effect: 'allow' }],
    ['a priority above those of a tenant', { resource: '*', action: '*', effect: 'deny', priority: 1_000 }],
    ['a field nobody knows', { resource: '*', action: '*', effect: 'allow', tenantId: 'ten_other' }],
  ])('[S001-28] a policy with %s is refused', (_name, fields) => {
    expect(policyFields.safeParse(fields).success).toBe(false)
  })

  test.each(['__proto__.x', 'data.constructor.y', 'data..x', '$where', 'data.$ne', ''])(
    '[S001-28] a rule or a mask for the field %j is refused',
    (name) => {
      const condition = { is: 'field', field: name, op: 'eq', values: ['x'] }
      const rules = [{ resource: 'entities', conditions: [condition] }]
      expect(newRole.safeParse({ name: 'r', rules }).success).toBe(false)
      const masks = [{ resource: 'entities', field: name, how: 'hide' }]
      expect(newRole.safeParse({ name: 'r', masks }).success).toBe(false)
    },
  )
})

describe('roles for one thing only', () => {
  test('[S001-4] give what the role has on that thing and nothing on another', async () => {
    await role('guest', [])
    await role('support', [
      { resource: 'agents', action: '*' },
      { resource: 'conversations', action: 'read' },
      { resource: 'credits', action: 'write' },
    ])
    const operatorId = await person('guest')
    const scope = { of: 'agent', id: 'agt_x' } as const
    const given = await roles().assign({ operatorId, role: 'support', scope }, owner())
    expect((await roles().assign({ operatorId, role: 'support', scope }, owner())).id).toBe(given.id)
    expect((await roles().assignments({ limit: 10 })).items).toHaveLength(1)
    const auth = await authOf(operatorId)
    expect(auth.may('agents.write', 'agt_x')).toBe(true)
    expect(auth.may('conversations.read', 'agt_x')).toBe(true)
    for (const [ability, kind] of [
      ['agents.write', 'agt_y'],
      ['conversations.read', 'agt_y'],
      ['credits.write', undefined],
      ['entities.read', undefined],
    ] as const)
      expect(auth.may(ability, kind), ability).toBe(false)
    const sees = (agentId: string) => meetsRows(auth.rows('conversations'), { agentId })
    expect([sees('agt_x'), sees('agt_y')]).toEqual([true, false])
    await roles().removeAssignment(given.id, owner())
    expect((await authOf(operatorId)).may('agents.write', 'agt_x')).toBe(false)
  })

  test('[S001-4] are given to people of the tenant only, and go when they leave', async () => {
    const stranger = await identity.createOperator('S', [{ tenantId: other.id, role: 'client' }])
    const wish = { role: 'operator', scope: { of: 'agent', id: 'agt_x' } as const }
    await expect(roles().assign({ ...wish, operatorId: stranger }, owner())).rejects.toMatchObject({
      code: 'not_found',
    })
    await expect(roles().assign({ ...wish, operatorId: stranger, role: 'none' }, owner())).rejects.toMatchObject({
      code: 'invalid',
    })
    const operatorId = await person('client')
    await roles().assign({ ...wish, operatorId }, owner())
    await identity.team.of(tenant.id).remove(operatorId, owner())
    await identity.team.of(tenant.id).setRoles(await person('client'), ['client'], owner())
    expect((await roles().assignments({ limit: 10 })).items).toEqual([])
  })

  test('a role of many is given page by page', async () => {
    const operatorId = await person('client')
    for (const id of ['a', 'b', 'c'])
      await roles().assign({ operatorId, role: 'operator', scope: { of: 'agent', id } }, owner())
    const first = await roles().assignments({ limit: 2 })
    const rest = await roles().assignments({ limit: 2, cursor: first.next ?? '' })
    expect([...first.items, ...rest.items].map((each) => each.scope.id).sort()).toEqual(['a', 'b', 'c'])
    expect(rest.next).toBeNull()
  })
})

describe('nobody hands out more than they have', () => {
  test('[S001-17] a person who sees some rows or some fields only cannot give somebody the others', async () => {
    const reads = { resource: 'entities', action: 'read' }
    const writes = { resource: 'roles', action: '*' }
    const conditions = [{ is: 'field', field: 'data.owner', op: 'eq', values: ['actor.id'] }]
    await role('rows', [reads, writes], { rules: [{ resource: 'entities', conditions }] })
    await role('fields', [reads, writes], { masks: [{ resource: 'entities', field: 'data.price', how: 'hide' }] })
    await role('one-kind', [{ ...reads, kind: 'lead' }, writes])
    for (const name of ['rows', 'fields', 'one-kind']) {
      const by = await authOf(await person(name))
      expect(by.may('entities.read'), name).toBe(true)
      await expect(policy(reads, by), name).rejects.toMatchObject({ code: 'forbidden' })
      await expect(policy({ ...reads, resource: '*' }, by), name).rejects.toMatchObject({ code: 'forbidden' })
    }
    const by = await authOf(await person('one-kind'))
    await policy({ ...reads, kind: 'lead' }, by)
    await expect(policy({ ...reads, kind: 'invoice' }, by)).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('[S001-17] rules and masks of a role are changed by who has all that it gives', async () => {
    const { id } = await role('masked', [{ resource: 'entities', action: 'read' }], {
      masks: [{ resource: 'entities', field: 'data.price', how: 'hide' }],
    })
    await role('role-writer', [{ resource: 'roles', action: '*' }])
    const by = await authOf(await person('role-writer', 'masked'))
    await expect(roles().update(id, { masks: [] }, by)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(roles().remove(id, by)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(identity.team.of(tenant.id).setRoles(by.actor.id, ['operator'], by)).rejects.toMatchObject({
      code: 'forbidden',
    })
  })
})

describe('what a key is given', () => {
  test('[S001-3] with a role: what the role gives for the agents chosen, less what no key may have', async () => {
    const { id: agentId } = await agents.of(tenant.id).create({ slug: 'one', name: 'One' })
    await role('wide', [
      { resource: '*', action: '*' },
      { resource: 'entities', action: 'write', effect: 'deny' },
    ])
    const { raw } = await identity.createApiKey(tenant.id, 'k', { role: 'wide', agentIds: [agentId] })
    const key = await identity.verifyApiKey(raw)
    const auth = key && (await identity.authFor.key(key))
    expect(auth?.may('agents.write', agentId)).toBe(true)
    expect(auth?.may('agents.write', 'agt_other')).toBe(false)
    expect(auth?.may('entities.read')).toBe(true)
    for (const ability of ['entities.write', 'keys.write', 'credits.write', 'secrets.read'] as const)
      expect(auth?.may(ability), ability).toBe(false)
    expect(auth?.rows('agents')).toMatchObject({ is: 'some' })
  })

  test('[S001-3] an agent, a role or an end that cannot be is refused, and an end that has come ends it', async () => {
    const make = (own: object) => identity.createApiKey(tenant.id, 'k', own)
    await expect(make({ agentIds: ['agt_none'] })).rejects.toMatchObject({ code: 'invalid' })
    await expect(make({ role: 'none' })).rejects.toMatchObject({ code: 'invalid' })
    await expect(make({ expiresAt: new Date(Date.now() - 1_000) })).rejects.toMatchObject({ code: 'invalid' })
    await expect(make({ scopes: ['team.write'] })).rejects.toMatchObject({ code: 'forbidden' })
    const { raw, view } = await make({ expiresAt: new Date(Date.now() + 150) })
    expect(await identity.verifyApiKey(raw)).toBeDefined()
    const pair = { tenantId: tenant.id, keyId: view.id }
    expect((await identity.stillAllowed([pair])).size).toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await identity.verifyApiKey(raw)).toBeUndefined()
    expect((await identity.stillAllowed([pair])).size).toBe(1)
  })
})

test('the audit log gives pages and an export that are one and the same, however it grows', async () => {
  const audit = identity.audit.of(tenant.id)
  const entry = { ability: 'keys.write', method: 'POST', route: '/v1/x', target: null, ip: '10.0.0.1' }
  const actor = (id: string) => ({ kind: 'operator', id, name: id }) as const
  for (let i = 0; i < 7; i++) {
    const id = await audit.begin({ ...entry, actor: actor(i % 2 === 0 ? 'op_a' : 'op_b') })
    // The process died after the third: it stands there as begun.
    if (i !== 3) await audit.end(id, { outcome: 'done', status: 201, code: null, target: `made-${i}` })
  }
  await audit.record({
    ...entry,
    actor: actor('op_a'),
    ability: 'auth.sign-in',
    outcome: 'refused',
    status: null,
    code: null,
  })
  const first = await audit.list({ limit: 3 })
  await audit.record({ ...entry, actor: actor('op_c'), outcome: 'done', status: 200, code: null })
  const rest = await audit.list({ limit: 50, cursor: first.next ?? '' })
  const all = [...first.items, ...rest.items]
  expect(all.map((each) => each.target)).toEqual([
    null,
    'made-6',
    'made-5',
    'made-4',
    null,
    'made-2',
    'made-1',
    'made-0',
  ])
  expect(all.map((each) => each.outcome)).toEqual(['refused', 'done', 'done', 'done', 'begun', 'done', 'done', 'done'])
  const exported: string[] = []
  for await (const each of audit.export({ actor: 'op_a' })) exported.push(each.id)
  expect(exported).toEqual(all.filter((each) => each.actor.id === 'op_a').map((each) => each.id))
  expect((await audit.list({ limit: 10, ability: 'auth.sign-in' })).items).toHaveLength(1)
  const [newest] = (await audit.list({ limit: 1 })).items
  expect((await audit.list({ limit: 10, to: new Date(newest!.at) })).items.length).toBeLessThan(9)
  expect((await identity.audit.of(other.id).list({ limit: 10 })).items).toEqual([])
  await expect(audit.list({ limit: 1, cursor: 'x' })).rejects.toMatchObject({ code: 'invalid' })
})

test('every query of roles, keys and the log has an index', async () => {
  const collections = ['roles', 'policies', 'role_assignments', 'audit_entries', 'keys', 'operators', 'invitations']
  expect(watch.seen).toBeGreaterThan(20)
  expect(await watch.scans(mongo.db, collections)).toEqual([])
})
