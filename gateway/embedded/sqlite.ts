// One SQLite connection with its prepared statements; the only file that talks to node:sqlite for documents.
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'

export type Sync = 'NORMAL' | 'FULL'
export type SqlRow = Record<string, SQLOutputValue>

/** Past this the cache starts afresh; a collection needs about ten statements. */
const MAX_STATEMENTS = 2_000

export class Connection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(path: string, sync: Sync) {
    this.#db = new DatabaseSync(path)
    // 32 MB page cache, 256 MB mapped, a checkpoint every 4,000 pages (16 MB of log).
    this.exec(
      `PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=${sync}; PRAGMA cache_size=-32768;
       PRAGMA mmap_size=268435456; PRAGMA wal_autocheckpoint=4000; PRAGMA temp_store=MEMORY`,
    )
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.#prepare(sql).get(...values)
  }

  all(sql: string, ...values: SQLInputValue[]): SqlRow[] {
    return this.#prepare(sql).all(...values)
  }

  /** Returns the row id of the last insert. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid)
  }

  /** Runs `work` in a savepoint: it happens wholly or not at all. */
  atomic<T>(work: () => T): T {
    this.run('SAVEPOINT s')
    try {
      const result = work()
      this.run('RELEASE s')
      return result
    } catch (error) {
      // A full disk makes SQLite roll back the whole transaction, and the savepoint with it.
      if (this.inTransaction) this.exec('ROLLBACK TO s; RELEASE s')
      throw error
    }
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear()
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

const corrupt = (kind: string) => new Error(`the store is corrupt: a ${kind} was expected`)

export function blob(value: SQLOutputValue | undefined): Buffer {
  if (!(value instanceof Uint8Array)) throw corrupt('blob')
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
export function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw corrupt('number')
  return value
}
export function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw corrupt('text')
  return value
}
