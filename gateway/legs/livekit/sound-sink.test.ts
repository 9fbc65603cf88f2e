import type { AudioSource } from '@livekit/rtc-node'
import { expect, test } from 'vitest'
import type { Rtc } from './native.ts'
import { SoundSink } from './sound-sink.ts'

class Frame {
  readonly data: Int16Array
  constructor(data: Int16Array) {
    this.data = data
  }
}

/** A source that takes a frame when told. */
class FakeSource {
  readonly taken: Int16Array[] = []
  inFlight = 0
  most = 0
  cleared = 0
  closed = false
  queuedDuration = 0
  #next: (() => void)[] = []
  async captureFrame(frame: Frame): Promise<void> {
    if (this.closed) throw new Error('closed')
    this.inFlight++
    this.most = Math.max(this.most, this.inFlight)
    await new Promise<void>((resolve) => this.#next.push(resolve))
    this.inFlight--
    this.taken.push(frame.data)
  }
  async take(): Promise<void> {
    this.#next.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  clearQueue(): void {
    this.cleared++
  }
  async close(): Promise<void> {
    this.closed = true
  }
}

function sink(): { source: FakeSource; sink: SoundSink } {
  const source = new FakeSource()
  const rtc = { AudioFrame: Frame } as unknown as Rtc
  return { source, sink: new SoundSink(rtc, source as unknown as AudioSource) }
}

const frame = (value: number): Int16Array<ArrayBuffer> => new Int16Array(240).fill(value)

test('frames keep their order: one is on its way at a time, and what waits goes together', async () => {
  const { source, sink: out } = sink()
  for (const value of [1, 2, 3]) out.play(frame(value))
  await source.take()
  await source.take()
  expect(source.most).toBe(1)
  expect(source.taken.map((data) => [data.length, data[0], data.at(-1)])).toEqual([
    [240, 1, 1],
    [480, 2, 3],
  ])
  // The library reads all that is behind an array.
  for (const data of source.taken) expect(data.buffer.byteLength).toBe(data.byteLength)
})

test('cleared, it tells what was taken back, here and in the source', async () => {
  const { source, sink: out } = sink()
  for (const value of [1, 2, 3]) out.play(frame(value))
  source.queuedDuration = 35
  expect(out.clear()).toBe(20 + 35)
  expect(source.cleared).toBe(1)
  await source.take()
  expect(source.taken).toHaveLength(1)
})

test('a source that takes nothing is given no more than 400 ms, and the rest is counted', () => {
  const { sink: out } = sink()
  for (let i = 0; i < 100; i++) out.play(frame(i))
  // The first is on its way.
  expect(out.droppedMs).toBe((100 - 41) * 10)
})

test('closed, it plays nothing and does not fail', async () => {
  const { source, sink: out } = sink()
  await out.close()
  out.play(frame(1))
  expect(out.clear()).toBe(0)
  expect(source.cleared).toBe(0)
  expect(source.taken).toEqual([])
})
