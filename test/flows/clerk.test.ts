// Operators whom Clerk vouches for: tokens with each request, webhooks for who comes and goes.

import { createHmac } from 'node:crypto'
import { UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClerk } from '../harness/fake-clerk.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let clerk: FakeClerk
let gateway: TestGateway
beforeAll(async () => {
  clerk = await FakeClerk.start()
  gateway = await startGateway({
    CLERK_JWT_ISSUER_DOMAIN: clerk.issuer,
    CLERK_WEBHOOK_SECRET: clerk.webhookSecret,
    OIDC_AUTHORIZED_PARTIES: 'http://localhost:3000',
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await clerk[Symbol.asyncDispose]()
})

const identity = () => gateway.app.slices.identity
let count = 0
const newUser = () => `user_${++count}`

async function ask(token: string, path = '/v1/console/me'): Promise<{ status: number; body: unknown }> {
  const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.json() }
}
async function tell(event: object, own: Partial<{ at: Date; secret: string; change: (body: string) => string }> = {}) {
  const { headers, body } = clerk.signed(event, own.at, own.secret)
  const sent = own.change?.(body) ?? body
  return (await fetch(`${gateway.url}/webhook/clerk`, { method: 'POST', headers, body: sent })).status
}
const user = (id: string, name: string, updated_at: number, email?: string) => ({
  id,
  first_name: name,
  last_name: null,
  updated_at,
  primary_email_address_id: 'idn_1',
  email_addresses: [
    { id: 'idn_1', email_address: email ?? `${id}@clerk.example`, verification: { status: 'verified' } },
  ],
})
const nameOf = async (id: string) => (await identity().outside.getByClerkId(id))?.name
const tenantsOf = async (id: string) =>
  ((await ask(await clerk.token(id))).body as { tenants: { name: string; role: string }[] }).tenants

describe('tokens', () => {
  test('[S001-33] a genuine one opens, an expired one and one of another issuer are refused', async () => {
    const id = newUser()
    expect((await ask(await clerk.token(id))).status).toBe(200)
    expect((await ask(await clerk.token(id, { lifeSeconds: -60 }))).status, 'expired').toBe(401)
    expect((await ask(await clerk.token(id, { iss: 'https://evil.example' }))).status, 'wrong issuer').toBe(401)
    await using other = await FakeClerk.start()
    expect((await ask(await other.token(id))).status, 'an issuer nobody configured').toBe(401)
    expect((await ask(await other.token(id, { iss: clerk.issuer, kid: clerk.kid }))).status, 'a foreign key').toBe(401)
  })

  test('[S001-33] not yet valid, for another page, without a subject, of a key nobody has: refused', async () => {
    const id = newUser()
    const soon = Math.floor(Date.now() / 1000) + 30
    expect((await ask(await clerk.token(id, { nbf: soon }))).status, 'not before').toBe(401)
    expect((await ask(await clerk.token(id, { azp: 'https://evil.example' }))).status, 'azp').toBe(401)
    expect((await ask(await clerk.token(''))).status, 'no subject').toBe(401)
    expect((await ask(await clerk.token(id, { kid: 'ins_unknown' }))).status, 'unknown kid').toBe(401)
    expect((await ask(`${(await clerk.token(id)).slice(0, -6)}AAAAAA`)).status, 'altered').toBe(401)
  })

  test('[S001-33] without a signature, or signed with the public key as a shared one: refused', async () => {
    const id = newUser()
    const none = new UnsecuredJWT({ sub: id, iss: clerk.issuer }).setExpirationTime('1m').setIssuedAt().encode()
    expect((await ask(none)).status, 'alg none').toBe(401)
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = Math.floor(Date.now() / 1000)
    const head = part({ alg: 'HS256', kid: clerk.kid, typ: 'JWT' })
    const claims = part({ sub: id, iss: clerk.issuer, azp: 'http://localhost:3000', iat: now, exp: now + 60 })
    const mac = createHmac('sha256', await clerk.publicPem())
      .update(`${head}.${claims}`)
      .digest('base64url')
    expect((await ask(`${head}.${claims}.${mac}`)).status, 'HS256').toBe(401)
  })

  test('a person needs no CSRF token with it, and a key that signs visitors’ tokens makes no operators', async () => {
    const response = await fetch(`${gateway.url}/v1/console/me`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${await clerk.token(newUser())}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Nina' }),
    })
    expect(await response.json()).toMatchObject({ name: 'Nina' })
    expect((await ask((await gateway.visitorToken()).replace(/^ek_/, ''))).status).toBe(401)
  })
})

describe('the first login', () => {
  test('[S001-34] makes one operator and one workspace, also of 50 first requests at once', async () => {
    const id = newUser()
    const token = await clerk.token(id, { name: 'Greta' })
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(token)))
    expect(new Set(answers.map((each) => JSON.stringify([each.status, each.body]))).size).toBe(1)
    expect(answers[0]).toMatchObject({
      status: 200,
      body: { name: 'Greta', tenants: [{ name: 'Greta’s workspace', role: 'owner' }] },
    })
    const all = await gateway.app.slices.tenants.all()
    expect(all.filter((each) => each.name === 'Greta’s workspace')).toHaveLength(1)
  })

  test('[S001-34] getAuthContext throws for who is new; the workspace left is not made again', async () => {
    const id = newUser()
    const { outside, team } = identity()
    await expect(outside.getAuthContext(await clerk.token(id))).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(outside.getAuthContext('x')).rejects.toMatchObject({ code: 'unauthenticated' })
    const made = await outside.getOrCreateAuthContext(await clerk.token(id))
    expect((await outside.getAuthContext(await clerk.token(id))).operatorId).toBe(made.operatorId)
    await team.of(made.tenants[0]!.id).withdraw(made.operatorId)
    expect((await outside.getOrCreateAuthContext(await clerk.token(id))).tenants).toEqual([])
  })

  test('[S001-34] nobody sees another’s workspace', async () => {
    const [a, b] = [newUser(), newUser()]
    const { body } = await ask(await clerk.token(a))
    const { slug } = (body as { tenants: { slug: string }[] }).tenants[0]!
    expect((await ask(await clerk.token(a), `/v1/tenant?tenant=${slug}`)).status).toBe(200)
    expect((await ask(await clerk.token(b), `/v1/tenant?tenant=${slug}`)).status).toBe(404)
    expect((await ask(await clerk.token(b), '/v1/tenant?tenant=productco')).status).toBe(404)
  })
})

describe('webhooks', () => {
  test('[S001-26] users and organizations are as Clerk said last; old news and replays do nothing', async () => {
    const id = newUser()
    expect(await tell({ type: 'user.created', data: user(id, 'One', 100) })).toBe(204)
    expect(await nameOf(id)).toBe('One')
    expect(await tell({ type: 'user.updated', data: user(id, 'Three', 300) })).toBe(204)
    expect(await tell({ type: 'user.updated', data: user(id, 'Two', 200) })).toBe(204)
    expect(await tell({ type: 'user.created', data: user(id, 'One', 100) })).toBe(204)
    expect(await nameOf(id)).toBe('Three')
    const org = `org_${id}`
    await tell({ type: 'organization.created', data: { id: org, name: 'Old', updated_at: 1 } })
    await tell({ type: 'organization.updated', data: { id: org, name: 'New', updated_at: 2 } })
    await tell({ type: 'organization.created', data: { id: org, name: 'Old', updated_at: 1 } })
    const tenantId = await identity().outside.getOrCreateOrganization({ id: org, name: 'x' })
    expect((await gateway.app.slices.tenants.byId(tenantId))?.name).toBe('New')
    await tell({ type: 'organization.deleted', data: { id: org, deleted: true } })
    expect((await gateway.app.slices.tenants.byId(tenantId))?.status).toBe('suspended')
  })

  test('[S001-26] a signature that is wrong, of an altered body or older than five minutes is refused', async () => {
    const id = newUser()
    const event = { type: 'user.created', data: user(id, 'Mallory', 1) }
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
    expect(await tell(event, { secret })).toBe(401)
    expect(await tell(event, { change: (body) => body.replace('Mallory', 'Malory') })).toBe(401)
    expect(await tell(event, { at: new Date(Date.now() - 6 * 60_000) })).toBe(401)
    const bare = await fetch(`${gateway.url}/webhook/clerk`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
    })
    expect(bare.status).toBe(401)
    expect(await tell({ type: 'user.created', data: { id: 7 } }), 'signed, but not Clerk’s').toBe(400)
    expect(await tell({ type: 'session.created', data: {} }), 'of no concern').toBe(204)
    expect(await nameOf(id)).toBeUndefined()
  })

  test('[S001-26] a membership before its user and organization is kept; the role is Clerk’s; its end ends access', async () => {
    const id = newUser()
    const member = (type: string, role: string, updated_at: number, timestamp?: number) => ({
      type: `organizationMembership.${type}`,
      data: {
        role,
        organization: { id: `org_${id}`, name: 'Early' },
        public_user_data: { user_id: id, first_name: 'Kim', last_name: 'Lee' },
        updated_at,
      },
      ...(timestamp === undefined ? {} : { timestamp }),
    })
    await tell(member('created', 'org:member', 10))
    expect(await nameOf(id)).toBe('Kim Lee')
    const early = async () => (await tenantsOf(id)).find((each) => each.name === 'Early')?.role
    expect(await early()).toBe('operator')
    await tell(member('updated', 'org:admin', 20))
    expect(await early()).toBe('owner')
    await tell(member('deleted', 'org:admin', 20, 30))
    expect(await early(), 'also for the last owner').toBeUndefined()
    await tell(member('updated', 'org:admin', 20))
    expect(await early(), 'old news').toBeUndefined()
  })

  test('[S001-2] a Clerk id is one user; a deleted one is out at once and nothing brings them back', async () => {
    const id = newUser()
    const created = { type: 'user.created', data: user(id, 'Gone', 5) }
    expect(new Set(await Promise.all(Array.from({ length: 10 }, () => tell(created))))).toEqual(new Set([204]))
    const { db } = gateway.app.stores.mongo
    const operatorId = (await identity().outside.getByClerkId(id))?.operatorId ?? ''
    expect(await db.collection('operators').countDocuments({ externalId: `${clerk.issuer}|${id}` })).toBe(1)
    const token = await clerk.token(id)
    const session = `parley_session=${(await identity().startSession(operatorId)).cookie}`
    expect((await ask(token)).status).toBe(200)
    expect(await identity().signedIn(session)).toBeDefined()
    expect(await tell({ type: 'user.deleted', data: { id, deleted: true } })).toBe(204)
    expect((await ask(token)).status, 'a token that has not ended').toBe(401)
    expect(await identity().signedIn(session)).toBeUndefined()
    expect(await tell({ type: 'user.updated', data: user(id, 'Back', 9) })).toBe(204)
    expect(await identity().outside.getByClerkId(id)).toBeUndefined()
  })

  test('an address that an operator has already brings nobody into that account', async () => {
    const ann = await identity().createOperator('Ann', [])
    await identity().addressFor(ann, 'ann@clerk.example')
    const id = newUser()
    expect(await tell({ type: 'user.created', data: user(id, 'Ann?', 1, 'ann@clerk.example') })).toBe(204)
    const found = await identity().outside.getByClerkId(id)
    expect(found?.operatorId).not.toBe(ann)
    expect(found?.email).toBeUndefined()
  })
})

test('made-up key ids do not load the provider', async () => {
  expect((await ask(await clerk.token(newUser()))).status).toBe(200)
  const before = clerk.asked
  for (let n = 0; n < 5; n++) await ask(await clerk.token(newUser(), { kid: `made-up-${n}` }))
  expect(clerk.asked - before).toBeLessThanOrEqual(1)
})
