// The one writer. Everything that arrives in one turn of the event loop shares one SQLite transaction, and nobody is
// answered before its COMMIT: `synchronous=FULL` then costs one fsync per batch instead of one per write.
import type { Catalog } from './catalog.ts'
import type { Connection } from './sqlite.ts'
import { MongoErr } from './value.ts'

/** One batch at most; the event loop turns between batches so that readers are served. */
const MAX_BATCH = 256

interface Job {
  readonly lease: boolean
  /** Does the work; the returned function tells the caller, after the commit. */
  readonly run: () => () => void
  readonly fail: (error: unknown) => void
}
/** The right to write on another connection. Nothing else is written before `release`. */
export interface Lease {
  release(): void
}

export class Writer {
  readonly #connection: Connection
  readonly #catalog: Catalog
  #queue: Job[] = []
  #leased = false
  #scheduled = false

  constructor(connection: Connection, catalog: Catalog) {
    this.#connection = connection
    this.#catalog = catalog
  }

  /** Runs `work` in the next batch and resolves once it is durable. Throws 50 when it had to wait past `untilMs`. */
  write<T>(work: () => T, untilMs = Number.POSITIVE_INFINITY): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const run = () => {
      const result = this.#connection.atomic(work)
      return () => resolve(result)
    }
    this.#enqueue({ lease: false, run, fail: reject }, untilMs, () => reject(new MongoErr(50, 'no writer in time')))
    return promise
  }

  /** Waits for the right to write; undefined when it did not come within `timeoutMs`. */
  lease(timeoutMs: number): Promise<Lease | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease | undefined>()
    const run = () => {
      this.#leased = true
      return () => resolve({ release: () => this.#release() })
    }
    this.#enqueue({ lease: true, run, fail: reject }, Date.now() + timeoutMs, () => resolve(undefined))
    return promise
  }

  #enqueue(job: Job, untilMs: number, expire: () => void): void {
    if (untilMs === Number.POSITIVE_INFINITY) this.#queue.push(job)
    else {
      const timer = setTimeout(() => {
        this.#queue = this.#queue.filter((other) => other !== timed)
        expire()
      }, untilMs - Date.now())
      const run = () => {
        clearTimeout(timer)
        return job.run()
      }
      const timed = { ...job, run }
      this.#queue.push(timed)
    }
    this.#schedule()
  }

  #release(): void {
    this.#leased = false
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#leased || !this.#queue.length) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#next()
    })
  }

  #next(): void {
    if (this.#queue[0]?.lease) this.#queue.shift()?.run()()
    else {
      const lease = this.#queue.findIndex((job) => job.lease)
      this.#commit(this.#queue.splice(0, Math.min(lease < 0 ? MAX_BATCH : lease, MAX_BATCH)))
    }
    this.#schedule()
  }

  #commit(jobs: Job[]): void {
    if (!jobs.length) return
    const answers: (() => void)[] = []
    try {
      this.#connection.exec('BEGIN IMMEDIATE')
      for (const job of jobs) answers.push(this.#run(job))
      this.#connection.exec('COMMIT')
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK')
      this.#catalog.load(this.#connection)
      for (const job of jobs) job.fail(error)
      return
    }
    for (const answer of answers) answer()
  }

  #run(job: Job): () => void {
    this.#catalog.changed = false
    try {
      return job.run()
    } catch (error) {
      // Without a transaction (full disk) nothing of the batch is left.
      if (!this.#connection.inTransaction) throw error
      if (this.#catalog.changed) this.#catalog.load(this.#connection)
      return () => job.fail(error)
    }
  }
}
