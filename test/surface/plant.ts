// Two tenants that know nothing of each other, and one thing of each kind in a tenant, made as its people make it. Every
// text of a thing carries the tenant's canary.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { TenantId } from '../../gateway/platform/ids.ts'
import { connect } from '../harness/client.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import type { TestGateway } from '../harness/start-gateway.ts'

export interface Place {
  readonly gateway: TestGateway
  readonly slug: string
  readonly tenantId: TenantId
  /** In every text of the tenant and nowhere else. */
  readonly canary: string
  readonly owner: SignedIn
  readonly apiKey: string
  readonly agentSlug: string
}

const made = z.looseObject({ id: z.string() })

/** What the API makes, by its id. */
async function post(place: Place, path: string, body: unknown): Promise<z.output<typeof made>> {
  const answer = await place.owner.call('POST', path, { body })
  if (answer.status >= 300) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return made.parse(answer.body)
}

let count = 0
const fresh = (): string => `${++count}-${randomBytes(3).toString('hex')}`

/** A fresh one each time, but for the slug of the agent that every place has. */
export const makers = {
  agentSlug: async ({ agentSlug }: Place) => agentSlug,
  siteKey: async (place: Place) =>
    (await post(place, '/v1/site-keys', { label: place.canary, agentSlug: place.agentSlug })).id,
  apiKey: async (place: Place) => (await post(place, '/v1/api-keys', { label: place.canary })).id,
  invitation: async (place: Place) =>
    (await post(place, '/v1/team/invitations', { email: `${place.canary}.${fresh()}@example.com`, roles: ['client'] }))
      .id,
  member: ({ gateway, tenantId, canary }: Place) =>
    gateway.app.slices.identity.createOperator(canary, [{ tenantId, role: 'client' }]),
  role: async (place: Place) =>
    (await post(place, '/v1/roles', { name: `r-${fresh()}`, description: place.canary })).id,
  roleName: async (place: Place) =>
    named.parse(await post(place, '/v1/roles', { name: `n-${fresh()}`, description: place.canary })).name,
  policy: async (place: Place) =>
    (
      await post(place, '/v1/policies', {
        ...{ resource: 'sessions', action: 'read', effect: 'allow' },
        description: place.canary,
      })
    ).id,
  assignment: async (place: Place) => {
    const { gateway, tenantId, canary } = place
    const operatorId = await gateway.app.slices.identity.createOperator(canary, [{ tenantId, role: 'client' }])
    const scope = { of: 'agent', id: canary }
    return (await post(place, '/v1/roles/assignments', { operatorId, role: 'client', scope })).id
  },
  approval,
  entityType,
  entity,
  event: async (place: Place) =>
    (await post(place, '/v1/events', { type: 'order.made', payload: { note: place.canary } })).id,
  execution,
  response,
  session,
  secretName: async (place: Place) => {
    const name = `SECRET_${fresh().replace('-', '_')}`
    await place.owner.call('PUT', `/v1/secrets/${name}`, { body: { value: place.canary } })
    return name
  },
  toolName: async (place: Place) => {
    const name = `t_${fresh().replace('-', '_')}`
    const body = { kind: 'knowledge.search', description: place.canary }
    await place.owner.call('PUT', `/v1/tools/${name}`, { body })
    return name
  },
  mcpServer: async (place: Place) => {
    const body = { name: `m${fresh()}`, url: 'https://mcp.example.com/mcp', only: [place.canary] }
    return (await post(place, '/v1/mcp-servers', body)).id
  },
  webhook: async (place: Place) => {
    const url = `https://hooks.example.com/${place.canary}`
    const { id } = await post(place, '/v1/webhooks', { url, types: ['order.*'], description: place.canary })
    // What is on is tried by itself: the sweeps look for changes that others make.
    await place.owner.call('PATCH', `/v1/webhooks/${id}`, { body: { state: 'off' } })
    return id
  },
  agent,
  knowledgeSource,
  conversation: async (place: Place) => (await conversation(place)).id,
  externalThread: async (place: Place) => {
    const externalId = `thread-${fresh()}`
    await conversation(place, externalId)
    return externalId
  },
  contact: ({ gateway, tenantId, canary }: Place) =>
    gateway.app.slices.identity.contact({ tenantId, visitorId: `${canary}-${fresh()}`, vouched: false }),
  object: async (place: Place) =>
    (await post(place, '/v1/objects', { type: 'chat_ref', subtype: 'conversation', name: place.canary })).id,
} as const satisfies Readonly<Record<string, (place: Place) => Promise<string>>>
export type Fixture = keyof typeof makers

const named = z.looseObject({ name: z.string() })
const slugged = z.looseObject({ slug: z.string() })

async function entityType(place: Place): Promise<string> {
  const schema = { type: 'object', properties: { name: { type: 'string' } } }
  const made = await post(place, '/v1/entity-types', { slug: `t${fresh()}`, name: place.canary, schema })
  return slugged.parse(made).slug
}

/** A call that waits for a person. */
async function approval({ gateway, tenantId, canary }: Place): Promise<string> {
  const call = {
    ...{ tenantId, sessionId: `sess_${fresh()}`, callId: 'call_1', name: 'search_products', allowed: [] },
    ...{ arguments: JSON.stringify({ query: canary }), conversationId: `conv_${canary}`, isLive: true },
  }
  const { output } = await gateway.app.slices.approvals.park({ call })
  return waiting.parse(JSON.parse(output)).waiting.approvalId
}

const waiting = z.object({ waiting: z.object({ approvalId: z.string() }) })

/** Read to its end: then nothing of the tenant changes by itself. */
async function knowledgeSource(place: Place): Promise<string> {
  const { id } = await post(
    place,
    `/v1/knowledge/sources?name=${place.canary}-${fresh()}.md`,
    `${place.canary} ${fresh()}`,
  )
  while ((await place.gateway.app.slices.knowledge.work()) > 0);
  return id
}

/** A speaker, beside one with the slug `friend`. */
async function entity(place: Place): Promise<string> {
  await place.owner.call('POST', '/v1/entities/speaker', { body: { slug: 'friend', data: { name: place.canary } } })
  return (await post(place, '/v1/entities/speaker', { data: { name: `${place.canary} ${fresh()}` } })).id
}

/** Deployed once: it has a version 1. */
async function agent(place: Place): Promise<string> {
  const { id } = await post(place, '/v1/agents', { name: `${place.canary} ${fresh()}`, config: { engine: 'demo' } })
  await post(place, `/v1/agents/${id}/deploy`, {})
  return id
}

async function conversation(place: Place, externalId?: string): Promise<{ readonly id: string }> {
  const more = externalId === undefined ? {} : { externalId }
  const agentId = await agent(place)
  const opened = await post(place, '/v1/conversations', { agentId, metadata: { note: place.canary }, ...more })
  const messages = [{ role: 'user', content: place.canary }]
  await place.owner.call('POST', `/v1/conversations/${opened.id}/messages`, { body: { messages } })
  return opened
}

async function execution({ gateway, tenantId, canary }: Place): Promise<string> {
  const run = await gateway.app.slices.executions.of(tenantId).record({
    ...{
      agentId: `agent_${canary}`,
      conversationId: `conv_${canary}`,
      channel: 'api',
      model: 'demo',
      provider: canary,
    },
    ...{ inputTokens: 1, cachedTokens: 0, outputTokens: 1, latencyMs: 5, costUsdMicro: null, creditsMicro: 1 },
    ...{ status: 'completed', steps: [] },
  })
  return run.id
}

async function response(place: Place): Promise<string> {
  const asked = { model: place.agentSlug, input: `Hello from ${place.canary}`, metadata: { note: place.canary } }
  const { id } = await post(place, '/v1/responses', asked)
  // Its entries are written now; then nothing of the tenant changes by itself.
  await place.gateway.app.slices.ledger.flush()
  return id
}

/** One that has ended: somebody said the canary in it. */
async function session(place: Place): Promise<string> {
  const { gateway, agentSlug, apiKey, canary, tenantId } = place
  const query = `?agent=${agentSlug}`
  await using client = await connect(gateway.wsUrl, { query, headers: { authorization: `Bearer ${apiKey}` } })
  await client.event('session.created')
  client.ask(canary)
  await client.event('response.created')
  const scoped = gateway.app.slices.sessions.of(tenantId)
  const [live] = (await scoped.list({ state: 'live', limit: 1 })).items
  if (live === undefined) throw new Error('no live session')
  client.socket.close()
  await client.ended()
  const { ledger } = gateway.app.slices
  // Its bill comes last; then nothing of the tenant changes by itself.
  while ((await ledger.of(tenantId).receipt(live.id)) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 20))
  await ledger.flush()
  return live.id
}

export async function openPlace(gateway: TestGateway, slug: string): Promise<Place> {
  const canary = `canary${slug}${randomBytes(4).toString('hex')}`
  const { tenants, agents, ledger } = gateway.app.slices
  const tenant = await tenants.create({
    slug,
    name: canary,
    origins: [`https://${canary}.example`],
    plan: 'enterprise',
  })
  await ledger.of(tenant.id).post({ kind: 'grant', amountMicro: 1_000_000_000, key: `grant-${slug}`, note: canary })
  const agentSlug = `agent-${slug}`
  const config = { systemPrompt: `You know ${canary}.`, engine: 'demo' } as const
  const agent = await agents.of(tenant.id).create({ slug: agentSlug, name: canary, config })
  await agents.of(tenant.id).publish(agent.id)
  const owner = await signIn(gateway, 'owner', slug)
  const { body } = await owner.call('POST', '/v1/api-keys', { body: { label: canary } })
  const { key } = z.looseObject({ key: z.string() }).parse(body)
  return { gateway, slug, tenantId: tenant.id, canary, owner, apiKey: key, agentSlug }
}
