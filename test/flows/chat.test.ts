import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { stepNames } from '../../gateway/protocol/chat.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const reply = z.object({
  conversationId: z.string(),
  messageId: z.string(),
  turnId: z.string(),
  text: z.string(),
  finish: z.string(),
  creditsMicro: z.number(),
  model: z.string(),
  steps: z.array(z.object({ name: z.string(), ms: z.number(), outcome: z.string() })),
})
const problem = z.object({ error: z.object({ code: z.string() }) })

let gateway: TestGateway
let agentId: string
const bearer = () => ({ authorization: `Bearer ${gateway.apiKey}` })

beforeAll(async () => {
  gateway = await startGateway()
  const tenant = await gateway.app.slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  agentId = (await gateway.app.slices.agents.of(tenant.id).bySlug('productco'))?.id ?? ''
})
afterAll(() => gateway[Symbol.asyncDispose]())

const say = (body: object, headers: Record<string, string> = bearer()) => gateway.post('/v1/chat', body, headers)

test('[S001-24] a valid key chats; an agent of another tenant is not found', async () => {
  const { status, body } = await say({ agentId, message: 'Do you have a red sofa under 500?' })
  expect(status).toBe(200)
  const answer = reply.parse(body)
  expect(answer.text.length).toBeGreaterThan(10)
  expect(answer.steps.map((step) => step.name)).toEqual([...stepNames])
  const other = await gateway.app.slices.tenants.bySlug('eventco')
  const foreign = other === undefined ? undefined : (await gateway.app.slices.agents.of(other.id).list())[0]
  const refused = await say({ agentId: foreign?.id ?? 'agt_x', message: 'hello' })
  expect([refused.status, problem.parse(refused.body).error.code]).toEqual([404, 'unknown_agent'])
  expect((await say({ agentId, message: 'hello' }, { authorization: 'Bearer af_live_00000000_x' })).status).toBe(401)
})
