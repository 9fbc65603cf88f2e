// Front door: a MongoDB URI that works without a MongoDB. The first process to open a directory owns it and serves it
// from a worker thread; others connect to that server, and one of them takes over when the owner ends or dies.
import { mkdirSync, realpathSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { backupEmbeddedMongo } from './backup.ts'
import { endpointOf, lifeline, rememberPort, uriOf } from './endpoint.ts'
import { type Owner, tryOwn } from './owner.ts'
import type { Endpoint } from './server.ts'

export { backupEmbeddedMongo }

export interface EmbeddedMongo {
  /** For MongoClient. Stays the same when ownership moves. */
  readonly uri: string
  /** True while this process serves the data. */
  readonly owner: boolean
  /** Resolves when all data is on disk. Other processes go on: one of them takes over. */
  close(): Promise<void>
}
export interface EmbeddedMongoOptions {
  /** FULL (default): an acknowledged write survives loss of power. NORMAL: it survives the death of the process only. */
  readonly sync?: 'NORMAL' | 'FULL'
  /** Called at most once, when the store of this process is lost for good. Without it that is an uncaught exception. */
  readonly onFailure?: (error: Error) => void
  /** How often expired documents are looked for. */
  readonly sweepIntervalMs?: number
}

/** An owner needs about 0.1 s to start; one that has not after this is stuck. */
const ATTACH_TIMEOUT_MS = 15_000
const RETRY_MS = 20

/** Rejects with one clear message when `dir` cannot be used or what it holds is damaged. */
export async function openEmbeddedMongo(dir: string, options: EmbeddedMongoOptions = {}): Promise<EmbeddedMongo> {
  const store = new Store(dir, options)
  try {
    await store.start()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`the embedded store in ${dir} cannot be opened: ${reason}`, { cause: error })
  }
  return store
}

class Store implements EmbeddedMongo {
  readonly #dir: string
  readonly #options: EmbeddedMongoOptions
  #directory = ''
  /** Undefined until the store was first reached, fixed from then on. */
  #joined: Endpoint | undefined
  #owner: Owner | undefined
  #lifeline: Socket | undefined
  #closing = false
  #failed = false

  constructor(dir: string, options: EmbeddedMongoOptions) {
    this.#dir = dir
    this.#options = options
  }

  get uri(): string {
    return uriOf(this.#joined ?? endpointOf(this.#directory))
  }
  get owner(): boolean {
    return this.#owner !== undefined
  }

  async start(): Promise<void> {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 })
    this.#directory = realpathSync(this.#dir)
    await this.#join(true)
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#lifeline?.destroy()
    await this.#owner?.close()
    this.#owner = undefined
  }

  /**
   * Owns the directory or follows its owner; throws when neither works within the time limit. Only the caller of
   * openEmbeddedMongo waits for that (`awaited`): a process that wants to end does not stay to take over.
   */
  async #join(awaited: boolean): Promise<void> {
    const untilMs = Date.now() + ATTACH_TIMEOUT_MS
    while (!this.#closing) {
      if (await this.#own()) return
      const endpoint = this.#joined ?? endpointOf(this.#directory)
      const line = await lifeline(endpoint)
      if (line) {
        this.#joined = endpoint
        this.#lifeline = line
        line.once('close', () => void this.#takeOver())
        return
      }
      if (Date.now() > untilMs) throw new Error('another process owns it but does not answer')
      await delay(RETRY_MS, undefined, { ref: awaited })
    }
  }

  async #own(endpoint = this.#joined ?? endpointOf(this.#directory)): Promise<boolean> {
    const { sync = 'FULL', sweepIntervalMs } = this.#options
    const settings = { dir: this.#directory, sync, endpoint, sweepIntervalMs }
    const owner = await tryOwn(settings, (error) => this.#fail(error)).catch((error: unknown) => {
      // Nobody depends on the port yet when this store was not joined before.
      if (this.#joined || 'socket' in endpoint || !/EADDRINUSE/.test(String(error))) throw error
      return 'port taken' as const
    })
    if (owner === 'port taken') return this.#own({ port: 0 })
    if (!owner) return false
    this.#joined = 'socket' in endpoint ? endpoint : { port: owner.port }
    rememberPort(this.#directory, owner.port)
    // close() may have been called while the worker started.
    if (this.#closing) await owner.close()
    else this.#owner = owner
    return true
  }

  async #takeOver(): Promise<void> {
    if (this.#closing) return
    try {
      await this.#join(false)
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #fail(cause: Error): void {
    if (this.#failed || this.#closing) return
    this.#failed = true
    this.#owner = undefined
    const error = new Error(`the embedded store in ${this.#dir} failed: ${cause.message}`, { cause })
    if (!this.#options.onFailure) throw error
    this.#options.onFailure(error)
  }
}
