import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LiveSocket, reconnectDelayMs, refusalOf, type Socket } from './live-socket.ts'
import type { LiveAction } from './live-state.ts'

class ScriptedSocket implements Socket {
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null
  readonly sent: unknown[] = []
  closed = false
  send(text: string) {
    this.sent.push(JSON.parse(text))
  }
  close() {
    this.closed = true
  }
  says(event: unknown) {
    this.onmessage?.({ data: JSON.stringify(event) })
  }
}

function started() {
  const sockets: ScriptedSocket[] = []
  const actions: LiveAction[] = []
  const live = new LiveSocket({
    open: () => {
      const socket = new ScriptedSocket()
      sockets.push(socket)
      return socket
    },
    dispatch: (action) => actions.push(action),
    random: () => 0.5,
  })
  live.start()
  return { live, sockets, actions, links: () => actions.filter((action) => action.type === 'link') }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('the delay doubles up to a ceiling and always keeps half of it', () => {
  expect(reconnectDelayMs(0, 0)).toBe(250)
  expect(reconnectDelayMs(0, 0.999)).toBe(500)
  expect(reconnectDelayMs(3, 0)).toBe(2_000)
  expect(reconnectDelayMs(50, 0)).toBe(7_500)
  expect(reconnectDelayMs(50, 1)).toBe(15_000)
})

test('a ping is answered at once and shows that the line is live', () => {
  const { sockets, links } = started()
  sockets[0]?.onopen?.()
  expect(links()).toEqual([])
  sockets[0]?.says({ type: 'ping' })
  expect(sockets[0]?.sent).toEqual([{ type: 'pong' }])
  expect(links()).toEqual([{ type: 'link', link: { state: 'live' } }])
})

test('after a lost line it reconnects by itself and asks for the watched session again', () => {
  const { live, sockets, links } = started()
  sockets[0]?.onopen?.()
  live.watch('ses_1')
  expect(sockets[0]?.sent).toEqual([{ type: 'watch', sessionId: 'ses_1' }])
  sockets[0]?.onclose?.({ code: 1012 })
  expect(links().at(-1)).toEqual({ type: 'link', link: { state: 'reconnecting', attempt: 1 } })
  vi.advanceTimersByTime(15_000)
  sockets[1]?.onopen?.()
  expect(sockets[1]?.sent).toEqual([{ type: 'watch', sessionId: 'ses_1' }])
})

test('a gateway that accepts and drops is met with growing delays until it says something', () => {
  const { sockets, links } = started()
  for (const at of [0, 1, 2]) {
    sockets[at]?.onopen?.()
    sockets[at]?.onclose?.({ code: 1006 })
    vi.advanceTimersByTime(15_000)
  }
  expect(links().map((action) => action.link)).toMatchObject([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }])
  sockets[3]?.onopen?.()
  sockets[3]?.says({ type: 'ping' })
  sockets[3]?.onclose?.({ code: 1006 })
  expect(links().at(-1)).toMatchObject({ link: { attempt: 1 } })
})

test('a refusal is final: nobody hammers a gateway that said no', () => {
  const { sockets, links } = started()
  sockets[0]?.onopen?.()
  sockets[0]?.onclose?.({ code: 4401 })
  vi.advanceTimersByTime(60_000)
  expect(sockets).toHaveLength(1)
  expect(links().at(-1)).toEqual({ type: 'link', link: { state: 'refused', code: 'unauthenticated' } })
  expect(refusalOf(4403)).toBe('forbidden')
  expect(refusalOf(1006)).toBeUndefined()
  expect(refusalOf(4503)).toBeUndefined()
})

test('a line that has been silent for 45 s is given up', () => {
  const { sockets } = started()
  sockets[0]?.onopen?.()
  vi.advanceTimersByTime(44_000)
  sockets[0]?.says({ type: 'ping' })
  vi.advanceTimersByTime(44_000)
  expect(sockets[0]?.closed).toBe(false)
  vi.advanceTimersByTime(2_000)
  expect(sockets[0]?.closed).toBe(true)
  vi.advanceTimersByTime(1_000)
  expect(sockets).toHaveLength(2)
})

test('two watchers of one session are one subscription, ended by the last of them', () => {
  const { live, sockets, actions } = started()
  sockets[0]?.onopen?.()
  const first = live.watch('ses_1')
  const second = live.watch('ses_1')
  first()
  first()
  expect(sockets[0]?.sent).toEqual([{ type: 'watch', sessionId: 'ses_1' }])
  second()
  expect(sockets[0]?.sent.at(-1)).toEqual({ type: 'unwatch', sessionId: 'ses_1' })
  expect(actions.at(-1)).toEqual({ type: 'forget', sessionId: 'ses_1' })
})

test('a stopped socket neither reconnects nor speaks', () => {
  const { live, sockets, actions } = started()
  const socket = sockets[0]
  live.stop()
  socket?.onclose?.({ code: 1006 })
  vi.advanceTimersByTime(60_000)
  expect(socket?.closed).toBe(true)
  expect(sockets).toHaveLength(1)
  expect(actions).toEqual([])
})

test('hurry skips the rest of a delay and does nothing to a living line', () => {
  const { live, sockets } = started()
  sockets[0]?.onopen?.()
  live.hurry()
  expect(sockets).toHaveLength(1)
  sockets[0]?.onclose?.({ code: 1006 })
  live.hurry()
  expect(sockets).toHaveLength(2)
  vi.advanceTimersByTime(20_000)
  expect(sockets).toHaveLength(2)
})

test('rubbish and unknown events are ignored', () => {
  const { sockets, actions } = started()
  sockets[0]?.onopen?.()
  sockets[0]?.onmessage?.({ data: '{' })
  sockets[0]?.onmessage?.({ data: new ArrayBuffer(1) })
  sockets[0]?.says({ type: 'from_the_future' })
  expect(actions).toEqual([])
})
