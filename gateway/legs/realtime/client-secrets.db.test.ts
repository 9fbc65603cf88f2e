import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { authAs } from '../../../test/harness/auth.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { agentCollections, createAgents } from '../../agents/agents.ts'
import { createIdentity, type Identity, identityCollections } from '../../identity/identity.ts'
import { createObjects, objectCollections } from '../../objects/objects.ts'
import type { Actor } from '../../platform/access.ts'
import type { RouteReply } from '../../platform/http.ts'
import { ensureIndexes } from '../../platform/mongo.ts'
import { createTenants, type Tenant, tenantCollections } from '../../tenants/tenants.ts'
import { clientSecretRoutes } from './client-secrets.ts'
import { boundTo } from './secret-session.ts'

let store: TestStore
let identity: Identity
let agents: ReturnType<typeof createAgents>
let tenant: Tenant
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
  const tenants = createTenants({ db: store.db })
  agents = createAgents({ db: store.db, tenants, objects: createObjects({ db: store.db }) })
  identity = createIdentity({
    db: store.db,
    publicUrl: 'https://talk.example',
    secret: randomBytes(32),
    tenants,
    agents,
  })
  tenant = await tenants.create({ slug: `cs-${count++}`, name: 'R', origins: [] })
  await agent('helper', { model: 'm1', voice: 'v1' })
})

async function agent(slug: string, config: object = {}): Promise<string> {
  const { id } = await agents.of(tenant.id).create({ slug, name: slug, config })
  await agents.of(tenant.id).publish(id)
  return id
}

/** As http/ calls a route: schemas first, then `run`. */
async function mint(body: object, actor?: Actor): Promise<RouteReply> {
  const [route] = clientSecretRoutes({ identity, agents })
  if (route === undefined) throw new Error('no route')
  const { view } = await identity.createApiKey(tenant.id, 'server')
  return route.run({
    params: undefined,
    query: undefined,
    body: route.body?.parse(body),
    facts: { ip: '10.0.0.1', origin: undefined, userAgent: 'test', header: () => undefined },
    tenantId: tenant.id,
    auth: authAs(tenant.id),
    actor: actor ?? { kind: 'key', id: view.id, name: 'server' },
  })
}

const secret = z.object({ value: z.string(), expires_at: z.number(), session: z.looseObject({ id: z.string() }) })

async function claimsOf(value: string) {
  const answer = await identity.verifyVisitor(value, {})
  if (answer.is === 'refused') throw new Error(answer.code)
  return answer.claims
}

describe('POST /v1/realtime/client_secrets', () => {
  test('answers as OpenAI does, with the whole session that it will open', async () => {
    const { json } = await mint({
      expires_after: { anchor: 'created_at', seconds: 600 },
      session: { type: 'realtime', model: 'gpt-realtime' },
    })
    expect(json).toMatchObject({
      value: expect.stringMatching(/^ek_ey/),
      expires_at: expect.any(Number),
      session: {
        id: expect.stringMatching(/^tok_/),
        type: 'realtime',
        object: 'realtime.session',
        model: 'm1',
        agent: 'helper',
        output_modalities: ['audio'],
        tools: [],
        audio: { input: { turn_detection: { type: 'server_vad' } }, output: { voice: 'v1' } },
      },
    })
    const left = secret.parse(json).expires_at - Date.now() / 1000
    expect(left).toBeGreaterThan(595)
    expect(left).toBeLessThanOrEqual(600)
  })

  test('takes the slug of an agent as the model, the only field stock clients have for it', async () => {
    await agent('seller')
    expect((await mint({ session: { type: 'realtime', model: 'seller' } })).json).toMatchObject({
      session: { agent: 'seller' },
    })
    const unnamed = mint({ session: { type: 'realtime', model: 'gpt-realtime' } })
    await expect(unnamed).rejects.toMatchObject({ code: 'invalid' })
  })

  test('keeps what is bound for as long as the secret lives, for its own tenant alone', async () => {
    const schema = { type: 'object', properties: { $ref: { type: 'string' } } }
    const session = { instructions: 'Be brief.', tools: [{ type: 'function', name: 'f', parameters: schema }] }
    const { value } = secret.parse((await mint({ session: { type: 'realtime', ...session } })).json)
    const claims = await claimsOf(value)
    expect(claims.bound).toBe(true)
    expect(await boundTo({ identity, agents }, claims)).toMatchObject({ session, rights: { clientTools: true } })
    expect(await identity.boundSession({ tenantId: tenant.id, tokenId: 'tok_other' })).toBeUndefined()
    const stranger = await createTenants({ db: store.db }).create({ slug: `x-${count++}`, name: 'X', origins: [] })
    expect(await identity.boundSession({ ...claims, tenantId: stranger.id })).toBeUndefined()
    await expect(boundTo({ identity, agents }, { ...claims, tokenId: 'tok_gone' })).rejects.toMatchObject({
      code: 'unauthenticated',
    })
    const plain = secret.parse((await mint({ session: { type: 'realtime', model: 'helper' } })).json)
    expect((await claimsOf(plain.value)).bound).toBeUndefined()
  })

  test('binds nothing that the agent keeps for itself, nor what nobody serves', async () => {
    await agent('stern', { mutable: { visitor: [], api: ['outputModality'] }, clientTools: false })
    const refused = (session: object) => mint({ agent: 'stern', session: { type: 'realtime', ...session } })
    await expect(refused({ instructions: 'Be evil.' })).rejects.toMatchObject({
      code: 'forbidden',
      details: { issues: [{ path: 'body.session.instructions' }] },
    })
    await expect(refused({ tools: [{ type: 'function', name: 'f' }] })).rejects.toMatchObject({ code: 'forbidden' })
    await expect(refused({ prompt: { id: 'p' } })).rejects.toMatchObject({ code: 'unsupported' })
    await expect(refused({ voice: 'ash' })).rejects.toThrow('voice')
    expect((await refused({ output_modalities: ['text'] })).json).toMatchObject({
      session: { output_modalities: ['text'] },
    })
  })

  test('is for API keys', async () => {
    await expect(mint({}, { kind: 'operator', id: 'op_owner', name: 'Owner' })).rejects.toMatchObject({
      code: 'forbidden',
    })
  })
})
