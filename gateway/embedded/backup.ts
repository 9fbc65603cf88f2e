// A consistent copy of the store in one file.
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { DATA_FILE } from './engine.ts'

/**
 * Writes a consistent copy of the store in `dir` to `toFile`; safe while an owner writes, in this process or another.
 * To restore, put the copy into an empty directory as `data.sqlite`. Throws when `toFile` exists or `dir` has no store.
 */
export async function backupEmbeddedMongo(dir: string, toFile: string): Promise<void> {
  const from = join(dir, DATA_FILE)
  if (!existsSync(from)) throw new Error(`there is no embedded store in ${dir}`)
  const refuse = () => {
    if (existsSync(toFile)) throw new Error(`${toFile} exists already: a backup never overwrites`)
  }
  refuse()
  const partial = `${toFile}.${process.pid}-${Date.now()}.partial`
  try {
    await copy(from, partial)
    chmodSync(partial, 0o600)
    refuse()
    renameSync(partial, toFile)
  } catch (error) {
    rmSync(partial, { force: true })
    throw new Error(`the embedded store in ${dir} could not be backed up: ${String(error)}`, { cause: error })
  }
}

function copy(from: string, to: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const worker = new Worker(new URL('./backup-worker.ts', import.meta.url), { workerData: { from, to } })
  worker.once('error', reject)
  worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the copy stopped with code ${code}`))))
  return promise
}
