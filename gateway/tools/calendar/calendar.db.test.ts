import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../../test/harness/auth.ts'
import { QueryWatch } from '../../../test/harness/indexed.ts'
import { recordsIn } from '../../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { type Entities, entityCollections } from '../../entities/entities.ts'
import { eventCollections } from '../../events/events.ts'
import { systemClock } from '../../platform/clock.ts'
import { asTenantId } from '../../platform/ids.ts'
import { ensureIndexes, type Mongo, openMongo } from '../../platform/mongo.ts'
import { createCalendars, type Resource } from './calendar.ts'
import { overlap } from './hours.ts'
import { spanStore } from './store.ts'

let store: TestStore
let watched: Mongo
const watch = new QueryWatch()
let entities: Entities
let nowMs = Date.parse('2027-03-01T10:00:00Z')
const clock = { ...systemClock, now: () => nowMs }
const minute = 60_000

beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...entityCollections, ...eventCollections, spanStore.spec])
  watched = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  entities = recordsIn(watched.db).entities
})
afterAll(async () => {
  await watched.close()
  await store[Symbol.asyncDispose]()
})

let count = 0
async function place(own: Partial<Resource> = {}) {
  const tenantId = asTenantId(`ten_k${String(count++)}`)
  const auth = authAs(tenantId)
  const data = {
    ...{
      name: 'Room',
      timezone: 'Europe/Berlin',
      hours: [{ weekdays: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }],
    },
    ...own,
  }
  const records = entities.of(tenantId).as(auth)
  const view = await records.template('booking-resource').create({ data })
  const resource = { ...records.template('booking-resource').read(view), id: view.id }
  const bookings = records.template('booking')
  const confirmed = async () =>
    (await bookings.list({ where: { status: 'confirmed' }, limit: 200 })).items.map((each) => bookings.read(each))
  const calendar = createCalendars({ db: watched.db, entities, clock, everything: authAs }).as(
    auth,
    new AbortController().signal,
  )
  const book = (key: string, at: string, minutes = 30) => {
    const fromMs = Date.parse(at)
    return calendar.book({ resource, span: { fromMs, toMs: fromMs + minutes * minute }, data: { subject: key }, key })
  }
  return { tenantId, calendar, resource, bookings, confirmed, book }
}
const outcomes = async (all: readonly Promise<unknown>[]) => {
  const settled = await Promise.allSettled(all)
  const refused = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
  return { done: settled.length - refused.length, codes: [...new Set(refused)] }
}

test('[S000-23] of fifty who want the same slot at once one gets it', async () => {
  const { book, confirmed } = await place()
  const all = Array.from({ length: 50 }, (_, i) => book(`k${i}`, '2027-03-02T10:00:00Z'))
  expect(await outcomes(all)).toEqual({ done: 1, codes: ['conflict'] })
  expect(await confirmed()).toHaveLength(1)
})

test('[S000-23] of fifty times that overlap no two are booked, also where the day has 23 hours', async () => {
  const { book, confirmed } = await place({ bufferMinutes: 10 })
  const at = (i: number) => new Date(Date.parse('2027-03-28T00:00:00Z') + i * 7 * minute).toISOString()
  const { done, codes } = await outcomes(Array.from({ length: 50 }, (_, i) => book(`k${i}`, at(i), 30)))
  expect(codes).toEqual(['conflict'])
  const spans = (await confirmed()).map((each) => ({
    fromMs: Date.parse(each.startsAt),
    toMs: Date.parse(each.endsAt) + 10 * minute,
  }))
  expect(spans).toHaveLength(done)
  expect(done).toBeGreaterThan(1)
  for (const [i, span] of spans.entries())
    for (const other of spans.slice(i + 1)) expect(overlap(span, other)).toBe(false)
})

test('the same booking tried twenty times at once, and again later, is one', async () => {
  const { book, confirmed } = await place()
  const made = await Promise.all(Array.from({ length: 20 }, () => book('same', '2027-03-02T10:00:00Z')))
  expect(new Set(made.map((each) => each.id)).size).toBe(1)
  expect((await book('same', '2027-03-02T10:00:00Z')).id).toBe(made[0]?.id)
  expect(await confirmed()).toHaveLength(1)
})

test('[S000-23] a cancelled time is free again, once; a moved booking leaves its old time and keeps it if the new one is taken', async () => {
  const { book, calendar, resource, bookings } = await place({ slotMinutes: 60 })
  const first = await book('a', '2027-03-02T10:00:00Z', 60)
  const second = await book('b', '2027-03-02T11:00:00Z', 60)
  const hourFrom = (at: string) => ({ fromMs: Date.parse(at), toMs: Date.parse(at) + 60 * minute })
  const to = (at: string, key: string) => ({ resource, span: hourFrom(at), key })
  await expect(calendar.move(first.id, to('2027-03-02T11:30:00Z', 'm1'))).rejects.toMatchObject({ code: 'conflict' })
  expect(bookings.read(await bookings.get(first.id)).startsAt).toBe('2027-03-02T10:00:00.000Z')
  // Over its own old time.
  await calendar.move(first.id, to('2027-03-02T09:30:00Z', 'm2'))
  await calendar.move(first.id, to('2027-03-02T09:30:00Z', 'm2'))
  await book('c', '2027-03-02T10:30:00Z', 30)
  await calendar.cancel(second.id, 'ill')
  await calendar.cancel(second.id)
  await book('d', '2027-03-02T11:00:00Z', 60)
  await expect(book('e', '2027-03-02T11:00:00Z', 60)).rejects.toMatchObject({ code: 'conflict' })
  const free = (await calendar.free(resource, '2027-03-02')).map((each) =>
    new Date(each.fromMs).toISOString().slice(11, 16),
  )
  expect(free).not.toContain('11:00')
  expect(free).toContain('12:00')
})

test('[S000-23] a time that somebody died over is given back after a minute, or stays with the booking that was written', async () => {
  const { book, resource, tenantId, bookings } = await place()
  const spans = spanStore.open(store.db)
  const at = Date.parse('2027-03-02T10:00:00Z')
  const span = { fromMs: at, toMs: at + 30 * minute, pendingSinceMs: nowMs }
  const of = { tenantId, resourceId: resource.id }
  await spans.take(of, { ...span, holder: 'dead' })
  await expect(book('a', '2027-03-02T10:00:00Z')).rejects.toMatchObject({ code: 'conflict' })
  nowMs += 2 * minute
  await book('a', '2027-03-02T10:00:00Z')
  const later = { ...span, fromMs: at + 60 * minute, toMs: at + 90 * minute, pendingSinceMs: nowMs }
  await spans.take(of, { ...later, holder: 'died-late' })
  const times = { startsAt: '2027-03-02T11:00:00.000Z', endsAt: '2027-03-02T11:30:00.000Z' }
  await bookings.create({ data: { subject: 'x', resourceId: resource.id, ...times, hold: 'died-late' } })
  nowMs += 2 * minute
  await expect(book('b', '2027-03-02T11:00:00Z')).rejects.toMatchObject({ code: 'conflict' })
})

test('what is over, too soon, too far ahead, closed, or no time at all cannot be booked', async () => {
  const { book, calendar, resource } = await place({
    ...{ noticeMinutes: 60, horizonDays: 10, closedOn: ['2027-03-05'] },
  })
  for (const at of [
    '2027-02-28T10:00:00Z',
    '2027-03-01T10:30:00Z',
    '2027-04-01T10:00:00Z',
    '2027-03-05T10:00:00Z',
    'never',
  ])
    await expect(book('x', at), at).rejects.toMatchObject({ code: 'invalid' })
  expect(await calendar.free(resource, '2027-03-05')).toEqual([])
  expect(await calendar.free(resource, '2027-02-28')).toEqual([])
})

test('every query is served by an index', async () => {
  expect(watch.seen).toBeGreaterThan(3)
  expect(await watch.scans(store.db, ['booking_spans', 'entities'])).toEqual([])
})
