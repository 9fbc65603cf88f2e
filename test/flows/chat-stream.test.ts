import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type ChatPlace, micro, openChatPlace, replyBody, type Shop, stored } from '../harness/chat-place.ts'

let place: ChatPlace
beforeAll(async () => {
  place = await openChatPlace({}, { PARLEY_DEMO: 'true' })
  place.model.on(/./, { say: 'Fine, thank you.' }).on(/^slowly/, { say: 'one two three four five six', wordMs: 150 })
})
afterAll(() => place[Symbol.asyncDispose]())

interface Sent {
  readonly event: string
  readonly data: unknown
}

async function* events(response: Response): AsyncGenerator<Sent> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      const block = text.slice(0, at)
      text = text.slice(at + 2)
      const [, event = '', data = 'null'] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? []
      if (event !== '') yield { event, data: JSON.parse(data) }
    }
  }
}

async function allOf(sent: AsyncIterable<Sent>): Promise<Sent[]> {
  const all: Sent[] = []
  for await (const each of sent) all.push(each)
  return all
}

function ask(shop: Shop, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${place.gateway.url}/v1/agents/${shop.slug}/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${shop.key}`, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
}

test('[C9] a stream is accepted, comes word by word and ends with the whole reply; proxies are told not to hold it', async () => {
  const shop = await place.shop()
  const response = await ask(shop, { message: 'slowly please' })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  expect(response.headers.get('x-accel-buffering')).toBe('no')
  expect(response.headers.get('cache-control')).toContain('no-transform')
  const all = await allOf(events(response))
  expect(all[0]?.event).toBe('accepted')
  const said = all
    .filter((each) => each.event === 'text')
    .map(({ data }) => z.object({ delta: z.string() }).parse(data).delta)
  expect(said.length).toBeGreaterThan(3)
  const done = replyBody.parse(all.at(-1)?.data)
  expect([said.join(''), all.at(-1)?.event]).toEqual([done.text, 'done'])
})

test('[C9] what is refused before it is accepted has its status; what fails after is an error event', async () => {
  const poor = await place.shop({}, 0)
  expect((await ask(poor, { message: 'hello' })).status).toBe(402)
  const shop = await place.shop()
  place.model.breaks('chat', { how: 'status', status: 401 })
  const all = await allOf(events(await ask(shop, { message: 'hello' })))
  expect(all.map((each) => each.event)).toEqual(['accepted', 'error'])
  expect(all[1]?.data).toMatchObject({ error: { code: 'engine_refused' } })
  expect(await shop.left()).toBe(1_000 * micro)
})

test('[C9] who goes away in the middle is answered and charged once all the same, and finds the reply on coming back', async () => {
  const shop = await place.shop()
  const gone = new AbortController()
  const response = await ask(shop, { message: 'slowly please', messageId: 'gone-1' }, gone.signal)
  for await (const each of events(response)) if (each.event === 'text') break
  gone.abort()
  const all = await allOf(events(await ask(shop, { message: 'slowly please', messageId: 'gone-1' })))
  expect(replyBody.parse(all.at(-1)?.data).text).toBe('one two three four five six')
  expect(await shop.left()).toBe(999 * micro)
  expect(await stored(place.gateway, 'turns', shop.tenantId)).toHaveLength(2)
})

test('[C10] a visitor’s token writes to its agent as its contact, from its page only, and into no conversation of others', async () => {
  const { gateway } = place
  const token = await gateway.visitorToken()
  const other = await gateway.visitorToken()
  const say = (own: string, body: object, origin = gateway.url) =>
    gateway.post('/v1/chat', body, { authorization: `Bearer ${own}`, origin })
  const first = await say(token, { message: 'hello' })
  expect(first.status).toBe(200)
  const { conversationId } = replyBody.parse(first.body)
  expect(replyBody.parse((await say(token, { message: 'again' })).body).conversationId).toBe(conversationId)
  expect((await say(token, { message: 'again', threadId: conversationId })).status).toBe(200)
  expect((await say(other, { message: 'hello', threadId: conversationId })).status).toBe(404)
  const mine = replyBody.parse((await say(token, { message: 'x', externalThreadId: 'same' })).body)
  const theirs = replyBody.parse((await say(other, { message: 'x', externalThreadId: 'same' })).body)
  expect(theirs.conversationId).not.toBe(mine.conversationId)
  expect((await say(token, { message: 'hello' }, 'https://elsewhere.example')).status).toBe(403)
  expect((await say(token, { message: 'hello', agentId: 'agt_other' })).status).toBe(404)
  expect((await say(token, { message: 'hello', contact: { email: 'a@example.com' } })).status).toBe(403)
})
