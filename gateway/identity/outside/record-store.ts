// Collection `outside_records`: what an identity provider said last of each user, organisation and membership, and whether
// that has been done. The provider stands above our tenants: no tenant in these filters.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'
import type { Wanted } from './clerk-event.ts'

export interface OutsideRecord {
  readonly key: string
  /** The provider's own time of what was said, ms. */
  readonly at: number
  /** JSON of a `Wanted`. */
  readonly wanted: Wanted
  /** Up to when it has been done. */
  readonly doneAt: number
}

interface RecordDoc extends Omit<OutsideRecord, 'key'> {
  readonly _id: string
}

const duplicateKey = 11000

export const outsideRecordStore = {
  spec: { name: 'outside_records', indexes: [] } satisfies CollectionSpec,
  open(db: Db) {
    const records: Collection<RecordDoc> = db.collection('outside_records', durable)
    return {
      /** False when something newer, or the same, was said before. */
      async put(key: string, at: number, wanted: Wanted): Promise<boolean> {
        try {
          const { matchedCount, upsertedCount } = await records.updateOne(
            { _id: key, at: { $lt: at } },
            { $set: { at, wanted }, $setOnInsert: { doneAt: 0 } },
            { upsert: true },
          )
          return matchedCount + upsertedCount === 1
        } catch (error) {
          if (error instanceof MongoServerError && error.code === duplicateKey) return false
          throw error
        }
      },
      async get(key: string): Promise<OutsideRecord | undefined> {
        const doc = await records.findOne({ _id: key })
        return doc === null ? undefined : { key, at: doc.at, wanted: doc.wanted, doneAt: doc.doneAt }
      },
      /** False when something newer was said meanwhile. */
      async done(key: string, at: number): Promise<boolean> {
        return (await records.updateOne({ _id: key, at }, { $set: { doneAt: at } })).matchedCount === 1
      },
    }
  },
}
