import { expect, test } from 'vitest'
import { Ear } from './ear.ts'

function sine(hz: number, rateHz: number, { ms, atMs = 0 }: { ms: number; atMs?: number }): Int16Array {
  const from = (atMs * rateHz) / 1000
  return Int16Array.from({ length: (rateHz * ms) / 1000 }, (_, i) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * hz * (from + i)) / rateHz)),
  )
}

function setup() {
  const taken: Buffer[] = []
  const backlog = { bytes: 0 }
  const ear = new Ear({ take: (pcm) => void taken.push(pcm), backlogBytes: () => backlog.bytes })
  const samples = (): Int16Array => {
    const all = Buffer.concat(taken)
    return new Int16Array(all.buffer.slice(all.byteOffset, all.byteOffset + all.length))
  }
  return { taken, backlog, ear, samples }
}

/** Sign changes per second: of a sine, twice its frequency. */
function pitch(samples: Int16Array): number {
  let changes = 0
  for (let i = 1; i < samples.length; i++) if ((samples[i] ?? 0) >= 0 !== (samples[i - 1] ?? 0) >= 0) changes++
  return (changes / 2 / samples.length) * 24_000
}

test.each([8_000, 16_000, 24_000, 48_000])('frames of %d Hz become 24 kHz in pieces of 20 ms', (rateHz) => {
  const { ear, taken, samples } = setup()
  for (let atMs = 0; atMs < 2_000; atMs += 10) ear.hear(sine(440, rateHz, { ms: 10, atMs }), rateHz)
  expect(samples().length).toBeGreaterThan(24 * 1_950)
  expect(samples().length).toBeLessThanOrEqual(24 * 2_000)
  expect(pitch(samples())).toBeCloseTo(440, -1)
  const lengths = taken.slice(1).map((pcm) => pcm.length)
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(958)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(962)
})

test('two channels become one, and the rate may change between frames', () => {
  const { ear, samples } = setup()
  const stereo = Int16Array.from({ length: 960 * 2 }, (_, i) => (i % 2 === 0 ? 2_000 : 4_000))
  for (let i = 0; i < 25; i++) ear.hear(stereo, 48_000, 2)
  expect(samples()[10_000]).toBe(3_000)
  for (let i = 0; i < 50; i++) ear.hear(new Int16Array(160).fill(1_000), 16_000)
  expect(samples().at(-1)).toBe(1_000)
  expect(samples().length / 24).toBeCloseTo(1_000, -2)
})

test('an engine that is five seconds behind is not given more, and that is counted', () => {
  const { ear, taken, backlog } = setup()
  ear.hear(new Int16Array(480), 24_000)
  expect(taken).toHaveLength(1)
  backlog.bytes = 300_000
  for (let i = 0; i < 10; i++) ear.hear(new Int16Array(480), 24_000)
  expect(taken).toHaveLength(1)
  expect(ear.droppedMs).toBe(200)
  backlog.bytes = 0
  ear.hear(new Int16Array(480), 24_000)
  expect(taken).toHaveLength(2)
  expect(ear.droppedMs).toBe(200)
})
