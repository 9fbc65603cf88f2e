import { expect, test } from 'vitest'
import type { UsageDay } from '../../../gateway/protocol/rest.ts'
import { byDay, daysLeft, lastDays } from './usage-by-day.ts'

const row: UsageDay = {
  day: '2026-06-14',
  channel: 'widget',
  agentId: 'agt_1',
  sessions: 2,
  seconds: 100,
  tokens: 5,
  costUsdMicro: 0,
  costUnknown: 0,
  creditsMicro: 3_000_000,
}
const days = lastDays(Date.parse('2026-06-15T01:00:00.000Z'), 3)

test('days are counted back from today in UTC', () => {
  expect(days).toEqual(['2026-06-13', '2026-06-14', '2026-06-15'])
})

test('channels and agents of one day add up, quiet days are zero, other days are left out', () => {
  const totals = byDay(days, [row, { ...row, channel: 'voice', seconds: 20 }, { ...row, day: '2026-01-01' }])
  expect(totals.map((total) => total.seconds)).toEqual([0, 120, 0])
  expect(totals[1]).toEqual({ day: '2026-06-14', sessions: 4, seconds: 120, creditsMicro: 6_000_000 })
})

test('the credit lasts at the average pace', () => {
  expect(daysLeft(10_000_000, byDay(days, [row]))).toBe(10)
  expect(daysLeft(-5, byDay(days, [row]))).toBe(0)
  expect(daysLeft(10_000_000, byDay(days, []))).toBeNull()
})
