// Opens the truth store and Redis as configured. A store that cannot be reached is one clear sentence.

import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { openEmbeddedMongo } from './embedded/embedded.ts'
import { createEmbeddedRedis } from './embedded/redis/embedded-redis.ts'
import type { Log } from './platform/log.ts'
import { type CollectionSpec, ensureIndexes, type Mongo, type MongoOptions, openMongo } from './platform/mongo.ts'
import { openRedis, type RedisStore } from './platform/redis.ts'

export class StartError extends Error {
  override readonly name = 'StartError'
}

export interface Stores {
  readonly mongo: Mongo
  readonly redis: RedisStore
  readonly truth: 'embedded' | 'mongodb'
  close(): Promise<void>
}

/** A replica set elects within this; longer would only hide a wrong address. */
const serverSelectionMs = 5_000

export interface StoresOptions {
  readonly log: Log
  readonly collections: readonly CollectionSpec[]
  readonly onCommand?: MongoOptions['onCommand']
}

export async function openStores(config: Config, options: StoresOptions): Promise<Stores> {
  const { log, collections, onCommand } = options
  const embedded = config.MONGODB_URI === undefined ? await openEmbedded(config, log) : undefined
  const mongo = await reach(
    `MongoDB (${embedded === undefined ? 'MONGODB_URI' : 'the embedded store'})`,
    openMongo(embedded?.uri ?? config.MONGODB_URI ?? '', config.MONGODB_DATABASE, {
      timeoutMs: serverSelectionMs,
      onCommand,
    }),
  )
  const redis = openRedis(
    {
      ...(config.UPSTASH_REDIS_REST_URL === undefined ? {} : { upstashUrl: config.UPSTASH_REDIS_REST_URL }),
      ...(config.UPSTASH_REDIS_REST_TOKEN === undefined ? {} : { upstashToken: config.UPSTASH_REDIS_REST_TOKEN }),
      ...(config.REDIS_URL === undefined ? {} : { redisUrl: config.REDIS_URL }),
    },
    () => createEmbeddedRedis(),
    log,
  )
  if (!(await redis.ping()))
    throw new StartError(`Redis (${redis.kind}) cannot be reached: check UPSTASH_REDIS_REST_URL or REDIS_URL.`)
  await reach('MongoDB (creating indexes)', ensureIndexes(mongo.db, collections))
  return {
    mongo,
    redis,
    truth: embedded === undefined ? 'mongodb' : 'embedded',
    async close() {
      await mongo.close()
      await redis.close()
      await embedded?.close()
    },
  }
}

async function openEmbedded(config: Config, log: Log): Promise<Awaited<ReturnType<typeof openEmbeddedMongo>>> {
  return reach(
    `The embedded store in ${config.PARLEY_DATA_DIR}`,
    openEmbeddedMongo(join(config.dataDir, 'mongo'), {
      onFailure: (error) => {
        // Without its store the process could only lie: it stops, and whoever started it starts it again.
        log.fatal({ err: error }, 'the embedded store failed')
        process.exitCode = 1
        process.kill(process.pid, 'SIGTERM')
      },
    }),
  )
}

async function reach<T>(what: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening
  } catch (error) {
    throw new StartError(
      `${what} cannot be used: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    )
  }
}

/** The gateway's own secret, from which keys for single purposes are derived: given, or made once and kept readable by the owner only. */
async function openSecret(config: Config): Promise<Buffer> {
  if (config.PARLEY_SECRET !== undefined) return Buffer.from(config.PARLEY_SECRET)
  const path = join(config.dataDir, 'secret.key')
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.write(randomBytes(32).toString('hex'))
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readFile(path)
}

export interface GatewayKeys {
  readonly secret: Buffer
  readonly masterKeys: readonly [Buffer, ...Buffer[]]
}

/** Throws StartError for a file of the master key that cannot be used. */
export async function openKeys(config: Config): Promise<GatewayKeys> {
  const secret = await openSecret(config)
  return { secret, masterKeys: await openMasterKeys(config, secret) }
}

/** What wraps the keys of tenants' secrets: the newest first; the gateway's own secret still reads what it wrapped. */
async function openMasterKeys(config: Config, secret: Buffer): Promise<readonly [Buffer, ...Buffer[]]> {
  const path = config.PARLEY_MASTER_KEY_FILE
  const given = path === undefined ? config.PARLEY_MASTER_KEY : await masterKeyIn(path)
  const earlier = config.PARLEY_MASTER_KEY_PREVIOUS?.split(',').map((each) => Buffer.from(each.trim())) ?? []
  return given === undefined ? [secret, ...earlier] : [Buffer.from(given), ...earlier, secret]
}

async function masterKeyIn(path: string): Promise<string> {
  const key = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new StartError(
      `PARLEY_MASTER_KEY_FILE cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  })
  if (key.trim().length < 32) throw new StartError('PARLEY_MASTER_KEY_FILE: holds fewer than 32 characters.')
  return key.trim()
}
