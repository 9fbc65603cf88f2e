// The database: takes commands, runs each on the right connection, turns failures into Mongo's errors.
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { Timestamp } from 'bson'
import { z } from 'zod'
import { adminCommands, sessionArg } from './admin-commands.ts'
import { aggregateCommands } from './aggregate.ts'
import { countArg, docArg, flagArg, longArg, parseArguments } from './arguments.ts'
import { Catalog } from './catalog.ts'
import type { Call, Command, Reply } from './command.ts'
import { Cursors } from './cursors.ts'
import { explainCommands } from './explain.ts'
import { indexCommands } from './index-commands.ts'
import { namespaceCommands } from './namespace-commands.ts'
import { readCommands } from './read-commands.ts'
import { remember, replay } from './retries.ts'
import { Connection, type Sync } from './sqlite.ts'
import { startSweeping } from './sweeper.ts'
import { type Transaction, Transactions } from './transactions.ts'
import { CODES, type Doc, isNumeric, MongoErr, num } from './value.ts'
import { writeCommands } from './write-commands.ts'
import { Writer } from './writer.ts'

const commands = new Map<string, Command>(
  [readCommands, writeCommands, aggregateCommands, indexCommands, namespaceCommands, explainCommands].flat(),
)
for (const [name, command] of adminCommands) commands.set(name, command)

/** What any command may carry besides its own arguments. */
const envelope = z.object({
  $db: z.string(),
  lsid: sessionArg.optional(),
  txnNumber: longArg.optional(),
  autocommit: flagArg.optional(),
  startTransaction: flagArg.optional(),
  maxTimeMS: countArg.optional(),
  readConcern: docArg.optional(),
  writeConcern: docArg.optional(),
})
type Envelope = z.output<typeof envelope>
const GENERAL = new Set([
  ...Object.keys(envelope.shape),
  ...['$clusterTime', '$readPreference', 'comment', 'apiVersion', 'apiStrict', 'apiDeprecationErrors'],
])

export interface EngineOptions {
  readonly dir: string
  readonly sync: Sync
  /** Where clients reach the server in front of this engine. */
  readonly address: string
  readonly sweepIntervalMs?: number | undefined
}

export class Engine {
  readonly #main: Connection
  readonly #catalog = new Catalog()
  readonly #cursors = new Cursors()
  readonly #writer: Writer
  readonly #transactions: Transactions
  readonly #address: string
  readonly #startedAtMs = Date.now()
  readonly #stopSweeping: () => void
  #operations = 0

  constructor({ dir, sync, address, sweepIntervalMs }: EngineOptions) {
    const file = join(dir, DATA_FILE)
    // Made here for its mode: SQLite gives its other files the same.
    closeSync(openSync(file, 'a', 0o600))
    const connect = () => new Connection(file, sync)
    this.#address = address
    this.#main = connect()
    this.#catalog.load(this.#main)
    const parts = { main: this.#main, catalog: this.#catalog, cursors: this.#cursors }
    this.#writer = new Writer(this.#main, this.#catalog)
    this.#transactions = new Transactions({ ...parts, writer: this.#writer, connect })
    const needs = { ...parts, writer: this.#writer, transactions: this.#transactions }
    this.#stopSweeping = startSweeping(needs, sweepIntervalMs)
  }

  /** Never throws: a failure is a reply too. `socket` tells clients apart. */
  async run(command: Doc, socket: object): Promise<Reply> {
    const name = Object.keys(command)[0] ?? ''
    try {
      const general = parseArguments(envelope, command, name)
      const own = Object.fromEntries(Object.entries(command).filter(([key]) => !GENERAL.has(key)))
      checkConcerns(general)
      const reply = await this.#dispatch({ name, own, general, socket })
      return Buffer.isBuffer(reply) ? reply : { ...reply, ok: 1, operationTime: this.#operationTime() }
    } catch (error) {
      return { ...toFailure(error), operationTime: this.#operationTime() }
    }
  }

  socketClosed(socket: object): void {
    this.#transactions.socketClosed(socket)
  }

  /** Whatever was acknowledged is durable already; this folds the log into the data file. */
  close(): void {
    this.#stopSweeping()
    this.#transactions.close()
    this.#main.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    this.#main.close()
  }

  #dispatch(request: { name: string; own: Doc; general: Envelope; socket: object }): Reply | Promise<Reply> {
    const { name, own, general, socket } = request
    const { lsid: session, txnNumber: number } = general
    const transactional = general.autocommit === false && session !== undefined && number !== undefined
    if (transactional && (name === 'commitTransaction' || name === 'abortTransaction')) {
      if (name === 'commitTransaction') this.#transactions.commit(session, number)
      else this.#transactions.abortBy(session, number)
      return {}
    }
    const command = commands.get(name)
    if (!command) throw new MongoErr(59, `no such command: '${name}'`)
    if (!transactional) {
      const call = this.#call(general, this.#main)
      return command.writes ? this.#write(command, own, { call, number }) : command.run(call, own)
    }
    if (!command.inTransaction) throw new MongoErr(263, `Cannot run '${name}' in a multi-document transaction.`)
    const statement = { session, number, socket, starts: general.startTransaction === true, writes: command.writes }
    return this.#transactions.run(statement, (transaction, connection) => {
      const reply = command.run(this.#call(general, connection, transaction), own)
      if (!Buffer.isBuffer(reply) && reply.writeErrors) this.#transactions.abort(transaction)
      return reply
    })
  }

  #call(general: Envelope, connection: Connection, transaction?: Transaction): Call {
    return {
      connection,
      transaction,
      db: general.$db,
      session: general.lsid,
      deadline: { atMs: general.maxTimeMS ? Date.now() + general.maxTimeMS : Number.POSITIVE_INFINITY },
      main: this.#main,
      catalog: this.#catalog,
      cursors: this.#cursors,
      transactions: this.#transactions,
      startedAtMs: this.#startedAtMs,
      address: this.#address,
    }
  }

  /** A retryable write and the record of its reply are one transaction. */
  #write(command: Command, own: Doc, { call, number }: { call: Call; number: bigint | undefined }): Promise<Reply> {
    const { session } = call
    return this.#writer.write(() => {
      if (session === undefined || number === undefined) return command.run(call, own)
      const earlier = replay(this.#main, session, number)
      if (earlier) return earlier
      const reply = command.run(call, own)
      if (!Buffer.isBuffer(reply)) remember(this.#main, session, { number, reply })
      return reply
    }, call.deadline.atMs)
  }

  #operationTime(): Timestamp {
    this.#operations = (this.#operations + 1) & 0x7fffffff
    return new Timestamp({ t: Math.floor(Date.now() / 1_000), i: this.#operations || 1 })
  }
}

/** The one file that holds all data; `-wal` and `-shm` beside it belong to SQLite. */
export const DATA_FILE = 'data.sqlite'

/** Throws for what one node cannot promise. */
function checkConcerns({ readConcern, writeConcern, autocommit }: Envelope): void {
  if (readConcern?.level === 'snapshot' && autocommit !== false)
    throw new MongoErr(72, 'read concern snapshot outside transactions is not supported by the embedded store')
  if (isNumeric(writeConcern?.w) && num(writeConcern?.w) > 1) throw new MongoErr(100, 'Not enough data-bearing nodes')
}

function toFailure(error: unknown): Doc {
  const { message, code, extra, labels } = error instanceof MongoErr ? error : internal(error)
  const codeName = CODES[code] ?? `Location${code}`
  return { ok: 0, errmsg: message, code, codeName, ...extra, ...(labels.length && { errorLabels: labels }) }
}

function internal(error: unknown): MongoErr {
  const message = error instanceof Error ? error.message : String(error)
  if (/database or disk is full/.test(message)) return new MongoErr(14031, message)
  // The collection of an open cursor was dropped.
  if (/no such table/.test(message)) return new MongoErr(175, `collection dropped: ${message}`)
  return new MongoErr(1, message)
}
