import { expect, test } from 'vitest'
import { aLaw, muLaw } from './g711.ts'

// From the tables of ITU-T G.711: silence, full scale, and a step of each segment.
test.each([
  ['µ-law', muLaw, [0xff, 0, 0x7f, 0, 0x80, 32_124, 0x00, -32_124, 0xdb, 524, 0x5b, -524, 0xf0, 120]],
  ['A-law', aLaw, [0xd5, 8, 0x55, -8, 0xaa, 32_256, 0x2a, -32_256, 0xc5, 264, 0x85, 4_224]],
] as const)('%s bytes have the values of the standard', (_, law, table) => {
  for (let i = 0; i < table.length; i += 2) expect(law.decode(Buffer.from([table[i] ?? 0]))[0]).toBe(table[i + 1])
})

test.each([
  ['µ-law', muLaw],
  ['A-law', aLaw],
] as const)('%s: every byte survives a round trip, and every sample is near its byte', (_, law) => {
  for (let byte = 0; byte < 256; byte++) {
    const [again] = law.encode(law.decode(Buffer.from([byte])))
    expect(law.decode(Buffer.from([again ?? 0]))).toEqual(law.decode(Buffer.from([byte])))
  }
  for (let sample = -32_768; sample < 32_768; sample += 7) {
    const [near = 0] = law.decode(law.encode(Int16Array.of(sample)))
    expect(Math.abs(near - sample)).toBeLessThanOrEqual(Math.max(16, Math.abs(sample) / 15))
  }
})
