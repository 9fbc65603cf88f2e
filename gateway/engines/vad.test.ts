import { expect, it } from 'vitest'
import { Vad, type VadEvent } from './vad.ts'

/** Noise of a level in dB below full scale; seeded, so that every run hears the same room. */
function noise(ms: number, db: number, seed = 1): Buffer {
  const pcm = Buffer.alloc(ms * 48)
  const peak = 32_768 * 10 ** (db / 20) * Math.sqrt(3)
  let state = seed
  for (let i = 0; i < pcm.length; i += 2) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    pcm.writeInt16LE(Math.round(Math.max(-32_767, Math.min(32_767, peak * (state / 1_073_741_824 - 1)))), i)
  }
  return pcm
}

/** Syllables of 180 ms with gaps of 70 ms, as speech has them. */
function speech(ms: number, db = -20): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < ms; at += 250) parts.push(noise(180, db, at + 7), noise(70, -60, at + 9))
  return Buffer.concat(parts).subarray(0, ms * 48)
}

function mixed(one: Buffer, other: Buffer): Buffer {
  const pcm = Buffer.from(one)
  for (let i = 0; i < pcm.length; i += 2)
    pcm.writeInt16LE(Math.trunc((one.readInt16LE(i) + other.readInt16LE(i)) / 2), i)
  return pcm
}

function hear(...parts: Buffer[]): VadEvent[] {
  const vad = new Vad()
  return parts.flatMap((part) => [...vad.push(part)])
}

it('hears speech begin within 100 ms and reports it from 300 ms before', () => {
  const vad = new Vad()
  expect(vad.push(noise(2_000, -65))).toEqual([])
  expect(vad.push(speech(60))).toEqual([])
  expect(vad.push(speech(40))).toMatchObject([{ phase: 'start', atMs: 1_700 }])
})

it('hears speech end after 600 ms of silence, and says how long the speech was', () => {
  const events = hear(noise(1_000, -65), speech(2_000), noise(1_500, -65))
  expect(events.map((event) => event.phase)).toEqual(['start', 'stop'])
  expect(events[1]?.atMs).toBeGreaterThanOrEqual(3_500)
  expect(events[1]?.atMs).toBeLessThanOrEqual(3_640)
  expect(events[1]?.speechMs).toBeGreaterThan(1_880)
  expect(events[1]?.speechMs).toBeLessThanOrEqual(2_000)
})

it('does not end at a pause for breath', () => {
  const events = hear(noise(1_000, -65), speech(1_000), noise(450, -65), speech(1_000), noise(1_000, -65))
  expect(events.map((event) => event.phase)).toEqual(['start', 'stop'])
})

it('hears nothing in silence, in a click, or in a quiet room', () => {
  expect(hear(Buffer.alloc(48 * 3_000))).toEqual([])
  expect(hear(noise(1_000, -60), noise(40, -6), noise(1_000, -60))).toEqual([])
  expect(hear(noise(5_000, -52))).toEqual([])
})

it('gets used to a fan: it ends the false turn, and hears speech above the noise afterwards', () => {
  const fan = noise(8_000, -38)
  const first = hear(fan)
  expect(first.map((event) => event.phase)).toEqual(['start', 'stop'])
  const loud = mixed(speech(1_500, -9), noise(1_500, -32))
  const events = hear(fan, loud, noise(1_500, -38)).slice(2)
  expect(events.map((event) => event.phase)).toEqual(['start', 'stop'])
})

it('hears the very first word of a stream', () => {
  expect(hear(speech(600))[0]?.phase).toBe('start')
})

it('hears the same whatever the pieces are, odd lengths included', () => {
  const all = Buffer.concat([noise(700, -65), speech(1_300), noise(900, -65)])
  const whole = hear(all)
  for (const size of [2, 333, 960, 1_001, 48_000]) {
    const vad = new Vad()
    const events: VadEvent[] = []
    for (let at = 0; at < all.length; at += size) events.push(...vad.push(all.subarray(at, at + size)))
    expect(events).toEqual(whole)
  }
})

it('ends a turn after a minute even when nobody stops', () => {
  const events = hear(noise(500, -65), speech(61_000))
  expect(events.map((event) => event.phase).slice(0, 2)).toEqual(['start', 'stop'])
  expect(events[1]?.speechMs).toBeLessThanOrEqual(60_000)
})
