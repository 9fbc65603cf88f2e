import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { AgentConfigInput } from '../../gateway/agents/agents.ts'
import type { InboundMessage, OutboundReply } from '../../gateway/chat/chat.ts'
import { authAs } from '../harness/auth.ts'
import { type ChatPlace, micro, openChatPlace, type Shop, stored } from '../harness/chat-place.ts'
import { connect } from '../harness/client.ts'

const sent: OutboundReply[] = []
let place: ChatPlace
beforeAll(async () => {
  const route = { send: async (reply: OutboundReply) => void sent.push(reply) }
  place = await openChatPlace({ replyRoutes: new Map([['whatsapp', route] as const]) })
  // Later patterns win: what a tool answered comes last.
  place.model
    .on(/./, { say: 'Fine, thank you.' })
    .on(/chairs/, { say: 'One moment.', calls: [{ name: 'create_deal', arguments: '{"title":"Ten chairs"}' }] })
    .on(/tables/, { say: 'One moment.', calls: [{ name: 'create_deal', arguments: '{"title":"Two tables"}' }] })
    .on(/"waiting"/, { say: 'Somebody has to approve this first.' })
    .on(/"decision":"approved"/, { say: 'It was approved: the deal is made.' })
    .on(/"decision":"rejected"/, { say: 'They said no.' })
    .on(/"decision":"expired"/, { say: 'Nobody had the time.' })
})
afterAll(() => place[Symbol.asyncDispose]())

const page = z.object({ items: z.array(z.object({ id: z.string(), state: z.string(), delivery: z.string() })) })
const messages = z.object({ items: z.array(z.object({ role: z.string(), content: z.string() })) })

const careful = (own: AgentConfigInput = {}): AgentConfigInput => ({
  ...{ enabledTools: ['create_deal', 'search_deals'], requireApprovalFor: ['create_deal'], ...own },
})

async function deskOf(shop: Shop) {
  const { identity } = place.gateway.app.slices
  const scopes = ['approvals.read', 'approvals.decide'] as const
  const { raw } = await identity.createApiKey(shop.tenantId, 'Desk', { scopes: [...scopes] })
  const headers = { authorization: `Bearer ${raw}` }
  const decide = (id: string, how: string, body: object = {}) =>
    place.gateway.post(`/v1/approvals/${id}/${how}`, body, headers)
  const waiting = async (): Promise<string> => {
    const { items } = page.parse(await shop.get('/v1/approvals?state=pending'))
    return items[0]?.id ?? ''
  }
  const now = async (id: string) => z.looseObject({}).parse(await shop.get(`/v1/approvals/${id}`))
  const said = async (conversationId: string) => {
    const { items } = messages.parse(await shop.get(`/v1/conversations/${conversationId}/messages`))
    return items.map((each) => `${each.role}: ${each.content}`)
  }
  const deals = async () =>
    (await stored(place.gateway, 'entities', shop.tenantId)).filter((each) => 'type' in each && each.type === 'deal')
  return { decide, waiting, now, said, deals }
}

test('[A9] [S000-15] in writing: the answer comes at once, the call waits; approved, it is done once and told once', async () => {
  const shop = await place.shop(careful())
  const desk = await deskOf(shop)
  const reply = await shop.say('ten chairs please')
  expect(reply.text).toBe('One moment.\n\nSomebody has to approve this first.')
  // What waits costs nothing: the message does, and it was not a simple one.
  expect(reply.creditsMicro).toBe(3 * micro)
  const id = await desk.waiting()
  expect(await desk.now(id)).toMatchObject({
    ...{ state: 'pending', tool: 'create_deal', arguments: { title: 'Ten chairs' }, sessionId: null, channel: 'api' },
    ...{ conversationId: reply.conversationId, agentId: shop.agentId, parameters: { type: 'object' } },
  })
  const toolTurn = async () => {
    const turns = await stored(place.gateway, 'turns', shop.tenantId)
    return turns.find((each) => 'role' in each && each.role === 'tool')
  }
  expect(await toolTurn()).toMatchObject({ tool: { state: 'waiting' } })
  const clicks = await Promise.all([desk.decide(id, 'approve'), desk.decide(id, 'approve'), desk.decide(id, 'approve')])
  expect(clicks.map((each) => each.status)).toEqual([200, 200, 200])
  expect(await desk.decide(id, 'reject', { reason: 'No.' })).toMatchObject({ status: 409 })
  expect(await desk.deals()).toEqual([])
  await expect.poll(() => desk.now(id), { timeout: 20_000 }).toMatchObject({ state: 'done', delivery: 'told' })
  expect(await desk.deals()).toHaveLength(1)
  expect(await toolTurn()).toMatchObject({ tool: { state: 'ok', output: expect.stringContaining('Ten chairs') } })
  expect((await desk.said(reply.conversationId)).at(-1)).toBe('assistant: It was approved: the deal is made.')
  // The call, once; the turn that tells it, once.
  await expect.poll(() => shop.left()).toBe((1_000 - 3 - 1 - 1) * micro)
  const again = await Promise.all([desk.decide(id, 'approve'), place.gateway.app.slices.approvals.sweep()])
  expect(again[0]).toMatchObject({ status: 200, body: { state: 'done' } })
  expect((await desk.said(reply.conversationId)).filter((each) => each.includes('It was approved'))).toHaveLength(1)
}, 60_000)

test('[A9] [S000-15] rejected: the reason is kept, told, and in the conversation; nothing is done', async () => {
  const shop = await place.shop(careful())
  const desk = await deskOf(shop)
  const { conversationId } = await shop.say('ten chairs please')
  const id = await desk.waiting()
  expect(await desk.decide(id, 'reject', { reason: 'We have no chairs.' })).toMatchObject({
    ...{ status: 200, body: { state: 'rejected', reason: 'We have no chairs.', decidedBy: { kind: 'key' } } },
  })
  await expect.poll(() => desk.now(id), { timeout: 20_000 }).toMatchObject({ delivery: 'told' })
  const said = await desk.said(conversationId)
  expect(said.at(-1)).toBe('assistant: They said no.')
  expect(said.some((each) => each.startsWith('tool: ') && each.includes('We have no chairs.'))).toBe(true)
  expect(place.model.lastChat.messages.at(-1)).toMatchObject({ role: 'tool' })
  expect(await desk.deals()).toEqual([])
  expect(await desk.decide(id, 'approve')).toMatchObject({
    status: 409,
    body: { error: { message: 'This was rejected.' } },
  })
}, 60_000)

test('[A9] without credit, and without a model, it is told in plain words, and costs nothing', async () => {
  const shop = await place.shop(careful(), 4)
  const desk = await deskOf(shop)
  const { conversationId } = await shop.say('ten chairs please')
  await shop.say('thank you', { threadId: conversationId })
  expect(await shop.left()).toBe(0)
  await desk.decide(await desk.waiting(), 'reject', { reason: 'Sold out.' })
  const plain = 'assistant: Your request (create deal) was not approved: Sold out.'
  await expect.poll(async () => (await desk.said(conversationId)).at(-1), { timeout: 20_000 }).toBe(plain)
  expect(await shop.left()).toBe(0)

  const silent = await place.shop(careful())
  const other = await deskOf(silent)
  const { conversationId: second } = await silent.say('ten chairs please')
  place.model.always('chat', { how: 'status', status: 401 })
  await other.decide(await other.waiting(), 'reject', { reason: 'Sold out.' })
  await expect.poll(async () => (await other.said(second)).at(-1), { timeout: 20_000 }).toBe(plain)
  place.model.always('chat', undefined)
  await expect.poll(() => silent.left()).toBe(997 * micro)
}, 60_000)

test('[A9] the outcome leaves on the channel the message came from, once, and a repeated message stays as it was answered', async () => {
  const shop = await place.shop(careful())
  const desk = await deskOf(shop)
  const auth = authAs(shop.tenantId, { actor: { kind: 'webhook', id: 'whatsapp', name: 'WhatsApp' } })
  const inbound: InboundMessage = {
    channel: 'whatsapp',
    ...{ agentId: shop.agentId, text: 'ten chairs please', keyId: 'whatsapp', ip: '', auth },
    ...{ messageId: 'w-1', sender: { phone: '+49 170 1234567', externalId: '491701234567', vouched: true } },
  }
  const chat = place.gateway.app.slices.chat.of(shop.tenantId)
  const before = sent.length
  const reply = await chat.process(inbound)
  const id = await desk.waiting()
  await desk.decide(id, 'approve', { arguments: { title: 'Nine chairs' }, note: 'One is broken.' })
  await expect.poll(() => desk.now(id), { timeout: 20_000 }).toMatchObject({ state: 'done', delivery: 'told' })
  expect(sent.slice(before).map(({ text, to, conversationId }) => [text, to.externalId, conversationId])).toEqual([
    [reply.text, '491701234567', reply.conversationId],
    ['It was approved: the deal is made.', '491701234567', reply.conversationId],
  ])
  expect(await desk.deals()).toMatchObject([{ data: { title: 'Nine chairs' } }])
  expect(await chat.process(inbound)).toEqual(reply)
  expect(sent).toHaveLength(before + 2)
  expect(await desk.now(id)).toMatchObject({ changes: [{ path: 'title', before: 'Ten chairs', after: 'Nine chairs' }] })
}, 60_000)

test('[A8] an agent that was paused meanwhile does nothing, and its person hears of it', async () => {
  const shop = await place.shop(careful())
  const desk = await deskOf(shop)
  const { conversationId } = await shop.say('ten chairs please')
  const id = await desk.waiting()
  await place.gateway.app.slices.agents.of(shop.tenantId).setStatus(shop.agentId, 'paused')
  await desk.decide(id, 'approve')
  await expect.poll(() => desk.now(id), { timeout: 20_000 }).toMatchObject({ state: 'withdrawn', delivery: 'told' })
  expect(await desk.deals()).toEqual([])
  expect((await desk.said(conversationId)).at(-1)).toMatch(/can not be done any more/)
}, 60_000)

test('[A10] a key for which nothing was chosen reads the queue and decides nothing', async () => {
  const shop = await place.shop(careful())
  const desk = await deskOf(shop)
  await shop.say('ten chairs please')
  const id = await desk.waiting()
  expect(await shop.post(`/v1/approvals/${id}/approve`, {})).toMatchObject({ status: 403 })
  expect(await desk.now(id)).toMatchObject({ state: 'pending' })
  // Who did what is in the audit log.
  await desk.decide(id, 'reject', {})
  const { identity } = place.gateway.app.slices
  const { items } = await identity.audit.of(shop.tenantId).list({ limit: 5 })
  expect(items[0]).toMatchObject({ ability: 'approvals.decide', outcome: 'done', target: id })
})

test('[A9] in a live session in writing: the agent answers at once, and says the outcome in the same session', async () => {
  const shop = await place.shop(careful({ speaks: false }))
  const desk = await deskOf(shop)
  const headers = { authorization: `Bearer ${shop.key}` }
  await using client = await connect(place.gateway.wsUrl, { query: `?agent=${shop.slug}`, headers })
  await client.event('session.created')
  client.ask('two tables please')
  const heard = (text: string) =>
    client.until(({ events }) => events.find((each) => JSON.stringify(each).includes(text)), text)
  await heard('Somebody has to approve this first.')
  const id = await desk.waiting()
  const { sessionId, conversationId } = z
    .looseObject({ sessionId: z.string(), conversationId: z.string() })
    .parse(await desk.now(id))
  client.ask('how are you?')
  await heard('Fine, thank you.')
  await desk.decide(id, 'approve')
  await heard('It was approved: the deal is made.')
  await expect.poll(() => desk.now(id), { timeout: 10_000 }).toMatchObject({ state: 'done', delivery: 'told' })
  const { sessions } = place.gateway.app.slices
  const turns = await sessions.of(shop.tenantId).turns(sessionId)
  expect(turns.find((each) => each.role === 'tool')).toMatchObject({ tool: { state: 'ok' } })
  expect(turns.filter((each) => each.text.includes('It was approved'))).toHaveLength(1)
  client.socket.close()
  await vi.waitFor(async () => expect((await sessions.of(shop.tenantId).get(sessionId))?.state).toBe('ended'), 10_000)
  expect((await desk.said(conversationId)).filter((each) => each.includes('It was approved'))).toHaveLength(1)
}, 60_000)
