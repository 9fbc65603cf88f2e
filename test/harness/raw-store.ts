// Everything a test gateway has written, as bytes: nothing that must not be stored may be found in it.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import type { TestGateway } from './start-gateway.ts'

/** Where the text stands: names of files of the data folder, or of collections of a MongoDB given to the tests. */
export async function placesOf(gateway: TestGateway, text: string): Promise<string[]> {
  if (text.length < 8) throw new Error('too short to be looked for')
  const found: string[] = []
  for (const entry of await readdir(gateway.dataDir, { recursive: true, withFileTypes: true })) {
    // The gateway's own key lies there on purpose, readable by its owner only.
    if (!entry.isFile() || entry.name === 'secret.key') continue
    const path = join(entry.parentPath, entry.name)
    if ((await readFile(path)).includes(text)) found.push(path)
  }
  if (gateway.config.MONGODB_URI === undefined) return found
  const client = await MongoClient.connect(gateway.config.MONGODB_URI)
  const db = client.db(gateway.config.MONGODB_DATABASE)
  for (const { name } of await db.listCollections().toArray()) {
    if (JSON.stringify(await db.collection(name).find({}).toArray()).includes(text)) found.push(name)
  }
  await client.close()
  return found
}
