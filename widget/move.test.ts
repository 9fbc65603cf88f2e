// A session changes what it runs over, and comes back from there.

import { expect, test, vi } from 'vitest'
import { FakeSocket, socket, turn, useFakeBrowser } from './fake-browser.test-support.ts'
import { Link } from './link.ts'
import type { Ending } from './retry.ts'
import { type OpenTransport, openSocket } from './transport.ts'
import { WayBack } from './way-back.ts'
import type { WireEvent } from './wire.ts'

useFakeBrowser()

/** A call as the socket it is tested over, but for its name. */
const openCall: OpenTransport = (where, events) => {
  const transport = openSocket(where, events)
  return new Proxy(transport, { get: (of, name) => (name === 'kind' ? 'webrtc' : Reflect.get(of, name)) })
}

async function linked() {
  const told: WireEvent[] = []
  const over: Ending[] = []
  const link = new Link(new WayBack('shop', undefined, Date.now()), {
    token: async () => ({ is: 'token', token: 'token-1', agent: 'shop' }),
    isNeeded: () => true,
    onConnecting: () => {},
    onEvent: (event) => told.push(event),
    onAway: () => {},
    onGone: () => {},
    onOver: (ending) => over.push(ending),
  })
  link.connect()
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  socket().number(1, turn('a', 'agent'))
  return { link, told, over }
}

const turnsIn = (told: readonly WireEvent[]) =>
  told.flatMap((event) => (event.type === 'parley.turn' ? [event.turn.itemId] : []))

test('a call takes the session along, frame by frame, and what still comes over the socket is not taken twice', async () => {
  const { link, told, over } = await linked()
  const moved = link.move(openCall)
  await vi.advanceTimersByTimeAsync(0)
  expect(FakeSocket.all).toHaveLength(2)
  expect(socket().resume).toBe('parley-resume.s.way-0.1')
  // The answer goes on where it was until the call is there.
  socket(0).number(2, turn('b', 'agent'))
  expect(link.transport).toBe('websocket')
  socket().goOn(1)
  expect(await moved).toBe(true)
  expect(link.transport).toBe('webrtc')
  socket().number(2, turn('b again', 'agent'))
  socket().number(3, turn('c', 'agent'))
  socket(0).tell({ type: 'parley.end', reason: 'replaced' })
  socket(0).die(4411)
  expect(turnsIn(told)).toEqual(['a', 'b', 'c'])
  expect(over).toEqual([])
})

test('a call that cannot be had leaves the session where it is', async () => {
  const { link, told, over } = await linked()
  const moved = link.move(openCall)
  await vi.advanceTimersByTimeAsync(0)
  socket().die()
  expect(await moved).toBe(false)
  expect(link.transport).toBe('websocket')
  await vi.advanceTimersByTimeAsync(10_000)
  socket(0).number(2, turn('b', 'agent'))
  expect([FakeSocket.all.length, turnsIn(told), over]).toEqual([2, ['a', 'b'], []])
})

test('a call that is lost after its socket was given up comes back over another socket', async () => {
  const { link, told } = await linked()
  const moved = link.move(openCall)
  await vi.advanceTimersByTimeAsync(0)
  socket().goOn(1)
  expect(await moved).toBe(true)
  socket().die()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(FakeSocket.all).toHaveLength(3)
  expect(socket().resume).toBe('parley-resume.s.way-1.1')
  socket().goOn(1)
  expect(link.transport).toBe('websocket')
  socket().number(2, turn('b', 'agent'))
  expect(turnsIn(told)).toEqual(['a', 'b'])
})

test('a call whose socket was taken away before it was there is followed by another socket', async () => {
  const { link, over } = await linked()
  const moved = link.move(openCall)
  await vi.advanceTimersByTimeAsync(0)
  // The gateway has the call, and says so where it was; the call itself is lost on its way.
  socket(0).tell({ type: 'parley.end', reason: 'replaced' })
  socket(0).die(4411)
  socket().die()
  expect(await moved).toBe(false)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(FakeSocket.all).toHaveLength(3)
  expect(socket().resume).toBe('parley-resume.s.way-0.1')
  expect(over).toEqual([])
})

test('without a session there is nothing to move', async () => {
  const { link } = await linked()
  socket().die()
  expect(await link.move(openCall)).toBe(false)
})
