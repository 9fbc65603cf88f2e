// Signing in by e-mail and password, with a second factor, over HTTP; where a person is signed in.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Operator } from '../harness/operator.ts'
import { placesOf } from '../harness/raw-store.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { totpCode } from '../harness/totp.ts'

const password = 'plum-tin-harbour-9'
let gateway: TestGateway
let owner: Operator
beforeAll(async () => {
  gateway = await startGateway()
  owner = await Operator.byLink(gateway.url, gateway.started.signInUrl)
})
afterAll(() => gateway[Symbol.asyncDispose]())

const textOf = (body: unknown, name: string) => String((body as Record<string, unknown>)[name])
const person = () => new Operator(gateway.url)

async function invited(email: string): Promise<string> {
  const wish = { email, roles: ['operator'] }
  const { body } = await owner.send('POST', '/v1/team/invitations?tenant=productco', wish)
  return textOf(body, 'link').split('#invitation=')[1] ?? ''
}

/** Somebody who has taken up an invitation with a password; signed in. */
async function joined(email: string): Promise<Operator> {
  const who = person()
  const { status, body } = await who.send('POST', '/v1/team/invitations/accept', {
    token: await invited(email),
    name: 'P',
    password,
  })
  expect(status).toBe(200)
  who.knows(body)
  return who
}

async function me(who: Operator): Promise<number> {
  const { status, body } = await who.send('GET', '/v1/console/me')
  if (status === 200) who.knows(body)
  return status
}

test('a person invited with a password signs in with it, whatever the case of the address', async () => {
  await joined('ann@example.com')
  const ann = person()
  const answer = await ann.send('POST', '/v1/auth/sign-in/email', { email: 'ANN@example.com', password })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  expect(answer.headers.getSetCookie().join()).toMatch(/parley_session=[^;]+;.*HttpOnly.*SameSite=Strict/i)
  expect(JSON.stringify(answer.body)).not.toContain('token')
  expect(await me(ann)).toBe(200)
  expect((await ann.send('GET', '/v1/sessions?tenant=productco')).status).toBe(200)
  expect((await ann.send('POST', '/v1/console/sign-out')).status).toBe(204)
  expect(await me(ann)).toBe(401)
})

test('a wrong password and an address nobody has get one and the same answer', async () => {
  await joined('bob@example.com')
  const wrong = await person().send('POST', '/v1/auth/sign-in/email', {
    email: 'bob@example.com',
    password: 'x'.repeat(12),
  })
  const nobody = await person().send('POST', '/v1/auth/sign-in/email', { email: 'no@example.com', password })
  expect(wrong.status).toBe(401)
  expect(wrong.body).toEqual(nobody.body)
  expect(nobody.status).toBe(401)
  expect(wrong.headers.getSetCookie()).toEqual([])
})

test('a weak password is refused with the reason, and the invitation is still good', async () => {
  const token = await invited('weakling@example.com')
  for (const weak of ['short', 'aaaaaaaaaaaaaaaa', 'weakling-weakling-1']) {
    const answer = await person().send('POST', '/v1/team/invitations/accept', { token, name: 'W', password: weak })
    expect(answer, weak).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } })
  }
  expect((await person().send('POST', '/v1/team/invitations/accept', { token, name: 'W', password })).status).toBe(200)
})

test('nobody makes an account by themselves, and no other door of the library is open', async () => {
  const body = { email: 'self@example.com', password, name: 'Self' }
  for (const path of [
    'sign-up/email',
    'forget-password',
    'request-password-reset',
    'update-user',
    'list-sessions',
    'get-session',
  ])
    expect((await person().send('POST', `/v1/auth/${path}`, body)).status, path).toBe(404)
})

test('a page of another origin cannot sign anybody in', async () => {
  const body = { email: 'ann@example.com', password }
  const answer = await person().send('POST', '/v1/auth/sign-in/email', body, { origin: 'https://evil.example' })
  expect(answer).toMatchObject({ status: 403, body: { error: { code: 'origin_refused' } } })
})

test('a person sees where they are signed in, ends one of these sessions, and it is over at once', async () => {
  const first = await joined('cem@example.com')
  const second = person()
  await second.send('POST', '/v1/auth/sign-in/email', { email: 'cem@example.com', password })
  expect(await me(second)).toBe(200)
  const { body } = await first.send('GET', '/v1/auth/sessions')
  const { items } = body as { items: { id: string; current: boolean }[] }
  expect(items).toHaveLength(2)
  const other = items.find((each) => !each.current)
  const mine = await owner.send('DELETE', `/v1/auth/sessions/${other?.id}`)
  expect(mine.status, 'of somebody else').toBe(404)
  expect((await first.send('DELETE', `/v1/auth/sessions/${other?.id}`)).status).toBe(204)
  expect(await me(second)).toBe(401)
  expect(await me(first)).toBe(200)
})

test('the second factor: app confirmed by a code, asked for at sign-in, a wrong code refused, a backup code works once', async () => {
  const dora = await joined('dora@example.com')
  expect((await dora.send('POST', '/v1/auth/two-factor/enable', { password: 'not-my-password' })).status).toBe(400)
  const enabled = await dora.send('POST', '/v1/auth/two-factor/enable', { password })
  expect(enabled.status, JSON.stringify(enabled.body)).toBe(200)
  const { totpURI, backupCodes } = enabled.body as { totpURI: string; backupCodes: string[] }
  expect(backupCodes).toHaveLength(10)
  const confirmed = await dora.send('POST', '/v1/auth/two-factor/verify-totp', { code: totpCode(totpURI) })
  expect(confirmed.status, JSON.stringify(confirmed.body)).toBe(200)
  expect(await me(dora)).toBe(200)

  const signIn = async () => {
    const who = person()
    const answer = await who.send('POST', '/v1/auth/sign-in/email', { email: 'dora@example.com', password })
    expect(answer.body).toMatchObject({ twoFactorRedirect: true })
    expect(await me(who), 'the password alone is not enough').toBe(401)
    return who
  }
  const byApp = await signIn()
  expect((await byApp.send('POST', '/v1/auth/two-factor/verify-totp', { code: '000000' })).status).toBe(401)
  expect((await byApp.send('POST', '/v1/auth/two-factor/verify-totp', { code: totpCode(totpURI) })).status).toBe(200)
  expect(await me(byApp)).toBe(200)
  const spent = { code: backupCodes[0] ?? '' }
  const byCode = await signIn()
  expect((await byCode.send('POST', '/v1/auth/two-factor/verify-backup-code', spent)).status).toBe(200)
  expect(await me(byCode)).toBe(200)
  expect((await (await signIn()).send('POST', '/v1/auth/two-factor/verify-backup-code', spent)).status).toBe(401)
})

test('who came in by the link gives themselves an address and a password, once', async () => {
  expect((await owner.send('POST', '/v1/auth/set-password', { password })).status, 'no address yet').toBe(400)
  const body = { email: 'Owner@example.com', password }
  expect((await owner.send('POST', '/v1/auth/set-password', body, { 'x-parley-csrf': '' })).status).toBe(403)
  expect((await owner.send('POST', '/v1/auth/set-password', body)).status).toBe(200)
  expect((await owner.send('POST', '/v1/auth/set-password', body)).status).toBe(409)
  const again = person()
  expect((await again.send('POST', '/v1/auth/sign-in/email', body)).status).toBe(200)
  expect(await me(again)).toBe(200)
  const change = { currentPassword: password, newPassword: 'another-long-one-7' }
  const changed = await again.send('POST', '/v1/auth/change-password', change)
  expect(changed.status, JSON.stringify(changed.body)).toBe(200)
  expect(await me(again), 'the session that changed it goes on').toBe(200)
  expect(await me(owner), 'every other one has ended').toBe(401)
  owner = await Operator.byLink(gateway.url, `#token=${(await gateway.app.slices.identity.createSignInToken()).token}`)
})

test('neither passwords, cookies nor codes are stored or logged in the clear', async () => {
  const eve = await joined('eve@example.com')
  const enabled = await eve.send('POST', '/v1/auth/two-factor/enable', { password })
  const { totpURI, backupCodes } = enabled.body as { totpURI: string; backupCodes: string[] }
  const secret = new URL(totpURI).searchParams.get('secret') ?? ''
  const token = decodeURIComponent(eve.cookie).split('parley_session=')[1]?.split('.')[0] ?? ''
  for (const hidden of [password, token, secret, backupCodes[0] ?? '']) {
    expect(await placesOf(gateway, hidden)).toEqual([])
    expect(gateway.log.filter((line) => line.includes(hidden))).toEqual([])
  }
  // What is looked for would be found.
  expect(await placesOf(gateway, 'eve@example.com')).not.toEqual([])
})
