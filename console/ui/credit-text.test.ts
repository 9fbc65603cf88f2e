import { expect, test } from 'vitest'
import { creditText, parseCredits } from './credit-text.ts'

test('credits are read to the last micro-credit and written back as they were', () => {
  expect(parseCredits('12.5')).toBe(12_500_000)
  expect(parseCredits('0.000001')).toBe(1)
  expect(parseCredits('0,1')).toBe(100_000)
  for (const micro of [1, 999_999, 1_000_000, 12_345_678, 250_000_000])
    expect(parseCredits(creditText(micro))).toBe(micro)
})

test('what is no amount is refused', () => {
  for (const text of ['', '-1', '1.2.3', '0.0000001', 'ten', '1e3']) expect(parseCredits(text)).toBeUndefined()
})
