// Collection `entities`, for entities of every type: read by filter, changed one by one, each change with its event.

import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb'
import { newOrderedId, type TenantId } from '../platform/ids.ts'
import { durable } from '../platform/mongo.ts'
import type { Filter } from '../platform/row-filter.ts'
import type { EntityDoc } from './documents.ts'
import type { EntityKind, ProductSearch } from './entity-kind.ts'
import type { NewEvent } from './outbox.ts'
import type { Order, StoredAggregate } from './record-query.ts'
import { type SearchTokens, tokensOf } from './words.ts'

export interface EntityRecord {
  readonly id: string
  readonly type: string
  readonly slug: string
  readonly data: Readonly<Record<string, unknown>>
  readonly rev: number
  readonly links: readonly string[]
  readonly linkedTo: readonly string[]
  readonly createdBy: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface NewRecord {
  readonly id: string
  readonly slug: string
  readonly data: object
  readonly search: ProductSearch | undefined
  readonly event: NewEvent
  /** One per key and type. */
  readonly madeFor?: string | undefined
}

const duplicateKey = 11000
/** Found anew at a time, when a type's search fields changed. */
const batch = 200
const probed = 100

export interface AggregateRow {
  readonly group: unknown
  readonly value: number | null
  /** Entities in it. */
  readonly count: number
}

/** More is not told. */
const maxGroups = 100

export type RecordStore = ReturnType<typeof openRecords>

export function openRecords(db: Db) {
  const collection: Collection<EntityDoc> = db.collection('entities', durable)
  return {
    newId: (nowMs: number) => newOrderedId('ent', nowMs),
    ...reading(collection),
    ...changing(collection),
    ...settling(collection),
  }
}

function reading(collection: Collection<EntityDoc>) {
  return {
    async find(tenantId: TenantId, type: string, query: FindRecords): Promise<readonly EntityRecord[]> {
      const { filter, order, count } = query
      const found = collection
        .find({ tenantId, type, ...filter })
        .sort({ ...(order.path === undefined ? {} : { [order.path]: order.direction }), _id: order.direction })
        .limit(count)
        .project<EntityDoc>(shown)
      return (await found.toArray()).map(toRecord)
    },
    count: (tenantId: TenantId, type: string, filter: Filter): Promise<number> =>
      collection.countDocuments({ tenantId, type, ...filter }),
    /** One row, or one per value that is grouped by, in order; at most `maxGroups`. Without any number: null. */
    async aggregate(
      tenantId: TenantId,
      type: string,
      { filter, asked }: { readonly filter: Filter; readonly asked: StoredAggregate },
    ): Promise<readonly AggregateRow[]> {
      const value = asked.name === 'count' ? { $sum: 1 } : { [`$${asked.name}`]: `$${asked.of}` }
      const group = asked.by === null ? null : `$${asked.by}`
      const rows = collection.aggregate<{ _id: unknown; value: number | null; count: number }>([
        { $match: { tenantId, type, ...filter } },
        { $group: { _id: group, value, count: { $sum: 1 } } },
        { $sort: { _id: 1 } },
        { $limit: maxGroups },
      ])
      return (await rows.toArray()).map((row) => ({ group: row._id ?? null, value: row.value, count: row.count }))
    },
    /** Which of several has the fewest entities, as far as that shows in the first hundred: the store reads those of one. */
    async rarest(tenantId: TenantId, type: string, tokens: readonly string[]): Promise<Filter> {
      const [only] = tokens
      if (only === undefined) return {}
      if (tokens.length === 1) return { tokens: only }
      const counts = tokens.map(async (token) => {
        const found = collection.find({ tenantId, type, tokens: token }, { projection: { _id: 1 } }).sort({ _id: -1 })
        return { token, count: (await found.limit(probed).toArray()).length }
      })
      const [first] = (await Promise.all(counts)).toSorted((a, b) => a.count - b.count)
      return first === undefined ? {} : { tokens: first.token }
    },
    /** By id or slug. */
    async get(
      tenantId: TenantId,
      type: string,
      { key, rows = {} }: { key: string; rows?: Filter | undefined },
    ): Promise<EntityRecord | undefined> {
      const named = key.includes('_') ? { _id: key } : { slug: key }
      const doc = await collection.findOne({ tenantId, type, ...named, ...rows }, { projection: shown })
      return doc === null ? undefined : toRecord(doc)
    },
    /** What was made under an idempotency key. */
    async madeFor(tenantId: TenantId, type: string, key: string): Promise<EntityRecord | undefined> {
      const doc = await collection.findOne({ tenantId, type, madeFor: key }, { projection: shown })
      return doc === null ? undefined : toRecord(doc)
    },
    /** Those of the ids that there are, of one type. */
    async byIds(
      tenantId: TenantId,
      type: string,
      { ids, rows = {} }: { ids: readonly string[]; rows?: Filter | undefined },
    ): Promise<readonly EntityRecord[]> {
      const docs = await collection
        .find({ tenantId, type, _id: { $in: [...ids] }, ...rows }, { projection: shown })
        .toArray()
      return docs.map(toRecord)
    },
    /** Entities that have a relation to this one. */
    async linkedTo(
      tenantId: TenantId,
      target: string,
      { after, count }: { after: string; count: number },
    ): Promise<readonly EntityRecord[]> {
      const found = collection.find({ tenantId, linkedTo: target, _id: { $gt: after } }, { projection: shown })
      return (await found.sort({ _id: 1 }).limit(count).toArray()).map(toRecord)
    },
  }
}

function changing(collection: Collection<EntityDoc>) {
  return {
    /** False: the slug is taken, or the key has its entity. */
    async insert(tenantId: TenantId, kind: EntityKind, record: NewRecord): Promise<boolean> {
      const { id, slug, data, search, event, madeFor } = record
      try {
        await collection.insertOne({
          ...{ _id: id, tenantId, type: kind.slug, slug, data, rev: 1, createdBy: event.actor.id },
          ...searchPart(kind, data, search),
          ...(madeFor === undefined ? {} : { madeFor }),
          ...{ outbox: [event], pendingAt: event.at, createdAt: event.at, updatedAt: event.at },
        })
        return true
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === duplicateKey) return false
        throw error
      }
    },
    /** `conflict`: it is not at that revision any more; `taken`: the slug is another's. */
    async change(
      tenantId: TenantId,
      record: EntityRecord,
      change: RecordChange,
    ): Promise<'done' | 'conflict' | 'taken'> {
      const { event, set = {}, unset = {} } = change
      try {
        const result = await collection.updateOne(
          { _id: record.id, tenantId, type: record.type, rev: storedRev(record.rev) },
          {
            $set: { ...set, rev: record.rev + 1, updatedAt: event.at, pendingAt: event.at },
            $unset: unset,
            $push: { outbox: event },
          },
        )
        return result.modifiedCount === 1 ? 'done' : 'conflict'
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === duplicateKey) return 'taken'
        throw error
      }
    },
  }
}

function settling(collection: Collection<EntityDoc>) {
  return {
    /** Documents with events that may not be in the log. */
    pending(where: { tenantId: TenantId; ids: readonly string[] } | { before: Date }): Promise<EntityDoc[]> {
      if ('before' in where)
        return collection
          .find({ pendingAt: { $lte: where.before } })
          .sort({ pendingAt: 1 })
          .limit(batch)
          .toArray()
      return collection.find({ tenantId: where.tenantId, _id: { $in: [...where.ids] } }).toArray()
    },
    /** Takes out what is in the log; a change that came in between keeps its own. */
    async settle(docs: readonly EntityDoc[]): Promise<void> {
      if (docs.length === 0) return
      await collection.bulkWrite(
        docs.map(({ _id, tenantId, type, rev }): AnyBulkWriteOperation<EntityDoc> => {
          if (type.startsWith('~')) return { deleteOne: { filter: { _id, tenantId } } }
          const filter = { _id, tenantId, rev: storedRev(rev ?? 0) }
          return { updateOne: { filter, update: { $unset: { outbox: true, pendingAt: true } } } }
        }),
        { ordered: false },
      )
    },
    /** Writes what every entity of a type is found by. Returns how many there are. */
    async reindex(tenantId: TenantId, kind: EntityKind): Promise<number> {
      let count = 0
      for (let after = ''; ; ) {
        const own = { tenantId, type: kind.slug, _id: { $gt: after } }
        const docs = await collection.find(own).sort({ _id: 1 }).limit(batch).toArray()
        const last = docs.at(-1)
        if (last === undefined) return count
        await collection.bulkWrite(
          docs.map((doc) => foundAnew(tenantId, kind, doc)),
          { ordered: false },
        )
        count += docs.length
        after = last._id
      }
    },
    /** Writes again what entities are found by, where that was made for an older search version. Returns whether there was any. */
    async findAnew(tenantId: TenantId, kind: EntityKind): Promise<boolean> {
      const older = kind.view.builtIn ? null : { $lt: kind.searchVersion }
      const docs = await collection.find({ tenantId, type: kind.slug, tokensFor: older }).limit(batch).toArray()
      if (docs.length === 0) return false
      await collection.bulkWrite(
        docs.map((doc) => foundAnew(tenantId, kind, doc)),
        { ordered: false },
      )
      return true
    },
  }
}

export interface FindRecords {
  readonly filter: Filter
  readonly order: Order
  readonly count: number
}

export interface RecordChange {
  readonly event: NewEvent
  readonly set?: Partial<EntityDoc>
  readonly unset?: Readonly<Record<string, true>>
}

/** What an entity is found by is long, and nobody reads it. */
const shown = {
  ...{
    tenantId: 1,
    type: 1,
    slug: 1,
    data: 1,
    rev: 1,
    links: 1,
    linkedTo: 1,
    createdBy: 1,
    createdAt: 1,
    updatedAt: 1,
  },
} as const

/** Null also finds what is missing. */
const storedRev = (rev: number): number | null => (rev === 0 ? null : rev)

export const tokensFor = (kind: EntityKind, data: object): SearchTokens => {
  const values = [...kind.fields].flatMap(([path, each]) => (each === 'other' ? [] : [path]))
  return tokensOf(data, kind.view.searchFields ?? undefined, values)
}

/** One that is changed meanwhile is found by what it became. */
const foundAnew = (tenantId: TenantId, kind: EntityKind, { _id, rev, data }: EntityDoc) => ({
  updateOne: {
    filter: { _id, tenantId, rev: storedRev(rev ?? 0) },
    update: { $set: tokenPart(kind, tokensFor(kind, data)) },
  },
})

const tokenPart = (kind: EntityKind, { tokens, words }: SearchTokens) => ({
  tokens,
  words,
  tokensFor: kind.searchVersion,
})

export function searchPart(kind: EntityKind, data: object, search: ProductSearch | undefined): Partial<EntityDoc> {
  return { ...tokenPart(kind, tokensFor(kind, data)), ...(search === undefined ? {} : { search }) }
}

function toRecord(doc: EntityDoc): EntityRecord {
  const { type, slug, data, rev, links, linkedTo, createdBy, createdAt, updatedAt } = doc
  return {
    ...{ id: doc._id, type, slug, data: { ...data }, rev: rev ?? 0, links: links ?? [], linkedTo: linkedTo ?? [] },
    ...{ createdBy: createdBy ?? null, createdAt, updatedAt },
  }
}
