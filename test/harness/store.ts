// A truth store for one test file: the embedded server in a fresh folder, or TEST_MONGODB_URI under a fresh database name.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db } from 'mongodb'
import { openEmbeddedMongo } from '../../gateway/embedded/embedded.ts'
import { openMongo } from '../../gateway/platform/mongo.ts'

export interface TestStore extends AsyncDisposable {
  readonly db: Db
  readonly uri: string
  readonly database: string
}

export async function openTestStore(): Promise<TestStore> {
  const database = `parley_test_${randomBytes(6).toString('hex')}`
  const given = process.env.TEST_MONGODB_URI
  const dir = given === undefined ? await mkdtemp(join(tmpdir(), 'parley-store-')) : undefined
  const embedded = dir === undefined ? undefined : await openEmbeddedMongo(dir)
  const uri = embedded?.uri ?? given ?? ''
  const mongo = await openMongo(uri, database, { timeoutMs: 10_000 })
  return {
    db: mongo.db,
    uri,
    database,
    async [Symbol.asyncDispose]() {
      if (given !== undefined) await mongo.db.dropDatabase()
      await mongo.close()
      await embedded?.close()
      if (dir !== undefined) await rm(dir, { recursive: true, force: true })
    },
  }
}
