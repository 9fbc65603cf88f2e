// Fresh embedded stores for tests, cleaned up after each test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Db, type Document, MongoClient, type MongoClientOptions } from 'mongodb'
import { type EmbeddedMongo, type EmbeddedMongoOptions, openEmbeddedMongo } from './embedded.ts'

export interface TestStore extends AsyncDisposable {
  readonly dir: string
  readonly store: EmbeddedMongo
  readonly client: MongoClient
  readonly db: Db
}

/** A directory of its own; whoever asks for it removes it. */
export const freshDir = (): string => mkdtempSync(join(tmpdir(), 'parley-store-'))

export async function freshStore(
  options: EmbeddedMongoOptions & { dir?: string; client?: MongoClientOptions } = {},
): Promise<TestStore> {
  const dir = options.dir ?? freshDir()
  const store = await openEmbeddedMongo(dir, options)
  const client = await new MongoClient(store.uri, options.client).connect()
  return {
    dir,
    store,
    client,
    db: client.db('test'),
    async [Symbol.asyncDispose]() {
      await client.close()
      await store.close()
      if (!options.dir) rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The stages of a plan, from the top: ['SORT', 'FETCH', 'IXSCAN']. */
export function stagesOf(explained: Document): string[] {
  const stages: string[] = []
  for (let stage: Document | undefined = explained.queryPlanner.winningPlan; stage; stage = stage.inputStage)
    stages.push(stage.stage)
  return stages
}

/** The code of the error a promise rejects with; undefined when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}
