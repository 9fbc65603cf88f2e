// Multi-document transactions. There is one writer: a transaction takes it with its first statement and keeps it to the
// end, the others queue. One that begins by reading and cannot have the writer in time reads a snapshot instead, and
// gets a WriteConflict when it comes to write and the snapshot is stale.
import type { Catalog } from './catalog.ts'
import type { Cursors } from './cursors.ts'
import { rememberCommit, wasCommitted } from './retries.ts'
import type { Connection } from './sqlite.ts'
import { MongoErr } from './value.ts'
import type { Lease, Writer } from './writer.ts'

/** How long a transaction waits for the writer. */
const LOCK_MS = 1_000
/** Mongo's transactionLifetimeLimitSeconds. */
const LIFETIME_MS = 60_000
/** A client that lost its socket may come back on another one. */
const ORPHAN_MS = 3_000
/** Connections kept open for the next transactions. */
const MAX_IDLE = 4

export interface Transaction {
  readonly session: string
  readonly number: bigint
  state: 'starting' | 'active' | 'committed' | 'aborted'
  connection: Connection | undefined
  lease: Lease | undefined
  catalogChanged: boolean
  socket: object
  endedAtMs: number
  expiry: NodeJS.Timeout | undefined
}
interface Statement {
  readonly session: string
  readonly number: bigint
  readonly starts: boolean
  readonly writes: boolean
  readonly socket: object
}
interface Needs {
  readonly writer: Writer
  readonly catalog: Catalog
  readonly cursors: Cursors
  readonly main: Connection
  readonly connect: () => Connection
}

const TRANSIENT = ['TransientTransactionError']
const conflict = (): MongoErr =>
  new MongoErr(112, 'WriteConflict error: this operation conflicted with another operation. Please retry.', {}, [
    ...TRANSIENT,
  ])
const unknown = (number: bigint): MongoErr =>
  new MongoErr(251, `Given transaction number ${number} does not match any in-progress transactions.`, {}, TRANSIENT)

export class Transactions {
  readonly #needs: Needs
  readonly #bySession = new Map<string, Transaction>()
  readonly #idle: Connection[] = []

  constructor(needs: Needs) {
    this.#needs = needs
  }

  /** Runs one statement in its transaction. Any failure aborts the transaction, as in Mongo. */
  async run<T>(statement: Statement, work: (transaction: Transaction, connection: Connection) => T): Promise<T> {
    const transaction = statement.starts ? await this.#start(statement) : this.#current(statement)
    transaction.socket = statement.socket
    if (statement.writes && !transaction.lease) await this.#takeWriter(transaction)
    const { connection } = transaction
    if (transaction.state !== 'active' || !connection) throw unknown(statement.number)
    this.#needs.catalog.changed = false
    try {
      const result = work(transaction, connection)
      transaction.catalogChanged ||= this.#needs.catalog.changed
      return result
    } catch (error) {
      transaction.catalogChanged ||= this.#needs.catalog.changed
      this.abort(transaction)
      throw error
    }
  }

  #current({ session, number }: Statement): Transaction {
    const transaction = this.#bySession.get(session)
    if (transaction?.number !== number || transaction.state === 'aborted') throw unknown(number)
    if (transaction.state === 'committed') throw new MongoErr(256, `Transaction ${number} has been committed.`)
    return transaction
  }

  async #start({ session, number, writes, socket }: Statement): Promise<Transaction> {
    const before = this.#bySession.get(session)
    if (before?.number === number) throw new MongoErr(50911, `Transaction ${number} has already been started`)
    if (before) this.abort(before)
    const transaction: Transaction = {
      ...{ session, number, socket, state: 'starting', endedAtMs: 0, catalogChanged: false },
      ...{ connection: undefined, lease: undefined, expiry: undefined },
    }
    this.#bySession.set(session, transaction)
    const lease = await this.#needs.writer.lease(LOCK_MS)
    if (transaction.state !== 'starting') {
      lease?.release()
      throw unknown(number)
    }
    if (!lease && writes) {
      this.abort(transaction)
      throw conflict()
    }
    transaction.lease = lease
    transaction.state = 'active'
    transaction.connection = this.#idle.pop() ?? this.#needs.connect()
    transaction.connection.exec(lease ? 'BEGIN IMMEDIATE' : 'BEGIN')
    // A snapshot is taken by the first read, not by BEGIN.
    if (!lease) transaction.connection.get('SELECT count(*) FROM ns')
    transaction.expiry = setTimeout(() => this.abort(transaction), LIFETIME_MS)
    return transaction
  }

  async #takeWriter(transaction: Transaction): Promise<void> {
    const lease = await this.#needs.writer.lease(LOCK_MS)
    if (lease && transaction.state !== 'active') lease.release()
    else transaction.lease = lease
    if (transaction.state !== 'active') throw unknown(transaction.number)
    try {
      if (!lease) throw conflict()
      // SQLite refuses the first write on a snapshot that is no longer the newest state.
      transaction.connection?.run('UPDATE ns SET id=id WHERE id=-1')
    } catch {
      this.abort(transaction)
      throw conflict()
    }
  }

  commit(session: string, number: bigint): void {
    const transaction = this.#bySession.get(session)
    if (transaction?.number !== number || transaction.state !== 'active') {
      if (transaction?.number === number && transaction.state === 'committed') return
      if (wasCommitted(this.#needs.main, session, number)) return
      throw unknown(number)
    }
    const { connection, lease } = transaction
    try {
      if (lease && connection) rememberCommit(connection, session, number)
      connection?.exec('COMMIT')
      if (connection) this.#needs.catalog.publish(connection)
      this.#end(transaction, 'committed')
    } catch (error) {
      this.abort(transaction)
      throw error
    }
  }

  abortBy(session: string, number: bigint): void {
    const transaction = this.#bySession.get(session)
    if (transaction?.number !== number || transaction.state === 'aborted')
      throw new MongoErr(251, `Given transaction number ${number} does not match any in-progress transactions.`)
    if (transaction.state === 'committed') throw new MongoErr(256, `Transaction ${number} has been committed.`)
    this.abort(transaction)
  }

  abort(transaction: Transaction): void {
    const { connection, state } = transaction
    if (state !== 'active' && state !== 'starting') return
    if (connection?.inTransaction) connection.exec('ROLLBACK')
    if (transaction.catalogChanged) this.#needs.catalog.load(this.#needs.main)
    this.#end(transaction, 'aborted')
  }

  #end(transaction: Transaction, state: 'committed' | 'aborted'): void {
    clearTimeout(transaction.expiry)
    transaction.state = state
    transaction.endedAtMs = Date.now()
    this.#needs.cursors.closeOf((cursor) => cursor.transaction === transaction)
    if (transaction.connection && this.#idle.length < MAX_IDLE) this.#idle.push(transaction.connection)
    else transaction.connection?.close()
    transaction.connection = undefined
    transaction.lease?.release()
    transaction.lease = undefined
  }

  endSession(session: string): void {
    const transaction = this.#bySession.get(session)
    if (transaction) this.abort(transaction)
    this.#bySession.delete(session)
  }

  socketClosed(socket: object): void {
    for (const transaction of this.#bySession.values()) {
      if (transaction.socket !== socket || transaction.state === 'committed') continue
      setTimeout(() => {
        if (transaction.socket === socket) this.abort(transaction)
      }, ORPHAN_MS).unref()
    }
  }

  /** Forgets transactions that ended before `timeMs`: their sessions are not used any more. */
  forgetEnded(timeMs: number): void {
    for (const [session, { endedAtMs }] of this.#bySession)
      if (endedAtMs > 0 && endedAtMs < timeMs) this.#bySession.delete(session)
  }

  close(): void {
    for (const transaction of this.#bySession.values()) this.abort(transaction)
    for (const connection of this.#idle) connection.close()
  }
}
