// Collections `secrets` and `data_keys`. The only file that knows their documents.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { asTenantId, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'
import type { WrappedKey } from './key-service.ts'

export interface SecretRecord {
  readonly id: string
  readonly name: string
  /** `1.<number of the data key>.<base64url>` */
  readonly envelope: string
  readonly keyNumber: number
  readonly setAt: Date
  readonly setBy: string
}

interface SecretDoc extends Omit<SecretRecord, 'id'> {
  readonly _id: string
  readonly tenantId: string
}

export interface DataKeyRecord extends WrappedKey {
  readonly tenantId: TenantId
  /** Counts up: the highest encrypts. */
  readonly number: number
}

interface DataKeyDoc extends Omit<DataKeyRecord, 'tenantId'> {
  readonly _id: string
  readonly tenantId: string
  readonly createdAt: Date
}

const duplicateKey = 11000
const toSecret = ({ _id, tenantId: _tenant, ...rest }: SecretDoc): SecretRecord => ({ id: _id, ...rest })
const toKey = ({ tenantId, number, version, wrapped }: DataKeyDoc): DataKeyRecord => ({
  ...{ tenantId: asTenantId(tenantId), number, version, wrapped },
})

export const secretStore = {
  specs: [
    {
      name: 'secrets',
      indexes: [
        { key: { tenantId: 1, name: 1 }, name: 'name', unique: true },
        { key: { tenantId: 1, keyNumber: 1 }, name: 'key' },
      ],
    },
    { name: 'data_keys', indexes: [{ key: { tenantId: 1, number: -1 }, name: 'number', unique: true }] },
  ] satisfies readonly CollectionSpec[],
  open(db: Db) {
    return { ...secretsIn(db), ...dataKeysIn(db) }
  },
}

function secretsIn(db: Db) {
  const secrets: Collection<SecretDoc> = db.collection('secrets', durable)
  return {
    async set(tenantId: TenantId, { id, name, ...rest }: SecretRecord): Promise<void> {
      const change = { $set: rest, $setOnInsert: { name } }
      try {
        await secrets.updateOne({ _id: id, tenantId }, change, { upsert: true })
      } catch (error) {
        if (!(error instanceof MongoServerError && error.code === duplicateKey)) throw error
        await secrets.updateOne({ _id: id, tenantId }, { $set: rest })
      }
    },
    async find(tenantId: TenantId, name: string): Promise<SecretRecord | undefined> {
      const doc = await secrets.findOne({ tenantId, name })
      return doc === null ? undefined : toSecret(doc)
    },
    async list(
      tenantId: TenantId,
      { after, limit }: { readonly after?: string | undefined; readonly limit: number },
    ): Promise<readonly SecretRecord[]> {
      const filter = { tenantId, ...(after === undefined ? {} : { name: { $gt: after } }) }
      return (await secrets.find(filter).sort({ name: 1 }).limit(limit).toArray()).map(toSecret)
    },
    async remove(tenantId: TenantId, name: string): Promise<boolean> {
      return (await secrets.deleteOne({ tenantId, name })).deletedCount === 1
    },
    /** Those encrypted by an older data key. */
    async older(tenantId: TenantId, keyNumber: number, limit: number): Promise<readonly SecretRecord[]> {
      return (
        await secrets
          .find({ tenantId, keyNumber: { $lt: keyNumber } })
          .limit(limit)
          .toArray()
      ).map(toSecret)
    },
    /** Only while it is what was read: a value set meanwhile stays. */
    async exchange(tenantId: TenantId, read: SecretRecord, envelope: string, keyNumber: number): Promise<void> {
      await secrets.updateOne({ _id: read.id, tenantId, envelope: read.envelope }, { $set: { envelope, keyNumber } })
    },
  }
}

function dataKeysIn(db: Db) {
  const keys: Collection<DataKeyDoc> = db.collection('data_keys', durable)
  return {
    async newestKey(tenantId: TenantId): Promise<DataKeyRecord | undefined> {
      const [doc] = await keys.find({ tenantId }).sort({ number: -1 }).limit(1).toArray()
      return doc === undefined ? undefined : toKey(doc)
    },
    async key(tenantId: TenantId, number: number): Promise<DataKeyRecord | undefined> {
      const doc = await keys.findOne({ tenantId, number })
      return doc === null ? undefined : toKey(doc)
    },
    /** False when somebody else has made this number. */
    async addKey({ tenantId, number, ...rest }: DataKeyRecord): Promise<boolean> {
      try {
        const doc = { _id: `${tenantId}:${number}`, tenantId, number, ...rest, createdAt: new Date() }
        await keys.insertOne(doc)
        return true
      } catch (error) {
        if (error instanceof MongoServerError && error.code === duplicateKey) return false
        throw error
      }
    },
    /** Of all tenants, in order of `after`: for exchanging the master key, which stands above them. */
    async keysAfter(after: string, limit: number): Promise<readonly (DataKeyRecord & { readonly id: string })[]> {
      const docs = await keys
        .find({ _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray()
      return docs.map((doc) => ({ id: doc._id, ...toKey(doc) }))
    },
    async rewrap(read: DataKeyRecord, { version, wrapped }: WrappedKey): Promise<void> {
      const filter = { tenantId: read.tenantId, number: read.number, wrapped: read.wrapped }
      await keys.updateOne(filter, { $set: { version, wrapped } })
    },
  }
}
