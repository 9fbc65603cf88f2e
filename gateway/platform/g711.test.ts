import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeLaw, encodeLaw } from './g711.ts'

it('has the values of the tables of G.711', () => {
  expect([...decodeLaw('pcmu', Buffer.from([0xff, 0x7f, 0x80, 0x00, 0xf0]))]).toEqual([0, 0, 32_124, -32_124, 120])
  expect([...decodeLaw('pcma', Buffer.from([0xd5, 0x55, 0xaa, 0x2a, 0x80]))]).toEqual([8, -8, 32_256, -32_256, 5_504])
})

it.each(['pcmu', 'pcma'] as const)('gives each code of %s back, and any sample within a step of its size', (law) => {
  const codes = Buffer.from(Array.from({ length: 256 }, (_, code) => code))
  const samples = decodeLaw(law, codes)
  // µ-law has two zeros.
  expect([...decodeLaw(law, encodeLaw(law, samples))]).toEqual([...samples])
  fc.assert(
    fc.property(fc.integer({ min: -32_768, max: 32_767 }), (sample) => {
      const [back = 0] = decodeLaw(law, encodeLaw(law, Int16Array.of(sample)))
      expect(Math.abs(back - sample)).toBeLessThanOrEqual(Math.max(20, Math.abs(sample) / 25))
    }),
  )
})
