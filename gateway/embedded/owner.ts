// Owning a data directory: a lock the operating system drops when its holder dies, and the worker behind it.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Endpoint } from './server.ts'
import type { Sync } from './sqlite.ts'

interface OwnerSettings {
  readonly dir: string
  readonly sync: Sync
  readonly endpoint: Endpoint
  readonly sweepIntervalMs?: number | undefined
}
export interface Owner {
  readonly port: number
  /** Resolves when everything is on disk and the directory is free for the next owner. */
  close(): Promise<void>
}

/** undefined when another process, or another opening in this one, holds the lock. */
function tryLock(dir: string): DatabaseSync | undefined {
  const lock = new DatabaseSync(join(dir, 'owner.lock'))
  try {
    lock.exec('PRAGMA busy_timeout=0; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (error instanceof Error && /database is locked/.test(error.message)) return undefined
    throw error
  }
}

/**
 * Becomes the owner, or returns undefined when there is one. Throws when the directory cannot be used. `onFailure` is
 * called at most once, when the worker dies without having been asked to.
 */
export async function tryOwn(settings: OwnerSettings, onFailure: (error: Error) => void): Promise<Owner | undefined> {
  const lock = tryLock(settings.dir)
  if (!lock) return undefined
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: settings })
  const started = Promise.withResolvers<number>()
  const ended = Promise.withResolvers<void>()
  let state: 'starting' | 'running' | 'closing' = 'starting'
  let cause: Error | undefined
  worker.once('message', ({ port }: { port: number }) => started.resolve(port))
  worker.once('error', (error) => {
    cause = error instanceof Error ? error : new Error(String(error))
  })
  worker.once('exit', (code) => {
    lock.close()
    ended.resolve()
    const error = cause ?? new Error(`the worker of the embedded store ended with code ${code}`)
    if (state === 'running') onFailure(error)
    started.reject(error)
  })
  const port = await started.promise
  state = 'running'
  worker.unref()
  return {
    port,
    async close() {
      state = 'closing'
      // Without the reference a process with nothing else to do would end before the worker has.
      worker.ref()
      worker.postMessage('close')
      await ended.promise
    },
  }
}
