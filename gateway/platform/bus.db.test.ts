import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from '@upstash/redis'
import { expect, onTestFinished, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { type FakeUpstash, startFakeUpstash } from '../../test/harness/fake-upstash.ts'
import { createEmbeddedRedis } from '../embedded/redis/embedded-redis.ts'
import { type Bus, createBus } from './bus.ts'
import { type Clock, systemClock } from './clock.ts'
import { createLog } from './log.ts'
import { openRedis } from './redis.ts'

const quiet = createLog('silent')
const unused = () => {
  throw new Error('the embedded Redis was opened')
}

function join(redis: Redis, nodeId: string, over: { clock?: Clock; log?: typeof quiet } = {}) {
  const bus = createBus({ redis, nodeId, log: quiet, clock: systemClock, ...over })
  onTestFinished(() => bus.close())
  const got: unknown[] = []
  bus.on((message) => got.push(message))
  return { bus, got }
}

/** Subscriptions of a network take a moment to stand. */
async function reach(bus: Bus, nodeId: string, message: unknown): Promise<void> {
  await expect.poll(() => bus.tell(nodeId, message), { timeout: 5_000 }).toBeGreaterThan(0)
}

function upstash(fake: FakeUpstash): Redis {
  return openRedis({ upstashUrl: fake.url, upstashToken: fake.token }, unused, quiet).redis
}

const kinds: [string, () => Promise<() => Redis>][] = [
  [
    'the embedded Redis',
    async () => {
      const requester = createEmbeddedRedis()
      return () => new Redis(requester)
    },
  ],
  [
    'Upstash over HTTP',
    async () => {
      const fake = await startFakeUpstash()
      onTestFinished(() => fake[Symbol.asyncDispose]())
      return () => upstash(fake)
    },
  ],
]
// biome-ignore lint/style/noProcessEnv: which Redis to test against is asked of the caller.
const redisUrl = process.env.TEST_REDIS_URL
if (redisUrl !== undefined) {
  kinds.push([
    'a real Redis',
    async () => () => {
      const store = openRedis({ redisUrl }, unused, quiet)
      onTestFinished(() => store.close())
      return store.redis
    },
  ])
}

test.each(kinds)(
  'over %s a message reaches the process it is for, as it was sent, and nobody else',
  async (_, open) => {
    const connect = await open()
    const [a, b, c] = [join(connect(), 'bus_a'), join(connect(), 'bus_b'), join(connect(), 'bus_c')]
    const message = { do: 'end', text: 'ä, "b"\n{c}', n: 1.5, list: [null, true, '7'] }
    await reach(a.bus, 'bus_b', message)
    await expect.poll(() => b.got).toContainEqual(message)
    expect(a.got).toEqual([])
    expect(c.got).toEqual([])
    expect(await a.bus.tell('bus_nobody', message)).toBe(0)
  },
)

test.each(kinds)('over %s texts and numbers arrive as what they are', async (_, open) => {
  const connect = await open()
  const [a, b] = [join(connect(), 'bus_d'), join(connect(), 'bus_e')]
  await reach(a.bus, 'bus_e', '12')
  for (const each of ['true', 7, null]) await a.bus.tell('bus_e', each)
  await expect.poll(() => b.got.slice(-4)).toEqual(['12', 'true', 7, null])
})

test('a handler that throws does not keep the message from the others, and one that left gets nothing', async () => {
  const { bus, got } = join(new Redis(createEmbeddedRedis()), 'bus_a')
  bus.on(() => {
    throw new Error('broken')
  })
  const late: unknown[] = []
  bus.on((message) => late.push(message))
  const left: unknown[] = []
  bus.on((message) => left.push(message))()
  await reach(bus, 'bus_a', 1)
  await expect.poll(() => [got, late, left]).toEqual([[1], [1], []])
})

test('what others publish on the channel is not passed on unless it has the form of a message', async () => {
  const redis = new Redis(createEmbeddedRedis())
  const { bus, got } = join(redis, 'bus_a')
  for (const each of ['text', '{', 7, { other: 1 }, { ping: true }]) await redis.publish('parley:node:bus_a', each)
  await reach(bus, 'bus_a', 'real')
  await expect.poll(() => got).toEqual(['real'])
})

test('a closed bus hears nothing, and telling it reaches nobody', async () => {
  const redis = new Redis(createEmbeddedRedis())
  const { bus } = join(redis, 'bus_a')
  await reach(bus, 'bus_a', 1)
  await bus.close()
  expect(await bus.tell('bus_a', 2)).toBe(0)
})

test('a Redis that does not answer costs 300 ms and says 0, one that refuses says 0', async () => {
  await using fake = await startFakeUpstash()
  const { bus } = join(upstash(fake), 'bus_a')
  await reach(bus, 'bus_a', 1)
  fake.silent = true
  const started = performance.now()
  expect(await bus.tell('bus_a', 2)).toBe(0)
  expect(performance.now() - started).toBeLessThan(1_000)
  const refused = join(openRedis({ upstashUrl: fake.url, upstashToken: 'wrong' }, unused, quiet).redis, 'bus_b')
  fake.silent = false
  expect(await refused.bus.tell('bus_a', 2)).toBe(0)
})

/** Cuts and refuses connections between the bus and its Redis. */
async function startCutter(port: number) {
  const sockets = new Set<Socket>()
  let open = true
  const server = createServer((near) => {
    if (!open) return void near.destroy()
    const far = new (near.constructor as new () => Socket)()
    far.connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        sockets.delete(from)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    cut() {
      open = false
      for (const socket of sockets) socket.destroy()
    },
    mend() {
      open = true
    },
  }
}

test('a lost event stream is noticed and opened again, with one line when it goes and one when it is back', async () => {
  await using fake = await startFakeUpstash()
  const cutter = await startCutter(Number(new URL(fake.url).port))
  const clock = new ManualClock()
  const lines: string[] = []
  const log = createLog('info', { write: (line) => void lines.push(line) })
  const listener = join(openRedis({ upstashUrl: cutter.url, upstashToken: fake.token }, unused, quiet).redis, 'bus_a', {
    clock,
    log,
  })
  const teller = join(upstash(fake), 'bus_b').bus
  await reach(teller, 'bus_a', 'before')
  cutter.cut()
  await expect.poll(() => teller.tell('bus_a', 'meanwhile')).toBe(0)
  const down = (): number => lines.filter((line) => line.includes('bus_down')).length
  for (let n = 0; n < 6; n++) await clock.advance(1_000)
  await expect.poll(down).toBe(1)
  for (let n = 0; n < 6; n++) {
    await clock.advance(1_000)
    await sleep(30)
  }
  cutter.mend()
  for (let n = 0; n < 40 && (await teller.tell('bus_a', 'after')) === 0; n++) {
    await clock.advance(1_000)
    await sleep(100)
  }
  await expect.poll(() => listener.got.at(-1)).toBe('after')
  await expect.poll(() => lines.filter((line) => line.includes('bus_up')).length).toBe(1)
  expect(down()).toBe(1)
}, 20_000)

test('a stream that stands but carries nothing any more is opened again', async () => {
  const clock = new ManualClock()
  const embedded = createEmbeddedRedis()
  let generation = 0
  const request = ((each) => {
    const { onMessage } = each
    if (onMessage === undefined) return embedded.request(each)
    const born = generation
    return embedded.request({ ...each, onMessage: (line) => void (born === generation && onMessage(line)) })
  }) as typeof embedded.request
  const { bus, got } = join(new Redis({ request }), 'bus_a', { clock })
  await reach(bus, 'bus_a', 'before')
  await expect.poll(() => got).toEqual(['before'])
  generation++
  expect(await bus.tell('bus_a', 'lost')).toBe(1)
  await clock.advance(16_000)
  expect(await bus.tell('bus_a', 'after')).toBe(1)
  await expect.poll(() => got).toEqual(['before', 'after'])
})
