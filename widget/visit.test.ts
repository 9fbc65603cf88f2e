import { expect, test, vi } from 'vitest'
import type { EndReason } from '../gateway/protocol/realtime.ts'
import {
  asked,
  bootstrap,
  FakeSocket,
  itemId,
  refusal,
  replies,
  request,
  socket,
  turn,
  useFakeBrowser,
  visiting,
} from './fake-browser.test-support.ts'
import { Visit } from './visit.ts'

useFakeBrowser()

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
  expect(socket().sent).toEqual([{ type: 'parley.say', item_id: itemId(visit), text: 'Hello' }])
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
    const problem = { code: 'engine_lost', message: 'x', retry: 'backoff' }
    socket().tell({ type: 'parley.end', reason: 'engine_failed', problem })
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

test('a socket that stays silent for two beats is dead, whatever the browser believes', async () => {
  const visit = await visiting()
  visit.say('Hello')
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  await vi.advanceTimersByTimeAsync(11_000)
  expect(visit.state.phase).toBe('live')
  await vi.advanceTimersByTimeAsync(3_500)
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
