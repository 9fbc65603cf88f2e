import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayOf, type Hours, instantOf, isOpen, localText, momentOf, openingsOn, overlap, slotsOn } from './hours.ts'

const everyDay = [1, 2, 3, 4, 5, 6, 7]
const open = (from: string, to: string, own: Partial<Hours> = {}): Hours => ({
  ...{ timezone: 'Europe/Berlin', hours: [{ weekdays: everyDay, from, to }] },
  ...own,
})
const iso = (ms: number) => new Date(ms).toISOString()
const starts = (hours: Hours, day: string, minutes: number) =>
  slotsOn(hours, day, minutes).map((each) => iso(each.fromMs))

test('opening hours are local: the same clock time is another instant in summer', () => {
  expect(openingsOn(open('09:00', '17:00'), '2027-01-15').map((each) => iso(each.fromMs))).toEqual([
    '2027-01-15T08:00:00.000Z',
  ])
  expect(openingsOn(open('09:00', '17:00'), '2027-07-15').map((each) => iso(each.fromMs))).toEqual([
    '2027-07-15T07:00:00.000Z',
  ])
})

test('[S000-23] the day on which clocks go forward has no slot in the hour that does not exist, and none twice', () => {
  expect(starts(open('01:00', '04:00'), '2027-03-28', 60)).toEqual([
    '2027-03-28T00:00:00.000Z',
    '2027-03-28T01:00:00.000Z',
  ])
  expect(localText(instantOf('2027-03-28', 150, 'Europe/Berlin'), 'Europe/Berlin')).toBe('2027-03-28T03:30:00')
})

test('[S000-23] the day on which clocks go back has the hour that is there twice as two slots', () => {
  expect(starts(open('01:00', '04:00'), '2027-10-31', 60)).toEqual([
    '2027-10-30T23:00:00.000Z',
    '2027-10-31T00:00:00.000Z',
    '2027-10-31T01:00:00.000Z',
    '2027-10-31T02:00:00.000Z',
  ])
  expect(iso(instantOf('2027-10-31', 150, 'Europe/Berlin'))).toBe('2027-10-31T00:30:00.000Z')
})

test('closed days, other weekdays and a closed place have no slots; hours past midnight end on the next day', () => {
  expect(slotsOn(open('09:00', '10:00', { closedOn: ['2027-01-15'] }), '2027-01-15', 30)).toEqual([])
  expect(slotsOn(open('09:00', '10:00', { isClosed: true }), '2027-01-15', 30)).toEqual([])
  const weekdays = { timezone: 'UTC', hours: [{ weekdays: [1], from: '09:00', to: '10:00' }] }
  expect([starts(weekdays, '2027-01-18', 30).length, starts(weekdays, '2027-01-17', 30).length]).toEqual([2, 0])
  const night = open('22:00', '02:00', { timezone: 'UTC' })
  expect(starts(night, '2027-01-15', 120)).toEqual(['2027-01-15T22:00:00.000Z', '2027-01-16T00:00:00.000Z'])
  const late = Date.parse('2027-01-16T01:00:00Z')
  expect(isOpen(night, { fromMs: late, toMs: late + 3_600_000 })).toBe(true)
  expect(isOpen(night, { fromMs: late, toMs: late + 3_600_001 })).toBe(false)
  expect(openingsOn(open('00:00', '24:00', { timezone: 'UTC' }), '2027-01-15')).toHaveLength(1)
})

test('a time is read as an instant with its offset, or as the clocks of the place show it', () => {
  const at = Date.parse('2027-07-01T08:00:00Z')
  for (const text of [
    '2027-07-01T10:00',
    '2027-07-01 10:00',
    '2027-07-01T10:00:00',
    '2027-07-01T08:00:00Z',
    '2027-07-01T10:00+02:00',
  ])
    expect(momentOf(text, 'Europe/Berlin'), text).toBe(at)
  for (const text of ['tomorrow at ten', '2027-13-45T10:00', '10:00', '2027-07-01', '2027-07-01T25:00'])
    expect(momentOf(text, 'Europe/Berlin'), text).toBeUndefined()
})

test('slots never overlap, lie in the opening and come back to their day, in any zone on any day', () => {
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  )
  const day = fc.date({ min: new Date('2024-01-01'), max: new Date('2030-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(
      zone,
      day,
      fc.integer({ min: 0, max: 22 }),
      fc.constantFrom(15, 30, 45, 60),
      (timezone, date, hour, minutes) => {
        const from = `${String(hour).padStart(2, '0')}:00`
        const to = `${String(hour + 2).padStart(2, '0')}:00`
        const hours = open(from, to, { timezone })
        const slots = slotsOn(hours, date.toISOString().slice(0, 10), minutes)
        for (const [i, slot] of slots.entries()) {
          expect(isOpen(hours, slot)).toBe(true)
          expect(dayOf(slot.fromMs, timezone)).toBe(date.toISOString().slice(0, 10))
          for (const other of slots.slice(i + 1)) expect(overlap(slot, other)).toBe(false)
        }
      },
    ),
    { numRuns: 300 },
  )
})
