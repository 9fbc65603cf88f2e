// Secrets over HTTP, and at rest.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Operator } from '../harness/operator.ts'
import { placesOf } from '../harness/raw-store.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let owner: Operator
beforeAll(async () => {
  gateway = await startGateway({ PARLEY_MASTER_KEY: 'a master key of more than 32 characters' })
  owner = await Operator.byLink(gateway.url, gateway.started.signInUrl)
})
afterAll(() => gateway[Symbol.asyncDispose]())

const at = (path: string) => `${path}?tenant=productco`

test('a value that was set never comes back by HTTP, and is in no file, log or audit entry', async () => {
  const value = 'sk-planted-c0ffee-4711'
  const set = await owner.send('PUT', at('/v1/secrets/STRIPE_KEY'), { value })
  expect(set, JSON.stringify(set.body)).toMatchObject({ status: 200, body: { name: 'STRIPE_KEY', setBy: 'Owner' } })
  const listed = await owner.send('GET', at('/v1/secrets'))
  expect(listed.body).toMatchObject({ items: [{ name: 'STRIPE_KEY' }], next: null })
  expect(JSON.stringify([set.body, listed.body])).not.toContain('4711')
  expect((await owner.send('GET', at('/v1/secrets/STRIPE_KEY'))).status).toBe(404)
  const tenant = await gateway.app.slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  expect(await gateway.app.slices.identity.secrets.of(tenant.id).get('STRIPE_KEY')).toBe(value)
  expect(await placesOf(gateway, value)).toEqual([])
  expect(await placesOf(gateway, 'a master key of more than 32 characters')).toEqual([])
  expect(await placesOf(gateway, 'STRIPE_KEY'), 'what is looked for would be found').not.toEqual([])
  expect(gateway.log.filter((line) => line.includes(value))).toEqual([])
  expect((await owner.send('DELETE', at('/v1/secrets/STRIPE_KEY'))).status).toBe(204)
  expect((await owner.send('DELETE', at('/v1/secrets/STRIPE_KEY'))).status).toBe(404)
})

test('an API key neither sees nor sets secrets, and a name that is none is refused', async () => {
  expect((await gateway.get('/v1/secrets')).status).toBe(403)
  for (const name of ['1st', 'a%2Fb', 'x'.repeat(65)])
    expect((await owner.send('PUT', at(`/v1/secrets/${name}`), { value: 'v' })).status, name).toBe(400)
  expect((await owner.send('PUT', at('/v1/secrets/OK'), { value: '' })).status).toBe(400)
})
