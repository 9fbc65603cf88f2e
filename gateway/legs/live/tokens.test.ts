import { expect, test } from 'vitest'
import { leastTokensOf } from './tokens.ts'

test('never more than a tokenizer counts, and far too long is seen', () => {
  // 44 tokens of o200k.
  const text =
    'The caller asked whether the two-seat sofa in red can be delivered before Christmas; stock is 14 in Oslo and none in Bergen, as of 2026-11-29 at 10:30.'
  expect(leastTokensOf(text)).toBeLessThanOrEqual(44)
  expect(leastTokensOf('word '.repeat(501))).toBeGreaterThan(500)
  expect(leastTokensOf('配送'.repeat(600))).toBeGreaterThan(500)
  expect(leastTokensOf('')).toBe(0)
})
