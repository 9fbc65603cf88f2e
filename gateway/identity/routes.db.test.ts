import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { agentCollections, createAgents } from '../agents/agents.ts'
import { createObjects, objectCollections } from '../objects/objects.ts'
import type { Actor } from '../platform/access.ts'
import type { RouteReply } from '../platform/http.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTenants, type Tenant, tenantCollections } from '../tenants/tenants.ts'
import { createIdentity, type Identity, identityCollections } from './identity.ts'
import { identityRoutes } from './routes.ts'

const publicUrl = 'https://talk.example'
const page = 'https://shop.example'
let store: TestStore
let identity: Identity
let tenants: ReturnType<typeof createTenants>
let agents: ReturnType<typeof createAgents>
let tenant: Tenant
let siteKey: string
let count = 0

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [
    ...tenantCollections,
    ...objectCollections,
    ...agentCollections,
    ...identityCollections,
  ])
})
afterAll(() => store[Symbol.asyncDispose]())
beforeEach(async () => {
  tenants = createTenants({ db: store.db })
  agents = createAgents({ db: store.db, tenants, objects: createObjects({ db: store.db }) })
  identity = createIdentity({ db: store.db, publicUrl, secret: randomBytes(32), tenants, agents })
  tenant = await tenants.create({ slug: `r-${count++}`, name: 'R', origins: [page] })
  const { id } = await agents
    .of(tenant.id)
    .create({ slug: 'helper', name: 'Helper', config: { model: 'm1', voice: 'v1' } })
  await agents.of(tenant.id).publish(id)
  siteKey = (await identity.createSiteKey(tenant.id, { label: 'page', agentSlug: 'helper' })).key
})

interface Call {
  readonly params?: object
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly actor?: Actor
}

/** As http/ calls a route: schemas first, then `run`. */
async function call(method: string, path: string, given: Call = {}): Promise<RouteReply> {
  const found = identityRoutes({ identity, tenants, publicUrl }).find(
    (each) => each.method === method && each.path === path,
  )
  if (found === undefined) throw new Error(`no route ${method} ${path}`)
  const headers = given.headers ?? {}
  return found.run({
    params: found.params?.parse(given.params ?? {}),
    query: undefined,
    body: found.body?.parse(given.body ?? {}),
    facts: { ip: '10.0.0.1', origin: headers.origin, userAgent: 'test', header: (name) => headers[name] },
    tenantId: tenant.id,
    actor: given.actor,
    auth: authAs(tenant.id),
  })
}
const bootstrap = (body: object, headers: Readonly<Record<string, string>> = { origin: page, host: 'talk.example' }) =>
  call('POST', '/v1/widget/bootstrap', { body: { key: siteKey, ...body }, headers })

describe('POST /v1/widget/bootstrap', () => {
  test('gives a page a token and the looks of the widget', async () => {
    const reply = await bootstrap({ agent: 'helper', visitorId: 'v'.repeat(16), email: 'a@b.example' })
    expect(reply.json).toMatchObject({
      token: expect.stringMatching(/^ey/),
      agent: { slug: 'helper', name: 'Helper' },
      voice: true,
      brand: { title: expect.any(String) },
    })
    expect(reply.headers).toMatchObject({ 'cache-control': 'no-store' })
  })

  test('[TEN-02] a tenant named in the body is refused', async () => {
    for (const extra of [{ tenantId: tenant.id }, { tenant: 'acme' }, { channel: 'api' }, { scopes: ['admin'] }]) {
      await expect(bootstrap(extra), JSON.stringify(extra)).rejects.toThrow('Unrecognized key')
    }
  })

  test('a visitor id that can be guessed, and a query in place of text, are refused', async () => {
    for (const body of [{ visitorId: '42' }, { visitorId: { $gt: '' } }, { email: { $gt: '' } }, { key: { $ne: 1 } }]) {
      await expect(bootstrap(body), JSON.stringify(body)).rejects.toThrow('"path"')
    }
  })

  test('our own panel speaks for the page around it; another page cannot', async () => {
    const own = { origin: publicUrl, host: 'talk.example' }
    const { token } = (await bootstrap({ hostOrigin: page }, own)).json as { token: string }
    expect(await identity.verifyVisitor(token, { origin: page })).toMatchObject({
      is: 'visitor',
      claims: { origin: page },
    })
    await expect(bootstrap({ hostOrigin: 'https://evil.example' }, own)).rejects.toMatchObject({
      code: 'origin_refused',
    })
    const evil = { origin: 'https://evil.example', host: 'talk.example' }
    await expect(bootstrap({ hostOrigin: page }, evil)).rejects.toMatchObject({ code: 'origin_refused' })
  })
})

describe('console sign-in', () => {
  test('sets a cookie no script can read, tells the CSRF token, and ends at sign-out', async () => {
    const { token } = await identity.createSignInToken()
    const reply = await call('POST', '/v1/console/sign-in', { body: { token } })
    const header = reply.headers?.['set-cookie'] ?? ''
    expect(header).toMatch(
      /^parley_session=[\w-]{43}\.[\w%]{44,52}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/,
    )
    const cookie = header.split(';')[0] ?? ''
    const me = await call('GET', '/v1/console/me', { headers: { cookie } })
    expect(me.json).toEqual(reply.json)
    expect(me.json).toMatchObject({ id: 'op_owner', csrf: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const out = await call('POST', '/v1/console/sign-out', { headers: { cookie } })
    expect(out.headers?.['set-cookie']).toMatch(/^parley_session=; .*Max-Age=0/)
    await expect(call('GET', '/v1/console/me', { headers: { cookie } })).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  test('a used and a made-up token get one and the same answer', async () => {
    const { token } = await identity.createSignInToken()
    await call('POST', '/v1/console/sign-in', { body: { token } })
    const answers = await Promise.all(
      [token, 'x'.repeat(43), ''].map((each) =>
        call('POST', '/v1/console/sign-in', { body: { token: each } }).catch((error: Error) => error.message),
      ),
    )
    expect(new Set(answers).size).toBe(1)
  })
})

describe('keys', () => {
  test('an API key is told by its making only', async () => {
    const made = await call('POST', '/v1/api-keys', { body: { label: 'server' } })
    const { key, id } = made.json as { key: string; id: string }
    expect(await identity.verifyApiKey(key)).toMatchObject({ keyId: id })
    const listed = await call('GET', '/v1/api-keys')
    expect(JSON.stringify(listed.json)).not.toContain(key.slice(-32))
    expect((await call('POST', '/v1/api-keys/:id/revoke', { params: { id } })).json).toMatchObject({
      status: 'revoked',
    })
    expect(await identity.verifyApiKey(key)).toBeUndefined()
  })

  test('[CON-04] abilities, tenant and status cannot be named by the caller', async () => {
    for (const extra of [{ abilities: ['credits.write'] }, { tenantId: 'ten_other' }, { raw: 'af_live_x' }]) {
      await expect(call('POST', '/v1/api-keys', { body: { label: 'x', ...extra } })).rejects.toThrow('Unrecognized key')
    }
    await expect(
      call('POST', '/v1/site-keys', { body: { label: 'x', agentSlug: 'helper', key: 'pk_mine_1234' } }),
    ).rejects.toThrow('Unrecognized key')
  })

  test('a site key is listed with its key and revoked', async () => {
    const { json } = await call('GET', '/v1/site-keys')
    expect(json).toMatchObject({ items: [{ key: siteKey, agentSlug: 'helper', status: 'active' }], next: null })
    const { id } = (json as { items: { id: string }[] }).items[0]!
    await call('POST', '/v1/site-keys/:id/revoke', { params: { id } })
    await expect(bootstrap({})).rejects.toMatchObject({ code: 'forbidden' })
  })
})
