import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import { DataChannel, maxMessageBytes } from './data-channel.ts'
import type { NativeChannel } from './native.ts'

class FakeNative implements NativeChannel {
  readonly label = 'oai-events'
  readyState: NativeChannel['readyState'] = 'open'
  buffered = 0
  asked = 0
  binaryType = ''
  onopen: NativeChannel['onopen'] = null
  onclose: NativeChannel['onclose'] = null
  onmessage: NativeChannel['onmessage'] = null
  readonly sent: (string | Uint8Array)[] = []
  get bufferedAmount(): number {
    this.asked++
    return this.buffered
  }
  /** Closed by the other end, and nobody here knows yet. */
  isGone = false
  send(data: string | Uint8Array): void {
    if (this.isGone) throw Object.assign(new Error('not open'), { name: 'InvalidStateError' })
    this.sent.push(data)
    this.buffered += data.length
  }
  close(): void {}
}

function setup() {
  const clock = new ManualClock()
  const native = new FakeNative()
  const said: string[] = []
  const channel = new DataChannel(native, {
    clock,
    parley: false,
    isConnected: () => true,
    close: () => void said.push('closed'),
    onClosed: () => void said.push('left'),
  })
  const got: string[] = []
  const receive = (): void =>
    channel.receive({
      message: (data) => void got.push(data.toString()),
      alive: () => void said.push('alive'),
      closed: () => void said.push('told'),
    })
  return { clock, native, channel, said, got, receive }
}

test('what comes before anybody listens, or while it is paused, waits in order', () => {
  const { native, channel, got, receive } = setup()
  native.onmessage?.({ data: '1' })
  native.onmessage?.({ data: new TextEncoder().encode('2').buffer })
  expect(got).toEqual([])
  receive()
  channel.pause()
  native.onmessage?.({ data: '3' })
  expect(got).toEqual(['1', '2'])
  channel.resume()
  expect(got).toEqual(['1', '2', '3'])
})

test('a peer that does not stop is closed: half a megabyte waits, and one message is never more than a quarter', async () => {
  for (const sizes of [[200_000, 200_000, 200_000], [maxMessageBytes + 1]]) {
    const { clock, native, said, got } = setup()
    for (const size of sizes) native.onmessage?.({ data: 'x'.repeat(size) })
    await clock.advance(2_000)
    expect(said).toEqual(['closed'])
    expect(got).toEqual([])
  }
})

test('an event that is too large for a message is told of instead of lost', () => {
  const { native, channel } = setup()
  channel.send(`{"type":"parley.session","text":"${'ä'.repeat(140_000)}"}`, false)
  expect(native.sent).toHaveLength(1)
  expect(JSON.parse(String(native.sent[0]))).toMatchObject({
    type: 'error',
    error: { code: 'event_too_large', message: expect.stringContaining('parley.session') },
  })
})

test('a provider’s frame is bytes here and text there', () => {
  const { native, channel } = setup()
  channel.send(Buffer.from('{"type":"response.created"}'), false)
  expect(native.sent).toEqual(['{"type":"response.created"}'])
})

test('what waits is asked for only when it may be much', () => {
  const { native, channel } = setup()
  for (let i = 0; i < 30; i++) channel.send('x'.repeat(1_000), false)
  expect(channel.bufferedBytes).toBe(30_000)
  expect(native.asked).toBe(0)
  for (let i = 0; i < 300; i++) channel.send('x'.repeat(1_000), false)
  expect(channel.bufferedBytes).toBe(330_000)
  native.buffered = 100
  expect(channel.bufferedBytes).toBe(100)
})

test('closes when its last words have left, at the latest after a second', async () => {
  const quick = setup()
  quick.channel.close()
  quick.channel.close()
  await quick.clock.advance(250)
  expect(quick.said).toEqual(['closed'])
  const stuck = setup()
  stuck.channel.send('last words', false)
  stuck.channel.close()
  await stuck.clock.advance(900)
  expect(stuck.said).toEqual([])
  await stuck.clock.advance(400)
  expect(stuck.said).toEqual(['closed'])
})

test('the other end’s close is told once', () => {
  const { native, channel, said, receive } = setup()
  receive()
  native.onclose?.()
  expect(said).toEqual(['left'])
  channel.closed()
  channel.closed()
  expect(said).toEqual(['left', 'told'])
  expect(channel.isOpen).toBe(false)
})

test('a channel that closed in the moment of sending is a lost connection, not an error', () => {
  const { native, channel, said, receive } = setup()
  receive()
  native.isGone = true
  channel.send('last words', false)
  expect(said).toEqual([])
  native.onclose?.()
  expect(said).toEqual(['left'])
})
