// A gateway whose agents are answered in writing by a scripted model on loopback, with a tenant per test.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { AgentConfigInput } from '../../gateway/agents/agents.ts'
import type { TenantId } from '../../gateway/platform/ids.ts'
import type { Outside } from '../../gateway/slices.ts'
import { type ScriptedCascade, startScriptedCascade } from './scripted-cascade.ts'
import { startGateway, type TestGateway } from './start-gateway.ts'

export const replyBody = z.object({
  conversationId: z.string(),
  messageId: z.string(),
  turnId: z.string(),
  text: z.string(),
  finish: z.string(),
  creditsMicro: z.number(),
  model: z.string(),
  usage: z.object({ inputTokens: z.number(), cachedTokens: z.number(), outputTokens: z.number() }),
  steps: z.array(z.object({ name: z.string(), ms: z.number(), outcome: z.string(), code: z.string().optional() })),
})
export type ReplyBody = z.output<typeof replyBody>
const problemBody = z.object({ error: z.object({ code: z.string(), retryAfterMs: z.number().optional() }) })

export interface Shop {
  readonly tenantId: TenantId
  readonly agentId: string
  readonly slug: string
  readonly key: string
  post(path: string, body: object): Promise<{ status: number; body: unknown }>
  get(path: string): Promise<unknown>
  /** POST /v1/chat to the shop's agent; throws what is no reply. */
  say(message: string, more?: object): Promise<ReplyBody>
  /** The code and status of what is refused. */
  refused(message: string, more?: object): Promise<{ status: number; code: string }>
  /** Micro-credits left. */
  left(): Promise<number>
}

export interface ChatPlace extends AsyncDisposable {
  readonly gateway: TestGateway
  readonly model: ScriptedCascade
  shop(config?: AgentConfigInput, credits?: number): Promise<Shop>
}

export const micro = 1_000_000

export async function openChatPlace(
  overrides: Partial<Outside> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ChatPlace> {
  const model = await startScriptedCascade()
  const own = { TEXT_MODELS: 'local:m', CASCADE_SERVERS: `local=${model.baseUrl}`, PARLEY_DEMO: 'false' }
  const gateway = await startGateway({ ...own, ...env }, overrides)
  return {
    gateway,
    model,
    shop: (config, credits) => openShop(gateway, config, credits),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await model.stop()
    },
  }
}

async function openShop(gateway: TestGateway, config: AgentConfigInput = {}, credits = 1_000): Promise<Shop> {
  const { tenants, agents, identity, ledger } = gateway.app.slices
  const slug = `t-${randomBytes(5).toString('hex')}`
  const { id: tenantId } = await tenants.create({ slug, name: 'Shop' })
  await tenants.of(tenantId).change({ plan: 'enterprise' })
  const agent = await agents.of(tenantId).create({ slug: 'helper', name: 'Helper', config })
  await agents.of(tenantId).publish(agent.id)
  const { raw: key } = await identity.createApiKey(tenantId, 'Test')
  if (credits > 0)
    await ledger.of(tenantId).post({ key: 'grant:test', kind: 'grant', amountMicro: credits * micro, note: 'test' })
  const headers = { authorization: `Bearer ${key}` }
  const post = async (path: string, body: object) => gateway.post(path, body, headers)
  const say = (message: string, more: object = {}) => post('/v1/chat', { agentId: agent.id, message, ...more })
  return {
    ...{ tenantId, agentId: agent.id, slug: agent.slug, key, post },
    async get(path) {
      const response = await fetch(gateway.url + path, { headers })
      return response.json()
    },
    async say(message, more) {
      const { status, body } = await say(message, more)
      if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`)
      return replyBody.parse(body)
    },
    async refused(message, more) {
      const { status, body } = await say(message, more)
      return { status, code: problemBody.parse(body).error.code }
    },
    left: async () => (await ledger.of(tenantId).credits()).availableMicro,
  }
}

/** All documents of a tenant in a collection, as they are stored. */
export async function stored(gateway: TestGateway, collection: string, tenantId: string): Promise<readonly object[]> {
  return gateway.app.stores.mongo.db.collection(collection).find({ tenantId }).toArray()
}
