// Times that can be booked, and bookings of them. A time is taken in one place first, then its booking is written as a record of the
// tenant, then the two are joined; whoever dies in between leaves a time that is given back, or joined, by the next one who wants it.

import type { Db } from 'mongodb'
import type { Entities } from '../../entities/entities.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { EntityView } from '../../protocol/records.ts'
import { bookingsAs, type NewBooking, type Resource } from './booking.ts'
import { dayOf, isOpen, isZone, minuteMs, nextDay, overlap, type Span, slotsOn } from './hours.ts'
import { bookOutside, cancelOutside, freeOutside, moveOutside, type OutsideCalendar } from './outside.ts'
import { type Place, spanStore, type TakenSpan } from './store.ts'

export type { Resource } from './booking.ts'

export interface Calendar {
  /** Free ones of the day, local to the resource, that may be booked now. */
  free(resource: Resource, day: string): Promise<readonly Span[]>
  /** `conflict`: somebody has that time. `invalid`: it cannot be booked at that time. */
  book(booking: NewBooking): Promise<EntityView>
  /** Its time is free again. Cancelling twice is fine. */
  cancel(booking: string, reason?: string): Promise<EntityView>
  /** `conflict`: somebody has that time, and the booking stays where it was. */
  move(
    booking: string,
    to: { readonly resource: Resource; readonly span: Span; readonly key: string },
  ): Promise<EntityView>
}

export interface CalendarDeps {
  readonly db: Db
  readonly entities: Entities
  readonly clock: Clock
  /** The gateway's own eyes: whether a booking is there is not a matter of who asks. */
  readonly everything: (tenantId: TenantId) => AuthContext
  /** The calendar that this resource stands in, where that is not ours. */
  readonly outside?: (
    tenantId: TenantId,
    resource: Resource,
    signal: AbortSignal,
  ) => Promise<OutsideCalendar | undefined>
}

const bookingsOf = (entities: Entities, auth: AuthContext) => bookingsAs(entities.of(auth.tenantId).as(auth))

/** Writing a booking takes milliseconds; a tool is given ten seconds. */
const pendingMs = 60_000

export interface Calendars {
  as(auth: AuthContext, signal: AbortSignal): Calendar
}

export function createCalendars(deps: CalendarDeps): Calendars {
  const spans = spanStore.open(deps.db)
  return { as: (auth, signal) => withOutside({ ...deps, spans, auth }, signal) }
}

interface Scope extends CalendarDeps {
  readonly spans: ReturnType<typeof spanStore.open>
  readonly auth: AuthContext
}

/** Ours, but for what stands in another one. */
function withOutside(scope: Scope, signal: AbortSignal): Calendar {
  const { entities, auth } = scope
  const own = calendarOf(scope)
  const bookings = bookingsOf(entities, auth)
  const outsideOf = async (resource: Resource) => scope.outside?.(auth.tenantId, resource, signal)
  /** Of a booking that was made there. */
  const standsIn = async (id: string) => {
    const { provider, providerRef, resourceId, status, startsAt } = bookings.read(await bookings.get(id))
    if (provider === undefined || providerRef === undefined) return undefined
    const resources = entities.of(auth.tenantId).as(scope.everything(auth.tenantId)).template('booking-resource')
    const outside = await outsideOf({ ...resources.read(await resources.get(resourceId)), id: resourceId })
    if (outside === undefined)
      throw new Problem('unavailable', 'The calendar of this booking is not connected any more.')
    return { outside, ref: providerRef, isCancelled: status === 'cancelled', startMs: Date.parse(startsAt) }
  }
  return {
    async free(resource, day) {
      const outside = await outsideOf(resource)
      return outside === undefined ? own.free(resource, day) : freeOutside(outside, resource, day)
    },
    async book(booking) {
      const outside = await outsideOf(booking.resource)
      return outside === undefined ? own.book(booking) : bookOutside(outside, bookings, booking)
    },
    async cancel(id, reason) {
      const there = await standsIn(id)
      if (there !== undefined && !there.isCancelled) await cancelOutside(there.outside, there.ref, reason)
      return own.cancel(id, reason)
    },
    async move(id, to) {
      const there = await standsIn(id)
      if (there === undefined) return own.move(id, to)
      if (there.isCancelled) throw new Problem('conflict', 'This booking was cancelled.')
      if (there.startMs === to.span.fromMs) return bookings.get(id)
      return moveOutside(there.outside, bookings, { id, ref: there.ref, startMs: to.span.fromMs })
    },
  }
}

function calendarOf(scope: Scope): Calendar {
  const { spans, auth, clock, entities } = scope
  const bookings = bookingsOf(entities, auth)
  const placeOf = (resourceId: string): Place => ({ tenantId: auth.tenantId, resourceId })
  return {
    async free(resource, day) {
      checkZone(resource)
      const taken = await spans.spans(placeOf(resource.id))
      return slotsOn(resource, day, resource.slotMinutes).filter(
        (slot) =>
          bookable(resource, slot, clock.now()) === undefined &&
          !taken.some((each) => overlap(each, withBuffer(resource, slot))),
      )
    },
    async book({ resource, span, data, key }) {
      checkBookable(scope, resource, span)
      const place = placeOf(resource.id)
      await take(scope, place, { span: withBuffer(resource, span), holder: key })
      const times = { ...isoOf(span), timezone: resource.timezone }
      const record = { ...data, ...times, resourceId: resource.id, resourceName: resource.name, hold: key }
      const booking = await bookings.create({ data: record, key }).catch(async (error: unknown) => {
        // Refused: it was not written. What nobody can tell keeps the time until somebody else wants it.
        if (error instanceof Problem) await spans.release(place, key, clock.now())
        throw error
      })
      if (await stillHolds(scope, place, { span: withBuffer(resource, span), holder: key })) return booking
      await bookings.update(booking.id, { data: { status: 'cancelled', cancelReason: 'The time was given away.' } })
      throw taken()
    },
    async cancel(key, reason) {
      const before = bookings.read(await bookings.get(key))
      const booking = await bookings.change(key, ({ status }) =>
        status === 'cancelled' ? undefined : { status: 'cancelled', cancelReason: reason },
      )
      if (before.hold !== undefined) await spans.release(placeOf(before.resourceId), before.hold, clock.now())
      return booking
    },
    async move(id, { resource, span, key }) {
      checkBookable(scope, resource, span)
      const before = bookings.read(await bookings.get(id))
      if (before.status === 'cancelled') throw new Problem('conflict', 'This booking was cancelled.')
      const place = placeOf(resource.id)
      if (before.hold === key) return spans.confirm(place, key).then(() => bookings.get(id))
      const holder = { span: withBuffer(resource, span), holder: key }
      await take(scope, place, holder, before.hold === undefined ? [] : [before.hold])
      const booking = await bookings
        .change(id, (now) => {
          // Somebody else moved or cancelled it meanwhile.
          if (now.hold !== before.hold || now.status === 'cancelled')
            throw new Problem('conflict', 'The booking was changed meanwhile.')
          return { ...isoOf(span), resourceId: resource.id, resourceName: resource.name, hold: key }
        })
        .catch(async (error: unknown) => {
          if (error instanceof Problem) await spans.release(place, key, clock.now())
          throw error
        })
      await spans.confirm(place, key)
      if (before.hold !== undefined) await spans.release(placeOf(before.resourceId), before.hold, clock.now())
      return booking
    },
  }
}

interface Holding {
  readonly span: Span
  readonly holder: string
}

/** Throws `conflict`. Times that no booking stands behind are given back here. */
async function take(scope: Scope, place: Place, holding: Holding, except: readonly string[] = []): Promise<void> {
  const { spans, clock } = scope
  const wanted = { ...holding.span, holder: holding.holder, pendingSinceMs: clock.now() }
  if (await spans.take(place, wanted, except)) return
  const inTheWay = (await spans.spans(place)).filter(
    (each) => overlap(each, holding.span) && each.holder !== holding.holder && !except.includes(each.holder),
  )
  const given = await Promise.all(inTheWay.map((each) => givenBack(scope, place, each)))
  if (given.includes(false) || !(await spans.take(place, wanted, except))) throw taken()
}

/** False: there is a booking, or one is being written. */
async function givenBack(
  { spans, entities, everything, clock }: Scope,
  place: Place,
  span: TakenSpan,
): Promise<boolean> {
  const { pendingSinceMs, holder } = span
  if (pendingSinceMs !== null && pendingSinceMs > clock.now() - pendingMs) return false
  const all = bookingsOf(entities, everything(place.tenantId))
  if ((await all.count({ where: { hold: holder, status: 'confirmed' } })) > 0) return false
  await spans.release(place, holder, clock.now())
  return true
}

/** Whoever was held up for long may have lost the time. */
async function stillHolds({ spans, clock }: Scope, place: Place, { span, holder }: Holding): Promise<boolean> {
  if (await spans.confirm(place, holder)) return true
  return (await spans.take(place, { ...span, holder, pendingSinceMs: clock.now() })) && spans.confirm(place, holder)
}

function checkBookable({ clock }: Scope, resource: Resource, span: Span): void {
  checkZone(resource)
  const wrong = bookable(resource, span, clock.now())
  if (wrong !== undefined) throw new Problem('invalid', wrong)
}

/** Why not; undefined: it can be booked, if it is free. */
function bookable(resource: Resource, span: Span, nowMs: number): string | undefined {
  const { timezone, horizonDays, noticeMinutes } = resource
  if (span.fromMs % minuteMs !== 0 || span.toMs <= span.fromMs)
    return 'A booking begins at a full minute and takes time.'
  if (span.fromMs < nowMs + noticeMinutes * minuteMs) return 'That is too soon, or over.'
  if (dayOf(span.fromMs, timezone) > nextDay(dayOf(nowMs, timezone), horizonDays)) return 'That is too far ahead.'
  return isOpen(resource, span) ? undefined : 'That is outside the opening hours.'
}

function checkZone({ timezone }: Resource): void {
  if (!isZone(timezone)) throw new Problem('unsupported', 'The time zone of what is to be booked is not known.')
}

const withBuffer = ({ bufferMinutes }: Resource, { fromMs, toMs }: Span): Span => ({
  fromMs,
  toMs: toMs + bufferMinutes * minuteMs,
})

const isoOf = ({ fromMs, toMs }: Span) => ({
  startsAt: new Date(fromMs).toISOString(),
  endsAt: new Date(toMs).toISOString(),
})

const taken = () => new Problem('conflict', 'That time is taken.')
