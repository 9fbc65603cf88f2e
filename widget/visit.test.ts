import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { EndReason } from '../gateway/protocol/realtime.ts'
import { Visit } from './visit.ts'

/** The browser's socket, played by the test: opens when told, keeps what was sent. */
class FakeSocket {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static all: FakeSocket[] = []
  readonly url: string
  readonly protocols: readonly string[]
  readonly sent: Record<string, unknown>[] = []
  readyState = FakeSocket.CONNECTING
  bufferedAmount = 0
  binaryType = ''
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null

  constructor(url: string, protocols: readonly string[]) {
    this.url = url
    this.protocols = protocols
    FakeSocket.all.push(this)
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data))
  }

  close(): void {
    this.readyState = 3
  }

  tell(event: object): void {
    this.onmessage?.({ data: JSON.stringify({ event_id: 'e', ...event }) })
  }

  open(history: readonly object[] = []): void {
    this.readyState = FakeSocket.OPEN
    const engine = { kind: 'demo', demo: true, hears: 'words' }
    this.tell({ type: 'parley.session', session_id: 's', conversation_id: 'c', engine, heartbeat_ms: 5_000, history })
  }

  die(code = 1006, reason = ''): void {
    this.readyState = 3
    this.onclose?.({ code, reason })
  }

  get texts(): unknown[] {
    return this.sent.flatMap(({ item }) =>
      typeof item === 'object' && item !== null && 'content' in item ? [JSON.stringify(item.content)] : [],
    )
  }
}

const bootstrap = {
  token: 'token-1',
  expiresAt: 0,
  agent: { slug: 'shop', name: 'Shop' },
  brand: { accent: '#123456', title: 'Shop' },
  texts: { greeting: '', placeholder: '', consent: '', suggestions: [] },
  voice: true,
}
const refusal = (code: string, retry: string) => ({ error: { code, message: code, retry } })

let replies: { status: number; body: unknown }[]
let asked: unknown[]

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
  replies = []
  asked = []
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.stubGlobal('location', new URL('https://talk.example/widget/panel'))
  vi.stubGlobal('fetch', async (_url: string, init: { body: string }) => {
    asked.push(JSON.parse(init.body))
    const { status, body } = replies.shift() ?? { status: 200, body: bootstrap }
    return new Response(JSON.stringify(body), { status })
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const request = { key: 'pk_shop', agent: 'shop', visitorId: 'vis_1234567890123456', hostOrigin: 'https://shop.example' }

async function visiting(): Promise<Visit> {
  const visit = new Visit(request)
  await visit.boot()
  return visit
}

const socket = (at = -1): FakeSocket => {
  const found = FakeSocket.all.at(at)
  if (found === undefined) throw new Error('No socket was opened')
  return found
}
const turn = (itemId: string, role: string, state = 'final') => ({
  type: 'parley.turn',
  turn: { itemId, role, state, seq: 1, text: 'x', voice: false },
})
const itemId = (visit: Visit): string => visit.state.lines.at(-1)?.itemId ?? ''

test('an idle panel asks who the agent is and opens no socket', async () => {
  const visit = await visiting()
  expect(asked).toEqual([request])
  expect(FakeSocket.all).toEqual([])
  expect(visit.state.phase).toBe('idle')
})

test('the first message opens the socket with the token as subprotocol, and is sent once the session is there', async () => {
  const visit = await visiting()
  visit.say('  Hello  ')
  await vi.advanceTimersByTimeAsync(0)
  expect(socket().url).toBe('wss://talk.example/v1/realtime?agent=shop')
  expect(socket().protocols).toEqual(['parley.v1', 'openai-insecure-api-key.token-1'])
  expect(socket().sent).toEqual([])
  socket().open()
  expect(socket().sent).toMatchObject([
    {
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
    },
    { type: 'response.create' },
  ])
  expect(itemId(visit).length).toBeLessThanOrEqual(32)
  visit.say('And')
  expect(socket().texts).toHaveLength(2)
  visit.say('   ')
  expect(socket().texts).toHaveLength(2)
})

test('what is said before the token is there is sent as soon as it is', async () => {
  const visit = new Visit(request)
  const booted = visit.boot()
  visit.say('Early')
  await booted
  await vi.advanceTimersByTimeAsync(0)
  expect(FakeSocket.all).toHaveLength(1)
  socket().open()
  expect(socket().texts).toHaveLength(1)
})

test('a heartbeat is answered with the same number', async () => {
  const visit = await visiting()
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  socket().tell({ type: 'parley.heartbeat', n: 7 })
  expect(socket().sent.at(-1)).toEqual({ type: 'parley.heartbeat', n: 7 })
})

test('a question that the network swallowed is asked again in the next session, an answered one is not', async () => {
  const visit = await visiting()
  visit.say('Lost')
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  socket().die()
  expect(visit.state.phase).toBe('reconnecting')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(FakeSocket.all).toHaveLength(2)
  socket().open()
  expect(socket().texts).toHaveLength(1)
  socket().tell(turn(itemId(visit), 'user'))
  socket().tell({ type: 'response.created' })
  socket().die()
  await vi.advanceTimersByTimeAsync(1_500)
  socket().open()
  expect(socket().texts).toEqual([])
})

test('a quiet conversation that loses its socket stays closed until the next message', async () => {
  const visit = await visiting()
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  socket().tell(turn(itemId(visit), 'user'))
  socket().tell({ type: 'response.created' })
  socket().tell({ type: 'response.done' })
  socket().die()
  await vi.advanceTimersByTimeAsync(30_000)
  expect(FakeSocket.all).toHaveLength(1)
  expect(visit.state).toMatchObject({ phase: 'idle', ended: undefined })
  visit.say('Again')
  await vi.advanceTimersByTimeAsync(0)
  expect(FakeSocket.all).toHaveLength(2)
})

test('a token that is no longer good is replaced once; a second refusal is told', async () => {
  const visit = await visiting()
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(0)
  replies.push({ status: 200, body: { ...bootstrap, token: 'token-2' } })
  socket().die(4401, '{"code":"unauthenticated"}')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(socket().protocols[1]).toBe('openai-insecure-api-key.token-2')
  socket().die(4401, '{"code":"unauthenticated"}')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakeSocket.all).toHaveLength(2)
  expect(visit.state.ended?.ending.code).toBe('unauthenticated')
})

test('an old token is renewed before it is tried', async () => {
  const visit = await visiting()
  await vi.advanceTimersByTimeAsync(11 * 60_000)
  replies.push({ status: 200, body: { ...bootstrap, token: 'token-2' } })
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(0)
  expect(FakeSocket.all.map(({ protocols }) => protocols[1])).toEqual(['openai-insecure-api-key.token-2'])
})

test('a busy agent is tried six more times, then the message is marked and can be sent by hand', async () => {
  const visit = await visiting()
  visit.say('Hello')
  for (let i = 0; i < 20; i++) {
    await vi.advanceTimersByTimeAsync(10_000)
    if (socket().readyState === FakeSocket.CONNECTING) socket().die(4429, '{"code":"no_slot"}')
  }
  expect(FakeSocket.all).toHaveLength(7)
  expect(visit.state.ended?.ending.code).toBe('no_slot')
  expect(visit.state.lines.at(-1)?.state).toBe('unsent')
  visit.retry()
  await vi.advanceTimersByTimeAsync(0)
  socket().die(4429, '{"code":"no_slot"}')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(FakeSocket.all).toHaveLength(9)
  socket().open()
  expect(socket().texts).toHaveLength(1)
})

test('sessions that die young do not reset the count of tries, or a broken engine would be hammered', async () => {
  const visit = await visiting()
  visit.say('Hello')
  for (let i = 0; i < 20; i++) {
    await vi.advanceTimersByTimeAsync(9_900)
    if (socket().readyState !== FakeSocket.CONNECTING) continue
    socket().open()
    await vi.advanceTimersByTimeAsync(5_000)
    socket().die(4502, '{"code":"engine_lost"}')
  }
  expect(FakeSocket.all).toHaveLength(7)
})

test.each<EndReason>(['idle', 'operator', 'out_of_credit', 'duration_cap', 'revoked'])(
  'an end by %s is not argued with, whatever waits',
  async (reason) => {
    const visit = await visiting()
    visit.say('Hello')
    await vi.advanceTimersByTimeAsync(0)
    socket().open()
    socket().tell({ type: 'parley.end', reason, problem: { code: 'timeout', message: 'x', retry: 'backoff' } })
    socket().die(4408)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.all).toHaveLength(1)
    expect(visit.state.phase).toBe('idle')
  },
)

test('hanging up says goodbye, and the last turns are still taken in', async () => {
  const visit = await visiting()
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  socket().tell(turn('answer', 'agent', 'partial'))
  await visit.endCall()
  expect(socket().sent.at(-1)).toEqual({ type: 'parley.bye' })
  socket().tell(turn('answer', 'agent', 'interrupted'))
  expect(visit.state.lines.find((line) => line.itemId === 'answer')?.state).toBe('interrupted')
  socket().die(1000)
  expect(FakeSocket.all).toHaveLength(1)
})

test('a socket that stays silent for 20 s is dead, whatever the browser believes', async () => {
  const visit = await visiting()
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  await vi.advanceTimersByTimeAsync(19_000)
  expect(visit.state.phase).toBe('live')
  await vi.advanceTimersByTimeAsync(8_000)
  expect(FakeSocket.all.length).toBeGreaterThan(1)
})

test('a gateway that asks for the position of something never played is told zero', async () => {
  const visit = await visiting()
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  socket().tell({ type: 'parley.flush', item_id: 'a' })
  expect(socket().sent.at(-1)).toEqual({ type: 'parley.played', item_id: 'a', played_ms: 0, final: true })
})

test('a page that may not use the agent is told so, and nothing is tried again by itself', async () => {
  replies.push({ status: 403, body: refusal('origin_refused', 'never') })
  const visit = await visiting()
  expect(visit.state).toMatchObject({ phase: 'refused', ended: { ending: { code: 'origin_refused' } } })
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakeSocket.all).toEqual([])
})

test('a gateway that does not answer is asked again when the person wants it', async () => {
  replies.push({ status: 502, body: '<html>' })
  const visit = await visiting()
  expect(visit.state.phase).toBe('refused')
  visit.retry()
  await vi.advanceTimersByTimeAsync(0)
  expect(visit.state.phase).toBe('idle')
})
