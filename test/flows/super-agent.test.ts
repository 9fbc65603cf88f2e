// An agent that passes messages on, without any key and with a model: what is streamed, stored and charged.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const done = z.object({
  text: z.string(),
  conversationId: z.string(),
  creditsMicro: z.number(),
  usage: z.object({ inputTokens: z.number() }),
  delegations: z.array(z.object({ from: z.string(), to: z.string(), depth: z.number() })),
})

interface Sent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

async function ask(gateway: TestGateway, slug: string, message: string): Promise<readonly Sent[]> {
  const response = await fetch(`${gateway.url}/v1/agents/${slug}/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ message, stream: true, contact: { visitorId: `visitor-${message.length}` } }),
  })
  const events = (await response.text()).split('\n\n').filter((each) => each.startsWith('event:'))
  return events.map((each) => {
    const [, event = '', data = '{}'] = /^event: (\S+)\ndata: (.*)$/s.exec(each) ?? []
    return { event, data: JSON.parse(data) }
  })
}

const kinds = (sent: readonly Sent[]) => sent.map(({ event }) => event).filter((event, i, all) => event !== all[i - 1])
const last = (sent: readonly Sent[]) => done.parse(sent.at(-1)?.data)

async function agent(gateway: TestGateway, slug: string, config: Readonly<Record<string, unknown>>): Promise<void> {
  const { tenants, agents } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  const made = await agents.of(tenant.id).create({ slug, name: slug, config })
  await agents.of(tenant.id).publish(made.id)
}

async function team(gateway: TestGateway): Promise<void> {
  const faq = (question: string, answer: string) => ({ faqEntries: [{ question, answer }] })
  await agent(gateway, 'refunds', {
    ...faq('How do I get a refund for an invoice?', 'Refunds take five days.'),
    systemPrompt: 'You answer questions about invoices and refunds.',
  })
  await agent(gateway, 'sofas', { enabledTools: ['search_products'], systemPrompt: 'You sell sofas and tables.' })
  await agent(gateway, 'desk', { delegates: ['refunds'], systemPrompt: 'You know everything about complaints.' })
  await agent(gateway, 'front', { delegates: 'all', systemPrompt: 'You welcome people.' })
  // Each of the two would pass it back.
  await agent(gateway, 'ping', { delegates: ['pong'], systemPrompt: 'Ping knows about echoes of balls.' })
  await agent(gateway, 'pong', { delegates: ['ping'], systemPrompt: 'Pong knows about echoes of balls.' })
}

describe('without a key', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startGateway()
    await team(gateway)
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  test('[S003-9] the stream tells intent, delegation and answer, the trace keeps them, and it is one charge', async () => {
    const { db } = gateway.app.stores.mongo
    const tenant = await gateway.app.slices.tenants.bySlug('productco')
    const sent = await ask(gateway, 'front', 'How do I get a refund for my invoice?')
    expect(kinds(sent)).toEqual(['accepted', 'intent', 'delegation', 'text', 'done'])
    expect(sent.find(({ event }) => event === 'intent')?.data).toMatchObject({ agent: 'refunds', by: 'words' })
    expect(sent.find(({ event }) => event === 'delegation')?.data).toMatchObject({
      from: 'front',
      to: 'refunds',
      depth: 1,
    })
    const reply = last(sent)
    expect(reply.text).toBe('Refunds take five days.')
    expect(reply.delegations).toMatchObject([{ from: 'front', to: 'refunds', depth: 1 }])
    const messages = db
      .collection('turns')
      .countDocuments({ tenantId: tenant?.id, conversationId: reply.conversationId })
    expect(await messages).toBe(2)
    const runs = await db
      .collection('executions')
      .find({ tenantId: tenant?.id, conversationId: reply.conversationId })
      .toArray()
    expect(runs).toHaveLength(1)
    expect(JSON.stringify(runs[0]?.steps)).toMatch(/front to refunds/)
    // A simple message, once.
    expect(reply.creditsMicro).toBe(1_000_000)
  })

  test('tools of the one who answers are used, and their list is sent as cards', async () => {
    const sent = await ask(gateway, 'front', 'Do you have a red sofa under 500?')
    expect(kinds(sent)).toEqual([
      'accepted',
      'intent',
      'delegation',
      'tool_call',
      'tool_result',
      'cards',
      'text',
      'done',
    ])
    const cards = sent.find(({ event }) => event === 'cards')?.data.cards
    expect(cards).toContainEqual(expect.objectContaining({ title: 'Alba 3-Seater', price: 499 }))
  })

  test('nobody’s matter is answered by itself, and nothing is passed on to who had it', async () => {
    const own = await ask(gateway, 'front', 'Tell me a joke about penguins')
    expect(kinds(own)).toEqual(['accepted', 'intent', 'text', 'done'])
    expect(last(own).delegations).toEqual([])
    const loop = last(await ask(gateway, 'ping', 'What about the echoes of balls, pong?'))
    expect(loop.delegations).toMatchObject([{ from: 'ping', to: 'pong' }])
  })

  test('an agent that is paused meanwhile is not asked', async () => {
    const { tenants, agents } = gateway.app.slices
    const tenant = await tenants.bySlug('productco')
    const refunds = tenant === undefined ? undefined : await agents.of(tenant.id).bySlug('refunds')
    if (tenant === undefined || refunds === undefined) throw new Error('no agent')
    await agents.of(tenant.id).setStatus(refunds.id, 'paused')
    expect(last(await ask(gateway, 'desk', 'I want a refund for my invoice')).delegations).toEqual([])
  })
})

describe('with a model', () => {
  let gateway: TestGateway
  let model: ScriptedCascade
  beforeAll(async () => {
    model = await startScriptedCascade({ apiKey: 'sk-test' })
    model.on(/refund/, { say: 'Refunds take five days.' })
    gateway = await startGateway({ OPENROUTER_API_KEY: 'sk-test', OPENROUTER_BASE_URL: model.baseUrl })
    await team(gateway)
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await model.stop()
  })

  test('[S003-9] the cheap model decides, may decide twice, and its tokens are counted', async () => {
    model.on(/^The message/, { say: '{"intent":"refund wanted","agent":"desk","certainty":0.9}' })
    const before = model.chats.length
    const sent = await ask(gateway, 'front', 'I want a refund')
    // Of the desk's one delegate the model says again "desk", which is none of those it may name.
    expect(last(sent).delegations).toMatchObject([{ from: 'front', to: 'desk', depth: 1 }])
    const asked = model.chats.slice(before).map((chat) => chat.model)
    expect(asked).toEqual(['openai/gpt-4o-mini', 'openai/gpt-4o-mini', 'anthropic/claude-sonnet-4'])
    expect(sent.find(({ event }) => event === 'intent')?.data).toMatchObject({ intent: 'refund wanted', by: 'model' })
    model.on(/^The message/, { say: 'No idea.' })
    const words = await ask(gateway, 'front', 'How do I get a refund for an invoice here?')
    expect(words.find(({ event }) => event === 'intent')?.data).toMatchObject({ agent: 'refunds', by: 'words' })
    expect(last(words).usage.inputTokens).toBeGreaterThan(0)
  })
})
