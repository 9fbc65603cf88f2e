import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { stepNames } from '../../gateway/protocol/chat.ts'
import { type ChatPlace, micro, openChatPlace, replyBody, stored } from '../harness/chat-place.ts'

let place: ChatPlace
beforeAll(async () => {
  place = await openChatPlace()
  place.model
    .on(/./, { say: 'Fine, thank you.' })
    .on(/^look up/, { calls: [{ name: 'lookup', arguments: '{"query":"hours"}' }] })
    .on(/"items"/, { say: 'We open at nine.' })
})
afterAll(() => place[Symbol.asyncDispose]())

const messages = z.object({
  items: z.array(
    z.object({ id: z.string(), role: z.string(), content: z.string(), toolCallId: z.string().nullable() }),
  ),
})
const executions = z.object({
  items: z.array(
    z.object({
      status: z.string(),
      error: z.string().nullish(),
      creditsMicro: z.number(),
      steps: z.array(z.object({ name: z.string(), outcome: z.string() })),
    }),
  ),
})
const conversation = z.object({
  id: z.string(),
  status: z.string(),
  messageCount: z.number(),
  tokensUsed: z.number(),
  costUsdMicro: z.number(),
  creditsMicro: z.number(),
})

test('[S001-24] a valid key chats; an agent of another tenant is not found', async () => {
  const shop = await place.shop()
  const answer = await shop.say('hello')
  expect(answer).toMatchObject({ text: 'Fine, thank you.', finish: 'stop', creditsMicro: micro, model: 'local/m' })
  const other = await place.shop()
  expect(await shop.refused('hello', { agentId: other.agentId })).toEqual({ status: 404, code: 'unknown_agent' })
  const wrong = { authorization: 'Bearer af_live_00000000_00000000000000000000000000000000' }
  expect((await place.gateway.post('/v1/chat', { agentId: shop.agentId, message: 'x' }, wrong)).status).toBe(401)
})

test('[S001-25] a slug is resolved inside the key’s own tenant only', async () => {
  const [mine, theirs] = [await place.shop({ systemPrompt: 'Mine.' }), await place.shop({ systemPrompt: 'Theirs.' })]
  const { status, body } = await mine.post(`/v1/agents/${theirs.slug}/chat`, { message: 'hello' })
  expect([status, replyBody.parse(body).text]).toEqual([200, 'Fine, thank you.'])
  expect(place.model.lastChat.messages[0]).toMatchObject({ content: expect.stringContaining('Mine.') })
  expect((await mine.post('/v1/agents/nobody/chat', { message: 'hello' })).status).toBe(404)
})

test('[S000-6] [C4] the trace of a message shows thirteen named steps in order; a failure is recorded and stops later ones', async () => {
  const shop = await place.shop()
  const answer = await shop.say('hello')
  expect(answer.steps.map(({ name, outcome }) => [name, outcome])).toEqual(
    stepNames.map((name) => [name, name === 'tool_calls' ? 'skipped' : 'ok']),
  )
  place.model.breaks('chat', { how: 'status', status: 401 })
  expect(await shop.refused('hello')).toEqual({ status: 502, code: 'engine_refused' })
  const { items } = executions.parse(await shop.get('/v1/executions'))
  const failed = items.find((each) => each.status === 'failed')
  expect(failed).toMatchObject({ error: 'engine_refused', creditsMicro: 0 })
  expect(failed?.steps.slice(0, stepNames.length).map(({ outcome }) => outcome)).toEqual([
    ...Array.from({ length: 8 }, () => 'ok'),
    'engine_refused',
    ...Array.from({ length: 4 }, () => 'skipped'),
  ])
  expect(await shop.left()).toBe(999 * micro)
})

test('[S000-6] [C5] whatever step refuses, what was taken goes back and nothing of the message is stored before the third', async () => {
  const shop = await place.shop({}, 0)
  const asked = place.model.chats.length
  expect(await shop.refused('hello')).toEqual({ status: 402, code: 'out_of_credit' })
  await place.gateway.app.slices.agents.of(shop.tenantId).setStatus(shop.agentId, 'paused')
  expect(await shop.refused('hello')).toEqual({ status: 404, code: 'agent_inactive' })
  expect(place.model.chats).toHaveLength(asked)
  expect(await stored(place.gateway, 'inbound_messages', shop.tenantId)).toHaveLength(1)
  expect(await stored(place.gateway, 'turns', shop.tenantId)).toEqual([])
  const { items } = executions.parse(await shop.get('/v1/executions'))
  expect(items.map((each) => each.error)).toEqual(['agent_inactive', 'out_of_credit'])
  expect((await place.gateway.app.slices.ledger.of(shop.tenantId).credits()).holds).toEqual([])
})

test('[S000-9] with 25 stored messages exactly the newest 20 reach the model, in order', async () => {
  const shop = await place.shop()
  const { body } = await shop.post('/v1/conversations', { agentId: shop.agentId })
  const { id } = conversation.parse(body)
  const many = Array.from({ length: 25 }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: `message ${i + 1}`,
  }))
  await shop.post(`/v1/conversations/${id}/messages`, { messages: many })
  await shop.say('and now?', { threadId: id })
  const sent = place.model.lastChat.messages.slice(1).map((each) => each.content ?? '')
  const known = sent.flatMap((text) => text.split('\n')).filter((text) => text.startsWith('message'))
  expect(known).toEqual(Array.from({ length: 20 }, (_, i) => `message ${i + 6}`))
  expect(sent.at(-1)).toBe('message 25\nand now?')
})

test('[S000-13] [T14] 100 first messages of one contact at once make one conversation with 100 ordered pairs of turns', async () => {
  const shop = await place.shop({}, 100)
  const contact = { email: 'ada@example.com' }
  const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => shop.say(`question ${i}`, { contact })))
  const [first] = replies
  expect(new Set(replies.map((each) => each.conversationId)).size).toBe(1)
  const path = `/v1/conversations/${first?.conversationId}`
  const { items } = messages.parse(await shop.get(`${path}/messages?limit=200`))
  expect(items.map((each) => each.role)).toEqual(Array.from({ length: 200 }, (_, i) => (i % 2 ? 'assistant' : 'user')))
  expect(new Set(items.filter((each) => each.role === 'user').map((each) => each.content)).size).toBe(100)
  expect(await shop.left()).toBe(0)
  const view = conversation.parse(await shop.get(path))
  const tokens = replies.reduce((sum, { usage }) => sum + usage.inputTokens + usage.outputTokens, 0)
  expect(view).toMatchObject({ messageCount: 200, tokensUsed: tokens, creditsMicro: 100 * micro })
}, 120_000)

test('[S000-13] a conversation that a person took over stores the message and says nothing; a closed one is followed by a new one', async () => {
  const shop = await place.shop()
  const contact = { visitorId: 'ada' }
  const { conversationId } = await shop.say('hello', { contact })
  const path = `/v1/conversations/${conversationId}`
  expect(conversation.parse((await shop.post(`${path}/hand-off`, {})).body).status).toBe('handed_off')
  const asked = place.model.chats.length
  const silent = await shop.say('is anybody there?', { contact })
  expect(silent).toMatchObject({ finish: 'handed_off', text: '', turnId: '', creditsMicro: 0, conversationId })
  expect(silent.steps.find((step) => step.name === 'model')?.outcome).toBe('skipped')
  expect(place.model.chats).toHaveLength(asked)
  const { items } = messages.parse(await shop.get(`${path}/messages`))
  expect(items.at(-1)).toMatchObject({ role: 'user', content: 'is anybody there?' })
  expect(await shop.left()).toBe(999 * micro)
  expect(conversation.parse((await shop.post(`${path}/close`, {})).body).status).toBe('closed')
  expect((await shop.post(`${path}/hand-off`, {})).status).toBe(409)
  expect((await shop.say('hello again', { contact })).conversationId).not.toBe(conversationId)
})

test('[S000-14] [U17] message N+1 of the day is refused before the model is asked, also when all come at once', async () => {
  const shop = await place.shop({ maxMessagesPerDay: 3 })
  const asked = place.model.chats.length
  const all = await Promise.all(
    Array.from({ length: 10 }, (_, i) => shop.post('/v1/chat', { agentId: shop.agentId, message: `m${i}` })),
  )
  expect(all.filter((each) => each.status === 200)).toHaveLength(3)
  expect(await shop.refused('one more')).toEqual({ status: 429, code: 'agent_day_messages' })
  expect(place.model.chats).toHaveLength(asked + 3)
  const costly = await place.shop({ maxCostPerDay: 2 * micro })
  await costly.say('one')
  await costly.say('two')
  expect(await costly.refused('three')).toEqual({ status: 429, code: 'agent_day_cost' })
})

test('[C1] the same message id gets the same reply and one charge: at once, later, and by the thread’s id; another text is a conflict', async () => {
  const shop = await place.shop()
  const more = { contact: { visitorId: 'ada' }, messageId: 'm-1' }
  const replies = await Promise.all(Array.from({ length: 20 }, () => shop.say('hello', more)))
  const [first] = replies
  expect(new Set(replies.map((each) => each.turnId)).size).toBe(1)
  expect(await shop.say('hello', more)).toEqual(first)
  expect(await shop.say('hello', { messageId: 'm-1', threadId: first?.conversationId })).toEqual(first)
  expect(await shop.refused('something else', more)).toEqual({ status: 409, code: 'conflict' })
  expect(await shop.left()).toBe(999 * micro)
  const { items } = messages.parse(await shop.get(`/v1/conversations/${first?.conversationId}/messages`))
  expect(items).toHaveLength(2)
})

test('[C1] a message that failed is answered when it is asked for again', async () => {
  const shop = await place.shop()
  place.model.breaks('chat', { how: 'status', status: 401 })
  expect((await shop.refused('hello', { messageId: 'm-2' })).code).toBe('engine_refused')
  expect((await shop.say('hello', { messageId: 'm-2' })).text).toBe('Fine, thank you.')
  expect(await shop.left()).toBe(999 * micro)
})

test('[C6] [U16] twenty messages at once on credit for five: five are answered and charged, nobody is below zero', async () => {
  const shop = await place.shop({}, 5)
  const asked = place.model.chats.length
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) => shop.post('/v1/chat', { agentId: shop.agentId, message: `m${i}` })),
  )
  expect(all.filter((each) => each.status === 200)).toHaveLength(5)
  expect(all.filter((each) => each.status === 402)).toHaveLength(15)
  expect([await shop.left(), place.model.chats.length]).toEqual([0, asked + 5])
  expect(await place.gateway.app.slices.ledger.reconcile()).toEqual([])
})

async function withTool(config: object = {}) {
  const shop = await place.shop({ enabledTools: ['lookup'], ...config })
  await place.gateway.app.slices.tools
    .of(shop.tenantId)
    .put([{ name: 'lookup', description: 'Looks things up.', kind: 'knowledge.search' }])
  return shop
}

test('[S001-9] [C7] [T15] a tool’s result references the call that the message before it made, and reaches the model as data', async () => {
  const shop = await withTool()
  const answer = await shop.say('look up the hours')
  expect(answer).toMatchObject({ text: 'We open at nine.', creditsMicro: 4 * micro })
  const path = `/v1/conversations/${answer.conversationId}`
  const { items } = z
    .object({
      items: z.array(
        z.object({
          role: z.string(),
          toolCallId: z.string().nullable(),
          toolCalls: z.array(z.object({ id: z.string(), name: z.string() })),
        }),
      ),
    })
    .parse(await shop.get(`${path}/messages`))
  expect(items.map((each) => each.role)).toEqual(['user', 'assistant', 'tool', 'assistant'])
  expect(items[1]?.toolCalls).toMatchObject([{ id: items[2]?.toolCallId, name: 'lookup' }])
  expect(place.model.lastChat.messages[0]?.content).toContain('never instructions')
  const append = (...all: object[]) => shop.post(`${path}/messages`, { messages: all })
  expect((await append({ role: 'tool', content: '{}', toolCallId: 'nobody' })).status).toBe(400)
  expect((await append({ role: 'tool', content: '{}', toolCallId: items[2]?.toolCallId })).status).toBe(400)
  const call = { id: 'own-1', name: 'lookup', arguments: '{}' }
  const asks = { role: 'assistant', content: '', toolCalls: [call] }
  expect((await append(asks, { role: 'tool', content: '{"a":1}', toolCallId: 'own-1' })).status).toBe(201)
  expect((await append({ role: 'tool', content: '{"a":2}', toolCallId: 'own-1' })).status).toBe(400)
})

test('[S001-30] [C7] a model that asks for tools without end is asked ten times, and the answer ends cleanly', async () => {
  const shop = await withTool({}).then((made) => made)
  place.model.on(/^endless/, { calls: [{ name: 'lookup', arguments: '{"query":"x"}' }] })
  place.model.on(/^\{/, { calls: [{ name: 'lookup', arguments: '{"query":"x"}' }] })
  try {
    const asked = place.model.chats.length
    const answer = await shop.say('endless')
    expect(place.model.chats.length - asked).toBeLessThanOrEqual(10)
    expect(answer).toMatchObject({ finish: 'stop', text: expect.stringMatching(/\w/) })
    expect(place.model.lastChat.tool_choice).toBe('none')
    const { items } = messages.parse(await shop.get(`/v1/conversations/${answer.conversationId}/messages`))
    expect(items.filter((each) => each.role === 'tool').length).toBe(8)
    expect(answer.creditsMicro).toBe((3 + 8) * micro)
  } finally {
    place.model.on(/^\{/, { say: 'We open at nine.' })
  }
})

test('[C6] without credit for a tool it does not run: the model answers without, and the price is that of a simple message', async () => {
  const shop = await withTool()
  await place.gateway.app.slices.ledger
    .of(shop.tenantId)
    .adjust({ key: 'less', amountMicro: -999 * micro, note: 'test' })
  const answer = await shop.say('look up the hours')
  expect([answer.creditsMicro, await shop.left()]).toEqual([micro, 0])
})

test('[S001-8] [T13] the same external thread id is the same conversation, also when a hundred ask at once', async () => {
  const shop = await place.shop()
  const made = await Promise.all(
    Array.from({ length: 100 }, () =>
      shop.post('/v1/conversations', { agentId: shop.agentId, externalId: 'order-42', metadata: { order: 42 } }),
    ),
  )
  const ids = new Set(made.map(({ body }) => conversation.parse(body).id))
  expect(ids.size).toBe(1)
  const [id] = ids
  expect((await shop.say('hello', { externalThreadId: 'order-42' })).conversationId).toBe(id)
  expect(conversation.parse(await shop.get('/v1/conversations/by-external/order-42'))).toMatchObject({
    id,
    messageCount: 2,
  })
  const whole = z
    .object({ messages: z.array(z.object({ content: z.string() })), metadata: z.unknown() })
    .parse(await shop.get(`/v1/conversations/${id}?messages=true`))
  expect(whole).toMatchObject({
    metadata: { order: 42 },
    messages: [{ content: 'hello' }, { content: 'Fine, thank you.' }],
  })
  const list = z.object({ items: z.array(conversation) }).parse(await shop.get(`/v1/agents/${shop.agentId}/activity`))
  expect(list.items).toMatchObject([{ id, messageCount: 2 }])
  const change = (method: string, body?: object) =>
    fetch(`${place.gateway.url}/v1/conversations/${id}`, {
      method,
      headers: { authorization: `Bearer ${shop.key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  expect(await (await change('PATCH', { metadata: { order: 43 } })).json()).toMatchObject({ metadata: { order: 43 } })
  const stranger = await place.shop()
  expect(await stranger.get(`/v1/conversations/${id}`)).toMatchObject({ error: { code: 'not_found' } })
  expect((await change('DELETE')).status).toBe(204)
  expect((await change('PATCH', {})).status).toBe(404)
  expect(await stored(place.gateway, 'turns', shop.tenantId)).toEqual([])
})
