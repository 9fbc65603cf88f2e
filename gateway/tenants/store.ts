// Collection `tenants`. The only file that knows its documents. A tenant's `_id` is the tenant id itself.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import type { z } from 'zod'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import { defaultTimezone, type newTenant, type Tenant, type TenantChange } from './tenant.ts'

type Parsed = z.output<typeof newTenant>

interface TenantDoc extends Omit<Tenant, 'id' | 'parentTenantId' | 'timezone'> {
  readonly _id: string
  /** Absent in tenants from before there was one. */
  readonly timezone?: string
  readonly parentTenantId?: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

function toTenant(doc: TenantDoc): Tenant {
  return {
    id: asTenantId(doc._id),
    slug: doc.slug,
    name: doc.name,
    status: doc.status,
    plan: doc.plan,
    origins: doc.origins,
    brand: doc.brand,
    texts: doc.texts,
    ...(doc.parentTenantId === undefined ? {} : { parentTenantId: asTenantId(doc.parentTenantId) }),
    timezone: doc.timezone ?? defaultTimezone,
    allowedTools: doc.allowedTools,
    deniedTools: doc.deniedTools,
  }
}

const duplicateKey = 11000

export const tenantStore = {
  spec: {
    name: 'tenants',
    indexes: [
      { key: { slug: 1 }, name: 'slug', unique: true },
      { key: { parentTenantId: 1, slug: 1 }, name: 'children' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<TenantDoc> = db.collection('tenants', durable)
    const one = (doc: TenantDoc | null): Tenant | undefined => (doc === null ? undefined : toTenant(doc))
    return {
      async byId(id: TenantId): Promise<Tenant | undefined> {
        return one(await collection.findOne({ _id: id }))
      },
      async bySlug(slug: string): Promise<Tenant | undefined> {
        return one(await collection.findOne({ slug }))
      },
      async all(): Promise<readonly Tenant[]> {
        return (await collection.find({}).sort({ slug: 1 }).toArray()).map(toTenant)
      },
      async children(id: TenantId): Promise<readonly Tenant[]> {
        return (await collection.find({ parentTenantId: id }).sort({ slug: 1 }).toArray()).map(toTenant)
      },
      /** Undefined when the slug is taken. */
      async insert(tenant: Parsed): Promise<Tenant | undefined> {
        const { parentTenantId, brand, ...rest } = tenant
        const { logoUrl, ...plainBrand } = brand
        const doc: TenantDoc = {
          _id: newId('ten'),
          ...rest,
          brand: logoUrl === undefined ? plainBrand : { ...plainBrand, logoUrl },
          ...(parentTenantId === undefined ? {} : { parentTenantId }),
          status: 'active',
          createdAt: new Date(),
          updatedAt: new Date(),
        }
        try {
          await collection.insertOne(doc)
          return toTenant(doc)
        } catch (error) {
          if (error instanceof MongoServerError && error.code === duplicateKey) return undefined
          throw error
        }
      },
      async change(id: TenantId, change: TenantChange | Pick<Tenant, 'status'>): Promise<Tenant | undefined> {
        const update = { $set: { ...change, updatedAt: new Date() } }
        return one(await collection.findOneAndUpdate({ _id: id }, update, { returnDocument: 'after' }))
      },
      /** Writes only when an origin is new, so that repeating it changes nothing. */
      async addOrigins(id: TenantId, origins: readonly string[]): Promise<void> {
        for (const origin of origins) {
          await collection.updateOne(
            { _id: id, origins: { $ne: origin } },
            { $addToSet: { origins: origin }, $set: { updatedAt: new Date() } },
          )
        }
      },
      async active(ids: readonly string[]): Promise<ReadonlySet<string>> {
        const docs = await collection
          .find({ _id: { $in: [...ids] }, status: 'active' })
          .project<{ _id: string }>({ _id: 1 })
          .toArray()
        return new Set(docs.map((doc) => doc._id))
      },
    }
  },
}
