// The one way to the truth store. Knows no collection: each slice declares its own and its indexes.

import {
  type Collection,
  type CollectionOptions,
  type Db,
  type Document,
  type IndexDescription,
  MongoClient,
} from 'mongodb'
import { withDeadline } from './deadline.ts'

export interface Mongo {
  readonly db: Db
  readonly client: MongoClient
  ping(timeoutMs: number): Promise<boolean>
  close(): Promise<void>
}

export interface MongoOptions {
  /** For finding a server and for connecting. */
  readonly timeoutMs: number
  /** Every command as the driver sends it; for tests. */
  readonly onCommand?: ((name: string, command: Document) => void) | undefined
}

/** A collection as its slice declares it: created with its indexes at boot. */
export interface CollectionSpec {
  readonly name: string
  readonly indexes: readonly IndexDescription[]
  /** Names of indexes that earlier versions made and that would be in the way now: dropped at boot. */
  readonly retired?: readonly string[]
}

/** Acknowledged means durable: majority, journalled. */
export const durable: CollectionOptions = { writeConcern: { w: 'majority', journal: true } }

/** Money is int64 on disk; documents read give JS numbers while they are safe integers. */
export async function openMongo(uri: string, database: string, options: MongoOptions): Promise<Mongo> {
  const { timeoutMs, onCommand } = options
  const client = new MongoClient(uri, {
    appName: 'parley',
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    // A server that accepts and then says nothing: no wait without an end.
    socketTimeoutMS: 20_000,
    promoteLongs: true,
    ignoreUndefined: true,
    maxPoolSize: 20,
    monitorCommands: onCommand !== undefined,
  })
  if (onCommand !== undefined)
    client.on('commandStarted', ({ commandName, command }) => onCommand(commandName, command))
  await client.connect()
  const db = client.db(database)
  return {
    db,
    client,
    async ping(ms) {
      const answer = db.command({ ping: 1 }).then(
        () => true,
        () => false,
      )
      // The driver's own timeoutMS does nothing for commands in 7.9.
      return withDeadline(answer, { timeoutMs: ms, fallback: () => false })
    },
    close: () => client.close(),
  }
}

/** Creates what is missing; safe to run from any number of processes at once. */
export async function ensureIndexes(db: Db, specs: readonly CollectionSpec[]): Promise<void> {
  for (const spec of specs) {
    if (spec.indexes.length === 0) continue
    const collection = db.collection<Document>(spec.name)
    await collection.createIndexes([...spec.indexes])
    for (const name of spec.retired ?? []) await dropIndex(collection, name)
  }
}

const indexNotFound = 27

async function dropIndex(collection: Collection, name: string): Promise<void> {
  try {
    await collection.dropIndex(name)
  } catch (error) {
    // Dropped by an earlier start, or by another process just now.
    if (!(error instanceof Error && 'code' in error && error.code === indexNotFound)) throw error
  }
}
