// Collection `events`. The only file that knows its documents. Appends and reads: nothing here updates or deletes.

import type { Collection, Db } from 'mongodb'
import type { Actor } from '../platform/access.ts'
import { afterMoment, type Moment } from '../platform/cursor.ts'
import { newOrderedId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Filter } from '../platform/row-filter.ts'
import type { ActorType, EventView } from '../protocol/records.ts'
import { actorTypeOf, type NewEvent, payloadText } from './event.ts'

interface EventDoc {
  readonly _id: string
  readonly tenantId: string
  readonly type: string
  readonly schemaVersion: number
  readonly actorType: ActorType
  readonly actor: Actor
  readonly entity?: { readonly type: string; readonly id: string }
  readonly payloadJson: string
  readonly at: Date
}

export interface EventFilter {
  readonly type?: string | undefined
  readonly actorType?: ActorType | undefined
  readonly actorId?: string | undefined
  readonly entity?: { readonly type: string; readonly id?: string | undefined } | undefined
  /** Included. */
  readonly from?: Date | undefined
  /** Not included. */
  readonly to?: Date | undefined
}

/** Fields that a rule about rows may name: the rest of an event is nobody's field. */
const ruleFields = new Set(['type', 'schemaVersion', 'actorType', 'actor.kind', 'actor.id', 'entity.type', 'entity.id'])
export const eventRowFields = { path: (field: string) => (ruleFields.has(field) ? field : undefined) }

export const momentOfEvent = (event: EventView): Moment => ({ at: new Date(event.at), id: event.id })

const duplicateKey = 11000

export type EventStore = ReturnType<typeof eventStore.open>

export const eventStore = {
  spec: {
    name: 'events',
    indexes: [
      { key: { tenantId: 1, at: -1, _id: -1 }, name: 'newest' },
      { key: { tenantId: 1, type: 1, at: -1, _id: -1 }, name: 'type' },
      { key: { tenantId: 1, 'entity.type': 1, 'entity.id': 1, at: -1, _id: -1 }, name: 'entity' },
      { key: { tenantId: 1, 'actor.id': 1, at: -1, _id: -1 }, name: 'actor' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<EventDoc> = db.collection('events', durable)
    return {
      /** What is there already stays as it is. Returns the events as they are stored, in order. */
      async append(tenantId: TenantId, events: readonly NewEvent[], now: Date): Promise<readonly EventView[]> {
        const docs = events.map((each) => toDoc(tenantId, each, now))
        if (docs.length === 0) return []
        try {
          await collection.insertMany(docs, { ordered: false })
        } catch (error) {
          if (!onlyDuplicates(error)) throw error
        }
        return docs.map(toView)
      },
      async get(tenantId: TenantId, id: string, rows: Filter): Promise<EventView | undefined> {
        const doc = await collection.findOne({ _id: id, tenantId, ...rows })
        return doc === null ? undefined : toView(doc)
      },
      /** Newest first. */
      async page(tenantId: TenantId, query: PageOfEvents): Promise<readonly EventView[]> {
        const { filter, rows, after, count } = query
        const parts = [rows, ...(after === undefined ? [] : [afterMoment(after)])]
        const found = collection
          .find({ tenantId, ...toFilter(filter), $and: parts })
          .sort({ at: -1, _id: -1 })
          .limit(count)
        return (await found.toArray()).map(toView)
      },
      /** One look into the index per type, however long the log is. */
      async types(tenantId: TenantId, rows: Filter): Promise<readonly string[]> {
        const types: string[] = []
        for (let last = ''; ; ) {
          const [next] = await collection
            .find({ tenantId, type: { $gt: last }, ...rows })
            .sort({ type: 1, at: -1, _id: -1 })
            .limit(1)
            .toArray()
          if (next === undefined || types.length >= mostTypes) return types
          last = next.type
          types.push(last)
        }
      },
    }
  },
}

const mostTypes = 500

export interface PageOfEvents {
  readonly filter: EventFilter
  readonly rows: Filter
  readonly after: Moment | undefined
  readonly count: number
}

function toFilter({ type, actorType, actorId, entity, from, to }: EventFilter): Filter {
  const at = { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lt: to }) }
  return {
    ...(type === undefined ? {} : { type }),
    ...(actorType === undefined ? {} : { actorType }),
    ...(actorId === undefined ? {} : { 'actor.id': actorId }),
    ...(entity === undefined ? {} : { 'entity.type': entity.type }),
    ...(entity?.id === undefined ? {} : { 'entity.id': entity.id }),
    ...(Object.keys(at).length === 0 ? {} : { at }),
  }
}

function toDoc(tenantId: TenantId, event: NewEvent, now: Date): EventDoc {
  const { kind, id, name } = event.actor
  return {
    _id: event.id ?? newOrderedId('evt', now.getTime()),
    tenantId,
    type: event.type,
    schemaVersion: event.schemaVersion ?? 1,
    actorType: actorTypeOf(event.actor),
    actor: { kind, id, name },
    ...(event.entity === undefined ? {} : { entity: { type: event.entity.type, id: event.entity.id } }),
    payloadJson: payloadText(event.payload),
    at: event.at ?? now,
  }
}

function toView(doc: EventDoc): EventView {
  const { type, schemaVersion, actorType, actor, entity } = doc
  return {
    ...{ id: doc._id, type, schemaVersion, actorType },
    actor: { kind: actor.kind, id: actor.id, name: actor.name },
    entity: entity === undefined ? null : { type: entity.type, id: entity.id },
    payload: JSON.parse(doc.payloadJson),
    at: doc.at.toISOString(),
  }
}

function onlyDuplicates(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) return false
  if (!('writeErrors' in error)) return true
  const each = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
  return each.every((one) => one?.code === duplicateKey)
}
