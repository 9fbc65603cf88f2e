// Events that people come to. The conference is one of them: they are all records of the type `event`; who comes is kept apart,
// because seats are counted.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { meetsRows } from '../../platform/rows.ts'
import type { EntityView } from '../../protocol/records.ts'
import type { Effects } from '../effects.ts'
import { personArgs } from '../persons.ts'
import { type BuiltinTool, builtin, listResult, type ToolContext } from '../tool.ts'

interface Deps {
  readonly entities: Entities
  readonly effects: Pick<Effects, 'registrations' | 'persons'>
  readonly clock: Clock
}

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM')
const eventFields = {
  name: z.string().trim().min(1).max(200),
  description: z.string().max(4_000),
  startsOn: z.iso.date().describe('YYYY-MM-DD'),
  endsOn: z.iso.date().describe('Default: the same day'),
  startsAt: time.describe('Local time, e.g. 18:30'),
  endsAt: time,
  timezone: z.string().min(1).max(60).describe('IANA name, e.g. Europe/Berlin'),
  venue: z.string().trim().min(1).max(200),
  address: z.string().max(300),
  city: z.string().trim().min(1).max(100),
  capacity: z.int().min(1).max(10_000).describe('Seats. Left out: as many as come'),
}
const { name, startsOn, timezone, ...optional } = eventFields
const event = z.string().min(1).max(80).describe('Id or slug of the event')

export function eventTools(deps: Deps): readonly BuiltinTool[] {
  return [...managing(deps), ...registering(deps), registrationList(deps)]
}

function managing(deps: Deps): readonly BuiltinTool[] {
  const { entities, effects } = deps
  return [
    builtin(
      {
        ...{ name: 'create_event', kind: 'events.create_event', category: 'events', readOnly: false, retry: 'keyed' },
        description: 'Sets up an event that people can register for.',
      },
      z.strictObject({ name, startsOn, timezone, ...z.object(optional).partial().shape }),
      async ({ endsOn, venue, city, ...given }, { tenantId, auth, key }) => {
        isZone(given.timezone)
        const data = { ...given, endsOn: endsOn ?? given.startsOn, venue: venue ?? 'Online', city: city ?? 'Online' }
        const mine = entities.of(tenantId).as(await auth())
        return shown(deps, tenantId, await mine.create('event', { key, data: defined(data) }))
      },
    ),
    builtin(
      {
        ...{ name: 'update_event', kind: 'events.update_event', category: 'events', readOnly: false, retry: 'again' },
        description: 'Changes an event, or calls it off.',
      },
      z.strictObject({ event, ...z.object(eventFields).partial().shape, isCancelled: z.boolean().optional() }),
      async ({ event: of, ...changes }, { tenantId, auth, agent }) => {
        if (changes.timezone !== undefined) isZone(changes.timezone)
        const mine = entities.of(tenantId).as(await auth())
        const view = await mine.update('event', of, { data: defined(changes) })
        const { capacity } = readEvent(view)
        const actor = { kind: 'agent' as const, ...agent }
        // A hall that is larger now has room for those who wait.
        if (changes.capacity !== undefined) await effects.registrations.fill(tenantId, view.id, { capacity, actor })
        return shown(deps, tenantId, view)
      },
    ),
    builtin(
      {
        ...{ name: 'list_events', kind: 'events.list_events', category: 'events', readOnly: true },
        description: 'Lists the events that are to come, and how many seats are left.',
      },
      z.strictObject({
        query: z.string().max(300).optional(),
        past: z.boolean().describe('Those that are over').optional(),
      }),
      async ({ query, past = false }, { tenantId, auth }) => {
        const today = new Date(deps.clock.now()).toISOString().slice(0, 10)
        const when = past ? { endsOn: { lt: today } } : { endsOn: { gte: today } }
        const mine = entities.of(tenantId).as(await auth())
        const { items } = await mine.list('event', {
          q: query,
          where: when,
          sort: past ? '-startsOn' : 'startsOn',
          limit: 20,
        })
        return listResult(await Promise.all(items.map((each) => shown(deps, tenantId, each))))
      },
    ),
  ]
}

function registering(deps: Deps): readonly BuiltinTool[] {
  const { effects } = deps
  const registration = { event, ...personArgs }
  return [
    builtin(
      {
        ...{ name: 'register_for_event', kind: 'events.register_for_event', category: 'events' },
        ...{ readOnly: false, retry: 'again' as const },
        description: 'Registers a person for an event; where it is full, they are put on the waiting list.',
      },
      z.strictObject(registration),
      async ({ event: of, ...who }, context) => {
        const { id, name: title, capacity, isCancelled, isOver } = await eventOf(deps, context, of)
        if (isCancelled) throw new Problem('unsupported', 'The event was called off.')
        if (isOver) throw new Problem('unsupported', 'The event is over.')
        const person = await effects.persons(context, who)
        const actor = (await context.auth()).actor
        const made = await effects.registrations.register({
          tenantId: context.tenantId,
          eventId: id,
          capacity,
          person,
          actor,
        })
        return { registration: made.id, event: title, status: made.status, since: made.since.toISOString() }
      },
    ),
    builtin(
      {
        ...{ name: 'cancel_registration', kind: 'events.cancel_registration', category: 'events' },
        ...{ readOnly: false, retry: 'again' as const },
        description: 'Cancels a person’s registration for an event.',
      },
      z.strictObject(registration),
      async ({ event: of, ...who }, context) => {
        const { id, name: title, capacity } = await eventOf(deps, context, of)
        const person = await effects.persons(context, who)
        const actor = (await context.auth()).actor
        const done = await effects.registrations.cancel({
          tenantId: context.tenantId,
          eventId: id,
          capacity,
          person,
          actor,
        })
        return { event: title, status: 'cancelled', wasRegistered: done !== undefined }
      },
    ),
  ]
}

function registrationList(deps: Deps): BuiltinTool {
  const { effects } = deps
  return builtin(
    {
      ...{ name: 'list_registrations', kind: 'events.list_registrations', category: 'events', readOnly: true },
      description: 'Lists who is registered for an event and who waits.',
    },
    z.strictObject({ event, limit: z.int().min(1).max(100).optional() }),
    async ({ event: of, limit = 50 }, context) => {
      const auth = await context.auth()
      if (!auth.may('contacts.read')) throw new Problem('forbidden')
      const { id } = await eventOf(deps, context, of)
      const [all, attendance] = await Promise.all([
        effects.registrations.list(context.tenantId, id, limit),
        effects.registrations.attendance(context.tenantId, id),
      ])
      // Who is not the caller's to see is counted and not named.
      const seen = all.filter(({ contactId }) => meetsRows(auth.rows('contacts'), { id: contactId ?? null }))
      const items = seen.map(({ id: registrationId, status, since, contactId, email, name: who }) =>
        auth.masked('contacts', {
          ...{ registration: registrationId, status, since: since.toISOString() },
          ...defined({ contactId, email, name: who }),
        }),
      )
      return { ...attendance, items }
    },
  )
}

const eventShape = z.looseObject({
  ...{ name: z.string(), startsOn: z.string(), endsOn: z.string(), timezone: z.string() },
  capacity: z.int().optional(),
  isCancelled: z.boolean().optional(),
})

const readEvent = ({ data }: EntityView) => eventShape.parse(data)

async function eventOf({ entities, clock }: Deps, { tenantId, auth }: ToolContext, key: string) {
  const view = await entities
    .of(tenantId)
    .as(await auth())
    .get('event', key)
  const data = readEvent(view)
  // A day later it is over everywhere.
  const isOver = Date.parse(`${data.endsOn}T23:59:59Z`) + 12 * 3_600_000 < clock.now()
  return { ...data, id: view.id, isOver, isCancelled: data.isCancelled === true }
}

async function shown({ effects }: Deps, tenantId: TenantId, view: EntityView) {
  const { capacity, isCancelled, ...data } = readEvent(view)
  const { registered, waiting } = await effects.registrations.attendance(tenantId, view.id)
  return {
    ...{ id: view.id, slug: view.slug, ...data, registered, waiting },
    ...(capacity === undefined ? {} : { capacity, seatsLeft: Math.max(0, capacity - registered) }),
    ...(isCancelled === true ? { isCancelled } : {}),
  }
}

function isZone(text: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
  } catch {
    throw new Problem('invalid', 'The time zone is not known: an IANA name such as Europe/Berlin.')
  }
}

/** Without fields that nobody gave. */
function defined<T extends object>(data: T): T {
  return JSON.parse(JSON.stringify(data))
}
