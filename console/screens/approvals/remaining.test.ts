import { expect, test } from 'vitest'
import { isSoon, remaining } from './remaining.ts'

const now = Date.parse('2026-06-15T12:00:00Z')
const later = (ms: number) => new Date(now + ms).toISOString()

test('a deadline counts down in the units that matter', () => {
  expect(remaining(later(24 * 3_600_000), now)).toBe('24 h 0 min')
  expect(remaining(later(59 * 60_000), now)).toBe('59 min')
  expect(remaining(later(270_000), now)).toBe('4 min 30 s')
  expect(remaining(later(4_200), now)).toBe('5 s')
  expect(remaining(later(0), now)).toBe('over')
  expect(remaining('nonsense', now)).toBe('over')
})

test('the last hour is soon', () => {
  expect(isSoon(later(3_599_000), now)).toBe(true)
  expect(isSoon(later(2 * 3_600_000), now)).toBe(false)
})
