import { expect, test } from 'vitest'
import { samplesOf } from '../../platform/resample.ts'
import { type AudioFormat, Decoder, Encoder } from './audio-format.ts'

const formats: readonly (readonly [AudioFormat, number])[] = [
  [{ type: 'audio/pcm', rate: 24_000 }, 48],
  [{ type: 'audio/pcm', rate: 16_000 }, 32],
  [{ type: 'audio/pcmu', rate: 8_000 }, 8],
  [{ type: 'audio/pcma', rate: 8_000 }, 8],
]

test.each(formats)('%o: a second of a tone goes out in its size and comes back as that tone', (format, bytesPerMs) => {
  const tone = Int16Array.from({ length: 24_000 }, (_, i) =>
    Math.round(12_000 * Math.sin((2 * Math.PI * 500 * i) / 24_000)),
  )
  const encoder = new Encoder(format)
  const pieces: Buffer[] = []
  for (let at = 0; at < tone.length; at += 480) pieces.push(encoder.push(tone.subarray(at, at + 480)))
  const bytes = Buffer.concat(pieces)
  const decoder = new Decoder(format)
  // What a filter holds back at the end is a few milliseconds.
  expect(Math.abs(bytes.length / bytesPerMs - 1_000)).toBeLessThan(5)
  expect(decoder.msOf(bytes.length)).toBeCloseTo(bytes.length / bytesPerMs)
  const back = samplesOf(decoder.push(bytes) ?? Buffer.alloc(0))
  let worst = 0
  for (let i = 2_000; i < 20_000; i++) worst = Math.max(worst, Math.abs((back[i] ?? 0) - (tone[i] ?? 0)))
  expect(worst).toBeLessThan(700)
})

test('half a sample is none; G.711 has no halves', () => {
  expect(new Decoder({ type: 'audio/pcm', rate: 16_000 }).push(Buffer.alloc(3))).toBeUndefined()
  expect(new Decoder({ type: 'audio/pcmu', rate: 8_000 }).push(Buffer.alloc(3))).toBeDefined()
})
