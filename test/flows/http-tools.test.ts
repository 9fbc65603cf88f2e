import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcp, type Server } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import type { Ability } from '../../gateway/platform/access.ts'
import { createResolve } from '../../gateway/platform/fetch-guard/resolve.ts'
import { type ChatPlace, openChatPlace, type Shop } from '../harness/chat-place.ts'
import { type NameServer, startNameServer } from '../harness/name-server.ts'
import { startGateway } from '../harness/start-gateway.ts'

let names: NameServer
let place: ChatPlace
let shop: Shop
let shopHost: string
let seen: { method: string; url: string; headers: IncomingMessage['headers'] }[] = []
let respond: (request: IncomingMessage, response: ServerResponse) => void
const service = createServer((request, response) => {
  seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
  respond(request, response)
})
let reached = 0
const canary = createTcp((socket) => {
  reached += 1
  socket.destroy()
})

const listening = (server: Server, port = 0) =>
  new Promise<number>((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    }),
  )

beforeAll(async () => {
  names = await startNameServer()
  shopHost = `127.0.0.1:${await listening(service)}`
  await listening(canary, 8443)
  place = await openChatPlace({ resolve: createResolve([names.address]) }, { PARLEY_FETCH_ALLOW: shopHost })
  shop = await place.shop({ enabledTools: ['find_order', 'cancel_order'] })
  await place.gateway.app.slices.identity.secrets.of(shop.tenantId).put('shop_key', 'canary-s3cret', 'op_test')
})
afterAll(async () => {
  await place[Symbol.asyncDispose]()
  await names[Symbol.asyncDispose]()
  service.closeAllConnections()
  for (const server of [service, canary]) server.close()
})
beforeEach(() => {
  seen = []
  respond = (request, response) =>
    response.end(JSON.stringify({ order: { state: 'sent', key: request.headers.authorization } }))
})

const headers = async (abilities: readonly Ability[]) => {
  const { identity } = place.gateway.app.slices
  const { raw } = await identity.createApiKey(shop.tenantId, 'Tools', { scopes: [...abilities] })
  return { authorization: `Bearer ${raw}`, 'content-type': 'application/json' }
}
async function send(method: string, path: string, body: object) {
  const given = await headers(['tools.read', 'tools.write', 'chat.create'])
  const response = await fetch(place.gateway.url + path, { method, headers: given, body: JSON.stringify(body) })
  return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) }
}

const findOrder = () => ({
  kind: 'http',
  description: 'Finds an order by its number.',
  readOnly: true,
  parameters: { type: 'object', properties: { number: { type: 'string' } }, required: ['number'] },
  spec: {
    url: `http://${shopHost}/orders/{number}`,
    auth: [{ type: 'bearer', secret: 'shop_key' }],
    response: { pick: { state: '/order/state', key: '/order/key' } },
  },
})

test('[S002-7] [SSRF-16] trying a descriptor sends its real request and shows it, the answer and what the model is told, without the secret', async () => {
  const descriptor = { ...findOrder(), name: 'find_order' }
  const { status, body } = await send('POST', '/v1/tools/test', { descriptor, arguments: { number: 'A 7' } })
  expect(seen).toMatchObject([
    { method: 'GET', url: '/orders/A%207', headers: { authorization: 'Bearer canary-s3cret' } },
  ])
  expect(status).toBe(200)
  expect(body).toEqual({
    request: {
      ...{ method: 'GET', url: `http://${shopHost}/orders/A%207`, body: null },
      headers: { accept: 'application/json', authorization: 'Bearer [secret]' },
    },
    response: { status: 200, body: JSON.stringify({ order: { state: 'sent', key: 'Bearer [secret]' } }, null, 2) },
    result: { state: 'sent', key: 'Bearer [secret]' },
    ms: expect.any(Number),
  })
  const wrong = await send('POST', '/v1/tools/test', { descriptor, arguments: { number: 7 } })
  expect(wrong).toMatchObject({ status: 400, body: { error: { code: 'invalid', issues: [{ path: 'number' }] } } })
  respond = (_request, response) => response.writeHead(503).end('down for maintenance')
  const down = await send('POST', '/v1/tools/test', { descriptor, arguments: { number: '7' } })
  expect(down.body).toMatchObject({
    response: { status: 503, body: 'down for maintenance' },
    result: { error: { code: 'http_503' } },
  })
})

test('[S002-1] editing a descriptor changes the agent’s prompt, and its call, with no other edit', async () => {
  place.model
    .on(/./, { say: 'Yes.' })
    .on(/where is/, { calls: [{ name: 'find_order', arguments: '{"number":"7"}' }] })
    .on(/"state"/, { say: 'It is on its way.' })
  const prompt = async () => {
    await shop.say('hello')
    return JSON.stringify(place.model.lastChat)
  }
  expect(await prompt()).not.toContain('find_order')
  expect((await send('PUT', '/v1/tools/find_order', findOrder())).status).toBe(200)
  expect(await prompt()).toContain('- find_order: Finds an order by its number.')
  const edited = { ...findOrder(), description: 'Tells where a parcel is.', instructions: 'Ask for the number first.' }
  await send('PUT', '/v1/tools/find_order', edited)
  const after = await prompt()
  expect(after).toContain('- find_order: Tells where a parcel is. Ask for the number first.')
  expect(after).not.toContain('Finds an order by its number.')
  expect((await shop.say('where is order 7')).text).toBe('It is on its way.')
  expect(seen).toMatchObject([
    { url: '/orders/7', headers: { authorization: 'Bearer canary-s3cret', 'parley-depth': '1' } },
  ])
  const texts = JSON.stringify([place.model.lastChat, place.gateway.log])
  expect(texts).toContain('find_order')
  expect(texts).not.toContain('canary-s3cret')
})

test('[S002-4] a sentence becomes a draft, the draft a request, the request a tool', async () => {
  const { kind: _, ...written } = { ...findOrder(), name: 'order_state' }
  place.model.on(/state of an order/, { say: `Sure: ${JSON.stringify(written)}` })
  const draft = await send('POST', '/v1/tools/draft', { sentence: 'Tells the state of an order of our shop.' })
  const { items } = z
    .object({ items: z.array(z.object({ descriptor: z.record(z.string(), z.unknown()) })) })
    .parse(draft.body)
  const descriptor = items[0]?.descriptor ?? {}
  expect(draft.body).toMatchObject({
    items: [{ descriptor: { name: 'order_state' }, notes: ['Set the secret shop_key.'] }],
  })
  const tried = await send('POST', '/v1/tools/test', { descriptor, arguments: { number: '7' } })
  expect(tried.body).toMatchObject({ result: { state: 'sent' } })
  const { name, ...rest } = descriptor
  expect(await send('PUT', `/v1/tools/${name}`, rest)).toMatchObject({
    status: 200,
    body: { name: 'order_state', own: true },
  })
  const none = await send('POST', '/v1/tools/draft', {})
  expect(none).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } })
})

test('[SSRF-06] [SSRF-11] a descriptor is checked when it is saved and again with every call: a name that turns inwards reaches nothing', async () => {
  const spec = (url: string) => ({ ...findOrder(), parameters: { type: 'object', properties: {} }, spec: { url } })
  for (const url of [
    'https://127.0.0.1/',
    'http://169.254.169.254/',
    'http://example.com/',
    `${place.gateway.url}/v1/agents`,
  ]) {
    const answer = await send('PUT', '/v1/tools/find_order', spec(url))
    expect(answer, url).toMatchObject({ status: 400, body: { error: { code: 'address_refused' } } })
  }
  // A front of ours by another name: it arrives, and is sent away.
  respond = (request, response) => {
    fetch(`${place.gateway.url}/health`, { headers: { 'parley-from': String(request.headers['parley-from']) } })
      .then(async (answer) => response.writeHead(answer.status).end(await answer.text()))
      .catch(() => response.destroy())
  }
  const relayed = await place.gateway.app.slices.guard.fetch(`http://${shopHost}/`, {}, { tenantId: shop.tenantId })
  expect([relayed.status, await relayed.json()]).toMatchObject([400, { error: { code: 'address_refused' } }])
  names.answer('orders.example.com', ['93.184.216.34'], ['127.0.0.1'])
  expect((await send('PUT', '/v1/tools/find_order', spec('https://orders.example.com:8443/'))).status).toBe(200)
  const { tools } = place.gateway.app.slices
  const call = { tenantId: shop.tenantId, sessionId: 's', callId: 'c', name: 'find_order', arguments: '{}' }
  const { output, ok } = await tools.run({ ...call, allowed: ['find_order'] })
  expect([ok, JSON.parse(output)]).toMatchObject([false, { error: { code: 'address_refused' } }])
  expect(reached).toBe(0)
})

test('[S002-17] [S002-18] ProductCo’s agent searches and counts by descriptors: what fits, and nothing else', async () => {
  await using gateway = await startGateway()
  const { tenants, agents, tools, entities } = gateway.app.slices
  const tenantId = (await tenants.bySlug('productco'))?.id
  if (tenantId === undefined) throw new Error('no demo tenant')
  const agent = await agents.of(tenantId).bySlug('productco')
  const described = await tools.of(tenantId).list()
  expect(described.filter((each) => /product/.test(each.name)).map((each) => [each.name, each.kind])).toEqual([
    ['product_stats', 'http'],
    ['search_products', 'http'],
  ])
  const say = async (message: string) => {
    const { status, body } = await gateway.post(
      '/v1/chat',
      { agentId: agent?.id, message },
      { authorization: `Bearer ${gateway.apiKey}` },
    )
    expect(status, JSON.stringify(body)).toBe(200)
    return z.object({ text: z.string() }).parse(body).text
  }
  expect(await say('red sofa under 500')).toMatch(/Alba/)
  const db = gateway.app.stores.mongo.db.collection('entities')
  const [figures] = await db
    .aggregate([
      { $match: { tenantId, type: 'product', 'data.category': 'sofa' } },
      {
        $group: { _id: null, count: { $sum: 1 }, min: { $min: '$data.priceCents' }, max: { $max: '$data.priceCents' } },
      },
    ])
    .toArray()
  const run = async (name: string, args: object) => {
    const call = {
      tenantId,
      sessionId: 's',
      callId: JSON.stringify([name, args]),
      name,
      arguments: JSON.stringify(args),
    }
    const { output, ok } = await tools.run({ ...call, allowed: [name] })
    expect(ok, output).toBe(true)
    return JSON.parse(output)
  }
  expect(await run('product_stats', { category: 'sofa' })).toMatchObject({
    ...{ count: figures?.count, minPrice: figures?.min / 100, maxPrice: figures?.max / 100 },
  })
  const { items } = await run('search_products', { query: 'red sofa under 500', limit: 20 })
  const red = await entities.of(tenantId).products({ colour: 'red', category: 'sofa', maxPrice: 500 }, 20)
  expect(items.map((each: { slug: string }) => each.slug)).toEqual(red.map((each) => each.slug))
  expect(items.length).toBeGreaterThan(0)
  expect(await run('search_products', { query: 'purple spaceship' })).toEqual({ count: 0, items: [] })
  expect(await say('How many sofas do you have?')).toContain(String(figures?.count))
})
