// What only the gateway itself may call exists in the slices and behind no route.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const internal = [
  ...['validateApiKey', 'verifyApiKey', 'getAgentInternal', 'getAgentBySlugInternal', 'getThreadMessages'],
  ...['getActiveConfig', 'getOrCreateFromClerk', 'getOrCreatePersonal', 'getOrCreateOrganization'],
  ...['jobs.execute', 'jobs/execute', 'tools.entityCreate', 'tools/entityCreate', 'createOperator', 'startSession'],
]

test('[S001-29] no route reaches an internal function, whatever it is called by', async () => {
  const forms = (name: string) => [
    `/v1/${name}`,
    `/v1/internal/${name}`,
    `/api/${name}`,
    `/internal/${name}`,
    `/${name}`,
  ]
  const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const headers = { authorization: `Bearer ${gateway.apiKey}`, 'content-type': 'application/json' }
  for (const name of internal) {
    for (const path of [...forms(name), ...forms(kebab(name))]) {
      const got = await fetch(gateway.url + path, { headers })
      const posted = await fetch(gateway.url + path, { method: 'POST', headers, body: '{}' })
      expect([got.status, posted.status], path).toEqual([404, 404])
    }
  }
  for (const route of gateway.app.routes) expect(route.path).not.toMatch(/internal|get-?or-?create|validate/i)
})

test('[S001-29] the functions themselves are there, for the gateway alone', async () => {
  const { identity, agents, transcript, tenants } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no demo tenant')
  const key = await identity.verifyApiKey(gateway.apiKey)
  expect(key?.tenantId).toBe(tenant.id)
  const agent = await agents.of(tenant.id).bySlug('productco')
  expect(await agents.resolve({ tenantId: tenant.id, agentId: agent?.id ?? '', channel: 'api' })).toBeDefined()
  expect(transcript.of(tenant.id)).toBeDefined()
  const { outside } = identity
  const clerkUser = { id: 'user_1', name: 'U', email: null }
  const operatorId = await outside.getOrCreateFromClerk(clerkUser)
  expect(await outside.getOrCreateFromClerk(clerkUser)).toBe(operatorId)
  expect(await outside.getOrCreatePersonal(operatorId)).toBe(await outside.getOrCreatePersonal(operatorId))
})

test('the door of Clerk’s webhooks is closed where no secret is set', async () => {
  expect((await gateway.post('/webhook/clerk', { type: 'user.created', data: {} })).status).toBe(404)
})
