// What the audit log of a tenant tells of how its people came in, and of what they changed of their ways in.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { FakeClerk } from '../harness/fake-clerk.ts'
import { Operator } from '../harness/operator.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { totpCode } from '../harness/totp.ts'

const password = 'plum-tin-harbour-9'
let clerk: FakeClerk
let gateway: TestGateway
let owner: Operator
beforeAll(async () => {
  clerk = await FakeClerk.start()
  gateway = await startGateway({ CLERK_JWT_ISSUER_DOMAIN: clerk.issuer, CLERK_WEBHOOK_SECRET: clerk.webhookSecret })
  owner = await Operator.byLink(gateway.url, gateway.started.signInUrl)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await clerk[Symbol.asyncDispose]()
})

const page = z.object({
  items: z.array(
    z.object({
      ability: z.string(),
      actor: z.object({ kind: z.string(), id: z.string() }),
      ...{ outcome: z.string(), code: z.string().nullable(), route: z.string().nullable() },
      ...{ target: z.string().nullable(), ip: z.string() },
    }),
  ),
})
async function log(filter: string, tenant = 'productco') {
  const { body } = await owner.send('GET', `/v1/audit?tenant=${tenant}&limit=100&${filter}`)
  return page.parse(body).items
}
/** Oldest first. */
const actsOf = async ({ id }: { readonly id: string }, tenant?: string) =>
  (await log(`actor=${id}`, tenant))
    .filter((each) => each.ability.startsWith('auth.'))
    .map(({ ability, outcome }) => (outcome === 'done' ? ability : `${ability} ${outcome}`))
    .reverse()
const person = () => new Operator(gateway.url)
const auth = (who: Operator, path: string, body?: object, method = 'POST') => who.send(method, `/v1/auth/${path}`, body)

let count = 0
async function joined(): Promise<{ readonly who: Operator; readonly email: string; readonly token: string }> {
  const email = `person-${++count}@example.com`
  const invited = await owner.send('POST', '/v1/team/invitations?tenant=productco', { email, roles: ['operator'] })
  const token = z.object({ link: z.string() }).parse(invited.body).link.split('#invitation=')[1] ?? ''
  const who = person()
  who.knows((await who.send('POST', '/v1/team/invitations/accept', { token, name: 'P', password })).body)
  return { who, email, token }
}

test('coming in by invitation, by password and by link is in the log, with the address it came from, and going too', async () => {
  const { who, email } = await joined()
  expect((await auth(person(), 'sign-in/email', { email, password })).status).toBe(200)
  const { token } = await gateway.app.slices.identity.createSignInToken(who.id)
  await Operator.byLink(gateway.url, `#token=${token}`)
  expect((await person().send('POST', '/v1/console/sign-in', { token })).status, 'the link again').toBe(401)
  expect((await who.send('POST', '/v1/console/sign-out')).status).toBe(204)
  const entries = (await log(`actor=${who.id}`)).reverse()
  expect(entries.map(({ ability, outcome, route }) => [ability, outcome, route])).toEqual([
    ['auth.sign-in', 'done', '/v1/team/invitations/accept'],
    ['auth.sign-in', 'done', '/v1/auth/sign-in/email'],
    ['auth.sign-in', 'done', '/v1/console/sign-in'],
    ['auth.sign-in', 'refused', '/v1/console/sign-in'],
    ['auth.sign-out', 'done', '/v1/console/sign-out'],
  ])
  expect(new Set(entries.map(({ ip, actor, target }) => [ip, actor.kind, target].join()))).toEqual(
    new Set([`127.0.0.1,operator,${who.id}`]),
  )
})

test('a wrong password of somebody known is in the log; nothing that was typed is, and nobody’s address either', async () => {
  const { who, email } = await joined()
  const before = (await log('ability=auth.sign-in')).length
  expect((await auth(person(), 'sign-in/email', { email: 'nobody@example.com', password })).status).toBe(401)
  expect((await auth(person(), 'sign-in/email', { email: email.toUpperCase(), password: 'not-it-9-not' })).status).toBe(
    401,
  )
  // It is written after the answer.
  await expect.poll(() => actsOf(who)).toEqual(['auth.sign-in', 'auth.sign-in refused'])
  expect((await log('ability=auth.sign-in')).length - before).toBe(1)
  expect(await actsOf(who, 'eventco'), 'a tenant in which they have no role').toEqual([])
  const { body } = await owner.send('GET', '/v1/audit?tenant=productco&limit=100')
  for (const typed of ['nobody@example.com', email, 'not-it-9-not', password])
    expect(JSON.stringify(body).toLowerCase()).not.toContain(typed)
})

test('the second factor: begun, on, the password alone, a wrong code, a right one, new backup codes, off', async () => {
  const { who, email } = await joined()
  expect((await auth(who, 'two-factor/enable', { password: 'not-it-9-not' })).status).toBe(400)
  const enabled = await auth(who, 'two-factor/enable', { password })
  const { totpURI } = z.object({ totpURI: z.string() }).parse(enabled.body)
  expect((await auth(who, 'two-factor/verify-totp', { code: '000000' })).status).toBe(401)
  await expect.poll(async () => (await actsOf(who)).at(-1)).toBe('auth.two-factor-on refused')
  expect((await auth(who, 'two-factor/verify-totp', { code: totpCode(totpURI) })).status).toBe(200)
  const again = person()
  await auth(again, 'sign-in/email', { email, password })
  expect((await auth(again, 'two-factor/verify-totp', { code: '000000' })).status).toBe(401)
  await expect.poll(async () => (await actsOf(who)).at(-1)).toBe('auth.second-factor refused')
  expect((await auth(again, 'two-factor/verify-totp', { code: totpCode(totpURI) })).status).toBe(200)
  await again.send('GET', '/v1/console/me').then(({ body }) => again.knows(body))
  expect((await auth(again, 'two-factor/generate-backup-codes', { password })).status).toBe(200)
  expect((await auth(again, 'two-factor/disable', { password })).status).toBe(200)
  expect((await actsOf(who)).slice(1)).toEqual([
    'auth.two-factor-begin refused',
    'auth.two-factor-begin',
    'auth.two-factor-on refused',
    'auth.two-factor-on',
    'auth.first-factor',
    'auth.second-factor refused',
    'auth.sign-in',
    'auth.backup-codes',
    'auth.two-factor-off',
  ])
})

test('a password changed, and tried in vain; a passkey refused and removed; sessions ended', async () => {
  const { who, email } = await joined()
  const next = 'another-long-one-7'
  expect((await auth(who, 'change-password', { currentPassword: 'not-it-9-not', newPassword: next })).status).toBe(400)
  expect((await auth(who, 'change-password', { currentPassword: password, newPassword: next })).status).toBe(200)
  // It is another session from here on.
  who.knows((await who.send('GET', '/v1/console/me')).body)
  const passkeys = gateway.app.stores.mongo.db.collection<{ _id: string }>('operator_passkeys')
  const made = { operatorId: who.id, credentialID: 'a-credential', publicKey: '', counter: 0, createdAt: new Date() }
  await passkeys.insertOne({ _id: 'acct_passkey', ...made })
  expect((await auth(person(), 'passkey/verify-authentication', { response: { id: 'a-credential' } })).status).toBe(400)
  await expect.poll(async () => (await actsOf(who)).at(-1)).toBe('auth.sign-in refused')
  expect((await auth(who, 'passkey/delete-passkey', { id: 'acct_passkey' })).status).toBe(200)
  await auth(person(), 'sign-in/email', { email, password: next })
  const sessions = z.object({ items: z.array(z.object({ id: z.string(), current: z.boolean() })) })
  const { items } = sessions.parse((await auth(who, 'sessions', undefined, 'GET')).body)
  const other = items.find((each) => !each.current)
  expect((await auth(who, `sessions/${other?.id}`, undefined, 'DELETE')).status).toBe(204)
  expect((await auth(who, 'sessions', undefined, 'DELETE')).status).toBe(204)
  expect((await actsOf(who)).slice(1)).toEqual([
    'auth.password-change refused',
    'auth.password-change',
    'auth.sign-in refused',
    'auth.passkey-remove',
    'auth.sign-in',
    'auth.session-end',
    'auth.sessions-end',
  ])
})

test('a first password, and an invitation of somebody known that somebody else opens', async () => {
  const { slices } = gateway.app
  const tenant = await slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  const id = await slices.identity.createOperator('Q', [{ tenantId: tenant.id, role: 'operator' }])
  const { token } = await slices.identity.createSignInToken(id)
  const who = await Operator.byLink(gateway.url, `#token=${token}`)
  expect((await auth(who, 'set-password', { email: 'q@example.com', password })).status).toBe(200)
  const wish = { email: 'q@example.com', roles: ['admin'] }
  const invited = await owner.send('POST', '/v1/team/invitations?tenant=productco', wish)
  const link = z.object({ link: z.string() }).parse(invited.body).link.split('#invitation=')[1]
  const taken = await person().send('POST', '/v1/team/invitations/accept', { token: link, name: 'Not Q' })
  expect(taken.status).toBe(401)
  expect(await actsOf(who)).toEqual(['auth.sign-in', 'auth.password-set', 'auth.sign-in refused'])
})

test('the first of 20 requests at once with a token of Clerk is one sign-in in the log of the workspace it makes', async () => {
  const token = await clerk.token('user_first', { name: 'Greta' })
  const me = () => fetch(`${gateway.url}/v1/console/me`, { headers: { authorization: `Bearer ${token}` } })
  const [answer] = await Promise.all(Array.from({ length: 20 }, me))
  const { id, tenants } = z
    .object({ id: z.string(), tenants: z.array(z.object({ slug: z.string() })) })
    .parse(await answer?.json())
  await expect
    .poll(() => log(`actor=${id}`, tenants[0]?.slug))
    .toMatchObject([{ ability: 'auth.sign-in', outcome: 'done', route: null, ip: '127.0.0.1' }])
})

test('what Clerk changes in a tenant is in its log, as Clerk’s doing', async () => {
  const tell = async (type: string, data: object) => {
    const { headers, body } = clerk.signed({ type, data })
    expect((await fetch(`${gateway.url}/webhook/clerk`, { method: 'POST', headers, body })).status, type).toBe(204)
  }
  const organization = { id: 'org_1', name: 'Orga' }
  const member = (type: string, updated_at: number) =>
    tell(`organizationMembership.${type}`, {
      ...{ role: 'org:member', organization, updated_at },
      public_user_data: { user_id: 'user_m', first_name: 'Kim', last_name: 'Lee' },
    })
  await tell('organization.created', { ...organization, updated_at: 1 })
  await member('created', 10)
  await tell('user.updated', { id: 'user_m', first_name: 'Kim', last_name: 'Lu', email_addresses: [], updated_at: 11 })
  await member('deleted', 20)
  await member('deleted', 20)
  const { outside } = gateway.app.slices.identity
  const tenantId = await outside.getOrCreateOrganization({ id: 'org_1', name: 'x' })
  const target = (await outside.getByClerkId('user_m'))?.operatorId
  const slug = (await gateway.app.slices.tenants.byId(tenantId))?.slug
  const entries = (await log('actor=clerk', slug)).reverse()
  expect(entries.map(({ ability, target: of, actor }) => [actor.kind, ability, of])).toEqual([
    ['webhook', 'tenant.write', tenantId],
    ['webhook', 'team.write', target],
    ['webhook', 'team.write', target],
    ['webhook', 'team.write', target],
  ])
  await member('created', 30)
  await tell('user.deleted', { id: 'user_m', deleted: true })
  await tell('organization.deleted', { id: 'org_1', deleted: true })
  const last = (await gateway.app.slices.identity.audit.of(tenantId).list({ limit: 2 })).items
  expect(last.map(({ ability, target: of }) => [ability, of])).toEqual([
    ['tenant.write', tenantId],
    ['team.write', target],
  ])
})
