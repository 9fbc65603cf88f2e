// Who comes to an event. Owns the registrations: one per person, never more than there are seats, and a waiting list.

import type { Events } from '../../events/events.ts'
import type { Actor } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { idOf, type TenantId } from '../../platform/ids.ts'
import type { Person } from '../persons.ts'
import {
  type Place,
  type Registration,
  type RegistrationState,
  type RegistrationStore,
  registrationId,
} from './store.ts'

export type { Registration } from './store.ts'

export interface Registering {
  readonly tenantId: TenantId
  readonly eventId: string
  /** Undefined: everybody may come. */
  readonly capacity: number | undefined
  readonly person: Person
  readonly actor: Actor
}

export interface Attendance {
  readonly registered: number
  readonly waiting: number
}

export interface Registrations {
  /** The person's one registration: `registered`, or `waiting` where it is full. */
  register(registering: Registering): Promise<Registration>
  /** Undefined: the person was not registered. The seat goes to whoever has waited longest. */
  cancel(registering: Registering): Promise<{ readonly promoted: boolean } | undefined>
  of(registering: Pick<Registering, 'tenantId' | 'eventId' | 'person'>): Promise<Registration | undefined>
  /** In the order they came. */
  list(tenantId: TenantId, eventId: string, limit: number): Promise<readonly Registration[]>
  attendance(tenantId: TenantId, eventId: string): Promise<Attendance>
  /** After the capacity grew: as many of those who wait as there are seats now. */
  fill(
    tenantId: TenantId,
    eventId: string,
    on: { readonly capacity: number | undefined; readonly actor: Actor },
  ): Promise<number>
}

export interface RegistrationsDeps {
  readonly store: RegistrationStore
  readonly events: Events
  readonly clock: Clock
  readonly random: () => number
}

/** Each try loses its seat to somebody who got it: beyond this many the event is overrun, and one waits. */
const maxTries = 200

export function createRegistrations(deps: RegistrationsDeps): Registrations {
  const { store } = deps
  return {
    register: (registering) => register(deps, registering),
    cancel: (registering) => cancel(deps, registering),
    of: (who) => store.find(placeOf(who)),
    async list(tenantId, eventId, limit) {
      const registered = await store.list(tenantId, eventId, { status: 'registered', limit })
      const left = limit - registered.length
      return left === 0
        ? registered
        : [...registered, ...(await store.list(tenantId, eventId, { status: 'waiting', limit: left }))]
    },
    async attendance(tenantId, eventId) {
      const [registered, waiting] = await Promise.all(
        (['registered', 'waiting'] as const).map((status) => store.count(tenantId, eventId, status)),
      )
      return { registered: registered ?? 0, waiting: waiting ?? 0 }
    },
    fill: (tenantId, eventId, on) => fill(deps, { tenantId, eventId, ...on }),
  }
}

function placeOf({ tenantId, eventId, person }: Pick<Registering, 'tenantId' | 'eventId' | 'person'>): Place {
  const { contactId, email = '' } = person
  return { tenantId, eventId, id: registrationId(tenantId, eventId, contactId ?? email.trim().toLowerCase()) }
}

async function register(deps: RegistrationsDeps, registering: Registering): Promise<Registration> {
  const { store, clock } = deps
  const place = placeOf(registering)
  const { contactId, email, name } = registering.person
  for (let attempt = 1; ; attempt++) {
    const known = await store.find(place)
    if (known !== undefined && known.status !== 'cancelled') return known
    const seat = attempt > maxTries ? 'full' : await freeSeat(deps, registering)
    const status: RegistrationState = seat === 'full' ? 'waiting' : 'registered'
    const since = new Date(clock.now())
    const fields = { status, contactId, email, name, since, seat: seat === 'full' ? undefined : seat }
    if ((await store.put(place, fields)) === 'taken') continue
    await tell(deps, registering, { id: place.id, status, since })
    const made = await store.find(place)
    if (made !== undefined) return made
  }
}

/** One of the free ones, by chance: fifty that come at once do not all want the same. Undefined: there are no numbers. */
async function freeSeat(
  { store, random }: RegistrationsDeps,
  { tenantId, eventId, capacity }: Pick<Registering, 'tenantId' | 'eventId' | 'capacity'>,
): Promise<number | undefined | 'full'> {
  if (capacity === undefined) return undefined
  const taken = await store.seats(tenantId, eventId)
  // Seats beyond a capacity that was lowered count too.
  if (taken.size >= capacity) return 'full'
  const free = Array.from({ length: capacity }, (_, i) => i + 1).filter((seat) => !taken.has(seat))
  return free[Math.floor(random() * free.length)] ?? 'full'
}

async function cancel(deps: RegistrationsDeps, registering: Registering): Promise<{ promoted: boolean } | undefined> {
  const { store, clock } = deps
  const place = placeOf(registering)
  const now = new Date(clock.now())
  const cancelled = await store.cancel(place, now)
  if (cancelled === false) return undefined
  await tell(deps, registering, { id: place.id, status: 'cancelled', since: now })
  return { promoted: (await fill(deps, registering)) > 0 }
}

async function fill(
  deps: RegistrationsDeps,
  filling: Pick<Registering, 'tenantId' | 'eventId' | 'capacity' | 'actor'>,
): Promise<number> {
  const { tenantId, eventId } = filling
  for (let promoted = 0; ; ) {
    const seat = await freeSeat(deps, filling)
    if (seat === 'full') return promoted
    const now = new Date(deps.clock.now())
    const one = await deps.store.promote(tenantId, eventId, { seat, now })
    if (one !== undefined) {
      promoted++
      await tell(deps, filling, { id: one.id, status: 'registered', since: now })
    } else if ((await deps.store.count(tenantId, eventId, 'waiting')) === 0) return promoted
  }
}

async function tell(
  { events }: RegistrationsDeps,
  { tenantId, eventId, actor }: Pick<Registering, 'tenantId' | 'eventId' | 'actor'>,
  { id, status, since }: { readonly id: string; readonly status: RegistrationState; readonly since: Date },
): Promise<void> {
  await events.of(tenantId).emit({
    id: idOf('evt', tenantId, id, status, since.toISOString()),
    type: `registration.${status}`,
    actor,
    entity: { type: 'event', id: eventId },
    payload: { registrationId: id },
  })
}
