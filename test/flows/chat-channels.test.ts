import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { InboundMessage, OutboundReply, ReplyRoute } from '../../gateway/chat/chat.ts'
import { authAs } from '../harness/auth.ts'
import { type ChatPlace, micro, openChatPlace, type Shop, stored } from '../harness/chat-place.ts'

/** A messaging provider: keeps what it was given, once per key, and fails as it is told to. */
class ScriptedChannel implements ReplyRoute {
  readonly sent: OutboundReply[] = []
  attempts = 0
  fails = 0

  async send(reply: OutboundReply): Promise<void> {
    this.attempts++
    if (this.fails > 0) {
      this.fails--
      throw new Error('the provider does not answer')
    }
    if (!this.sent.some((each) => each.key === reply.key)) this.sent.push(reply)
  }
}

const whatsapp = new ScriptedChannel()
const email = new ScriptedChannel()
let place: ChatPlace
beforeAll(async () => {
  place = await openChatPlace({ replyRoutes: new Map([['whatsapp', whatsapp] as const, ['email', email] as const]) })
  place.model.on(/./, { say: 'Fine, thank you.' })
})
afterAll(() => place[Symbol.asyncDispose]())

function inbound(shop: Shop, over: Partial<InboundMessage>): InboundMessage {
  const actor = { kind: 'webhook', id: 'whatsapp', name: 'WhatsApp' } as const
  return {
    ...{ channel: 'whatsapp', agentId: shop.agentId, text: 'hello', keyId: 'whatsapp', ip: '' },
    auth: authAs(shop.tenantId, { actor }),
    sender: { phone: '+49 170 1234567', externalId: '491701234567', vouched: true },
    ...over,
  }
}
const chat = (shop: Shop) => place.gateway.app.slices.chat.of(shop.tenantId)
const contacts = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      phone: z.string().nullable(),
      email: z.string().nullable(),
      channels: z.array(z.string()),
    }),
  ),
})

test('[S000-7] the same phone on WhatsApp twice is one contact, at once too; an e-mail is matched by its address', async () => {
  const shop = await place.shop()
  const spellings = ['+49 170 1234567', '0049 170/1234567', '+49 (170) 1234567']
  const replies = await Promise.all(
    spellings.map((phone) =>
      chat(shop).process(inbound(shop, { sender: { phone, externalId: '491701234567', vouched: true } })),
    ),
  )
  expect(new Set(replies.map((each) => each.conversationId)).size).toBe(1)
  const sender = { email: 'Ada@Example.com', vouched: true }
  const first = await chat(shop).process(inbound(shop, { channel: 'email', sender }))
  const second = await shop.say('and by the API', { contact: { email: 'ada@example.com' } })
  expect(second.conversationId).toBe(first.conversationId)
  const { items } = contacts.parse(await shop.get('/v1/contacts'))
  expect(items.map(({ phone, email: address, channels }) => ({ phone, address, channels }))).toEqual([
    { phone: null, address: 'ada@example.com', channels: [] },
    { phone: '+491701234567', address: null, channels: ['whatsapp'] },
  ])
  expect(await shop.get(`/v1/contacts/${items[0]?.id}`)).toMatchObject({ id: items[0]?.id })
  expect(await (await place.shop()).get(`/v1/contacts/${items[0]?.id}`)).toMatchObject({ error: { code: 'not_found' } })
  const conversations = await stored(place.gateway, 'conversations', shop.tenantId)
  expect(conversations).toContainEqual(
    expect.objectContaining({ _id: replies[0]?.conversationId, contactId: items[1]?.id }),
  )
})

test('[S000-12] [C8] the reply leaves through the provider and the conversation its message came from, after it is stored', async () => {
  const shop = await place.shop()
  const before = [whatsapp.sent.length, email.sent.length]
  const written = await chat(shop).process(inbound(shop, {}))
  await chat(shop).process(inbound(shop, { channel: 'email', sender: { email: 'bob@example.com', vouched: true } }))
  await shop.say('by the API')
  expect([whatsapp.sent.length, email.sent.length]).toEqual(before.map((count) => count + 1))
  expect(whatsapp.sent.at(-1)).toMatchObject({
    ...{ conversationId: written.conversationId, key: written.turnId, text: 'Fine, thank you.' },
    to: { phone: '+49 170 1234567', externalId: '491701234567' },
  })
  expect(email.sent.at(-1)).toMatchObject({ channel: 'email', to: { email: 'bob@example.com' } })
  const turns = await stored(place.gateway, 'turns', shop.tenantId)
  expect(turns).toContainEqual(expect.objectContaining({ _id: written.turnId, channel: 'whatsapp' }))
})

test('[C8] a provider that fails gets the stored reply again under the same key: one reply, one charge', async () => {
  const shop = await place.shop()
  const asked = place.model.chats.length
  const sent = whatsapp.sent.length
  whatsapp.fails = 1
  await expect(chat(shop).process(inbound(shop, { messageId: 'w-1' }))).rejects.toMatchObject({ code: 'internal' })
  const reply = await chat(shop).process(inbound(shop, { messageId: 'w-1' }))
  expect(whatsapp.sent.slice(sent).map((each) => each.key)).toEqual([reply.turnId])
  expect([place.model.chats.length - asked, await shop.left()]).toEqual([1, 999 * micro])
  expect(await chat(shop).process(inbound(shop, { messageId: 'w-1' }))).toEqual(reply)
  expect(whatsapp.sent).toHaveLength(sent + 1)
})

test('[C8] a message nobody waits for is tried again after a failure that may pass, without its sender doing anything', async () => {
  const shop = await place.shop()
  const sent = whatsapp.sent.length
  place.model.breaks('chat', { how: 'status', status: 401 })
  await expect(chat(shop).process(inbound(shop, { messageId: 'w-2' }))).rejects.toMatchObject({
    code: 'engine_refused',
  })
  expect((await place.gateway.app.slices.ledger.of(shop.tenantId).credits()).holds).toEqual([])
  await expect.poll(() => whatsapp.sent.length, { timeout: 30_000, interval: 250 }).toBe(sent + 1)
  expect(await shop.left()).toBe(999 * micro)
})
