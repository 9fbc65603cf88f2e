import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { ChaosStore } from '../chaos/store.ts'
import { connect, type TestClient } from '../harness/client.ts'
import { startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { type Spawned, spawnGateway } from '../harness/spawn-gateway.ts'
import { newApiKey } from '../harness/start-gateway.ts'

/** Between gateway and store. `silent`: bytes wait both ways. `gone`: connections end and new ones are refused. */
class Road implements AsyncDisposable {
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((near) => this.#join(near))
  readonly #store: string
  #state: 'open' | 'silent' | 'gone' = 'open'

  private constructor(store: string) {
    this.#store = store
  }

  static async to(mongoUri: string): Promise<Road> {
    const host = /^mongodb:\/\/([^/]+)\//.exec(mongoUri)?.[1] ?? ''
    const road = new Road(decodeURIComponent(host))
    await new Promise<void>((resolve) => road.#server.listen(0, '127.0.0.1', resolve))
    return road
  }

  get uri(): string {
    const address = this.#server.address()
    return `mongodb://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/?directConnection=true`
  }

  #join(near: Socket): void {
    if (this.#state === 'gone') return void near.destroy()
    const far = connectSocket(this.#store)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.pipe(to)
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#state === 'silent') from.pause()
    }
  }

  set(state: 'open' | 'silent' | 'gone'): void {
    this.#state = state
    for (const socket of this.#sockets) {
      if (state === 'gone') socket.destroy()
      else if (state === 'silent') socket.pause()
      else socket.resume()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.set('gone')
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const key = newApiKey()

async function setup() {
  const root = await mkdtemp(join(tmpdir(), 'parley-down-'))
  const store = await ChaosStore.start(join(root, 'store'))
  const road = await Road.to(store.mongoUri)
  const provider = await startScriptedRealtime()
  const mongo = await new MongoClient(store.mongoUri).connect()
  onTestFinished(async () => {
    await mongo.close()
    await road[Symbol.asyncDispose]()
    await provider.stop()
    await store[Symbol.asyncDispose]()
    await rm(root, { recursive: true, force: true })
  })
  const dataDir = join(root, 'data')
  return {
    store,
    road,
    dataDir,
    start: () =>
      spawnGateway({
        ...store.env,
        MONGODB_URI: road.uri,
        PARLEY_DATA_DIR: dataDir,
        PARLEY_DEMO_API_KEY: key,
        OPENAI_API_KEY: 'test',
        OPENAI_BASE_URL: provider.baseUrl,
        PARLEY_ENGINE: 'openai-realtime',
      }),
    /** Straight from the store: role and text in order. */
    async stored(sessionId: string): Promise<string[]> {
      const turns = mongo.db('parley').collection('turns')
      const docs = await turns
        .find({ tenantId: { $exists: true }, sessionId })
        .sort({ seq: 1 })
        .toArray()
      return docs.map((doc) => `${doc.role} ${doc.state}${doc.role === 'user' ? ` ${doc.text}` : ''}`)
    },
    async onDisk(): Promise<string> {
      const dir = join(dataDir, 'wal')
      const files = (await readdir(dir)).filter((name) => name.endsWith('.wal'))
      return (await Promise.all(files.map((name) => readFile(join(dir, name), 'utf8')))).join('')
    },
  }
}

async function open(gateway: Spawned): Promise<{ visitor: TestClient; sessionId: string }> {
  const visitor = await connect(gateway.wsUrl, {
    headers: { authorization: `Bearer ${key}` },
    query: '?agent=productco',
    parley: true,
  })
  const { session_id: sessionId } = z.object({ session_id: z.string() }).parse(await visitor.event('parley.session'))
  return { visitor, sessionId }
}

/** Asks and waits for the whole answer; gives how long it took. */
async function ask(visitor: TestClient, n: number): Promise<number> {
  const started = performance.now()
  const before = visitor.ofType('response.done').length
  visitor.send({ type: 'parley.say', item_id: `said_${n}`, text: `Question ${n}` })
  await visitor.event('response.done', before + 1)
  return performance.now() - started
}

const committed = (visitor: TestClient): string[] =>
  visitor
    .ofType('parley.committed')
    .flatMap((event) => z.object({ item_ids: z.array(z.string()) }).parse(event).item_ids)
const dialogue = (questions: number): string[] =>
  Array.from({ length: questions }, (_, n) => [`user final Question ${n + 1}`, 'agent final']).flat()
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test.each([
  ['silent', 6],
  ['gone', 20],
] as const)(
  '[T6] a store that is %s for %i s: every answer comes at once, nothing is called sent before it is stored, and every turn is there afterwards, in order',
  async (state, seconds) => {
    const it = await setup()
    await using gateway = await it.start()
    const { visitor, sessionId } = await open(gateway)
    await ask(visitor, 1)
    await expect.poll(() => committed(visitor)).toContain('said_1')
    const until = performance.now() + seconds * 1_000
    it.road.set(state)
    const took: number[] = []
    while (performance.now() < until) {
      took.push(await ask(visitor, took.length + 2))
      await sleep(1_000)
    }
    const asked = took.length + 1
    expect(committed(visitor).filter((itemId) => itemId.startsWith('said_'))).toEqual(['said_1'])
    it.road.set('open')
    await expect.poll(() => it.stored(sessionId), { timeout: 20_000, interval: 250 }).toEqual(dialogue(asked))
    await expect
      .poll(() => committed(visitor))
      .toEqual(expect.arrayContaining(Array.from({ length: asked }, (_, n) => `said_${n + 1}`)))
    // Nothing of the outage is left on disk.
    await expect.poll(it.onDisk).toBe('')
    expect(visitor.ofType('error')).toEqual([])
    expect(Math.max(...took)).toBeLessThan(2_000)
  },
  90_000,
)

test('[T9] a gateway killed while the store is down: what was on disk is in the store after the next start, in order, and stays one conversation', async () => {
  const it = await setup()
  const first = await it.start()
  const { visitor, sessionId } = await open(first)
  await ask(visitor, 1)
  await expect.poll(() => it.stored(sessionId)).toEqual(dialogue(1))
  it.road.set('silent')
  for (const n of [2, 3, 4]) await ask(visitor, n)
  await expect.poll(it.onDisk, { timeout: 5_000 }).toContain('Question 4')
  await expect.poll(it.onDisk, { timeout: 5_000 }).toMatch(/Question 4(.|\n)*"role":"agent","state":"final"/)
  await first.kill()
  await visitor.ended()
  expect(await it.stored(sessionId)).toEqual(dialogue(1))
  it.road.set('gone')
  it.road.set('open')
  await using second = await it.start()
  await expect.poll(() => it.stored(sessionId), { timeout: 20_000 }).toEqual(dialogue(4))
  await expect.poll(it.onDisk).toBe('')
  expect(second.output()).toContain('wal_replayed')
}, 60_000)
