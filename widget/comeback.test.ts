// A session outlives its connections, its page and its gateway.

import { expect, test, vi } from 'vitest'
import {
  asking,
  FakeSocket,
  itemId,
  socket,
  tabStorage,
  turn,
  useFakeBrowser,
  visiting,
} from './fake-browser.test-support.ts'

useFakeBrowser()

test('a lost connection asks for the same session, and says again what is not known to be stored', async () => {
  const visit = await asking('Lost')
  const id = itemId(visit)
  socket().number(1, turn(id, 'user'))
  socket().die()
  expect(visit.state.phase).toBe('reconnecting')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(socket().resume).toBe('parley-resume.s.way-0.1')
  socket().goOn(1)
  expect(socket().sent).toEqual([{ type: 'parley.say', item_id: id, text: 'x' }])
  socket().number(2, { type: 'parley.committed', item_ids: [id] })
  socket().die(1012)
  await vi.advanceTimersByTimeAsync(1_500)
  expect(socket().resume).toBe('parley-resume.s.way-1.2')
  socket().goOn(2)
  expect(socket().texts).toEqual([])
})

test('what comes twice is taken once, and a missing frame is fetched by coming back', async () => {
  const visit = await asking()
  socket().number(1, turn('a', 'agent'))
  socket().number(1, turn('twice', 'agent'))
  socket().number(2, { type: 'rate_limits.updated' })
  expect(visit.state.lines.map((line) => line.itemId)).not.toContain('twice')
  socket().number(4, turn('d', 'agent'))
  expect(visit.state.lines.map((line) => line.itemId)).not.toContain('d')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(socket().resume).toBe('parley-resume.s.way-0.2')
  socket().goOn(2)
  socket().number(3, turn('c', 'agent'))
  socket().number(4, turn('d', 'agent'))
  expect(visit.state.lines.map((line) => line.itemId)).toEqual(expect.arrayContaining(['a', 'c', 'd']))
})

test('frames are acknowledged every 32 and every second while they come in, without a timer', async () => {
  await asking()
  const acks = () => socket().sent.flatMap(({ type, seq }) => (type === 'parley.ack' ? [seq] : []))
  for (let seq = 1; seq <= 40; seq++)
    socket().number(seq, { type: 'response.output_text.delta', item_id: 'a', delta: 'x' })
  expect(acks()).toEqual([32])
  await vi.advanceTimersByTimeAsync(1_500)
  expect(acks()).toEqual([32])
  socket().number(41, { type: 'response.output_text.delta', item_id: 'a', delta: 'x' })
  expect(acks()).toEqual([32, 41])
})

test('it is tried as long as the session waits, then the panel gives up and says so', async () => {
  const visit = await asking()
  socket().die()
  for (let i = 0; i < 100 && visit.state.phase === 'reconnecting'; i++) {
    await vi.advanceTimersByTimeAsync(1_000)
    if (socket().readyState === FakeSocket.CONNECTING) socket().die()
  }
  expect(FakeSocket.all.length).toBeGreaterThan(8)
  expect(visit.state).toMatchObject({ phase: 'idle', ended: { ending: { reason: 'lost' } } })
  expect(visit.state.lines.at(-1)?.state).toBe('unsent')
})

test('a written conversation that waits for nothing comes back too, and nobody is told for three seconds', async () => {
  const visit = await asking()
  socket().number(1, turn(itemId(visit), 'user'))
  socket().number(2, { type: 'parley.committed', item_ids: [itemId(visit)] })
  socket().number(3, { type: 'response.created' })
  socket().number(4, { type: 'response.done' })
  socket().die()
  await vi.advanceTimersByTimeAsync(2_900)
  expect(visit.state).toMatchObject({ phase: 'reconnecting', overdue: false })
  await vi.advanceTimersByTimeAsync(200)
  expect(visit.state.overdue).toBe(true)
  socket().goOn(4)
  expect(visit.state).toMatchObject({ phase: 'live', overdue: false })
})

test('a session that is gone: an unanswered question is asked in a new one, by the same id', async () => {
  const visit = await asking('Where is it?')
  const id = itemId(visit)
  socket().number(1, turn(id, 'user'))
  socket().number(2, { type: 'parley.committed', item_ids: [id] })
  socket().die()
  await vi.advanceTimersByTimeAsync(1_000)
  socket().tell({ type: 'error', parley: { code: 'gone', message: 'x', retry: 'now' } })
  socket().die(4410)
  await vi.advanceTimersByTimeAsync(0)
  expect(socket().resume).toBeUndefined()
  socket().open({ session_id: 's2', history: [{ ...turn(id, 'user').turn, sessionId: 's' }] })
  expect(socket().sent).toContainEqual({ type: 'parley.say', item_id: id, text: 'x' })
  expect(visit.state.lines.some((line) => line.itemId.startsWith('note:gone'))).toBe(true)
})

test('a session that is gone and that nobody waits for is left alone until the next message', async () => {
  const visit = await asking()
  socket().number(1, { type: 'parley.committed', item_ids: [itemId(visit)] })
  socket().number(2, { type: 'response.created' })
  socket().number(3, { type: 'response.done' })
  socket().die()
  await vi.advanceTimersByTimeAsync(1_000)
  socket().die(4410)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakeSocket.all).toHaveLength(2)
  expect(visit.state).toMatchObject({ phase: 'idle', ended: undefined })
})

test('a gateway that stops is left by a second connection, while the first one still serves', async () => {
  const visit = await asking()
  socket().number(1, { type: 'parley.going_away', reconnect_in_ms: 500, deadline_ms: 25_000 })
  await vi.advanceTimersByTimeAsync(600)
  const [old, next] = FakeSocket.all
  expect(next?.resume).toBe('parley-resume.s.way-0.1')
  old?.number(2, turn('b', 'agent'))
  old?.die(1012)
  expect(visit.state.phase).toBe('live')
  next?.open({ seq: 1, epoch: 2, resumed: { gap: false } })
  next?.number(2, turn('again', 'agent'))
  next?.number(3, turn('c', 'agent'))
  expect(visit.state.lines.map((line) => line.itemId)).not.toContain('again')
  expect(visit.state.lines.map((line) => line.itemId)).toEqual(expect.arrayContaining(['b', 'c']))
  await vi.advanceTimersByTimeAsync(30_000)
  expect(FakeSocket.all.filter((each) => each.readyState !== 3).length).toBeLessThanOrEqual(1)
})

test('no other gateway yet: the connection that stops is kept to its end, then it is tried as after a loss', async () => {
  const visit = await asking()
  socket().number(1, { type: 'parley.going_away', reconnect_in_ms: 0, deadline_ms: 25_000 })
  await vi.advanceTimersByTimeAsync(10)
  socket().die(1012)
  expect(visit.state.phase).toBe('live')
  await vi.advanceTimersByTimeAsync(2_100)
  expect(FakeSocket.all).toHaveLength(3)
  socket().die(1012)
  socket(0).die(1012)
  expect(visit.state.phase).toBe('reconnecting')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(socket().resume).toBe('parley-resume.s.way-0.1')
})

test('network and page coming back end the waiting at once, and a silent connection is not trusted', async () => {
  const visit = await asking()
  socket().die()
  await vi.advanceTimersByTimeAsync(1_000)
  socket().die()
  const tries = FakeSocket.all.length
  visit.wake()
  await vi.advanceTimersByTimeAsync(0)
  expect(FakeSocket.all).toHaveLength(tries + 1)
  socket().goOn(0)
  await vi.advanceTimersByTimeAsync(4_000)
  visit.wake()
  expect(visit.state.phase).toBe('live')
  await vi.advanceTimersByTimeAsync(3_000)
  visit.wake()
  expect(visit.state.phase).toBe('reconnecting')
})

test('the next page in the same tab comes back to the session and gets all of it', async () => {
  const tab = tabStorage()
  await asking('Hello', tab)
  socket().number(1, turn('a', 'agent'))
  const visit = await visiting(tab)
  await vi.advanceTimersByTimeAsync(0)
  expect(socket().resume).toBe('parley-resume.s.way-0.999999999999999')
  socket().open({ seq: 1, resumed: { gap: true }, history: [{ ...turn('a', 'agent').turn, sessionId: 's' }] })
  expect(visit.state.lines.map(({ itemId: id, past }) => [id, past])).toEqual([['a', false]])
  expect(visit.state).toMatchObject({ phase: 'live', paused: false })
})

test('the next page offers to take a call up again, and is silent until somebody does', async () => {
  const tab = tabStorage()
  const visit = await asking('Hello', tab)
  visit.dispatch({ is: 'call', at: 'on', nowMs: 0 })
  const next = await visiting(tab)
  await vi.advanceTimersByTimeAsync(0)
  socket().open({ resumed: { gap: true } })
  expect(next.state).toMatchObject({ paused: true, call: 'off' })
  expect(socket().sent).toContainEqual({ type: 'parley.voice', on: false })
  next.dismissCall()
  const third = await visiting(tab)
  expect(third.state.paused).toBe(false)
})

test.each([
  [
    'an end',
    () =>
      socket().tell({
        type: 'parley.end',
        reason: 'operator',
        problem: { code: 'ended_by_operator', message: 'x', retry: 'never' },
      }),
    4409,
  ],
  [
    'being replaced by another tab',
    () =>
      socket().tell({
        type: 'parley.end',
        reason: 'replaced',
        problem: { code: 'replaced', message: 'x', retry: 'never' },
      }),
    4411,
  ],
  ['a refusal', () => undefined, 4403],
])('%s is final: this tab never asks for the session again', async (_, say, code) => {
  const tab = tabStorage()
  const visit = await asking('Hello', tab)
  say()
  socket().die(code)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakeSocket.all).toHaveLength(1)
  expect(visit.state.phase).toBe('idle')
  await visiting(tab)
  await vi.advanceTimersByTimeAsync(0)
  expect(FakeSocket.all).toHaveLength(1)
})

test('a session nobody waits for any more is not asked for by the next page', async () => {
  const tab = tabStorage()
  await asking('Hello', tab)
  socket().die()
  const [first] = FakeSocket.all
  FakeSocket.all = first === undefined ? [] : [first]
  await vi.advanceTimersByTimeAsync(120_000)
  const before = FakeSocket.all.length
  await visiting(tab)
  await vi.advanceTimersByTimeAsync(0)
  expect(FakeSocket.all).toHaveLength(before)
})

test('a tab that was left for another one gets the session back on a click, and only then', async () => {
  const left = await asking('Hello', tabStorage())
  socket().die(4411, '{"code":"replaced"}')
  expect(left.state.ended?.ending.code).toBe('replaced')
  const other = await asking('Elsewhere', tabStorage())
  expect(other.state.phase).toBe('live')
  left.retry()
  await vi.advanceTimersByTimeAsync(400)
  expect(socket().resume).toBe('parley-resume.s.way-1.999999999999999')
})

test('what was played to its end is told again over the next connection, before the call goes on', async () => {
  const visit = await asking()
  socket().tell({ type: 'parley.flush', item_id: 'a' })
  const played = { type: 'parley.played', item_id: 'a', played_ms: 0, final: true }
  expect(socket().sent).toContainEqual(played)
  socket().die()
  await vi.advanceTimersByTimeAsync(1_000)
  socket().goOn(0)
  expect(socket().sent[0]).toEqual(played)
  socket().tell({ type: 'parley.end', reason: 'idle' })
  socket().die(4408)
  visit.say('Again')
  await vi.advanceTimersByTimeAsync(0)
  socket().open({ session_id: 's2' })
  expect(socket().sent).not.toContainEqual(played)
})
