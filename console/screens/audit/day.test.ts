import { expect, test } from 'vitest'
import { isDay, nextDay } from './day.ts'

test('the last day of the filter is included, over months and years', () => {
  expect(nextDay('2026-01-31')).toBe('2026-02-01')
  expect(nextDay('2026-12-31')).toBe('2027-01-01')
})

test('what is no day is not asked for', () => {
  expect(isDay('2026-02-30')).toBe(false)
  expect(isDay('2026-01-05')).toBe(true)
  expect(isDay('yesterday')).toBe(false)
})
