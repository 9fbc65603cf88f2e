// The one way to the truth store. Knows no collection: each slice declares its own and its indexes.

import { type CollectionOptions, type Db, type Document, type IndexDescription, MongoClient } from 'mongodb'

export interface Mongo {
  readonly db: Db
  readonly client: MongoClient
  ping(timeoutMs: number): Promise<boolean>
  close(): Promise<void>
}

/** A collection as its slice declares it: created with its indexes at boot. */
export interface CollectionSpec {
  readonly name: string
  readonly indexes: readonly IndexDescription[]
}

/** Acknowledged means durable: majority, journalled. */
export const durable: CollectionOptions = { writeConcern: { w: 'majority', journal: true } }

/** Money is int64 on disk; documents read give JS numbers while they are safe integers. */
export async function openMongo(uri: string, database: string, timeoutMs: number): Promise<Mongo> {
  const client = new MongoClient(uri, {
    appName: 'parley',
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    promoteLongs: true,
    ignoreUndefined: true,
    maxPoolSize: 20,
  })
  await client.connect()
  const db = client.db(database)
  return {
    db,
    client,
    async ping(ms) {
      try {
        await db.command({ ping: 1 }, { timeoutMS: ms })
        return true
      } catch {
        return false
      }
    },
    close: () => client.close(),
  }
}

/** Creates what is missing; safe to run from any number of processes at once. */
export async function ensureIndexes(db: Db, specs: readonly CollectionSpec[]): Promise<void> {
  for (const spec of specs) {
    if (spec.indexes.length === 0) continue
    await db.collection<Document>(spec.name).createIndexes([...spec.indexes])
  }
}
