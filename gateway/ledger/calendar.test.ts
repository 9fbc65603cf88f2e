import { expect, test } from 'vitest'
import { dayIn, nextDayIn } from './calendar.ts'

test.each([
  ['UTC', '2026-06-14T23:59:59.999Z', '2026-06-14', '2026-06-15T00:00:00.000Z'],
  ['UTC', '2026-06-15T00:00:00.000Z', '2026-06-15', '2026-06-16T00:00:00.000Z'],
  ['Asia/Kolkata', '2026-06-14T18:29:59.999Z', '2026-06-14', '2026-06-14T18:30:00.000Z'],
  ['Pacific/Kiritimati', '2026-06-14T10:00:00.000Z', '2026-06-15', '2026-06-15T10:00:00.000Z'],
  ['Pacific/Pago_Pago', '2026-06-14T10:59:00.000Z', '2026-06-13', '2026-06-14T11:00:00.000Z'],
])('[L20] the day in %s at %s is %s and ends at %s', (zone, at, day, end) => {
  expect(dayIn(zone, new Date(at))).toBe(day)
  expect(nextDayIn(zone, new Date(at)).toISOString()).toBe(end)
})

test.each([
  [
    'the day on which clocks go forward has 23 hours',
    'Europe/Zurich',
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T22:00:00.000Z',
  ],
  [
    'the day on which clocks go back has 25 hours',
    'Europe/Zurich',
    '2026-10-24T22:00:00.000Z',
    '2026-10-25T23:00:00.000Z',
  ],
  [
    'a day that begins at 01:00 because 00:00 is left out',
    'Africa/Cairo',
    '2026-04-23T12:00:00.000Z',
    '2026-04-23T22:00:00.000Z',
  ],
  ['the day that Havana repeats an hour of', 'America/Havana', '2026-11-01T04:30:00.000Z', '2026-11-02T05:00:00.000Z'],
  ['the day that Samoa left out', 'Pacific/Apia', '2011-12-30T05:00:00.000Z', '2011-12-30T10:00:00.000Z'],
])('[L20] %s', (_name, zone, at, end) => {
  expect(nextDayIn(zone, new Date(at)).toISOString()).toBe(end)
})

test('[L20] the next day is the next one everywhere and at any hour, and has just begun', () => {
  for (const zone of ['Europe/London', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Beirut', 'America/Santiago']) {
    for (let hour = 0; hour < 24 * 366; hour += 7) {
      const at = new Date(Date.UTC(2026, 0, 1, hour, 13))
      const end = nextDayIn(zone, at)
      expect(dayIn(zone, end) > dayIn(zone, at)).toBe(true)
      expect(dayIn(zone, new Date(end.getTime() - 1))).toBe(dayIn(zone, at))
    }
  }
})

test('[L20] a zone that nobody knows is refused', () => {
  expect(() => dayIn('Mars/Olympus', new Date(0))).toThrow(/time zone/)
})
