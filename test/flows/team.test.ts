// The people of a tenant over HTTP: invited, in, changed, out.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Operator } from '../harness/operator.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let owner: Operator
beforeAll(async () => {
  gateway = await startGateway()
  owner = await Operator.byLink(gateway.url, gateway.started.signInUrl)
})
afterAll(() => gateway[Symbol.asyncDispose]())

const at = (path: string, tenant = 'productco') => `${path}?tenant=${tenant}`
const textOf = (body: unknown, name: string) => String((body as Record<string, unknown>)[name])

async function invite(email: string, roles: readonly string[]): Promise<{ id: string; token: string }> {
  const { status, body } = await owner.send('POST', at('/v1/team/invitations'), { email, roles })
  expect(status).toBe(201)
  return { id: textOf(body, 'id'), token: textOf(body, 'link').split('#invitation=')[1] ?? '' }
}

test('[S001-2] a person is invited, works in the tenant with the role given, and is out at once when removed', async () => {
  const { token } = await invite('ada@example.com', ['operator'])
  const ada = new Operator(gateway.url)
  const accepted = await ada.send('POST', '/v1/team/invitations/accept', { token, name: 'Ada' })
  expect(accepted).toMatchObject({ status: 200, body: { name: 'Ada', tenants: [{ slug: 'productco' }] } })
  ada.knows(accepted.body)
  expect((await ada.send('GET', at('/v1/sessions'))).status).toBe(200)
  expect((await ada.send('GET', at('/v1/sessions', 'eventco'))).status).toBe(404)
  expect((await ada.send('DELETE', at(`/v1/team/${ada.id}`))).status).toBe(403)
  const team = await owner.send('GET', at('/v1/team'))
  expect(team.body).toMatchObject({
    items: [{ id: ada.id, email: 'ada@example.com', roles: ['operator'] }],
    next: null,
  })
  expect((await owner.send('DELETE', at(`/v1/team/${ada.id}`))).status).toBe(204)
  expect((await ada.send('GET', at('/v1/sessions'))).status).toBe(404)
  expect((await owner.send('GET', at(`/v1/team/${ada.id}`))).status).toBe(404)
})

test('a link that was used, taken back or made up gets one and the same answer', async () => {
  const [used, back] = [await invite('u@example.com', ['client']), await invite('b@example.com', ['client'])]
  const take = (token: string) =>
    new Operator(gateway.url).send('POST', '/v1/team/invitations/accept', { token, name: 'X' })
  expect((await take(used.token)).status).toBe(200)
  expect((await owner.send('DELETE', at(`/v1/team/invitations/${back.id}`))).status).toBe(204)
  const answers = await Promise.all([used.token, back.token, 'x'.repeat(43)].map(take))
  expect(new Set(answers.map((each) => JSON.stringify([each.status, each.body]))).size).toBe(1)
  expect(answers[0]?.status).toBe(401)
})

test('an invitation never opens the account of somebody who has one: they sign in themselves', async () => {
  const first = await invite('eve@example.com', ['client'])
  const eve = new Operator(gateway.url)
  eve.knows((await eve.send('POST', '/v1/team/invitations/accept', { token: first.token, name: 'Eve' })).body)
  const { body } = await owner.send('POST', at('/v1/team/invitations', 'eventco'), {
    email: 'EVE@example.com',
    roles: ['admin'],
  })
  const token = textOf(body, 'link').split('#invitation=')[1] ?? ''
  const thief = await new Operator(gateway.url).send('POST', '/v1/team/invitations/accept', { token, name: 'Eve' })
  expect(thief.status).toBe(401)
  expect(thief.headers.get('set-cookie')).toBeNull()
  expect((await eve.send('POST', '/v1/team/invitations/accept', { token, name: 'Eve' })).status).toBe(200)
  expect((await eve.send('GET', at('/v1/sessions', 'eventco'))).status).toBe(200)
})

test('without the CSRF token nothing of the team changes, and an API key may not touch it', async () => {
  const body = { email: 'c@example.com', roles: ['client'] }
  expect((await owner.send('POST', at('/v1/team/invitations'), body, { 'x-parley-csrf': 'x' })).status).toBe(403)
  expect((await gateway.get('/v1/team')).status).toBe(403)
  const foreign = { email: 'c@example.com', roles: ['client'], tenantId: 'ten_other' }
  expect((await owner.send('POST', at('/v1/team/invitations'), foreign)).status).toBe(400)
})

test('a person changes their own name, and sees it', async () => {
  expect((await owner.send('PATCH', '/v1/console/me', { name: 'Olga' })).body).toMatchObject({ name: 'Olga' })
  expect((await owner.send('GET', '/v1/console/me')).body).toMatchObject({ name: 'Olga' })
})
