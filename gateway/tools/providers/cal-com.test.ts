import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeCalCom } from '../../../test/harness/fake-cal-com.ts'
import { createCalCom, type OutsideCalendar } from './cal-com.ts'

let fake: FakeCalCom
let calendar: OutsideCalendar
const [ten, eleven] = [Date.parse('2027-05-03T10:00:00Z'), Date.parse('2027-05-03T11:00:00Z')]
const attendee = { name: 'Ann', email: 'ann@example.com', phone: '+491701234567', timezone: 'Europe/Berlin' }
const days = { from: '2027-05-03', to: '2027-05-03', timezone: 'Europe/Berlin' }

beforeEach(async () => {
  fake = await FakeCalCom.open('2027-05-03T10:00:00Z', '2027-05-03T11:00:00Z')
  const { apiKey, eventTypeId, url: baseUrl } = fake
  const signal = new AbortController().signal
  calendar = createCalCom({ fetch: (url, init) => fetch(url, init), baseUrl, apiKey, eventTypeId, signal })
})
afterEach(() => fake[Symbol.asyncDispose]())

test('[S000-23] a time at Cal.com is booked once, moved and cancelled, on its own wire', async () => {
  expect(await calendar.free(days)).toEqual([ten, eleven])
  const booked = await calendar.book({ startMs: ten, attendee, key: 'k1' })
  expect(booked).toMatchObject({ is: 'booked', startMs: ten, endMs: ten + 30 * 60_000 })
  expect(await calendar.book({ startMs: ten, attendee, key: 'k2' })).toEqual({ is: 'taken' })
  expect(await calendar.free(days)).toEqual([eleven])
  if (booked.is !== 'booked') throw new Error('not booked')
  const moved = await calendar.move(booked.ref, eleven)
  expect(moved).toMatchObject({ is: 'booked', startMs: eleven })
  if (moved.is !== 'booked') throw new Error('not moved')
  expect(await calendar.cancel(moved.ref, 'ill')).toEqual({ is: 'cancelled' })
  expect(await calendar.cancel(moved.ref, 'ill')).toEqual({ is: 'cancelled' })
  expect(await calendar.free(days)).toEqual([ten, eleven])
})

test('what may have been booked is unknown; what was surely not is refused, and tells no key', async () => {
  fake.breaks('cut-after')
  expect(await calendar.book({ startMs: ten, attendee, key: 'k1' })).toMatchObject({ is: 'unknown' })
  expect(fake.bookings).toHaveLength(1)
  fake.breaks({ status: 503 })
  expect(await calendar.book({ startMs: eleven, attendee, key: 'k2' })).toMatchObject({ is: 'unknown' })
  const wrong = createCalCom({
    ...{ fetch: (url, init) => fetch(url, init), baseUrl: fake.url, apiKey: 'cal_wrong', eventTypeId: 77 },
    signal: new AbortController().signal,
  })
  const refused = await wrong.book({ startMs: eleven, attendee, key: 'k3' })
  expect(refused).toMatchObject({ is: 'refused' })
  expect(JSON.stringify(refused)).not.toContain('cal_wrong')
  expect(await wrong.free(days)).toBeUndefined()
})
