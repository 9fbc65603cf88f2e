import { expect, test } from 'vitest'
import {
  clock,
  credits,
  creditsColumn,
  latency,
  price,
  quantity,
  relative,
  shortId,
  signedCredits,
  spoken,
} from './format.ts'

const nowMs = Date.parse('2026-06-15T12:00:00.000Z')
const ago = (seconds: number) => relative(new Date(nowMs - seconds * 1000).toISOString(), nowMs)

test('credits keep four decimals while small and two when large', () => {
  expect(credits(0)).toBe('0.00')
  expect(credits(1)).toBe('<0.0001')
  expect(credits(123_456)).toBe('0.1235')
  expect(credits(1_500_000)).toBe('1.50')
  expect(credits(99_999_900)).toBe('99.9999')
  expect(credits(1_234_567_890)).toBe('1,234.57')
  expect(credits(-2_500_000)).toBe('-2.50')
  expect(signedCredits(2_000_000)).toBe('+2.0000')
  expect(signedCredits(-1_234_567_890)).toBe('-1,234.57')
  expect(creditsColumn(6_769_000)).toBe('6.7690')
})

test('durations read as a clock and as words', () => {
  expect(clock(7.9)).toBe('0:07')
  expect(clock(3725)).toBe('1:02:05')
  expect(clock(-3)).toBe('0:00')
  expect(spoken(42)).toBe('42 s')
  expect(spoken(95)).toBe('1 min 35 s')
  expect(spoken(3725)).toBe('1 h 2 min')
  expect(spoken(7200)).toBe('2 h')
})

test('times are relative for a week and a date after it', () => {
  expect(ago(5)).toBe('just now')
  expect(ago(-20)).toBe('just now')
  expect(ago(60)).toBe('1 min ago')
  expect(ago(59 * 60)).toBe('59 min ago')
  expect(ago(3 * 3600)).toBe('3 h ago')
  expect(ago(2 * 86_400)).toBe('2 d ago')
  expect(ago(20 * 86_400)).toMatch(/^May 26, \d\d:00$/)
  expect(ago(400 * 86_400)).toBe('May 11 2025')
  expect(relative('nonsense', nowMs)).toBe('–')
})

test('latency switches to seconds', () => {
  expect(latency(640.4)).toBe('640 ms')
  expect(latency(2310)).toBe('2.3 s')
})

test('prices are told per minute, per million or per piece', () => {
  const line = { meter: 'm', quantity: 1, amountMicro: 0 }
  expect(price({ ...line, unit: 'second', priceMicroPerMillion: 10_000_000_000 })).toBe('0.60 / min')
  expect(price({ ...line, unit: 'token', priceMicroPerMillion: 2_500_000 })).toBe('2.50 / 1M tokens')
  expect(price({ ...line, unit: 'call', priceMicroPerMillion: 500_000_000_000 })).toBe('0.50 / call')
  expect(quantity({ ...line, unit: 'call', priceMicroPerMillion: 0 })).toBe('1 call')
  expect(quantity({ ...line, quantity: 1234.56, unit: 'second', priceMicroPerMillion: 0 })).toBe('1,234.6 seconds')
})

test('long ids are shortened in the middle', () => {
  expect(shortId('ses_1')).toBe('ses_1')
  expect(shortId('ses_0123456789abcdef')).toBe('ses_01…cdef')
})
