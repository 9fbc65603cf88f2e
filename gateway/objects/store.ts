// Collection `objects`. The only file that knows its documents.

import { type Collection, type Db, type Filter, MongoServerError } from 'mongodb'
import { newId, type TenantId } from '../platform/ids.ts'
import { type CollectionSpec, durable } from '../platform/mongo.ts'
import type { StoredObject } from './object.ts'

interface ObjectDoc extends Omit<StoredObject, 'id'> {
  readonly _id: string
  readonly tenantId: string
}

const duplicateKey = 11000
/** Ids of one question. */
const chunk = 500

export interface ObjectQuery {
  readonly type: string
  readonly subtype?: string | undefined
  readonly status?: string | undefined
  /** After this slug. */
  readonly after?: string | undefined
  readonly limit: number
  /** Which rows the caller sees. */
  readonly rows?: Readonly<Record<string, unknown>> | undefined
}

export type NewStoredObject = Omit<StoredObject, 'id' | 'revision' | 'createdAt' | 'updatedAt'> & {
  readonly id?: string
  readonly createdAt?: Date
}

export type ObjectChange = Partial<Pick<StoredObject, 'name' | 'slug' | 'subtype' | 'status' | 'data'>>

function toObject({ _id, tenantId: _, ...doc }: ObjectDoc): StoredObject {
  return { id: _id, ...doc }
}

const one = (doc: ObjectDoc | null): StoredObject | undefined => (doc === null ? undefined : toObject(doc))

export const objectStore = {
  spec: {
    name: 'objects',
    indexes: [
      { key: { tenantId: 1, type: 1, slug: 1 }, name: 'slug', unique: true },
      { key: { tenantId: 1, type: 1, subtype: 1, slug: 1 }, name: 'subtype' },
      { key: { tenantId: 1, type: 1, status: 1, slug: 1 }, name: 'status' },
    ],
  } satisfies CollectionSpec,
  open(db: Db) {
    const collection: Collection<ObjectDoc> = db.collection('objects', durable)
    return {
      /** `rows`: unless the caller does not see it. */
      async byId(tenantId: TenantId, id: string, rows?: ObjectQuery['rows']): Promise<StoredObject | undefined> {
        return one(await collection.findOne({ _id: id, tenantId, ...(rows === undefined ? {} : { $and: [rows] }) }))
      },
      async bySlug(tenantId: TenantId, type: string, slug: string): Promise<StoredObject | undefined> {
        return one(await collection.findOne({ tenantId, type, slug }))
      },
      async statuses(
        refs: readonly { readonly tenantId: TenantId; readonly id: string }[],
      ): Promise<ReadonlyMap<string, string>> {
        const found = new Map<string, string>()
        const ids = new Map(refs.map(({ tenantId, id }) => [id, tenantId]))
        const all = [...ids]
        for (let from = 0; from < all.length; from += chunk) {
          const some = all.slice(from, from + chunk)
          const tenantIds = [...new Set(some.map(([, tenantId]) => tenantId))]
          const docs = collection.find(
            { tenantId: { $in: tenantIds }, _id: { $in: some.map(([id]) => id) } },
            { projection: { tenantId: 1, status: 1 } },
          )
          for await (const doc of docs) found.set(`${doc.tenantId}:${doc._id}`, doc.status)
        }
        return found
      },
      /** In the order of their slugs; one more than `limit` when there are more. */
      async list(tenantId: TenantId, query: ObjectQuery): Promise<readonly StoredObject[]> {
        const { type, subtype, status, after, rows, limit } = query
        const filter: Filter<ObjectDoc> = {
          ...{ tenantId, type },
          ...(subtype === undefined ? {} : { subtype }),
          ...(status === undefined ? {} : { status }),
          ...(after === undefined ? {} : { slug: { $gt: after } }),
          ...(rows === undefined ? {} : { $and: [rows] }),
        }
        const docs = await collection
          .find(filter)
          .sort({ slug: 1 })
          .limit(limit + 1)
          .toArray()
        return docs.map(toObject)
      },
      /** Undefined when the tenant has one of this type and slug. */
      async insert(tenantId: TenantId, object: NewStoredObject): Promise<StoredObject | undefined> {
        const { id, createdAt, ...fields } = object
        const now = new Date()
        const doc: ObjectDoc = {
          ...{ _id: id ?? newId('obj'), tenantId, ...fields },
          ...{ revision: 1, createdAt: createdAt ?? now, updatedAt: now },
        }
        return inserted(await collection.insertOne(doc).catch(taken), doc)
      },
      /** Undefined when it is not there or, with `revision`, is at another one by now. `'taken'`: the slug is another's. */
      async change(
        tenantId: TenantId,
        id: string,
        change: { readonly set: ObjectChange; readonly revision?: number | undefined },
      ): Promise<StoredObject | 'taken' | undefined> {
        const filter = { _id: id, tenantId, ...(change.revision === undefined ? {} : { revision: change.revision }) }
        const update = { $set: { ...change.set, updatedAt: new Date() }, $inc: { revision: 1 } }
        const doc = await collection.findOneAndUpdate(filter, update, { returnDocument: 'after' }).catch(taken)
        return doc === 'taken' ? doc : one(doc)
      },
      /** False when it is not there, or at another revision by now. */
      async remove(tenantId: TenantId, id: string, revision: number): Promise<boolean> {
        return (await collection.deleteOne({ _id: id, tenantId, revision })).deletedCount === 1
      },
    }
  },
}

function taken(error: unknown): 'taken' {
  if (error instanceof MongoServerError && error.code === duplicateKey) return 'taken'
  throw error
}

function inserted(answer: unknown, doc: ObjectDoc): StoredObject | undefined {
  return answer === 'taken' ? undefined : toObject(doc)
}
