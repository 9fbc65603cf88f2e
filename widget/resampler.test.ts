import { expect, test } from 'vitest'
import { Resampler } from './resampler.ts'

function convert(fromHz: number, toHz: number, input: Float32Array): number[] {
  const resampler = new Resampler(fromHz, toHz)
  const out: number[] = []
  for (const sample of input) {
    resampler.put(sample)
    while (!resampler.hungry) out.push(resampler.take())
  }
  return out
}

const tone = (hz: number, rate: number, seconds: number): Float32Array =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate))

const rms = (samples: readonly number[]): number =>
  Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length)

test.each([
  [48_000, 24_000],
  [44_100, 24_000],
  [16_000, 24_000],
  [24_000, 44_100],
  [24_000, 48_000],
  [24_000, 24_000],
])('%i Hz becomes %i Hz without losing or adding time', (fromHz, toHz) => {
  const out = convert(fromHz, toHz, tone(440, fromHz, 1))
  expect(Math.abs(out.length - toHz)).toBeLessThanOrEqual(2)
})

test.each([
  [48_000, 24_000],
  [44_100, 24_000],
  [24_000, 48_000],
])('a voice keeps its loudness from %i to %i Hz', (fromHz, toHz) => {
  const out = convert(fromHz, toHz, tone(1_000, fromHz, 1)).slice(200, -200)
  expect(rms(out)).toBeCloseTo(Math.SQRT1_2, 2)
})

test('what 24 kHz cannot hold is filtered out instead of folding back into the voice', () => {
  const out = convert(48_000, 24_000, tone(16_000, 48_000, 1)).slice(200, -200)
  expect(20 * Math.log10(rms(out) / Math.SQRT1_2)).toBeLessThan(-40)
})

test('a wave at 24 kHz comes out at 48 kHz as the same wave, later by the delay of the filter', () => {
  const resampler = new Resampler(24_000, 48_000)
  const out = convert(24_000, 48_000, tone(500, 24_000, 0.1))
  const delay = resampler.delay * 2
  for (let i = 400; i < 1_600; i++) expect(out[i]).toBeCloseTo(Math.sin((2 * Math.PI * 500 * (i - delay)) / 48_000), 2)
})

test('silence stays silence and a constant stays that constant', () => {
  expect(Math.max(...convert(44_100, 24_000, new Float32Array(4_410)).map(Math.abs))).toBe(0)
  const flat = convert(44_100, 24_000, new Float32Array(4_410).fill(0.5)).slice(100)
  for (const sample of flat) expect(sample).toBeCloseTo(0.5, 5)
})
