import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeWav, encodeWav, Resampler, resample } from '../../platform/resample.ts'
import { alignWords, pronounceable, sentences, soundSpan } from '../sentences.ts'

function sine(hz: number, rateHz: number, ms: number): Int16Array {
  return Int16Array.from({ length: (rateHz * ms) / 1000 }, (_, i) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * hz * i) / rateHz)),
  )
}

/** Share of a frequency in the middle of a signal. */
function power(samples: Int16Array, hz: number, rateHz: number): number {
  let re = 0
  let im = 0
  const part = samples.subarray(samples.length >> 2, (samples.length >> 2) * 3)
  for (let i = 0; i < part.length; i++) {
    re += (part[i] ?? 0) * Math.cos((2 * Math.PI * hz * i) / rateHz)
    im += (part[i] ?? 0) * Math.sin((2 * Math.PI * hz * i) / rateHz)
  }
  return (2 * Math.hypot(re, im)) / part.length
}

it.each([
  [16_000, 24_000],
  [8_000, 24_000],
  [24_000, 16_000],
  [24_000, 48_000],
])('keeps a tone at its pitch and loudness from %i to %i Hz', (from, to) => {
  const out = resample(sine(1_000, from, 200), from, to)
  expect(out.length).toBe((to * 200) / 1000)
  expect(power(out, 1_000, to)).toBeGreaterThan(9_800)
  expect(power(out, 1_000, to)).toBeLessThan(10_200)
})

it('leaves no mirror image above the old band, and folds nothing back when going down', () => {
  expect(power(resample(sine(3_000, 16_000, 200), 16_000, 24_000), 8_000 + 3_000, 24_000)).toBeLessThan(20)
  expect(power(resample(sine(11_000, 24_000, 200), 24_000, 16_000), 5_000, 16_000)).toBeLessThan(100)
})

it('gives the same samples for a stream, wherever it is cut', () => {
  const pairs = fc.constantFrom(
    [16_000, 24_000],
    [44_100, 24_000],
    [24_000, 16_000],
    [24_000, 24_000],
    [22_050, 24_000],
  )
  const cuts = fc.array(fc.nat({ max: 700 }), { maxLength: 8 })
  fc.assert(
    fc.property(pairs, cuts, ([from = 0, to = 0], lengths) => {
      const whole = sine(440, from, 40)
      const stream = new Resampler(from, to)
      const out: number[] = []
      let at = 0
      for (const length of lengths) {
        out.push(...stream.push(whole.subarray(at, at + length)))
        at = Math.min(whole.length, at + length)
      }
      out.push(...stream.push(whole.subarray(at)), ...stream.end())
      expect(out).toEqual([...resample(whole, from, to)])
    }),
    { numRuns: 60 },
  )
})

it('reads back the WAV it writes, and no other bytes', () => {
  const samples = sine(440, 16_000, 50)
  expect(decodeWav(encodeWav(samples, 16_000))).toEqual({ samples, rateHz: 16_000 })
  expect(decodeWav(Buffer.alloc(100))).toBeUndefined()
  expect(decodeWav(encodeWav(samples, 16_000).subarray(0, 30))).toBeUndefined()
})

it('cuts text into sentences without losing a character', () => {
  expect(sentences('Hello there. It costs €3.50! Really? (Yes.) Bye')).toEqual([
    'Hello there.',
    'It costs €3.50!',
    'Really?',
    '(Yes.)',
    'Bye',
  ])
  expect(sentences('')).toEqual([])
  const long = `${'word '.repeat(100)}end`
  expect(sentences(long).every((piece) => piece.length <= 180)).toBe(true)
  expect(sentences(long).join(' ')).toBe(long)
  expect(sentences('x'.repeat(400)).join('')).toBe('x'.repeat(400))
})

it('spells what a simple voice cannot read', () => {
  expect(pronounceable('The “Åse” costs €1,429.50, at 09:00 or 10:30.')).toBe(
    "The Ase costs 1429 euros 50, at 9 o'clock or 10 30.",
  )
  expect(pronounceable('**See** https://example.org/a?b=c & more')).toBe('See the link and more')
  expect(pronounceable('— … 日本')).toBe('')
})

it('gives every word a time, in order, inside the sound', () => {
  const words = alignWords('I found three red sofas, for 429.', { fromMs: 30, toMs: 2_030 })
  expect(words.map((word) => word.text).join('')).toBe('I found three red sofas, for 429.')
  const times = words.map((word) => word.atMs)
  expect(times[0]).toBe(30)
  expect(times).toEqual([...times].sort((a, b) => a - b))
  expect(times.at(-1)).toBeLessThan(2_030)
})

it('finds where sound begins and ends', () => {
  const pcm = Buffer.alloc(48 * 100)
  for (let i = 48 * 20; i < 48 * 60; i += 2) pcm.writeInt16LE(5_000, i)
  expect(soundSpan(pcm)).toEqual({ fromMs: 20, toMs: 60 })
})
