// Bookings of what stands in somebody else's calendar: that calendar decides what is free, and the tenant's record follows it. What
// was perhaps done there is told as unknown: there is no key by which it could be tried again.

import { Problem } from '../../platform/problem.ts'
import type { EntityView } from '../../protocol/records.ts'
import type { OutsideBooking, OutsideCalendar } from '../providers/cal-com.ts'
import { EffectUnknown } from '../tool.ts'
import type { Bookings, NewBooking, Resource } from './booking.ts'
import { dayOf, minuteMs, type Span } from './hours.ts'

export type { OutsideCalendar } from '../providers/cal-com.ts'

export async function freeOutside(outside: OutsideCalendar, resource: Resource, day: string): Promise<readonly Span[]> {
  const { timezone, slotMinutes } = resource
  const starts = await outside.free({ from: day, to: day, timezone })
  if (starts === undefined) throw new Problem('unavailable', 'The calendar does not answer right now.')
  const spans = starts.map((fromMs) => ({ fromMs, toMs: fromMs + slotMinutes * minuteMs }))
  return spans.filter((each) => dayOf(each.fromMs, timezone) === day)
}

export async function bookOutside(
  outside: OutsideCalendar,
  bookings: Bookings,
  { resource, span, data, key }: NewBooking,
): Promise<EntityView> {
  const before = await bookings.made(key)
  if (before !== undefined) return before
  const { name, email, phone } = data
  if (name === undefined || email === undefined)
    throw new Problem('invalid', 'This calendar needs a name and an e-mail address.')
  const attendee = { name, email, phone, timezone: resource.timezone }
  const booked = done(await outside.book({ startMs: span.fromMs, attendee, key }))
  const about = { ...data, resourceId: resource.id, resourceName: resource.name, timezone: resource.timezone }
  return bookings.create({ data: { ...about, ...recordOf(outside, booked) }, key })
}

export async function cancelOutside(outside: OutsideCalendar, ref: string, reason: string | undefined): Promise<void> {
  const answer = await outside.cancel(ref, reason ?? 'Cancelled')
  if (answer.is !== 'cancelled') done(answer)
}

export async function moveOutside(
  outside: OutsideCalendar,
  bookings: Bookings,
  { id, ref, startMs }: { readonly id: string; readonly ref: string; readonly startMs: number },
): Promise<EntityView> {
  const moved = done(await outside.move(ref, startMs))
  return bookings.update(id, { data: recordOf(outside, moved) })
}

function done(answer: OutsideBooking): Extract<OutsideBooking, { is: 'booked' }> {
  if (answer.is === 'booked') return answer
  if (answer.is === 'taken') throw new Problem('conflict', 'That time is taken.')
  if (answer.is === 'unknown') throw new EffectUnknown(`what became of it in the calendar is not known: ${answer.why}`)
  throw new Problem('unavailable', 'The calendar did not take it.')
}

const recordOf = ({ name }: OutsideCalendar, { ref, startMs, endMs }: Extract<OutsideBooking, { is: 'booked' }>) => ({
  ...{ provider: name, providerRef: ref },
  ...{ startsAt: new Date(startMs).toISOString(), endsAt: new Date(endMs).toISOString() },
})
