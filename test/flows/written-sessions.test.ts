// Sessions in which the agent's text models answer: of agents that are only written to, and behind GPT-Live's voice.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { connect, type TestClient } from '../harness/client.ts'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { type ScriptedLive, startScriptedLive } from '../harness/scripted-live.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let router: ScriptedCascade
let voice: ScriptedLive
let gateway: TestGateway
beforeAll(async () => {
  router = await startScriptedCascade({ apiKey: 'sk-test' })
  voice = await startScriptedLive({ apiKey: 'sk-live', pace: 4 })
  router.on(/delivery/, { say: 'We deliver on weekdays.' })
  router.on(/sofa/, { calls: [{ name: 'search_products', arguments: '{"query":"sofa"}' }] })
  router.on(/"items"|"count"/, { say: 'There are some.' })
  gateway = await startGateway({
    OPENROUTER_API_KEY: 'sk-test',
    OPENROUTER_BASE_URL: router.baseUrl,
    OPENAI_API_KEY: 'sk-live',
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    OPENAI_LIVE_BASE_URL: voice.baseUrl,
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await voice.stop()
  await router.stop()
})

async function publish(change: Readonly<Record<string, unknown>>): Promise<void> {
  const tenant = await gateway.app.slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  const agents = gateway.app.slices.agents.of(tenant.id)
  const [agent] = await agents.list()
  if (agent === undefined) throw new Error('no agent')
  await agents.saveDraft(agent.id, { ...agent.draft, ...change })
  await agents.publish(agent.id)
}

async function visit(): Promise<{ client: TestClient; sessionId: string }> {
  const client = await connect(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    parley: true,
    origin: gateway.url,
  })
  return { client, sessionId: String((await client.event('parley.session')).session_id) }
}

const session = z.object({ engine: z.object({ kind: z.string(), model: z.string(), demo: z.boolean() }) })

test('[S000-11] a session of an agent that is only written to is answered by the model that its config names', async () => {
  await publish({
    speaks: false,
    modelProvider: 'openrouter',
    modelId: 'openai/gpt-4o-mini',
    temperature: 0.2,
    maxTokens: 300,
  })
  const { client, sessionId } = await visit()
  client.ask('How does delivery work?')
  expect(String((await client.event('response.output_text.done')).text)).toBe('We deliver on weekdays.')
  const view = session.parse((await gateway.get(`/v1/sessions/${sessionId}`)).body)
  expect(view.engine).toEqual({ kind: 'text', model: 'openrouter:openai/gpt-4o-mini', demo: false })
  expect(router.lastChat).toMatchObject({ model: 'openai/gpt-4o-mini', temperature: 0.2, max_tokens: 300 })
  await client[Symbol.asyncDispose]()
})

test('its tools are the agent’s own, and run here', async () => {
  const { client } = await visit()
  client.ask('Have you got a sofa?')
  await client.until(
    (each) => each.ofType('response.output_text.done').find(({ text }) => text === 'There are some.'),
    'the answer after the tool',
  )
  expect(router.lastChat.messages.at(-1)).toMatchObject({ role: 'tool', content: expect.stringContaining('"items"') })
  await client[Symbol.asyncDispose]()
})

test('what GPT-Live delegates to us is answered by the same models', async () => {
  await publish({
    speaks: true,
    engine: 'openai-live',
    modelProvider: 'openrouter',
    modelId: 'openai/gpt-4o',
    temperature: 0.4,
  })
  const { client } = await visit()
  client.ask('How does delivery work?')
  expect(String((await client.event('response.output_text.done')).text)).toBe('We deliver on weekdays.')
  expect(router.lastChat).toMatchObject({ model: 'openai/gpt-4o', temperature: 0.4 })
  await client[Symbol.asyncDispose]()
})
