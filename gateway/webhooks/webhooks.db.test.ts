import { createServer, type IncomingMessage, type Server } from 'node:http'
import { pino } from 'pino'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { QueryWatch } from '../../test/harness/indexed.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { createEvents, type Events, eventCollections } from '../events/events.ts'
import { systemClock } from '../platform/clock.ts'
import { parseAllow } from '../platform/fetch-guard/allow.ts'
import { createFetchGuard } from '../platform/fetch-guard/fetch-guard.ts'
import { createResolve } from '../platform/fetch-guard/resolve.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes, type Mongo, openMongo } from '../platform/mongo.ts'
import { pauseMs, wants } from './webhook.ts'
import { createWebhooks, type Webhooks, webhookCollections } from './webhooks.ts'

const log = pino({ level: 'silent' })
const watch = new QueryWatch()
let store: TestStore
let mongo: Mongo
let server: Server
let url: string
let tenantId: TenantId
let webhooks: Webhooks
let events: Events
let nowMs: number
const secrets = new Map<string, string>()
const clock = { ...systemClock, now: () => nowMs }

interface Got {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
const got: Got[] = []
/** Answers of the receiver, in turn; then 204. */
let answers: (number | 'cut')[] = []

beforeAll(async () => {
  store = await openTestStore()
  mongo = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  await ensureIndexes(mongo.db, [...webhookCollections, ...eventCollections])
  server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    got.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') })
    const answer = answers.shift() ?? 204
    if (answer === 'cut') return void request.socket.destroy()
    response.writeHead(answer, answer === 302 ? { location: 'http://169.254.169.254/' } : {}).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}/hook` : ''
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await mongo.close()
  await store[Symbol.asyncDispose]()
})
const open = (tells = true) => {
  const guard = createFetchGuard({
    ...{ resolve: createResolve(), allow: parseAllow(new URL(url).host), log, mark: 'here' },
    own: () => ({ hosts: ['talk.example.com:443'], port: undefined }),
  })
  events = createEvents({
    ...{ db: mongo.db, clock, unseen: async () => new Set<string>() },
    onEvent: (tenant, event) => tells && webhooks.onEvent(tenant, event),
  })
  webhooks = createWebhooks({
    ...{ db: mongo.db, clock, log, guard, events, random: () => 0.5 },
    secrets: {
      get: async (tenant, id) => secrets.get(`${tenant}/${id}`),
      put: async (tenant, id, value) => secrets.set(`${tenant}/${id}`, value),
      remove: async (tenant, id) => secrets.delete(`${tenant}/${id}`),
    },
  })
}
beforeEach(() => {
  nowMs = Date.now()
  tenantId = asTenantId(newId('ten'))
  got.length = 0
  answers = []
  open()
})
afterEach(() => webhooks.drain())

const emit = (type: string, payload: object = {}) =>
  events.of(tenantId).emit({ type, actor: { kind: 'system', id: 'gateway', name: 'Parley' }, payload: { ...payload } })
const make = async (types: readonly string[] = ['*']) => webhooks.of(tenantId).create({ url, types, description: '' })
const deliveries = async (id: string) => (await webhooks.of(tenantId).deliveries(id, { limit: 50 })).items
/** Whatever else would be sent has been by then: a delivery to the receiver takes some ten milliseconds. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 200))
const later = async (ms: number) => {
  nowMs += ms
  await webhooks.sweep()
}

describe('what happens', () => {
  test('is sent signed, once, to who wants to hear of it, with the words of the event', async () => {
    const { endpoint, secret } = await make(['approval.*', 'session.ended'])
    const event = await emit('approval.requested', { tool: 'place_order' })
    await emit('order.placed')
    await expect.poll(() => deliveries(endpoint.id)).toMatchObject([{ state: 'delivered', attempts: 1, status: 204 }])
    expect(got).toHaveLength(1)
    const { headers, body } = got[0] ?? { headers: {}, body: '' }
    const said = new Webhook(secret).verify(body, headers as Record<string, string>)
    expect(said).toMatchObject({
      type: 'approval.requested',
      timestamp: event.at,
      data: { id: event.id, payload: { tool: 'place_order' } },
    })
    expect(headers['webhook-id']).toBe((await deliveries(endpoint.id))[0]?.id)
    expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow()
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(JSON.stringify(await store.db.collection('webhooks').find({ tenantId }).toArray())).not.toContain(
      secret.slice(6),
    )
  })

  test('is tried again with the same id and other moments until it is taken', async () => {
    answers = [500, 'cut', 302, 200]
    const { endpoint } = await make()
    await emit('order.placed')
    await expect.poll(() => deliveries(endpoint.id)).toMatchObject([{ state: 'waiting', attempts: 1, status: 500 }])
    for (const [pause, attempts] of [
      [5_000, 2],
      [30_000, 3],
      [120_000, 4],
    ] as const) {
      await later(pause)
      await expect.poll(async () => (await deliveries(endpoint.id))[0]?.attempts).toBe(attempts)
      await expect.poll(async () => (await deliveries(endpoint.id))[0]?.nextAt?.getTime() !== nowMs + 60_000).toBe(true)
    }
    await expect.poll(() => deliveries(endpoint.id)).toMatchObject([{ state: 'delivered', attempts: 4 }])
    expect(new Set(got.map((each) => each.headers['webhook-id'])).size).toBe(1)
    expect(new Set(got.map((each) => each.headers['webhook-timestamp'])).size).toBe(4)
    expect(await webhooks.of(tenantId).get(endpoint.id)).toMatchObject({ failures: 0, failingSince: null })
  })

  test('and was not put into the outbox, because its process died, is found in the log', async () => {
    const { endpoint } = await make()
    await webhooks.drain()
    open(false)
    await emit('order.placed')
    expect(await deliveries(endpoint.id)).toEqual([])
    open()
    await later(61_000)
    await expect.poll(() => deliveries(endpoint.id)).toMatchObject([{ state: 'delivered' }])
    await later(61_000)
    await quiet()
    expect(got).toHaveLength(1)
  })

  test('is told once by two processes that both saw it, and by one whose attempt another had begun', async () => {
    const { endpoint } = await make()
    const first = webhooks
    const event = await emit('order.placed')
    open()
    webhooks.onEvent(tenantId, event)
    first.onEvent(tenantId, event)
    await Promise.all([first.sweep(), webhooks.sweep()])
    await expect.poll(() => deliveries(endpoint.id)).toMatchObject([{ state: 'delivered', attempts: 1 }])
    await quiet()
    expect(got).toHaveLength(1)
    await first.drain()
  })

  test('reaches no other tenant’s address, and a webhook of another tenant is not there', async () => {
    const { endpoint } = await make()
    const mine = tenantId
    tenantId = asTenantId(newId('ten'))
    await emit('order.placed')
    await quiet()
    expect(got).toEqual([])
    const others = webhooks.of(tenantId)
    for (const act of [
      () => others.get(endpoint.id),
      () => others.change(endpoint.id, { url }),
      () => others.remove(endpoint.id),
      () => others.test(endpoint.id),
      () => others.newSecret(endpoint.id),
      () => others.deliveries(endpoint.id, { limit: 1 }),
      () => others.again(endpoint.id, 'hdel_1'),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'not_found' })
    expect(await webhooks.of(mine).get(endpoint.id)).toMatchObject({ state: 'on' })
  })
})

describe('an endpoint', () => {
  test('that fails for a day is switched off where a person sees it, says so as an event, and begins anew when switched on', async () => {
    answers = Array.from({ length: 100 }, () => 503)
    const { endpoint } = await make(['order.*'])
    await emit('order.placed')
    for (let hours = 0; hours < 30; hours++)
      await later(3_600_000).then(() => new Promise((resolve) => setTimeout(resolve, 60)))
    await emit('order.placed')
    await expect.poll(async () => (await webhooks.of(tenantId).get(endpoint.id)).state).toBe('failed')
    expect((await webhooks.of(tenantId).get(endpoint.id)).error).toContain('503')
    expect((await events.of(tenantId).list({ limit: 9, type: 'webhook.failed' })).items).toHaveLength(1)
    const asked = got.length
    await emit('order.placed')
    await later(3_600_000)
    await quiet()
    expect(got).toHaveLength(asked)
    answers = []
    await webhooks.of(tenantId).change(endpoint.id, { state: 'on' })
    await emit('order.placed')
    await expect.poll(async () => (await deliveries(endpoint.id))[0]?.state).toBe('delivered')
    expect(await webhooks.of(tenantId).get(endpoint.id)).toMatchObject({ state: 'on', error: null, failures: 0 })
  })

  test('that says it is gone is not asked again', async () => {
    answers = [410]
    const { endpoint } = await make(['order.placed'])
    await emit('order.placed')
    await expect.poll(async () => (await webhooks.of(tenantId).get(endpoint.id)).state).toBe('failed')
    expect(await deliveries(endpoint.id)).toMatchObject([{ state: 'dropped', status: 410 }])
  })

  test('[SSRF-11] at our own address, at an inner one or with another scheme is not saved', async () => {
    for (const bad of [
      'https://talk.example.com/v1/events',
      'http://127.0.0.1:1/',
      'https://10.0.0.7/',
      'http://169.254.169.254/latest',
    ])
      await expect(webhooks.of(tenantId).create({ url: bad, types: ['*'], description: '' })).rejects.toMatchObject({
        code: 'address_refused',
      })
    const { endpoint } = await make()
    await expect(webhooks.of(tenantId).change(endpoint.id, { url: 'https://talk.example.com/' })).rejects.toMatchObject(
      { code: 'address_refused' },
    )
  })

  test('is tried by a person, its deliveries come in pages and go out once more with their id', async () => {
    const { endpoint } = await make()
    answers = [201, 500]
    expect(await webhooks.of(tenantId).test(endpoint.id)).toEqual({ is: 'delivered', status: 201 })
    expect(await webhooks.of(tenantId).test(endpoint.id)).toMatchObject({ is: 'failed', status: 500 })
    got.length = 0
    for (let n = 0; n < 5; n++) {
      nowMs += 10
      await emit('order.placed', { n })
    }
    await expect
      .poll(async () => (await deliveries(endpoint.id)).filter((each) => each.state === 'delivered'))
      .toHaveLength(5)
    const first = await webhooks.of(tenantId).deliveries(endpoint.id, { limit: 3 })
    const rest = await webhooks.of(tenantId).deliveries(endpoint.id, { limit: 3, cursor: first.next ?? '' })
    expect(new Set([...first.items, ...rest.items].map((each) => each.id)).size).toBe(5)
    expect(rest.next).toBeNull()
    const [one] = first.items
    await webhooks.of(tenantId).again(endpoint.id, one?.id ?? '')
    await webhooks.sweep()
    await expect.poll(() => got).toHaveLength(6)
    expect(got.at(-1)?.headers['webhook-id']).toBe(one?.id)
  })

  test('taken away takes its secret and what waited with it', async () => {
    answers = [500]
    const { endpoint } = await make()
    await emit('order.placed')
    await expect.poll(() => got).toHaveLength(1)
    await webhooks.of(tenantId).remove(endpoint.id)
    expect(secrets.has(`${tenantId}/${endpoint.id}`)).toBe(false)
    await later(3_600_000)
    await quiet()
    expect(got).toHaveLength(1)
    expect(await store.db.collection('webhook_deliveries').countDocuments({ tenantId })).toBe(0)
  })
})

test('pauses grow to half a day, end within a day, and are not the same for everybody', () => {
  const all = Array.from({ length: 12 }, (_, n) => pauseMs(n + 1, 0.5))
  expect(all[0]).toBe(5_000)
  expect(all.indexOf(undefined)).toBe(9)
  const total = all.reduce<number>((sum, each) => sum + (each ?? 0), 0)
  expect(total).toBeGreaterThan(20 * 3_600_000)
  expect(total).toBeLessThan(24 * 3_600_000)
  expect(pauseMs(1, 0)).toBe(4_000)
  expect(pauseMs(1, 1)).toBe(6_000)
  expect(pauseMs(1, 0.5, 60_000)).toBe(60_000)
  expect(pauseMs(1, 0.5, 1e12)).toBe(3_600_000)
})

test('a filter names a type, a family of types or all', () => {
  expect(wants(['order.*'], 'order.placed')).toBe(true)
  expect(wants(['order.*'], 'orders.placed')).toBe(false)
  expect(wants(['order'], 'order.placed')).toBe(false)
  expect(wants(['*'], 'x.y')).toBe(true)
})

test('every query of the webhooks has an index', async () => {
  expect(watch.seen).toBeGreaterThan(8)
  expect(await watch.scans(mongo.db, ['webhooks', 'webhook_deliveries'])).toEqual([])
})
