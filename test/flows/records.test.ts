// A tenant's records over HTTP: types, entities, relations, events and executions, as its people and its keys use them.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
/** Of ProductCo and of EventCo. */
let owner: SignedIn
let stranger: SignedIn
const canary = `canary${randomBytes(4).toString('hex')}`

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    status: { enum: ['open', 'won', 'lost'] },
    budget: { type: 'number', minimum: 0 },
    owner: { type: 'string' },
    phone: { type: 'string' },
  },
  required: ['name'],
  additionalProperties: false,
}
const lead = { slug: 'lead', name: 'Lead', schema, searchFields: ['name'], titleField: 'name' }
const entity = z.looseObject({
  id: z.string(),
  slug: z.string(),
  rev: z.number(),
  data: z.record(z.string(), z.unknown()),
})
const page = z.object({ items: z.array(z.looseObject({ id: z.string() })), next: z.string().nullable() })

beforeAll(async () => {
  gateway = await startGateway({ PARLEY_RATE_FACTOR: '10000' })
  owner = await signIn(gateway)
  stranger = await signIn(gateway, 'owner', 'eventco')
  for (const who of [owner, stranger]) await ok(who, 'POST', '/v1/entity-types', lead, 201)
  for (const data of [
    { name: `Ann ${canary}`, status: 'open', budget: 10, owner: 'a', phone: `1${canary}` },
    { name: `Bob ${canary}`, status: 'won', budget: 30, owner: 'b', phone: `2${canary}` },
    { name: `Cleo ${canary}`, status: 'open', budget: 20, owner: 'b', phone: `3${canary}` },
  ])
    await ok(owner, 'POST', '/v1/entities/lead', { slug: data.name.slice(0, 3).toLowerCase().trim(), data }, 201)
})
afterAll(() => gateway[Symbol.asyncDispose]())

async function ok(who: SignedIn, method: string, path: string, body?: unknown, status = 200): Promise<unknown> {
  const answer = await who.call(method, path, body === undefined ? {} : { body })
  expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).toBe(status)
  return answer.body
}
const codeOf = (body: unknown) => z.object({ error: z.looseObject({ code: z.string() }) }).parse(body).error.code
const slugs = (body: unknown) => page.parse(body).items.map((each) => each.slug)

/** A person with a role of rules and masks. */
async function person(name: string, own: object, resources = ['entities', 'events']): Promise<SignedIn> {
  const policyIds: string[] = []
  for (const resource of resources) {
    const made = await ok(owner, 'POST', '/v1/policies', { resource, action: '*', effect: 'allow' }, 201)
    policyIds.push(z.looseObject({ id: z.string() }).parse(made).id)
  }
  await ok(owner, 'POST', '/v1/roles', { name, policyIds, ...own }, 201)
  return signIn(gateway, name)
}

test('[S001-10] [S001-27] entity types over HTTP: made, listed, read by slug, changed, removed; data that does not fit is refused', async () => {
  expect(await ok(owner, 'GET', '/v1/entity-types/lead')).toMatchObject({ slug: 'lead', version: 1, schema })
  const { items } = z
    .object({ items: z.array(z.looseObject({ slug: z.string() })) })
    .parse(await ok(owner, 'GET', '/v1/entity-types'))
  expect(items.map((each) => each.slug)).toEqual(['event', 'lead', 'product', 'session', 'speaker'])
  const wrong = await owner.call('POST', '/v1/entities/lead', { body: { data: { status: 'odd', extra: 1 } } })
  expect(wrong.status).toBe(400)
  expect(JSON.stringify(wrong.body)).toContain('data.status')
  const evil = {
    ...lead,
    slug: 'evil',
    schema: { type: 'object', properties: { a: { $ref: 'https://evil.example' } } },
  }
  expect((await owner.call('POST', '/v1/entity-types', { body: evil })).status).toBe(400)
  expect(await ok(owner, 'PATCH', '/v1/entity-types/lead', { name: 'Prospect' })).toMatchObject({ version: 2 })
  expect((await owner.call('DELETE', '/v1/entity-types/lead')).status).toBe(409)
  await ok(owner, 'POST', '/v1/entity-types', { ...lead, slug: 'temp' }, 201)
  await ok(owner, 'POST', '/v1/entities/temp', { data: { name: 'x' } }, 201)
  const byKey = await fetch(`${gateway.url}/v1/entity-types/temp?force=true`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${gateway.apiKey}` },
  })
  expect(byKey.status).toBe(403)
  await ok(owner, 'DELETE', '/v1/entity-types/temp?force=true', undefined, 204)
  expect((await owner.call('GET', '/v1/entity-types/temp')).status).toBe(404)
})

test('[S001-11] [S001-28] entities over HTTP: searched by the configured fields only, filtered, sorted, changed by revision', async () => {
  expect(slugs(await ok(owner, 'GET', `/v1/entities/lead?q=${canary}%20cle`))).toEqual(['cle'])
  expect(slugs(await ok(owner, 'GET', '/v1/entities/lead?q=open'))).toEqual([])
  expect(slugs(await ok(owner, 'GET', '/v1/entities/lead?sort=-budget'))).toEqual(['bob', 'cle', 'ann'])
  const where = encodeURIComponent(JSON.stringify({ status: 'open', budget: { gt: 10 } }))
  expect(slugs(await ok(owner, 'GET', `/v1/entities/lead?where=${where}`))).toEqual(['cle'])
  expect((await owner.call('GET', '/v1/entities/lead?where=status')).status).toBe(400)
  const first = page.parse(await ok(owner, 'GET', '/v1/entities/lead?sort=name&limit=2'))
  expect(slugs(await ok(owner, 'GET', `/v1/entities/lead?sort=name&limit=2&cursor=${first.next}`))).toEqual(['cle'])
  const ann = entity.parse(await ok(owner, 'GET', '/v1/entities/lead/ann'))
  expect(await ok(owner, 'PATCH', `/v1/entities/lead/${ann.id}`, { rev: ann.rev, data: { budget: 11 } })).toMatchObject(
    { rev: ann.rev + 1 },
  )
  const late = await owner.call('PATCH', '/v1/entities/lead/ann', { body: { rev: ann.rev, data: { budget: 12 } } })
  expect([late.status, codeOf(late.body)]).toEqual([409, 'conflict'])
  const gone = entity.parse(await ok(owner, 'POST', '/v1/entities/lead', { data: { name: 'Gone' } }, 201))
  await ok(owner, 'DELETE', `/v1/entities/lead/${gone.id}`, undefined, 204)
  expect((await owner.call('GET', `/v1/entities/lead/${gone.id}`)).status).toBe(404)
  expect(slugs(await ok(stranger, 'GET', '/v1/entities/lead'))).toEqual([])
  expect((await stranger.call('GET', `/v1/entities/lead/${ann.id}`)).status).toBe(404)
})

test('[S001-12] a duplicate link is idempotent over HTTP, unlink removes it, and no link leaves the tenant', async () => {
  const link = { relation: 'knows', to: { type: 'lead', id: 'bob' } }
  await ok(owner, 'PUT', '/v1/entities/lead/ann/relations', link)
  await ok(owner, 'PUT', '/v1/entities/lead/ann/relations', link)
  const relations = async (slug: string) =>
    JSON.stringify(await ok(owner, 'GET', `/v1/entities/lead/${slug}/relations`))
  expect((await relations('ann')).match(/"out"/g)).toHaveLength(1)
  expect((await relations('bob')).match(/"in"/g)).toHaveLength(1)
  await ok(owner, 'DELETE', '/v1/entities/lead/ann/relations?relation=knows&toType=lead&to=bob', undefined, 204)
  expect(await relations('ann')).not.toContain('"out"')
  const foreign = entity.parse(await ok(stranger, 'POST', '/v1/entities/lead', { data: { name: 'Eve' } }, 201))
  const across = { relation: 'knows', to: { type: 'lead', id: foreign.id } }
  expect((await owner.call('PUT', '/v1/entities/lead/ann/relations', { body: across })).status).toBe(404)
})

test('[S001-13] every change over HTTP is one event with its actor, and nothing changes or removes an event', async () => {
  const made = entity.parse(await ok(owner, 'POST', '/v1/entities/lead', { data: { name: 'Dan' } }, 201))
  await ok(owner, 'PATCH', `/v1/entities/lead/${made.id}`, { data: { budget: 1 } })
  await ok(owner, 'PUT', `/v1/entities/lead/${made.id}/relations`, { relation: 'of', to: { type: 'lead', id: 'ann' } })
  await ok(owner, 'DELETE', `/v1/entities/lead/${made.id}`, undefined, 204)
  const list = z.object({
    items: z.array(z.looseObject({ id: z.string(), type: z.string() })),
    next: z.string().nullable(),
  })
  const of = list.parse(await ok(owner, 'GET', `/v1/events?entityType=lead&entityId=${made.id}`))
  expect(of.items.map((each) => each.type)).toEqual([
    'entity.deleted',
    'entity.linked',
    'entity.updated',
    'entity.created',
  ])
  const id = of.items[0]?.id
  expect(await ok(owner, 'GET', `/v1/events/${id}`)).toMatchObject({ actorType: 'user', actor: { kind: 'operator' } })
  expect((await stranger.call('GET', `/v1/events/${id}`)).status).toBe(404)
  for (const method of ['PUT', 'PATCH', 'DELETE'])
    expect((await owner.call(method, `/v1/events/${id}`, { body: {} })).status).toBe(404)
  const byKey = await gateway.post(
    '/v1/events',
    { type: 'order.placed', payload: { n: 1 } },
    { authorization: `Bearer ${gateway.apiKey}` },
  )
  expect(byKey.status).toBe(201)
  expect(byKey.body).toMatchObject({ actorType: 'system', actor: { kind: 'key' } })
  const types = z.object({ items: z.array(z.string()) }).parse(await ok(owner, 'GET', '/v1/events/types'))
  expect(types.items).toEqual(expect.arrayContaining(['entity.created', 'order.placed']))
  const pages: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const one = list.parse(await ok(owner, 'GET', `/v1/events?limit=7${next === '' ? '' : `&cursor=${next}`}`))
    pages.push(...one.items.map((each) => each.id))
    next = one.next
    await ok(owner, 'POST', '/v1/events', { type: 'order.noise' }, 201)
  }
  expect(new Set(pages).size).toBe(pages.length)
  expect(pages).toContain(id)
})

test('[S001-14] stats over HTTP equal the sums over the listed runs', async () => {
  const tenant = await gateway.app.slices.tenants.bySlug('productco')
  const executions = gateway.app.slices.executions.of(tenant!.id)
  for (const n of [1, 2, 3])
    await executions.record({
      ...{
        agentId: `agt_${n % 2}`,
        conversationId: 'conv_1',
        channel: 'api',
        model: 'm',
        provider: 'p',
        inputTokens: n,
      },
      ...{
        cachedTokens: 0,
        outputTokens: 2 * n,
        latencyMs: 10 * n,
        costUsdMicro: n,
        creditsMicro: 100 * n,
        status: 'completed',
        steps: [],
      },
    })
  const runs = z
    .object({
      items: z.array(z.looseObject({ inputTokens: z.number(), creditsMicro: z.number(), conversationId: z.string() })),
    })
    .parse(await ok(owner, 'GET', '/v1/executions?limit=200')).items
  const stats = z
    .object({ total: z.looseObject({ count: z.number(), inputTokens: z.number(), creditsMicro: z.number() }) })
    .parse(await ok(owner, 'GET', '/v1/executions/stats')).total
  expect(stats).toMatchObject({
    count: runs.length,
    inputTokens: runs.reduce((sum, each) => sum + each.inputTokens, 0),
    creditsMicro: runs.reduce((sum, each) => sum + each.creditsMicro, 0),
  })
  expect(await ok(stranger, 'GET', '/v1/executions/stats')).toMatchObject({ total: { count: 0 } })
})

test('[S001-19] a person sees only the rows of the rule over HTTP: lists, search, single reads, events', async () => {
  const rule = {
    resource: 'entities',
    kind: 'lead',
    conditions: [{ is: 'field', field: 'data.owner', op: 'eq', values: ['b'] }],
  }
  const seller = await person('seller', { rules: [rule] })
  expect(slugs(await ok(seller, 'GET', '/v1/entities/lead?sort=name'))).toEqual(['bob', 'cle'])
  expect(slugs(await ok(seller, 'GET', `/v1/entities/lead?q=${canary}%20ann`))).toEqual([])
  expect((await seller.call('GET', '/v1/entities/lead/ann')).status).toBe(404)
  expect((await seller.call('PATCH', '/v1/entities/lead/ann', { body: { data: { budget: 1 } } })).status).toBe(404)
  const told = JSON.stringify([
    await ok(seller, 'GET', '/v1/events?limit=200'),
    await ok(seller, 'GET', '/v1/entities/lead'),
  ])
  expect(told).toContain(`Bob ${canary}`)
  expect(told).not.toContain(`Ann ${canary}`)
})

test('[S001-20] a masked field leaves by no route and cannot be asked about', async () => {
  const clerk = await person('clerk', {
    masks: [{ resource: 'entities', kind: 'lead', field: 'data.phone', how: 'hide' }],
  })
  const told = JSON.stringify([
    await ok(clerk, 'GET', '/v1/entities/lead'),
    await ok(clerk, 'GET', '/v1/entities/lead/bob'),
    await ok(clerk, 'PATCH', '/v1/entities/lead/bob', { data: { budget: 31 } }),
    await ok(clerk, 'GET', '/v1/events?limit=200'),
  ])
  expect(told).toContain(`Bob ${canary}`)
  expect(told).not.toContain(`2${canary}`)
  const where = encodeURIComponent(JSON.stringify({ phone: `2${canary}` }))
  expect((await clerk.call('GET', `/v1/entities/lead?where=${where}`)).status).toBe(403)
  expect((await clerk.call('GET', '/v1/entities/lead?sort=phone')).status).toBe(403)
  expect((await clerk.call('PATCH', '/v1/entities/lead/bob', { body: { data: { phone: null } } })).status).toBe(403)
  expect(JSON.stringify(await ok(owner, 'GET', '/v1/entities/lead/bob'))).toContain(`2${canary}`)
})

test('[S001-27] [S001-28] every route of records asks for its ability, and its changes are in the audit log', async () => {
  const nobody = await person('nobody', {}, ['usage'])
  for (const [method, path, body] of [
    ['GET', '/v1/entity-types'],
    ['GET', '/v1/entity-types/lead'],
    ['POST', '/v1/entity-types', lead],
    ['PATCH', '/v1/entity-types/lead', {}],
    ['DELETE', '/v1/entity-types/lead'],
    ['GET', '/v1/entities/lead'],
    ['GET', '/v1/entities/lead/ann'],
    ['POST', '/v1/entities/lead', { data: {} }],
    ['PATCH', '/v1/entities/lead/ann', { data: {} }],
    ['DELETE', '/v1/entities/lead/ann'],
    ['GET', '/v1/entities/lead/ann/relations'],
    ['GET', '/v1/events'],
    ['GET', '/v1/events/types'],
    ['POST', '/v1/events', { type: 'a.b' }],
    ['GET', '/v1/executions'],
    ['GET', '/v1/executions/stats'],
  ] as const)
    expect((await nobody.call(method, path, body === undefined ? {} : { body })).status, `${method} ${path}`).toBe(403)
  const audit = JSON.stringify(await ok(owner, 'GET', '/v1/audit?limit=200'))
  for (const done of ['POST', 'PATCH', 'DELETE', 'PUT']) expect(audit).toContain(`"${done}"`)
  expect(audit).toContain('/v1/entities/:type')
  expect(audit).not.toContain(canary)
})
