// Files of the log on disk, and the lock that tells a living process's file from a dead one's.

import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** What the log needs of a disk; tests give one that fails, the simulation one that outlives its processes. */
export interface WalDisk {
  /** Makes the folder if it is missing. */
  prepare(dir: string): Promise<void>
  list(dir: string): Promise<readonly string[]>
  /** See `lockWal`. */
  lock(path: string): WalLock | undefined
  open(path: string): Promise<WalFile>
  /** Undefined when there is no such file. */
  read(path: string): Promise<string | undefined>
  remove(path: string): Promise<void>
}

/** What the log needs of a file. */
export interface WalFile {
  /** All or nothing: after a failure the file is as long as before. */
  append(data: Buffer): Promise<void>
  /** Resolves when what was appended is on disk. */
  sync(): Promise<void>
  /** Durably exchanges the whole content. */
  replace(data: Buffer): Promise<void>
  close(): Promise<void>
}

async function openWalFile(path: string): Promise<WalFile> {
  let handle: FileHandle = await open(path, 'a', 0o600)
  await syncDirectory(dirname(path))
  let bytes = (await handle.stat()).size
  return {
    async append(data) {
      try {
        await handle.appendFile(data)
        bytes += data.length
      } catch (error) {
        await handle.truncate(bytes)
        throw error
      }
    },
    sync: () => handle.datasync(),
    async replace(data) {
      if (data.length === 0) {
        // Not synced: should the old content come back after a loss of power, it is written again to no effect.
        await handle.truncate(0)
        bytes = 0
        return
      }
      const next = `${path}.new`
      const file = await open(next, 'w', 0o600)
      try {
        await file.writeFile(data)
        await file.datasync()
      } catch (error) {
        await file.close()
        await rm(next, { force: true })
        throw error
      }
      await file.close()
      await rename(next, path)
      await syncDirectory(dirname(path))
      const old = handle
      handle = await open(path, 'a', 0o600)
      bytes = data.length
      await old.close()
    },
    close: () => handle.close(),
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** A new name is durable when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

export interface WalLock {
  release(): void
}

/**
 * Undefined while another process, or another opening in this one, holds it. The operating system drops it with its
 * holder: a process id could belong to another container or to somebody born later.
 */
function lockWal(path: string): WalLock | undefined {
  const lock = new DatabaseSync(path)
  try {
    lock.exec('PRAGMA busy_timeout=0; BEGIN EXCLUSIVE')
    return { release: () => lock.close() }
  } catch (error) {
    lock.close()
    if (error instanceof Error && /database is locked/.test(error.message)) return undefined
    throw error
  }
}

export const machineDisk: WalDisk = {
  prepare: async (dir) => void (await mkdir(dir, { recursive: true, mode: 0o700 })),
  list: readdir,
  lock: lockWal,
  open: openWalFile,
  read: readText,
  remove: (path) => rm(path, { force: true }),
}
