import { randomBytes } from 'node:crypto'
import { importPKCS8, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { agentCollections, createAgents } from '../agents/agents.ts'
import { createObjects, objectCollections } from '../objects/objects.ts'
import { abilities } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import { asTenantId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { createTenants, type Tenant, tenantCollections } from '../tenants/tenants.ts'
import { createIdentity, type Identity, identityCollections } from './identity.ts'
import { createSeal } from './seal.ts'

/** Time that only moves when told to. */
class HandClock implements Clock {
  ms = Date.parse('2026-11-24T10:00:00Z')
  now() {
    return this.ms
  }
  monotonicMs() {
    return this.ms
  }
  after() {
    return { cancel() {} }
  }
  every() {
    return { cancel() {} }
  }
}

const publicUrl = 'http://127.0.0.1:4000'
const page = 'https://shop.example'
const secret = randomBytes(32)
const clock = new HandClock()
let store: TestStore
let tenants: ReturnType<typeof createTenants>
let agents: ReturnType<typeof createAgents>
let identity: Identity
let tenant: Tenant
let siteKey: string
let siteKeyId: string
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
  identity = createIdentity({ db: store.db, publicUrl, secret, tenants, agents, clock })
  tenant = await newTenant()
  const key = await identity.createSiteKey(tenant.id, { label: 'page', agentSlug: 'helper' })
  siteKey = key.key
  siteKeyId = key.id
})

async function newTenant(): Promise<Tenant> {
  const made = await tenants.create({ slug: `t-${count++}`, name: 'T', origins: [page] })
  const scope = agents.of(made.id)
  const agent = await scope.create({ slug: 'helper', name: 'Helper' })
  await scope.publish(agent.id)
  return made
}
const visitorId = () => randomBytes(12).toString('base64url')
const bootstrap = (over: Partial<Parameters<Identity['bootstrap']>[0]> = {}) =>
  identity.bootstrap({ key: siteKey, agent: 'helper', origin: page, ...over })
const verify = (token: string, origin: string | undefined = page) => identity.verifyVisitor(token, { origin })
const refusedWith = (code: string) => expect.objectContaining({ is: 'refused', code })

/** Signs with the gateway's real key, so that only the changed part can be the reason of a refusal. */
async function forge(over: { header?: object; claims?: object; payloadText?: string; kid?: string }): Promise<string> {
  const { token } = await bootstrap()
  const [head = '', body = ''] = token.split('.')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString())
  if (over.kid !== undefined) header.kid = over.kid
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  const record = await store.db
    .collection<{ _id: string; sealedPrivate: string }>('signing_keys')
    .findOne({ _id: header.kid })
  const pem = createSeal(secret, 'parley signing keys').open(record!.sealedPrivate, header.kid)
  const key = await importPKCS8(pem!, 'EdDSA')
  if (over.payloadText !== undefined) {
    const { subtle } = globalThis.crypto
    const signed = `${head}.${Buffer.from(over.payloadText).toString('base64url')}`
    const signature = await subtle.sign('Ed25519', key, Buffer.from(signed))
    return `${signed}.${Buffer.from(signature).toString('base64url')}`
  }
  return new SignJWT({ ...claims, ...over.claims }).setProtectedHeader({ ...header, ...over.header }).sign(key)
}

describe('visitor tokens', () => {
  test('a bootstrapped token names tenant, agent, channel, origin, contact and key', async () => {
    const id = visitorId()
    const { token, expiresAt } = await bootstrap({ visitorId: id })
    const agent = await agents.of(tenant.id).bySlug('helper')
    expect(await verify(token)).toEqual({
      is: 'visitor',
      claims: {
        tenantId: tenant.id,
        agentId: agent?.id,
        channel: 'widget',
        origin: page,
        visitorId: id,
        contactId: expect.stringMatching(/^cont_/),
        keyId: siteKeyId,
        tokenId: expect.stringMatching(/^tok_/),
        expiresAt,
        scopes: ['talk'],
        signingKeyId: expect.stringMatching(/^kid_/),
      },
    })
    expect(expiresAt).toBe(Math.floor(clock.now() / 1000) + 900)
  })

  test('the forger of these tests makes good tokens when it changes nothing', async () => {
    expect(await verify(await forge({}))).toMatchObject({ is: 'visitor' })
  })

  test('[TOK-01] alg:none is refused', async () => {
    const { token } = await bootstrap()
    const body = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(await verify(new UnsecuredJWT(body).encode())).toEqual(refusedWith('unauthenticated'))
    const [head = '', payload = '', signature = ''] = token.split('.')
    const none = { ...JSON.parse(Buffer.from(head, 'base64url').toString()), alg: 'none' }
    const unsigned = Buffer.from(JSON.stringify(none)).toString('base64url')
    for (const forged of [`${unsigned}.${payload}.`, `${unsigned}.${payload}.${signature}`]) {
      expect(await verify(forged)).toEqual(refusedWith('unauthenticated'))
    }
  })

  test('[TOK-01] a token under HS256 with the public key as its secret is refused', async () => {
    const { token } = await bootstrap()
    const [head = '', body = ''] = token.split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString())
    const doc = await store.db
      .collection<{ _id: string; publicJwk: string }>('signing_keys')
      .findOne({ _id: header.kid })
    const forged = await new SignJWT(JSON.parse(Buffer.from(body, 'base64url').toString()))
      .setProtectedHeader({ ...header, alg: 'HS256' })
      .sign(Buffer.from(doc!.publicJwk))
    expect(await verify(forged)).toEqual(refusedWith('unauthenticated'))
  })

  test('[TOK-03] a valid signature with a wrong audience, issuer or type is refused', async () => {
    for (const over of [
      { claims: { aud: 'parley:console' } },
      { claims: { aud: ['parley:visitor', 'parley:console'] } },
      { claims: { iss: 'http://127.0.0.1:4001' } },
      { header: { typ: 'JWT' } },
    ]) {
      expect(await verify(await forge(over)), JSON.stringify(over)).toEqual(refusedWith('unauthenticated'))
    }
  })

  test('[TOK-05] a key id that is a path or a query is refused and never looked up', async () => {
    for (const kid of [
      '../../dev/null',
      "' OR 1=1 --",
      '{"$gt":""}',
      'kid_../../../etc/passwd',
      '',
      'kid_0000000000000000000',
    ]) {
      expect(await verify(await forge({ header: { kid } })), kid).toEqual(refusedWith('unauthenticated'))
    }
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }
    expect(await verify(await forge({ header: { jwk } }))).toEqual(refusedWith('unauthenticated'))
  })

  test('[TOK-06] 29 seconds past expiry or before its time is accepted, 31 seconds is refused', async () => {
    const now = Math.floor(clock.now() / 1000)
    const times = (exp: number, nbf: number) => forge({ claims: { iat: exp - 900, nbf, exp } })
    expect(await verify(await times(now - 29, now - 900))).toMatchObject({ is: 'visitor' })
    expect(await verify(await times(now - 31, now - 900))).toEqual(refusedWith('unauthenticated'))
    expect(await verify(await times(now + 900, now + 29))).toMatchObject({ is: 'visitor' })
    expect(await verify(await times(now + 900, now + 31))).toEqual(refusedWith('unauthenticated'))
  })

  test('a token that would live longer than 15 minutes is refused, whoever signed it', async () => {
    const now = Math.floor(clock.now() / 1000)
    expect(await verify(await forge({ claims: { iat: now, exp: now + 901 } }))).toEqual(refusedWith('unauthenticated'))
  })

  test('[TOK-13] duplicate claims are refused', async () => {
    const { token } = await bootstrap()
    const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    expect(await verify(await forge({ payloadText: text }))).toMatchObject({ is: 'visitor' })
    const twice = text.replace('"sub":', '"sub":"ten_0000000000000000000","sub":')
    expect(await verify(await forge({ payloadText: twice }))).toEqual(refusedWith('unauthenticated'))
    expect(await verify(await forge({ claims: { tenant: 'ten_other' } }))).toEqual(refusedWith('unauthenticated'))
  })

  test('a changed signature, a cut token and noise are refused', async () => {
    const { token } = await bootstrap()
    const [head, body, signature = ''] = token.split('.')
    const other = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    for (const wrong of [`${head}.${body}.${other}`, `${head}.${body}`, '', '...', 'x'.repeat(5000), `${token}.x`]) {
      expect(await verify(wrong)).toEqual(refusedWith('unauthenticated'))
    }
  })

  test('a widget token is good on its own origin only', async () => {
    const { token } = await bootstrap()
    expect(await verify(token, 'https://evil.example')).toEqual(refusedWith('origin_refused'))
    expect(await identity.verifyVisitor(token, {})).toEqual(refusedWith('origin_refused'))
  })

  test('a token of a suspended tenant or a revoked key is refused', async () => {
    const { token } = await bootstrap()
    await tenants.setStatus(tenant.id, 'suspended')
    expect(await verify(token)).toEqual(refusedWith('revoked'))
    await tenants.setStatus(tenant.id, 'active')
    expect(await verify(token)).toMatchObject({ is: 'visitor' })
    await identity.revokeSiteKey(tenant.id, siteKeyId)
    expect(await verify(token)).toEqual(refusedWith('revoked'))
  })
})

describe('signing keys', () => {
  test('[TOK-14] after a rotation old tokens verify for the overlap, and not after it', async () => {
    const { token } = await bootstrap()
    await identity.rotateSigningKey()
    expect((await verify((await bootstrap()).token)).is).toBe('visitor')
    expect((await verify(token)).is).toBe('visitor')
    clock.ms += 14 * 60_000
    expect((await verify(token)).is).toBe('visitor')
    const old = await forge({ kid: (await claimsOf(token)).signingKeyId })
    clock.ms += 5 * 60_000
    expect((await verify(old)).is).toBe('visitor')
    clock.ms += 2 * 60_000
    expect(await verify(old)).toEqual(refusedWith('unauthenticated'))
  })

  test('[TOK-14] a revoked key is refused on another node within 3 seconds, and its live sessions are named', async () => {
    const other = createIdentity({ db: store.db, publicUrl, secret, tenants, agents, clock })
    const { token } = await bootstrap()
    const { signingKeyId, tenantId, keyId } = await claimsOf(token)
    expect((await other.verifyVisitor(token, { origin: page })).is).toBe('visitor')
    expect((await other.stillAllowed([{ tenantId, keyId, signingKeyId }])).size).toBe(0)
    expect(await identity.revokeSigningKey(signingKeyId)).toBe(true)
    expect(await verify(token)).toEqual(refusedWith('unauthenticated'))
    clock.ms += 3_000
    expect(await other.verifyVisitor(token, { origin: page })).toEqual(refusedWith('unauthenticated'))
    expect(await other.stillAllowed([{ tenantId, keyId, signingKeyId }])).toEqual(new Set([`${tenantId}:${keyId}`]))
    expect((await verify((await bootstrap()).token)).is).toBe('visitor')
  })

  test('a token signed a moment ago by a new key of another node is accepted', async () => {
    const other = createIdentity({ db: store.db, publicUrl, secret, tenants, agents, clock })
    await other.verifyVisitor((await bootstrap()).token, { origin: page })
    await identity.rotateSigningKey()
    clock.ms += 300
    expect((await other.verifyVisitor((await bootstrap()).token, { origin: page })).is).toBe('visitor')
  })

  test('private keys are stored sealed', async () => {
    await bootstrap()
    const docs = await store.db.collection('signing_keys').find({}).toArray()
    expect(docs.length).toBeGreaterThan(0)
    expect(JSON.stringify(docs)).not.toMatch(/PRIVATE|"d"/)
  })

  test('under another secret old tokens verify and new ones get a new key', async () => {
    const { token } = await bootstrap()
    const moved = createIdentity({ db: store.db, publicUrl, secret: randomBytes(32), tenants, agents, clock })
    expect((await moved.verifyVisitor(token, { origin: page })).is).toBe('visitor')
    const next = await moved.bootstrap({ key: siteKey, origin: page })
    expect((await moved.verifyVisitor(next.token, { origin: page })).is).toBe('visitor')
  })

  async function claimsOf(token: string) {
    const answer = await verify(token)
    if (answer.is !== 'visitor') throw new Error(`refused: ${answer.code}`)
    return answer.claims
  }
})

describe('bootstrap', () => {
  test('[WID-05] a site key used on a page that is not listed is refused', async () => {
    for (const origin of [
      'https://evil.example',
      'http://shop.example',
      'https://shop.example:8443',
      `${page}/`,
      'null',
      '',
    ]) {
      await expect(bootstrap({ origin }), origin).rejects.toMatchObject({ code: 'origin_refused' })
    }
  })

  test('[WID-05] a site key used without a page (curl) is refused', async () => {
    await expect(bootstrap({ origin: undefined })).rejects.toMatchObject({ code: 'origin_refused' })
  })

  test('a key with its own list is good there only', async () => {
    const staging = 'https://staging.example'
    const { key } = await identity.createSiteKey(tenant.id, { label: 's', agentSlug: 'helper', origins: [staging] })
    expect((await bootstrap({ key, origin: staging })).agent).toEqual({ slug: 'helper', name: 'Helper' })
    await expect(bootstrap({ key, origin: page })).rejects.toMatchObject({ code: 'origin_refused' })
  })

  test('an unknown key, a revoked key and a suspended tenant get one and the same answer', async () => {
    await expect(bootstrap({ key: 'pk_live_unknown_unknown' })).rejects.toMatchObject({ code: 'forbidden' })
    await expect(bootstrap({ key: '{"$ne":1}' })).rejects.toMatchObject({ code: 'forbidden' })
    await tenants.setStatus(tenant.id, 'suspended')
    await expect(bootstrap()).rejects.toMatchObject({ code: 'forbidden' })
    await tenants.setStatus(tenant.id, 'active')
    await identity.revokeSiteKey(tenant.id, siteKeyId)
    await expect(bootstrap()).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('an agent that is paused or not the one of the key is refused', async () => {
    await expect(bootstrap({ agent: 'other' })).rejects.toMatchObject({ code: 'unknown_agent' })
    const agent = await agents.of(tenant.id).bySlug('helper')
    await agents.of(tenant.id).setStatus(agent!.id, 'paused')
    await expect(bootstrap()).rejects.toMatchObject({ code: 'agent_inactive' })
  })

  test('it never tells the tenant id or a secret in the clear', async () => {
    const { token, ...rest } = await bootstrap()
    expect(token).toBeTypeOf('string')
    expect(JSON.stringify(rest)).not.toContain(tenant.id)
  })
})

describe('contacts', () => {
  test('100 first sessions of one visitor at once make one contact', async () => {
    const id = visitorId()
    const ids = await Promise.all(
      Array.from({ length: 100 }, () => identity.contact({ tenantId: tenant.id, visitorId: id, vouched: false })),
    )
    expect(new Set(ids).size).toBe(1)
  })

  test('two sessions of one e-mail make one person, whose first facts stay', async () => {
    const first = await identity.contact({ tenantId: tenant.id, email: ' Ann@Example.com ', vouched: true })
    const before = await contactDoc(first)
    const second = await identity.contact({ tenantId: tenant.id, email: 'ann@example.com', vouched: true })
    expect(second).toBe(first)
    const after = await contactDoc(first)
    expect(after).toMatchObject({ tenantId: tenant.id, email: 'ann@example.com', createdAt: before.createdAt })
    expect(after.emailHash).toBe(before.emailHash)
    expect(after.emailHash).toMatch(/^[0-9a-f]{64}$/)
    expect(+after.updatedAt).toBeGreaterThanOrEqual(+before.updatedAt)
  })

  test('a page that claims somebody’s e-mail does not become that person', async () => {
    const person = await identity.contact({ tenantId: tenant.id, email: 'victim@example.com', vouched: true })
    const stranger = await identity.contact({
      tenantId: tenant.id,
      visitorId: visitorId(),
      email: 'victim@example.com',
      vouched: false,
    })
    expect(stranger).not.toBe(person)
    expect((await contactDoc(stranger)).claims).toBe(person)
  })

  test('a visitor id of a page never meets a customer’s own id of the same text', async () => {
    const id = visitorId()
    const own = await identity.contact({ tenantId: tenant.id, visitorId: id, vouched: true })
    expect(await identity.contact({ tenantId: tenant.id, visitorId: id, vouched: false })).not.toBe(own)
  })

  test('a vouched visitor id and e-mail are one contact, found by either', async () => {
    const both = await identity.contact({
      tenantId: tenant.id,
      visitorId: 'u-7',
      email: 'u7@example.com',
      vouched: true,
    })
    expect(await identity.contact({ tenantId: tenant.id, visitorId: 'u-7', vouched: true })).toBe(both)
    expect(await identity.contact({ tenantId: tenant.id, email: 'u7@example.com', vouched: true })).toBe(both)
  })

  test('a vouched visitor who is later known by e-mail stays the same contact', async () => {
    const scope = { tenantId: tenant.id, vouched: true }
    const first = await identity.contact({ ...scope, visitorId: 'late' })
    expect(await identity.contact({ ...scope, visitorId: 'late', email: 'late@example.com' })).toBe(first)
    expect(await identity.contact({ ...scope, email: 'LATE@example.com' })).toBe(first)
    const other = await identity.contact({ ...scope, visitorId: 'tablet', email: 'late@example.com' })
    expect(other).toBe(first)
    const someone = await identity.contact({ ...scope, email: 'else@example.com' })
    expect(await identity.contact({ ...scope, visitorId: 'late', email: 'else@example.com' })).toBe(someone)
  })

  test('[TEN-06] the same visitor in two tenants is two contacts', async () => {
    const id = visitorId()
    const ids = await Promise.all(
      [asTenantId('ten_a:b'), asTenantId('ten_a')].map((tenantId) =>
        identity.contact({ tenantId, visitorId: tenantId === 'ten_a' ? `b:${id}` : id, vouched: false }),
      ),
    )
    expect(new Set(ids).size).toBe(2)
  })

  async function contactDoc(id: string) {
    const doc = await store.db
      .collection<{
        _id: string
        tenantId: string
        email: string
        emailHash: string
        claims: string
        createdAt: Date
        updatedAt: Date
      }>('contacts')
      .findOne({ _id: id })
    if (doc === null) throw new Error('no contact')
    return doc
  }
})

describe('API keys', () => {
  test('[CON-10] a key is shown once, stored hashed, and remembers its last use', async () => {
    const { raw, view } = await identity.createApiKey(tenant.id, 'server')
    expect(raw).toMatch(/^af_live_[A-Za-z0-9]{8}_[A-Za-z0-9]{32}$/)
    expect(JSON.stringify(await store.db.collection('keys').find({ tenantId: tenant.id }).toArray())).not.toContain(
      raw.slice(-32),
    )
    expect(JSON.stringify(await identity.apiKeys(tenant.id))).not.toContain(raw.slice(-32))
    expect(view.lastUsedAt).toBeNull()
    expect(await identity.verifyApiKey(raw)).toMatchObject({ tenantId: tenant.id, keyId: view.id })
    // Nobody waits for the note of it.
    const lastUse = async () => (await identity.apiKeys(tenant.id))[0]?.lastUsedAt
    const first = new Date(clock.now()).toISOString()
    await expect.poll(lastUse).toBe(first)
    clock.ms += 30_000
    await identity.verifyApiKey(raw)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await lastUse()).toBe(first)
    clock.ms += 31_000
    await identity.verifyApiKey(raw)
    await expect.poll(lastUse).toBe(new Date(clock.now()).toISOString())
  })

  test('a key with one letter changed, revoked, or of a suspended tenant is refused', async () => {
    const { raw, view } = await identity.createApiKey(tenant.id, 'server')
    const last = raw.endsWith('A') ? 'B' : 'A'
    expect(await identity.verifyApiKey(raw.slice(0, -1) + last)).toBeUndefined()
    expect(await identity.verifyApiKey(`${raw}x`)).toBeUndefined()
    await tenants.setStatus(tenant.id, 'suspended')
    expect(await identity.verifyApiKey(raw)).toBeUndefined()
    await tenants.setStatus(tenant.id, 'active')
    expect(await identity.verifyApiKey(raw)).toBeDefined()
    await identity.revokeApiKey(tenant.id, view.id)
    expect(await identity.verifyApiKey(raw)).toBeUndefined()
  })

  test('a key can neither make keys nor credit', async () => {
    const { raw } = await identity.createApiKey(tenant.id, 'server')
    const key = await identity.verifyApiKey(raw)
    const auth = key && (await identity.authFor.key(key))
    expect(auth?.may('realtime.create')).toBe(true)
    for (const ability of ['keys.write', 'keys.read', 'credits.write', 'tenant.write'] as const) {
      expect(auth?.may(ability), ability).toBe(false)
    }
  })

  test('[TEN-01] a key of another tenant cannot be revoked or seen', async () => {
    const other = await newTenant()
    const { raw, view } = await identity.createApiKey(tenant.id, 'server')
    await expect(identity.revokeApiKey(other.id, view.id)).rejects.toMatchObject({ code: 'not_found' })
    await expect(identity.revokeSiteKey(other.id, siteKeyId)).rejects.toMatchObject({ code: 'not_found' })
    await expect(identity.revokeSiteKey(tenant.id, view.id)).rejects.toMatchObject({ code: 'not_found' })
    expect(await identity.apiKeys(other.id)).toEqual([])
    expect(await identity.verifyApiKey(raw)).toBeDefined()
  })

  test('a given key is made once and refused for another tenant', async () => {
    const raw = `af_live_Demo${String(count).padStart(4, '0')}_${'d'.repeat(32)}`
    const first = await identity.createApiKey(tenant.id, 'Demo', { raw })
    expect((await identity.createApiKey(tenant.id, 'Demo', { raw })).view.id).toBe(first.view.id)
    const other = await newTenant()
    await expect(identity.createApiKey(other.id, 'Demo', { raw })).rejects.toMatchObject({ code: 'conflict' })
    await expect(identity.createApiKey(other.id, 'Demo', { raw: 'af_live_short_1' })).rejects.toMatchObject({
      code: 'invalid',
    })
  })
})

describe('client secrets', () => {
  test('a backend gets a token for the api channel, cut to 15 minutes', async () => {
    const { view } = await identity.createApiKey(tenant.id, 'server')
    const secretOf = (over: object) => identity.mintClientSecret({ tenantId: tenant.id, keyId: view.id, ...over })
    const minted = await secretOf({ agent: 'helper', lifeSeconds: 7200, visitor: { id: 'u-1' } })
    expect(minted.expires_at).toBe(Math.floor(clock.now() / 1000) + 900)
    expect(minted.session).toMatchObject({ type: 'realtime', agent: 'helper' })
    const answer = await identity.verifyVisitor(minted.value, {})
    expect(answer).toMatchObject({
      is: 'visitor',
      claims: { channel: 'api', origin: null, visitorId: 'u-1', keyId: view.id },
    })
    const bound = await secretOf({ origin: page })
    expect(await identity.verifyVisitor(bound.value, {})).toEqual(refusedWith('origin_refused'))
    await expect(secretOf({ agent: 'nobody' })).rejects.toMatchObject({ code: 'unknown_agent' })
    await identity.revokeApiKey(tenant.id, view.id)
    expect(await identity.verifyVisitor(minted.value, {})).toEqual(refusedWith('revoked'))
  })
})

describe('still allowed', () => {
  test('names revoked keys and suspended tenants among hundreds, in a bounded number of queries', async () => {
    const other = await newTenant()
    const pairs: { tenantId: TenantId; keyId: string }[] = []
    for (let i = 0; i < 20; i++) {
      const owner = i % 2 === 0 ? tenant : other
      const { id } = await identity.createSiteKey(owner.id, { label: `k${i}`, agentSlug: 'helper' })
      pairs.push({ tenantId: owner.id, keyId: id })
    }
    expect(await identity.stillAllowed(pairs)).toEqual(new Set())
    await identity.revokeSiteKey(tenant.id, pairs[0]!.keyId)
    expect(await identity.stillAllowed(pairs)).toEqual(new Set([`${tenant.id}:${pairs[0]!.keyId}`]))
    await tenants.setStatus(other.id, 'suspended')
    const ended = await identity.stillAllowed(pairs)
    expect(ended.size).toBe(11)
    const foreign = { tenantId: tenant.id, keyId: pairs[1]!.keyId }
    expect(await identity.stillAllowed([foreign, { tenantId: tenant.id, keyId: 'key_none' }])).toEqual(
      new Set([`${tenant.id}:${foreign.keyId}`, `${tenant.id}:key_none`]),
    )
    expect(await identity.stillAllowed([])).toEqual(new Set())
  })
})

describe('operators', () => {
  test('[TOK-08] a sign-in token works once: 50 at the same time get one session', async () => {
    const { token } = await identity.createSignInToken()
    const answers = await Promise.all(Array.from({ length: 50 }, () => identity.signIn(token)))
    expect(answers.filter((each) => each !== undefined)).toHaveLength(1)
    expect(await identity.signIn(token)).toBeUndefined()
  })

  test('a sign-in token is refused after 30 minutes', async () => {
    const { token } = await identity.createSignInToken()
    clock.ms += 30 * 60_000
    expect(await identity.signIn(token)).toBeUndefined()
  })

  test('the owner sees every tenant with every ability', async () => {
    const operator = await identity.operatorOf(await signedIn())
    expect(operator?.tenants.map((each) => each.id)).toContain(tenant.id)
    expect(operator?.tenants[0]).toMatchObject({ role: 'owner' })
    const auth = operator && (await identity.authFor.operator(operator, tenant.id))
    expect(abilities.filter((each) => auth?.may(each) !== true)).toEqual([])
    expect(operator?.csrf).toMatch(/^[0-9a-f]{64}$/)
  })

  test('[CON-04] a viewer sees only their tenants and may only read', async () => {
    const operatorId = await identity.createOperator('Vi', [{ tenantId: tenant.id, role: 'viewer' }])
    const operator = await identity.operatorOf(await signedIn(operatorId))
    expect(operator?.tenants.map((each) => each.id)).toEqual([tenant.id])
    const auth = operator && (await identity.authFor.operator(operator, tenant.id))
    const allowed = abilities.filter((each) => auth?.may(each))
    expect(allowed).toContain('sessions.read')
    expect(allowed.every((each) => each.endsWith('.read'))).toBe(true)
  })

  test('[CON-06] a cookie is refused after sign-out, and a role taken away is gone at once', async () => {
    const operatorId = await identity.createOperator('Ro', [{ tenantId: tenant.id, role: 'admin' }])
    const cookie = await signedIn(operatorId)
    await identity.setRoles(operatorId, [])
    expect((await identity.operatorOf(cookie))?.tenants).toEqual([])
    await identity.signOut(cookie)
    expect(await identity.operatorOf(cookie)).toBeUndefined()
  })

  test('a session ends after 2 idle hours and after 12 hours in any case', async () => {
    const idle = await signedIn()
    clock.ms += 2 * 3_600_000 + 1
    expect(await identity.operatorOf(idle)).toBeUndefined()
    const busy = await signedIn()
    for (let hour = 0; hour < 11; hour++) {
      clock.ms += 3_600_000
      expect(await identity.operatorOf(busy), `hour ${hour}`).toBeDefined()
    }
    clock.ms += 3_600_000
    expect(await identity.operatorOf(busy)).toBeUndefined()
  })

  test('neither sign-in tokens nor cookies are stored', async () => {
    const { token } = await identity.createSignInToken()
    const cookie = await signedIn()
    const stored = JSON.stringify([
      await store.db.collection('sign_in_tokens').find({}).toArray(),
      await store.db.collection('operator_sessions').find({}).toArray(),
    ])
    expect(stored).not.toContain(token)
    expect(stored).not.toContain(cookie)
  })

  test('the cookie is found among others, and noise is no cookie', async () => {
    expect(identity.sessionCookie('a=b; parley_session=xyz; c=d')).toBe('xyz')
    expect(identity.sessionCookie('not_parley_session=xyz')).toBeUndefined()
    expect(identity.sessionCookie(undefined)).toBeUndefined()
    for (const noise of ['', '{"$gt":""}', 'x'.repeat(43)]) expect(await identity.operatorOf(noise)).toBeUndefined()
  })

  async function signedIn(operatorId?: string): Promise<string> {
    const { token } = await identity.createSignInToken(operatorId)
    const session = await identity.signIn(token)
    if (session === undefined) throw new Error('not signed in')
    return session.cookie
  }
})
