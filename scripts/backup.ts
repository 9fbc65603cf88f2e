// `npm run backup -- <file>`: a consistent copy of the embedded store, also while the gateway runs.

import { join, resolve } from 'node:path'
import { loadEnvFile, readConfig } from '../gateway/config.ts'
import { backupEmbeddedMongo } from '../gateway/embedded/embedded.ts'

loadEnvFile()
const to = process.argv[2]
const config = readConfig()
if (to === undefined || config.MONGODB_URI !== undefined) {
  console.error(
    to === undefined
      ? 'usage: npm run backup -- <file>'
      : 'MONGODB_URI is set: use mongodump, this backs up the embedded store only',
  )
  process.exit(2)
}
try {
  await backupEmbeddedMongo(join(config.dataDir, 'mongo'), resolve(to))
  console.log(`backed up to ${resolve(to)}`)
} catch (error) {
  console.error(`No backup was made: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
