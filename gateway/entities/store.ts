// Collection `entities`. The only file that knows its documents.

import { isDeepStrictEqual } from 'node:util'
import type { AnyBulkWriteOperation, Collection, Db, Filter } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { EntityType } from './entity.ts'
import { imagesOf } from './images.ts'
import type { ProductCriteria } from './product-query.ts'

interface EntityDoc {
  _id: string
  tenantId: string
  type: EntityType
  slug: string
  data: object
  /** Of products: what they are found by. */
  search?: { words: string[]; colours: string[] }
  createdAt: Date
  updatedAt: Date
}

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

function productFilter(tenantId: TenantId, criteria: ProductCriteria): Filter<EntityDoc> {
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
  }
}

export const entityStore = {
  spec: {
    name: 'entities',
    indexes: [
      { key: { tenantId: 1, type: 1, slug: 1 }, name: 'slug', unique: true },
      { key: { tenantId: 1, type: 1, 'data.priceCents': 1, slug: 1 }, name: 'price' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<EntityDoc> = db.collection('entities', durable)
    const toEntity = (doc: EntityDoc): StoredEntity => ({ slug: doc.slug, data: doc.data, search: doc.search })
    const all = async (tenantId: TenantId, type: EntityType): Promise<readonly StoredEntity[]> => {
      const docs = await collection.find({ tenantId, type }).sort({ slug: 1 }).limit(perTypeLimit).toArray()
      return docs.map(toEntity)
    }
    return {
      all,
      /** Writes what differs only, so that putting the same twice changes nothing. */
      async put(tenantId: TenantId, type: EntityType, entities: readonly StoredEntity[]): Promise<void> {
        const stored = new Map((await all(tenantId, type)).map((each) => [each.slug, each]))
        const different = entities.filter((each) => {
          const known = stored.get(each.slug)
          return !isDeepStrictEqual(known?.data, each.data) || !isDeepStrictEqual(known?.search, each.search)
        })
        if (different.length > 0) await collection.bulkWrite(different.map((each) => upsert(tenantId, type, each)))
      },
      async remove(tenantId: TenantId, type: EntityType, slug: string): Promise<boolean> {
        return (await collection.deleteOne({ tenantId, type, slug })).deletedCount === 1
      },
      async products(tenantId: TenantId, criteria: ProductCriteria, limit: number): Promise<readonly StoredEntity[]> {
        const filter = productFilter(tenantId, criteria)
        const docs = await collection.find(filter).sort({ 'data.priceCents': 1, slug: 1 }).limit(limit).toArray()
        return docs.map(toEntity)
      },
      async stats(tenantId: TenantId, criteria: ProductCriteria): Promise<readonly CategoryStats[]> {
        return collection
          .aggregate<CategoryStats>([
            { $match: productFilter(tenantId, criteria) },
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

function upsert(tenantId: TenantId, type: EntityType, entity: StoredEntity): AnyBulkWriteOperation<EntityDoc> {
  const { slug, data, search } = entity
  const now = new Date()
  return {
    updateOne: {
      filter: { tenantId, type, slug },
      update: {
        $set: { data, updatedAt: now, ...(search === undefined ? {} : { search }) },
        $setOnInsert: { _id: newId('ent'), createdAt: now },
      },
      upsert: true,
    },
  }
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
