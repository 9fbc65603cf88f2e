// A log on disk of turns the store has not taken yet: what a killed process leaves for the next one. A file per process,
// appended and synced in groups off everybody's path, emptied when nothing waits. Bounded: see `caps`.

import { join } from 'node:path'
import type { Clock, Timer } from '../platform/clock.ts'
import { newId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import { machineDisk, type WalDisk, type WalFile } from './wal-file.ts'
import { WalIndex } from './wal-index.ts'
import { decodeLines, type WalRecord } from './wal-record.ts'

export type { WalRecord } from './wal-record.ts'

export interface Wal {
  /** False while the disk is full, when the cap is reached, and for good after a failure: no session should begin. */
  readonly healthy: boolean
  /** On disk within some 20 ms. Never waits, never throws. A later version replaces an earlier one. */
  put(record: WalRecord): void
  /** This version, or a later one, is durable in the store or never will be. */
  done(turnId: string, rev: number): void
  /** Resolves when all that was put so far is on disk or given up; false when given up. */
  flushed(): Promise<boolean>
  /** Hands over what dead processes left. A file goes when `store` took everything in it; it resolves with the number it fenced. */
  replay(store: (records: readonly WalRecord[]) => Promise<number>): Promise<ReplayReport>
  /** What still waits stays on disk for the next process. */
  close(): Promise<void>
}

export interface ReplayReport {
  readonly files: number
  readonly turns: number
  /** Turns that belong to a later owner: not written. */
  readonly fenced: number
  /** Lines that could not be read. */
  readonly damaged: number
}

export interface WalOptions {
  /** Made when missing. Several processes may share it. */
  readonly dir: string
  readonly log: Log
  readonly clock: Clock
  /** Told once, when the log is of no use any more. */
  readonly onFailure?: (error: unknown) => void
  readonly caps?: { readonly sessionBytes: number; readonly totalBytes: number }
  /** Of the log's files; unique among the processes that share the folder. Default: a new id. */
  readonly name?: string
  readonly disk?: WalDisk
}

/** A session's words of an hour are some 60 kB. */
const defaultCaps = { sessionBytes: 256 * 1024, totalBytes: 64 * 1024 * 1024 }
const groupMs = 10
/** A full disk is tried again this often. */
const fullRetryMs = 1_000
/** Superseded lines are cleared away when they are more than what lives, and more than this. */
const deadBytes = 1024 * 1024
/** Versions handed to the store at once by a replay. */
const replayBatch = 200

/** Throws when the folder cannot be used. */
export async function openProcessWal(options: WalOptions): Promise<Wal> {
  const { disk = machineDisk, name = newId('node') } = options
  await disk.prepare(options.dir)
  const path = join(options.dir, name)
  // Locked before the log exists: whoever finds the log finds it locked.
  const lock = disk.lock(`${path}.lock`)
  if (lock === undefined) throw new Error(`${path}.lock is held by somebody else`)
  const file = await disk.open(`${path}.wal`)
  const wal = new ProcessWal(file, options)
  let replaying: Promise<ReplayReport> | undefined
  return {
    get healthy() {
      return wal.healthy
    },
    put: (record) => wal.put(record),
    done: (turnId, rev) => wal.done(turnId, rev),
    flushed: () => wal.flushed(),
    replay(store) {
      replaying ??= replayDead(options, store).finally(() => {
        replaying = undefined
      })
      return replaying
    },
    async close() {
      const isEmpty = await wal.close()
      if (isEmpty) await disk.remove(`${path}.wal`)
      lock.release()
      if (isEmpty) await disk.remove(`${path}.lock`)
    },
  }
}

class ProcessWal {
  readonly #file: WalFile
  readonly #options: WalOptions
  readonly #index: WalIndex
  /** Ids of turns whose newest version is not in the file. */
  #unwritten = new Set<string>()
  #fileBytes = 0
  #state: 'ok' | 'full' | 'failed' | 'closed' = 'ok'
  #group: Timer | undefined
  #working: Promise<void> | undefined
  #dropped = 0
  #saying = false

  constructor(file: WalFile, options: WalOptions) {
    this.#file = file
    this.#options = options
    this.#index = new WalIndex(options.caps ?? defaultCaps)
  }

  get healthy(): boolean {
    return this.#state === 'ok' && !this.#index.isFull
  }

  put(record: WalRecord): void {
    if (this.#state === 'failed' || this.#state === 'closed') return
    const dropped = this.#index.put(record)
    if (dropped === undefined) return
    this.#unwritten.add(record.turn.id)
    this.#dropped += dropped
    if (dropped > 0) this.#say()
    this.#wake()
  }

  done(turnId: string, rev: number): void {
    if (this.#index.done(turnId, rev) && this.#index.size === 0) this.#wake()
  }

  async flushed(): Promise<boolean> {
    do {
      this.#begin()
      await this.#working
    } while (this.#working !== undefined)
    return this.#state === 'ok'
  }

  /** True when nothing is left behind. */
  async close(): Promise<boolean> {
    // The last chance of a disk that was full.
    if (this.#state === 'full') this.#state = 'ok'
    await this.flushed()
    if (this.#state !== 'failed') this.#state = 'closed'
    this.#group?.cancel()
    await this.#file.close()
    return this.#index.size === 0 && this.#fileBytes === 0
  }

  #wake(): void {
    if (this.#working === undefined && this.#state === 'ok')
      this.#group ??= this.#options.clock.after(groupMs, () => this.#begin())
  }

  #begin(): void {
    this.#group?.cancel()
    this.#group = undefined
    if (this.#working !== undefined || this.#state !== 'ok') return
    this.#working = this.#work()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#working = undefined
        // What came after the last look.
        if (this.#unwritten.size > 0 || this.#isStale()) this.#wake()
      })
  }

  #isStale(): boolean {
    const { size, bytes } = this.#index
    return size === 0 ? this.#fileBytes > 0 : this.#fileBytes > 2 * bytes + deadBytes
  }

  /** One group after the other until file and index agree. */
  async #work(): Promise<void> {
    for (;;) {
      const ids = this.#unwritten
      const isStale = this.#isStale()
      if (ids.size === 0 && !isStale) return
      this.#unwritten = new Set()
      const data = isStale ? this.#index.content() : this.#index.content(ids)
      try {
        if (isStale) await this.#file.replace(data)
        else if (data.length > 0) await this.#file.append(data)
      } catch (error) {
        if (!isFullDisk(error)) throw error
        this.#unwritten = ids.union(this.#unwritten)
        return this.#full()
      }
      this.#fileBytes = isStale ? data.length : this.#fileBytes + data.length
      if (!isStale && data.length > 0) await this.#file.sync()
    }
  }

  #full(): void {
    const { log, clock } = this.#options
    this.#state = 'full'
    log.error(
      { event: 'wal_disk_full', waiting: this.#index.size },
      'the disk is full: no new sessions until it is not',
    )
    clock.after(fullRetryMs, () => {
      if (this.#state !== 'full') return
      this.#state = 'ok'
      this.#wake()
    })
  }

  /** After a failed sync nobody knows what is on disk, and a second sync would claim success: never tried again. */
  #fail(error: unknown): void {
    this.#state = 'failed'
    this.#unwritten.clear()
    this.#index.clear()
    this.#options.log.fatal({ event: 'wal_failed', err: error }, 'turns the store has not taken are in memory only')
    this.#options.onFailure?.(error)
  }

  /** A line per second at most, each with all that was dropped since the last. */
  #say(): void {
    if (this.#saying || this.#dropped === 0) return
    this.#options.log.error(
      { event: 'wal_dropped', turns: this.#dropped },
      'the log is at its cap: oldest turns dropped',
    )
    this.#dropped = 0
    this.#saying = true
    this.#options.clock.after(1_000, () => {
      this.#saying = false
      this.#say()
    })
  }
}

function isFullDisk(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

async function replayDead(
  { dir, log, disk = machineDisk }: WalOptions,
  store: (records: readonly WalRecord[]) => Promise<number>,
): Promise<ReplayReport> {
  const total = { files: 0, turns: 0, fenced: 0, damaged: 0 }
  for (const name of (await disk.list(dir)).filter((each) => each.endsWith('.wal')).toSorted()) {
    const path = join(dir, name.slice(0, -'.wal'.length))
    const lock = disk.lock(`${path}.lock`)
    if (lock === undefined) continue
    try {
      // Not there when somebody else was faster between the listing and the lock.
      const text = await disk.read(`${path}.wal`)
      if (text !== undefined) {
        const { records, damaged } = decodeLines(text)
        for (let at = 0; at < records.length; at += replayBatch)
          total.fenced += await store(records.slice(at, at + replayBatch))
        if (damaged > 0) log.warn({ event: 'wal_damaged', lines: damaged }, 'lines of a log could not be read')
        total.files++
        total.turns += records.length
        total.damaged += damaged
      }
      for (const end of ['wal', 'wal.new', 'lock']) await disk.remove(`${path}.${end}`)
    } finally {
      lock.release()
    }
  }
  return total
}
