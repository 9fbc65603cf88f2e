// What happened in a tenant: one log, appended to and read, never changed. Owns its events and who may see which; what
// happened is told by whoever did it.

import type { Db } from 'mongodb'
import type { AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import { momentCursor, momentOf, type PageQuery } from '../platform/cursor.ts'
import { idOf, type TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { found, Problem } from '../platform/problem.ts'
import { type Filter, rowFilter } from '../platform/row-filter.ts'
import type { EventPage, EventView } from '../protocol/records.ts'
import { checkEvent, maskedEvent, type NewEvent } from './event.ts'
import { type EventFilter, type EventStore, eventRowFields, eventStore, momentOfEvent } from './store.ts'

export type { NewEvent } from './event.ts'
export type { EventFilter } from './store.ts'

export interface EventLog {
  /** Newest first; what is emitted meanwhile moves nothing. `invalid` for a cursor of another list. */
  list(query: EventFilter & PageQuery): Promise<EventPage>
  get(id: string): Promise<EventView | undefined>
  getByEntity(entity: { readonly type: string; readonly id: string }, query: PageQuery): Promise<EventPage>
  getRecent(limit: number): Promise<readonly EventView[]>
  /** In order. */
  getEventTypes(): Promise<readonly string[]>
}

export interface CallerEvents extends EventLog {
  /**
   * The same `key` of the same caller is one event: the stored one is the answer. `forbidden` for the types that only the
   * gateway emits, `not_found` for an entity that the caller may not see, else as `TenantEvents.emit`.
   */
  emit(event: Omit<NewEvent, 'id' | 'actor' | 'at'> & { readonly key?: string | undefined }): Promise<EventView>
}

/** Unrestricted by itself: for the gateway's own use. */
export interface TenantEvents extends EventLog {
  /** Durable when it resolves. `invalid`, `too_large` (16 KB of payload). */
  emit(event: NewEvent): Promise<EventView>
  /** Several at once; what was appended before, by its id, stays. */
  append(events: readonly NewEvent[]): Promise<void>
  /** The log as one caller may see it, and the caller as the actor of what is appended. */
  as(auth: AuthContext): CallerEvents
}

export interface Events {
  of(tenantId: TenantId): TenantEvents
}

export const eventCollections: readonly CollectionSpec[] = [eventStore.spec]

/** Whoever reads one of these may rely on it. */
const gatewayOnly = /^(entity|entity-type|approval|session|webhook)\./

/** Names an entity. */
export const entityKey = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type}/${id}`

export interface EventsDeps {
  readonly db: Db
  readonly clock: Clock
  /** Which of these the caller may not see, as `entityKey`s. Entities stand beside this slice: joined in slices.ts. */
  readonly unseen: (
    auth: AuthContext,
    entities: readonly { readonly type: string; readonly id: string }[],
  ) => Promise<ReadonlySet<string>>
  /** Told of everything new. Must not throw. */
  readonly onEvent?: (tenantId: TenantId, event: EventView) => void
}

export function createEvents(deps: EventsDeps): Events {
  const store = eventStore.open(deps.db)
  return {
    of(tenantId) {
      const append = async (events: readonly NewEvent[]): Promise<readonly EventView[]> => {
        for (const each of events) checkEvent(each)
        const views = await store.append(tenantId, events, new Date(deps.clock.now()))
        for (const each of views) deps.onEvent?.(tenantId, each)
        return views
      }
      const emit = async (event: NewEvent): Promise<EventView> => {
        const [view] = await append([event])
        return found(event.id === undefined ? view : await store.get(tenantId, event.id, {}))
      }
      return {
        ...logOf({ deps, store, tenantId, auth: undefined }),
        emit,
        async append(events) {
          await append(events)
        },
        as(auth) {
          const reading = { deps, store, tenantId, auth }
          return {
            ...logOf(reading),
            async emit({ key, ...event }) {
              if (gatewayOnly.test(event.type))
                throw new Problem('forbidden', 'Only the gateway emits events of this type.')
              const { entity } = event
              if (entity !== undefined && (await deps.unseen(auth, [entity])).size > 0) throw new Problem('not_found')
              const id = key === undefined ? {} : { id: idOf('evt', tenantId, 'key', auth.actor.id, key) }
              return masked(reading, await emit({ ...event, ...id, actor: auth.actor }))
            },
          }
        },
      }
    },
  }
}

interface Reading {
  readonly deps: EventsDeps
  readonly store: EventStore
  readonly tenantId: TenantId
  readonly auth: AuthContext | undefined
}

function logOf(reading: Reading): EventLog {
  const { store, tenantId, auth } = reading
  const rows = (auth && rowFilter(auth.rows('events'), auth, eventRowFields)) ?? {}
  const list: EventLog['list'] = (query) => pageOfEvents(reading, rows, query)
  return {
    list,
    async get(id) {
      const event = await store.get(tenantId, id, rows)
      const [seen] = event === undefined ? [] : await visible(reading, [event])
      return seen === undefined ? undefined : masked(reading, seen)
    },
    getByEntity: (entity, query) => list({ ...query, entity }),
    getRecent: async (limit) => (await list({ limit })).items,
    getEventTypes: () => store.types(tenantId, rows),
  }
}

/** More is not read for one page: a page may then be short, and has a next one. */
const readAtMost = 2_000

async function pageOfEvents(
  reading: Reading,
  rows: Filter,
  { limit, cursor, ...filter }: EventFilter & PageQuery,
): Promise<EventPage> {
  const { store, tenantId } = reading
  const seen: EventView[] = []
  let after = cursor === undefined ? undefined : momentOf(cursor)
  let more = true
  for (let read = 0; more && seen.length <= limit && read < readAtMost; ) {
    // One more than asked for tells that there is a next page.
    const count = Math.max(limit + 1 - seen.length, 50)
    const found = await store.page(tenantId, { filter, rows, after, count })
    read += found.length
    seen.push(...(await visible(reading, found)))
    const last = found.at(-1)
    more = found.length === count
    if (last !== undefined) after = momentOfEvent(last)
  }
  const last = seen.length > limit ? seen[limit - 1] : undefined
  const next = last === undefined ? (more ? after : undefined) : momentOfEvent(last)
  return {
    items: seen.slice(0, limit).map((each) => masked(reading, each)),
    next: next === undefined ? null : momentCursor(next),
  }
}

/** Without those about entities that the caller may not see. */
async function visible({ deps, auth }: Reading, events: readonly EventView[]): Promise<readonly EventView[]> {
  const entities = events.flatMap(({ entity }) => (entity === null ? [] : [entity]))
  if (auth === undefined || entities.length === 0) return events
  const unseen = await deps.unseen(auth, entities)
  return events.filter(({ entity }) => entity === null || !unseen.has(entityKey(entity)))
}

const masked = ({ auth }: Reading, event: EventView): EventView =>
  auth === undefined ? event : maskedEvent(event, auth)
