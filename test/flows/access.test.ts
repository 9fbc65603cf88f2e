// Rights over HTTP: roles made of policies, roles for one thing, scoped keys, and the log of who did what.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { connect } from '../harness/client.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let owner: SignedIn
let agentId: string
let otherAgentId: string

beforeAll(async () => {
  gateway = await startGateway()
  owner = await signIn(gateway)
  const { agents, tenants } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  const scope = agents.of(tenant!.id)
  agentId = (await scope.list())[0]?.id ?? ''
  otherAgentId = (await scope.create({ slug: 'second', name: 'Second', config: {} })).id
})
afterAll(() => gateway[Symbol.asyncDispose]())

const withId = z.looseObject({ id: z.string() })
const idOf = (body: unknown) => withId.parse(body).id
const entries = z.object({
  items: z.array(
    z.looseObject({ id: z.string(), ability: z.string(), outcome: z.string(), target: z.string().nullable() }),
  ),
  next: z.string().nullable(),
})

async function policy(who: SignedIn, fields: object): Promise<string> {
  const made = await who.call('POST', '/v1/policies', { body: fields })
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return idOf(made.body)
}

async function role(name: string, policies: readonly object[], more: object = {}): Promise<string> {
  const policyIds = await Promise.all(policies.map((each) => policy(owner, each)))
  const made = await owner.call('POST', '/v1/roles', { body: { name, policyIds, ...more } })
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return idOf(made.body)
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
async function asKey(key: string, method: string, path: string, body?: unknown) {
  const response = await fetch(gateway.url + path, {
    method,
    headers: { ...bearer(key), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return response.status
}

test('[S001-17] a role of the tenant’s own counts from the very next request, and so does every change of it', async () => {
  const reads = await role('night-shift', [{ resource: 'sessions', action: 'read', effect: 'allow' }])
  const person = await signIn(gateway, 'night-shift')
  expect((await person.call('GET', '/v1/sessions')).status).toBe(200)
  expect((await person.call('GET', '/v1/credits')).status).toBe(403)
  const credits = await policy(owner, { resource: 'credits', action: 'read', effect: 'allow' })
  expect((await owner.call('PUT', `/v1/roles/${reads}/policies/${credits}`)).status).toBe(200)
  expect((await person.call('GET', '/v1/credits')).status).toBe(200)
  expect((await owner.call('DELETE', `/v1/roles/${reads}/policies/${credits}`)).status).toBe(204)
  expect((await person.call('GET', '/v1/credits')).status).toBe(403)
  expect((await owner.call('DELETE', `/v1/roles/${reads}`)).status).toBe(409)
  expect((await owner.call('GET', '/v1/roles/by-name/night-shift')).body).toMatchObject({ id: reads, builtin: false })
  expect((await owner.call('GET', '/v1/roles/by-name/night-shift', { tenant: 'eventco' })).status).toBe(404)
  expect((await owner.call('GET', `/v1/roles/${reads}`, { tenant: 'eventco' })).status).toBe(404)
})

test('[S001-18] a denial at the same priority takes from an operator what their role has', async () => {
  await role('no-keys', [{ resource: 'keys', action: '*', effect: 'deny' }])
  const person = await signIn(gateway, 'operator')
  expect((await person.call('GET', '/v1/api-keys')).status).toBe(200)
  const changed = await owner.call('PATCH', `/v1/team/${person.operatorId}`, {
    body: { roles: ['operator', 'no-keys'] },
  })
  expect(changed.status).toBe(200)
  expect((await person.call('GET', '/v1/api-keys')).status).toBe(403)
  expect((await person.call('GET', '/v1/sessions')).status).toBe(200)
})

test('[S001-4] a role for one agent gives nothing on another', async () => {
  await role('guest', [])
  await role('agent-writer', [{ resource: '*', action: '*', effect: 'allow' }])
  const person = await signIn(gateway, 'guest')
  const given = await owner.call('POST', '/v1/roles/assignments', {
    body: { operatorId: person.operatorId, role: 'agent-writer', scope: { of: 'agent', id: agentId } },
  })
  expect(given.status).toBe(201)
  const { identity, tenants } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  const auth = await identity.authFor.operator(
    { operatorId: person.operatorId, name: '', csrf: '', tenants: [membership(tenant!)] },
    tenant!.id,
  )
  expect(auth?.may('agents.write', agentId)).toBe(true)
  expect(auth?.may('agents.write', otherAgentId)).toBe(false)
  expect((await person.call('GET', '/v1/credits')).status).toBe(403)
  expect((await owner.call('DELETE', `/v1/roles/assignments/${idOf(given.body)}`)).status).toBe(204)
  expect((await person.call('GET', '/v1/sessions')).status).toBe(403)
})

const membership = ({ id, slug, name }: { id: string; slug: string; name: string }) =>
  ({ id, slug, name, role: 'guest', roles: ['guest'] }) as never

test('nobody gives away what they do not have: not by a policy, a role, a key or a team', async () => {
  await role('role-maker', [
    { resource: 'roles', action: '*', effect: 'allow' },
    { resource: 'team', action: '*', effect: 'allow' },
    { resource: 'keys', action: '*', effect: 'allow' },
    { resource: 'sessions', action: 'read', effect: 'allow' },
  ])
  const maker = await signIn(gateway, 'role-maker')
  const allow = (resource: string, action: string) => ({ resource, action, effect: 'allow' })
  expect((await maker.call('POST', '/v1/policies', { body: allow('credits', 'write') })).status).toBe(403)
  expect((await maker.call('POST', '/v1/policies', { body: allow('*', 'read') })).status).toBe(403)
  const mine = await policy(maker, allow('sessions', 'read'))
  const strong = await policy(owner, allow('*', '*'))
  const body = (policyIds: readonly string[]) => ({ body: { name: `made-${policyIds.length}`, policyIds } })
  expect((await maker.call('POST', '/v1/roles', body([mine, strong]))).status).toBe(403)
  const weak = idOf((await maker.call('POST', '/v1/roles', body([mine]))).body)
  expect((await maker.call('PUT', `/v1/roles/${weak}/policies/${strong}`)).status).toBe(403)
  expect((await maker.call('PUT', `/v1/policies/${mine}`, { body: allow('*', '*') })).status).toBe(403)
  const roles = (names: readonly string[]) => ({ body: { roles: names } })
  expect((await maker.call('PATCH', `/v1/team/${maker.operatorId}`, roles(['admin']))).status).toBe(403)
  const key = (more: object) => maker.call('POST', '/v1/api-keys', { body: { label: 'k', ...more } })
  expect((await key({})).status).toBe(403)
  expect((await key({ scopes: ['usage.read'] })).status).toBe(403)
  expect((await key({ role: 'owner' })).status).toBe(403)
  expect((await key({ scopes: ['sessions.read'] })).status).toBe(201)
  // A denial that stands before something the maker does not have is not theirs to take away.
  const denial = await policy(owner, { resource: 'credits', action: 'write', effect: 'deny' })
  expect((await maker.call('DELETE', `/v1/policies/${denial}`)).status).toBe(403)
})

test('[S001-3] a key is shown once, does what was chosen for it, and nothing after it is revoked', async () => {
  const make = (more: object) => owner.call('POST', '/v1/api-keys', { body: { label: 'server', ...more } })
  for (const scope of ['keys.write', 'team.write', 'secrets.read', 'credits.write'])
    expect((await make({ scopes: [scope] })).status, scope).toBe(403)
  const made = await make({ scopes: ['sessions.read'], agentIds: [agentId] })
  const { id, key } = z.looseObject({ id: z.string(), key: z.string() }).parse(made.body)
  expect(key).toMatch(/^af_live_[A-Za-z0-9]{8}_[A-Za-z0-9]{32}$/)
  const shown = await owner.call('GET', `/v1/api-keys/${id}`)
  expect(shown.body).toMatchObject({ scopes: ['sessions.read'], agentIds: [agentId], role: null, expiresAt: null })
  expect(JSON.stringify(shown.body)).not.toContain(key.slice(-32))
  expect(await asKey(key, 'GET', '/v1/sessions')).toBe(200)
  expect(await asKey(key, 'GET', '/v1/credits')).toBe(403)
  const widened = await owner.call('PATCH', `/v1/api-keys/${id}`, {
    body: { scopes: ['credits.read'], label: 'billing' },
  })
  expect(widened.body).toMatchObject({ label: 'billing', scopes: ['credits.read'], agentIds: [agentId] })
  expect(await asKey(key, 'GET', '/v1/credits')).toBe(200)
  expect(await asKey(key, 'GET', '/v1/sessions')).toBe(403)
  expect((await owner.call('POST', `/v1/api-keys/${id}/revoke`)).status).toBe(200)
  expect(await asKey(key, 'GET', '/v1/credits')).toBe(401)
  expect((await owner.call('DELETE', `/v1/api-keys/${id}`)).status).toBe(204)
  expect((await owner.call('GET', `/v1/api-keys/${id}`)).status).toBe(404)
})

test('a key with a role has what the role gives, less what no key may have', async () => {
  const made = await owner.call('POST', '/v1/api-keys', { body: { label: 'strong', role: 'owner' } })
  const { key } = z.looseObject({ key: z.string() }).parse(made.body)
  expect(await asKey(key, 'GET', '/v1/audit')).toBe(200)
  expect(await asKey(key, 'POST', '/v1/api-keys', { label: 'more' })).toBe(403)
  expect(await asKey(key, 'GET', '/v1/team')).toBe(403)
})

test('[S001-28] every change is in the audit log with who, what and how it ended, and so is every refusal', async () => {
  const person = await signIn(gateway, 'operator')
  const refused = await person.call('POST', '/v1/api-keys', { body: { label: 'not-mine-to-make' } })
  expect(refused.status).toBe(403)
  const made = await owner.call('POST', '/v1/api-keys', { body: { label: 'never-in-the-log' } })
  const keyId = idOf(made.body)
  expect((await owner.call('POST', '/v1/api-keys/key_none/revoke')).status).toBe(404)
  const forged = await owner.call('POST', `/v1/api-keys/${keyId}/revoke`, { headers: { 'x-parley-csrf': 'wrong' } })
  expect(forged.status).toBe(403)
  const { body } = await owner.call('GET', '/v1/audit?ability=keys.write&limit=4')
  const { items, next } = entries.parse(body)
  const route = { method: 'POST', route: '/v1/api-keys/:id/revoke', ability: 'keys.write' }
  expect(items).toMatchObject([
    { ...route, outcome: 'refused', status: 403, code: 'forbidden', target: keyId, actor: { id: 'op_owner' } },
    { ...route, outcome: 'failed', status: 404, code: 'not_found', target: 'key_none' },
    { route: '/v1/api-keys', outcome: 'done', status: 201, code: null, target: keyId, actor: { kind: 'operator' } },
    { route: '/v1/api-keys', outcome: 'refused', actor: { kind: 'operator', id: person.operatorId } },
  ])
  const { key } = z.looseObject({ key: z.string() }).parse(made.body)
  const everything = JSON.stringify(items)
  for (const secret of ['never-in-the-log', key.slice(-32), 'not-mine-to-make'])
    expect(everything).not.toContain(secret)
  expect(next).not.toBeNull()
  const rest = await owner.call('GET', `/v1/audit?ability=keys.write&limit=200&cursor=${next}`)
  const seen = new Set(items.map((each) => each.id))
  expect(entries.parse(rest.body).items.some((each) => seen.has(each.id))).toBe(false)
  const mine = await owner.call('GET', `/v1/audit?actor=${person.operatorId}`)
  expect(entries.parse(mine.body).items.map((each) => each.ability)).toEqual(['keys.write', 'auth.sign-in'])
  expect((await person.call('GET', '/v1/audit')).status).toBe(403)
})

test('[S001-28] the log is exported as a line an entry, and the export is in it', async () => {
  const { body, headers } = await owner.call('GET', '/v1/audit/export')
  expect(headers.get('content-type')).toBe('application/jsonl')
  const lines = String(body).trim().split('\n')
  const { items } = entries.parse((await owner.call('GET', '/v1/audit?limit=200')).body)
  expect(lines.length).toBeGreaterThan(10)
  expect(items.map((each) => each.id)).toEqual(
    expect.arrayContaining(lines.slice(0, 5).map((each) => idOf(JSON.parse(each)))),
  )
  expect(items[0]).toMatchObject({ ability: 'audit.read', outcome: 'done', method: 'GET' })
})

test('[S001-13] every change by HTTP is an event with its actor', async () => {
  const made = await owner.call('POST', '/v1/policies', {
    body: { resource: 'agents', action: 'read', effect: 'allow' },
  })
  const { body } = await owner.call('GET', '/v1/events?limit=1')
  expect(body).toMatchObject({
    items: [{ type: 'policies.created', actor: { id: 'op_owner' }, payload: { id: idOf(made.body) } }],
  })
})

test('[S001-1] an operator makes a tenant, owns it, changes it, and nobody else finds it', async () => {
  const maker = await signIn(gateway, 'client')
  const body = { name: 'Blümchen & Co', timezone: 'Europe/Zurich' }
  const made = await maker.call('POST', '/v1/tenants', { body })
  expect(made).toMatchObject({ status: 201, body: { slug: 'blumchen-co', plan: 'free', roles: ['owner'] } })
  const again = await maker.call('POST', '/v1/tenants', { body })
  expect(again.body).toMatchObject({ slug: 'blumchen-co-2' })
  const tenant = 'blumchen-co'
  const id = idOf(made.body)
  expect((await maker.call('GET', `/v1/tenants/${id}`)).body).toEqual(made.body)
  expect((await maker.call('GET', '/v1/tenants/by-slug/blumchen-co')).body).toEqual(made.body)
  const mine = z
    .object({ items: z.array(z.looseObject({ slug: z.string() })) })
    .parse((await maker.call('GET', '/v1/tenants')).body)
  expect(mine.items.map((each) => each.slug).sort()).toEqual(['blumchen-co', 'blumchen-co-2', 'productco'])
  const changed = await maker.call('PATCH', '/v1/tenant', { tenant, body: { name: 'Blümchen AG' } })
  expect(changed.body).toMatchObject({ id, name: 'Blümchen AG', slug: tenant, timezone: 'Europe/Zurich', origins: [] })
  const log = await maker.call('GET', '/v1/audit', { tenant })
  expect(log.body).toMatchObject({
    items: [
      { ability: 'tenant.write', outcome: 'done' },
      { ability: 'tenant.create', target: id },
    ],
  })
  const stranger = await signIn(gateway, 'owner')
  expect((await stranger.call('GET', `/v1/tenants/${id}`)).status).toBe(404)
  expect((await stranger.call('GET', '/v1/tenants/by-slug/blumchen-co')).status).toBe(404)
  expect((await stranger.call('PATCH', '/v1/tenant', { tenant, body: { name: 'Mine' } })).status).toBe(404)
})

test('[S001-1] the plan drives the limits, and is not the tenant’s own to choose', async () => {
  const maker = await signIn(gateway, 'client')
  await maker.call('POST', '/v1/tenants', { body: { name: 'Busy' } })
  const tenant = 'busy'
  const plan = (name: string) => ({ tenant, body: { plan: name } })
  expect((await maker.call('PATCH', '/v1/tenant', plan('enterprise'))).status).toBe(403)
  const key = z
    .looseObject({ key: z.string() })
    .parse((await maker.call('POST', '/v1/api-keys', { tenant, body: { label: 'k' } })).body).key
  const asked: number[] = []
  for (let i = 0; i < 70; i++) asked.push(await asKey(key, 'GET', '/v1/tenant'))
  // 60 at once on the free plan, and one more every two seconds.
  expect(asked.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 200))
  expect(asked).toContain(429)
  expect((await owner.call('PATCH', '/v1/tenant', plan('enterprise'))).body).toMatchObject({ plan: 'enterprise' })
  expect(await asKey(key, 'GET', '/v1/tenant')).toBe(200)
})

test('[S001-19] a person whose role has rules sees only those rows: listed, searched, sorted, counted and by id', async () => {
  const text = { type: 'string' }
  const schema = { type: 'object', properties: { name: text, title: text, phone: text } }
  const type = { slug: 'caller', name: 'Caller', schema }
  expect((await owner.call('POST', '/v1/entity-types', { body: type })).status).toBe(201)
  const mine = await owner.call('POST', '/v1/entities/caller', {
    body: { data: { name: 'Zora Mine', title: 'of the night', phone: '+41 44' } },
  })
  const theirs = await owner.call('POST', '/v1/entities/caller', {
    body: { data: { name: 'Zora Theirs', title: 'of the day', phone: '+41 55' } },
  })
  expect([mine.status, theirs.status]).toEqual([201, 201])
  await role(
    'night',
    [
      { resource: 'entities', action: '*', effect: 'allow' },
      { resource: 'events', action: 'read', effect: 'allow' },
    ],
    {
      rules: [
        {
          resource: 'entities',
          conditions: [{ is: 'field', field: 'data.title', op: 'eq', values: ['of the night'] }],
        },
      ],
      masks: [{ resource: 'entities', field: 'data.phone', how: 'redact' }],
    },
  )
  const person = await signIn(gateway, 'night')
  const names = async (query: string) =>
    z
      .object({ items: z.array(z.looseObject({ data: z.looseObject({ name: z.string() }) })) })
      .parse((await person.call('GET', `/v1/entities/caller?${query}`)).body)
      .items.map((each) => each.data.name)
  expect(await names('limit=50')).toEqual(['Zora Mine'])
  expect(await names('q=Zora')).toEqual(['Zora Mine'])
  expect((await person.call('GET', `/v1/entities/caller/${idOf(theirs.body)}`)).status).toBe(404)
  const change = { body: { data: { name: 'Taken' } } }
  expect((await person.call('PATCH', `/v1/entities/caller/${idOf(theirs.body)}`, change)).status).toBe(404)
  expect((await person.call('DELETE', `/v1/entities/caller/${idOf(theirs.body)}`)).status).toBe(404)
})

test('[S001-20] a masked field leaves neither by the record, nor by a search, nor by the events of it', async () => {
  const person = await signIn(gateway, 'night')
  const list = await person.call('GET', '/v1/entities/caller')
  expect(JSON.stringify(list.body)).toContain('[redacted]')
  const everything = [
    list,
    await person.call('GET', '/v1/entities/caller?q=44'),
    await person.call('GET', '/v1/events?limit=200'),
  ]
  expect(everything.map((each) => each.status)).toEqual([200, 200, 200])
  for (const each of everything) expect(JSON.stringify(each.body)).not.toContain('+41')
  expect(everything[1]?.body).toMatchObject({ items: [] })
})

test('[S001-20, S001-19] the console’s live socket shows the rows and the fields that the operator may see', async () => {
  const reads = { resource: 'sessions', action: 'read', effect: 'allow' }
  await role('live-masked', [reads], {
    masks: [
      { resource: 'sessions', field: 'lastText', how: 'redact' },
      { resource: 'sessions', field: 'turns.text', how: 'redact' },
    ],
  })
  await role('live-none', [reads], {
    rules: [{ resource: 'sessions', conditions: [{ is: 'field', field: 'agentId', op: 'eq', values: ['agt_none'] }] }],
  })
  const secret = 'My number is 4711'
  const heard = async (who: SignedIn, sessionId: string): Promise<string> => {
    const socket = new WebSocket(`${gateway.wsUrl}/v1/console/live?tenant=productco`, {
      headers: { cookie: who.cookie, origin: gateway.url },
    })
    const frames: string[] = []
    socket.on('message', (data: Buffer) => void frames.push(String(data)))
    await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject))
    socket.send(JSON.stringify({ type: 'watch', sessionId }))
    await new Promise((resolve) => setTimeout(resolve, 400))
    socket.close()
    return frames.join('\n')
  }
  const query = `?agent=${(await gateway.app.slices.agents.of((await gateway.app.slices.tenants.bySlug('productco'))!.id).list())[0]?.slug}`
  await using client = await connect(gateway.wsUrl, { query, headers: bearer(gateway.apiKey) })
  await client.event('session.created')
  client.ask(secret)
  await client.event('response.done')
  const { tenants, sessions } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  const [live] = (await sessions.of(tenant!.id).list({ state: 'live', limit: 1 })).items
  const sessionId = live?.id ?? ''
  expect(await heard(owner, sessionId)).toContain(secret)
  const masked = await heard(await signIn(gateway, 'live-masked'), sessionId)
  expect(masked).toContain(sessionId)
  expect(masked).toContain('[redacted]')
  expect(masked).not.toContain(secret)
  const none = await signIn(gateway, 'live-none')
  expect(await heard(none, sessionId)).not.toContain(sessionId)
  expect((await none.call('GET', '/v1/sessions')).body).toEqual({ items: [], next: null })
  expect((await none.call('GET', `/v1/sessions/${sessionId}`)).status).toBe(404)
  expect((await none.call('GET', `/v1/sessions/${sessionId}/transcript`)).status).toBe(404)
})

test('nothing in the API changes or removes an entry of the log', () => {
  const changing = gateway.app.routes.filter((each) => each.path.startsWith('/v1/audit') && each.method !== 'GET')
  expect(changing).toEqual([])
})
