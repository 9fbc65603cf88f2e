// Appointments and reservations. Times are told as the clocks of the place show them.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import type { EntityView } from '../../protocol/records.ts'
import type { Calendars, Resource } from '../calendar/calendar.ts'
import { dayOf, localText, minuteMs, momentOf, nextDay, type Span } from '../calendar/hours.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

export interface BookingDeps {
  readonly entities: Entities
  readonly calendars: Calendars
  readonly clock: Clock
}

const resource = z
  .string()
  .min(1)
  .max(80)
  .describe('Id, slug or name of what is booked; may be left out if there is one only')
const day = z.iso.date().describe('YYYY-MM-DD, local to what is booked')
const start = z.string().min(10).max(40).describe('Local time such as 2027-05-01T10:00, or an instant with its offset')
const minutes = z.int().min(5).max(1_440)
const booking = z.string().min(1).max(80).describe('Id of the booking')
const person = {
  name: z.string().trim().min(1).max(200).optional(),
  email: z.email().max(254).optional(),
  phone: z.string().max(40).optional(),
}

export function bookingTools(deps: BookingDeps): readonly BuiltinTool[] {
  return [availability(deps), create(deps), cancel(deps), reschedule(deps), upcoming(deps)]
}

function availability(deps: BookingDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'check_availability', kind: 'bookings.check_availability', category: 'bookings', readOnly: true },
      description: 'Tells which times are free, from a day on, for at most two weeks.',
    },
    z.strictObject({ resource: resource.optional(), from: day.optional(), days: z.int().min(1).max(14).optional() }),
    async ({ resource: key, from, days = 1 }, context) => {
      const auth = await context.auth()
      const found = await resourceOf(deps, auth, key)
      const first = from ?? dayOf(deps.clock.now(), found.timezone)
      const calendar = deps.calendars.as(auth, context.signal)
      const items: object[] = []
      for (let i = 0; i < days; i++)
        for (const slot of await calendar.free(found, nextDay(first, i))) items.push(shownSpan(found, slot))
      return { resource: found.name, timezone: found.timezone, ...listResult(items) }
    },
  )
}

function create(deps: BookingDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'create_booking', kind: 'bookings.create_booking', category: 'bookings' },
      ...{ readOnly: false, retry: 'keyed' },
      description: 'Books a time for the person, after they agreed to it. Refuses what is taken or closed.',
    },
    z.strictObject({
      ...{ resource: resource.optional(), start, minutes: minutes.describe('Default: one slot').optional(), ...person },
      subject: z.string().trim().min(1).max(200).describe('What it is about').optional(),
      guests: z.int().min(1).max(1_000).optional(),
      notes: z.string().max(4_000).optional(),
    }),
    async ({ resource: key, start: at, minutes: length, subject, ...rest }, context) => {
      const auth = await context.auth()
      const found = await resourceOf(deps, auth, key)
      const { contactId, channel, conversationId } = context
      const data = { subject: subject ?? found.name, ...rest, contactId, channel, conversationId }
      const span = spanOf(found, at, length)
      return {
        booking: shown(
          await deps.calendars.as(auth, context.signal).book({ resource: found, span, data, key: context.key }),
        ),
      }
    },
  )
}

function cancel(deps: BookingDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'cancel_booking', kind: 'bookings.cancel_booking', category: 'bookings', readOnly: false },
      ...{ retry: 'again', description: 'Cancels a booking; its time is free again.' },
    },
    z.strictObject({ booking, reason: z.string().max(500).optional() }),
    async ({ booking: id, reason }, context) => ({
      booking: shown(await deps.calendars.as(await context.auth(), context.signal).cancel(id, reason)),
    }),
  )
}

function reschedule(deps: BookingDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'reschedule_booking', kind: 'bookings.reschedule_booking', category: 'bookings', readOnly: false },
      ...{ retry: 'keyed', description: 'Moves a booking to another time; if that is taken it stays where it was.' },
    },
    z.strictObject({ booking, start, minutes: minutes.describe('Default: as long as before').optional() }),
    async ({ booking: id, start: at, minutes: length }, context) => {
      const auth = await context.auth()
      const records = deps.entities.of(auth.tenantId).as(auth).template('booking')
      const before = records.read(await records.get(id))
      const found = await resourceOf(deps, auth, before.resourceId)
      const sameMinutes = Math.round((Date.parse(before.endsAt) - Date.parse(before.startsAt)) / minuteMs)
      const to = { resource: found, span: spanOf(found, at, length ?? sameMinutes), key: context.key }
      return { booking: shown(await deps.calendars.as(auth, context.signal).move(id, to)) }
    },
  )
}

function upcoming(deps: BookingDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'list_upcoming_bookings', kind: 'bookings.list_upcoming', category: 'bookings', readOnly: true },
      description: 'Lists bookings that are still to come, the next one first.',
    },
    z.strictObject({ resource: resource.optional(), limit: z.int().min(1).max(50).optional() }),
    async ({ resource: key, limit = 10 }, context) => {
      const auth = await context.auth()
      const bookings = deps.entities.of(auth.tenantId).as(auth).template('booking')
      const from = { status: 'confirmed', startsAt: { gte: new Date(deps.clock.now()).toISOString() } }
      const where = key === undefined ? from : { ...from, resourceId: (await resourceOf(deps, auth, key)).id }
      const { items, next } = await bookings.list({ where, sort: 'startsAt', limit })
      return { ...listResult(items.map(shown)), ...(next === null ? {} : { more: true }) }
    },
  )
}

/** By id or slug, else by its name; the only one there is where nothing is named. */
async function resourceOf({ entities }: BookingDeps, auth: AuthContext, key: string | undefined): Promise<Resource> {
  const all = entities.of(auth.tenantId).as(auth).template('booking-resource')
  const typed = (view: EntityView): Resource => ({ ...all.read(view), id: view.id })
  if (key !== undefined) {
    const found = await all.get(key).catch(notFoundAsUndefined)
    if (found !== undefined) return typed(found)
  }
  const { items } = await all.list({ q: key, limit: 2 })
  const [only, other] = items
  if (only === undefined) throw new Problem('not_found', 'There is nothing of that name that can be booked.')
  if (other === undefined) return typed(only)
  const names = items.map((each) => each.title ?? each.slug).join(', ')
  throw new Problem('invalid', `Several can be booked: say which one, e.g. ${names}.`)
}

function notFoundAsUndefined(error: unknown): undefined {
  if (error instanceof Problem && error.code === 'not_found') return undefined
  throw error
}

function spanOf({ timezone, slotMinutes }: Resource, at: string, length = slotMinutes): Span {
  const fromMs = momentOf(at, timezone)
  if (fromMs !== undefined) return { fromMs, toMs: fromMs + length * minuteMs }
  throw new Problem('invalid', 'The time is not understood.', {
    issues: [{ path: 'start', message: 'a time such as 2027-05-01T10:00' }],
  })
}

const shownSpan = ({ timezone }: Resource, { fromMs, toMs }: Span) => ({
  ...{ start: localText(fromMs, timezone).slice(0, 16), end: localText(toMs, timezone).slice(0, 16) },
  startsAt: new Date(fromMs).toISOString(),
})

/** The time as its place shows it, beside the instant. */
function shown(view: EntityView): object {
  const { startsAt, timezone } = z.object({ startsAt: z.string(), timezone: z.string() }).partial().parse(view.data)
  const local = startsAt === undefined ? undefined : localText(Date.parse(startsAt), timezone ?? 'UTC').slice(0, 16)
  const { hold: _, ...data } = z.looseObject({ hold: z.unknown().optional() }).parse(view.data)
  return { ...view, data, ...(local === undefined ? {} : { localStart: local }) }
}
