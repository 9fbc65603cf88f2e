// Collection `entities`, for the types that come with the gateway: put whole, and asked about as conversations ask.

import { isDeepStrictEqual } from 'node:util'
import type { AnyBulkWriteOperation, Collection, Db, Filter } from 'mongodb'
import type { Actor } from '../platform/access.ts'
import { newOrderedId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { Filter as RowFilter } from '../platform/row-filter.ts'
import type { EntityDoc } from './documents.ts'
import type { EntityType } from './entity.ts'
import type { EntityKind } from './entity-kind.ts'
import { imagesOf } from './images.ts'
import { changesOf, newEvent } from './outbox.ts'
import type { ProductCriteria } from './product-query.ts'
import { searchPart } from './record-store.ts'

export interface StoredEntity {
  readonly slug: string
  readonly data: object
  readonly search?: { words: string[]; colours: string[] } | undefined
}

export interface CategoryStats {
  readonly category: string
  readonly count: number
  readonly minCents: number
  readonly maxCents: number
  readonly sumCents: number
}

/** A tenant's records of one type; more are not read. */
const perTypeLimit = 5_000

export interface ProductAsk {
  readonly criteria: ProductCriteria
  /** Of those that the caller may see; undefined: all. */
  readonly rows?: RowFilter | undefined
}

function productFilter(tenantId: TenantId, criteria: ProductCriteria, rows: RowFilter | undefined): Filter<EntityDoc> {
  const { words, colours, minPriceCents, maxPriceCents } = criteria
  const price = {
    ...(minPriceCents === undefined ? {} : { $gte: minPriceCents }),
    ...(maxPriceCents === undefined ? {} : { $lte: maxPriceCents }),
  }
  return {
    tenantId,
    type: 'product',
    ...(words.length === 0 ? {} : { 'search.words': { $all: [...words] } }),
    ...(colours.length === 0 ? {} : { 'search.colours': { $in: [...colours] } }),
    ...(Object.keys(price).length === 0 ? {} : { 'data.priceCents': price }),
    ...(rows === undefined ? {} : { $and: [rows] }),
  }
}

export const entityStore = {
  spec: {
    name: 'entities',
    indexes: [
      { key: { tenantId: 1, type: 1, slug: 1 }, name: 'slug', unique: true },
      { key: { tenantId: 1, type: 1, 'data.priceCents': 1, slug: 1 }, name: 'price' },
      { key: { tenantId: 1, type: 1, _id: -1 }, name: 'newest' },
      { key: { tenantId: 1, type: 1, tokens: 1, _id: -1 }, name: 'tokens' },
      { key: { tenantId: 1, type: 1, tokensFor: 1 }, name: 'found_anew' },
      { key: { tenantId: 1, links: 1 }, name: 'links', partialFilterExpression: { links: { $exists: true } } },
      {
        key: { tenantId: 1, linkedTo: 1, _id: 1 },
        name: 'linked_to',
        partialFilterExpression: { linkedTo: { $exists: true } },
      },
      {
        key: { tenantId: 1, type: 1, madeFor: 1 },
        name: 'made_for',
        unique: true,
        partialFilterExpression: { madeFor: { $exists: true } },
      },
      { key: { pendingAt: 1 }, name: 'pending', sparse: true },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<EntityDoc> = db.collection('entities', durable)
    const toEntity = (doc: EntityDoc): StoredEntity => ({ slug: doc.slug, data: doc.data, search: doc.search })
    const docsOf = (tenantId: TenantId, type: EntityType): Promise<EntityDoc[]> =>
      collection.find({ tenantId, type }).sort({ slug: 1 }).limit(perTypeLimit).toArray()
    const all = async (tenantId: TenantId, type: EntityType): Promise<readonly StoredEntity[]> => {
      return (await docsOf(tenantId, type)).map(toEntity)
    }
    return {
      all,
      /** The oldest, or none. */
      async first(tenantId: TenantId, type: EntityType): Promise<readonly StoredEntity[]> {
        return (await collection.find({ tenantId, type }).sort({ _id: 1 }).limit(1).toArray()).map(toEntity)
      },
      /** Writes what differs only, so that putting the same twice changes nothing. Returns the ids of what was written. */
      async put(tenantId: TenantId, kind: EntityKind, { type, entities, ...by }: Putting): Promise<readonly string[]> {
        const stored = new Map((await docsOf(tenantId, type)).map((each) => [each.slug, each]))
        const writes = entities.flatMap((each) => {
          const known = stored.get(each.slug)
          const isSame = isDeepStrictEqual(known?.data, each.data) && isDeepStrictEqual(known?.search, each.search)
          return isSame && known?.tokensFor === kind.searchVersion
            ? []
            : [upsert({ tenantId, kind, ...by }, each, known)]
        })
        if (writes.length > 0) await collection.bulkWrite(writes.map(({ write }) => write))
        return writes.map(({ id }) => id)
      },
      async products(
        tenantId: TenantId,
        { criteria, rows }: ProductAsk,
        limit: number,
      ): Promise<readonly StoredEntity[]> {
        const filter = productFilter(tenantId, criteria, rows)
        const docs = await collection.find(filter).sort({ 'data.priceCents': 1, slug: 1 }).limit(limit).toArray()
        return docs.map(toEntity)
      },
      async stats(tenantId: TenantId, { criteria, rows }: ProductAsk): Promise<readonly CategoryStats[]> {
        return collection
          .aggregate<CategoryStats>([
            { $match: productFilter(tenantId, criteria, rows) },
            {
              $group: {
                _id: '$data.category',
                count: { $sum: 1 },
                minCents: { $min: '$data.priceCents' },
                maxCents: { $max: '$data.priceCents' },
                sumCents: { $sum: '$data.priceCents' },
              },
            },
            { $sort: { _id: 1 } },
            { $project: { _id: 0, category: '$_id', count: 1, minCents: 1, maxCents: 1, sumCents: 1 } },
          ])
          .toArray()
      },
    }
  },
}

interface Putting {
  readonly type: EntityType
  readonly entities: readonly StoredEntity[]
  readonly actor: Actor
  readonly nowMs: number
}

interface By {
  readonly tenantId: TenantId
  readonly kind: EntityKind
  readonly actor: Actor
  readonly nowMs: number
}

function upsert(
  { tenantId, kind, actor, nowMs }: By,
  { slug, data, search }: StoredEntity,
  known: EntityDoc | undefined,
): { readonly id: string; readonly write: AnyBulkWriteOperation<EntityDoc> } {
  const id = known?._id ?? newOrderedId('ent', nowMs)
  const event = newEvent(known === undefined ? 'entity.created' : 'entity.updated', {
    ...{ actor, entity: { type: kind.slug, id }, nowMs },
    payload: { rev: (known?.rev ?? 0) + 1, slug, data: changesOf(known?.data ?? {}, data) },
  })
  const now = new Date(nowMs)
  const update = {
    $set: { data, updatedAt: now, pendingAt: now, ...searchPart(kind, data, search) },
    $inc: { rev: 1 },
    $push: { outbox: event },
    $setOnInsert: { _id: id, createdAt: now, createdBy: actor.id },
  }
  return { id, write: { updateOne: { filter: { tenantId, type: kind.slug, slug }, update, upsert: true } } }
}

/** Fields that held images before there was one list. */
const oldFields = ['image', 'imageUrl', 'img', 'photo', 'photos', 'picture', 'pictures'] as const

/** Walks every tenant by `_id`; run again it finds nothing to do. Returns how many products changed. */
export async function migrateProductImages(db: Db): Promise<number> {
  const collection: Collection<EntityDoc> = db.collection('entities', durable)
  let changed = 0
  for await (const doc of collection.find({ _id: { $gt: '' } }).sort({ _id: 1 })) {
    if (doc.type !== 'product') continue
    const data = new Map<string, unknown>(Object.entries(doc.data))
    const old = oldFields.filter((name) => data.has(name))
    const images = imagesOf([data.get('images'), ...old.map((name) => data.get(name))])
    if (old.length === 0 && isDeepStrictEqual(data.get('images'), images)) continue
    // Someone else's edit in between wins; the next run picks the document up again.
    const result = await collection.updateOne(
      { _id: doc._id, tenantId: doc.tenantId, updatedAt: doc.updatedAt },
      {
        $set: { 'data.images': images, updatedAt: new Date() },
        ...(old.length === 0 ? {} : { $unset: Object.fromEntries(old.map((name) => [`data.${name}`, true])) }),
      },
    )
    changed += result.modifiedCount
  }
  return changed
}
