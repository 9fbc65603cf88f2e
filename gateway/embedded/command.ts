// The form every command has: checked arguments in, a reply out.
import type { z } from 'zod'
import { parseArguments } from './arguments.ts'
import type { Catalog, Collection } from './catalog.ts'
import type { Cursors } from './cursors.ts'
import { evalExprOn } from './expr.ts'
import type { Reader } from './query.ts'
import type { Connection } from './sqlite.ts'
import type { Transaction, Transactions } from './transactions.ts'
import { type Doc, MongoErr } from './value.ts'

/** What the server says it is: clients choose their features by it. */
export const VERSION = '7.0.0'
export const WIRE_VERSION = 21

interface Services {
  readonly main: Connection
  readonly catalog: Catalog
  readonly cursors: Cursors
  readonly transactions: Transactions
  readonly startedAtMs: number
  /** Where clients reach this server: a socket path or host:port. */
  readonly address: string
}
/** One command being run. */
export interface Call extends Reader, Services {
  readonly db: string
  readonly session: string | undefined
  readonly transaction: Transaction | undefined
}
/** A buffer is a whole reply in BSON. */
export type Reply = Doc | Buffer
export interface Command {
  /** Has to be run by the writer. */
  readonly writes: boolean
  readonly inTransaction: boolean
  readonly run: (call: Call, given: Doc) => Reply
}
interface Definition<S extends z.ZodType> {
  readonly args: S
  readonly writes?: boolean
  readonly inTransaction?: boolean
  readonly run: (call: Call, args: z.output<S>) => Reply
}

export function command<S extends z.ZodType>(name: string, definition: Definition<S>): [string, Command] {
  const { args, writes = false, inTransaction = false } = definition
  const run = (call: Call, given: Doc) => definition.run(call, parseArguments(args, given, name))
  return [name, { writes, inTransaction, run }]
}

export const collectionOf = (call: Call, name: string): Collection | undefined =>
  call.catalog.find(`${call.db}.${name}`, call.connection)

export function ensureCollection(call: Call, name: string): Collection {
  const known = collectionOf(call, name)
  if (known) return known
  const created = call.catalog.create(call.connection, call.db, name)
  if (call.transaction) created.pending = call.connection
  return created
}

/** Evaluates the `let` of a command. Throws 51276 when one refers to a field. */
export function variables(definitions: Doc | undefined): Doc {
  const vars: Doc = {}
  for (const [name, expression] of Object.entries(definitions ?? {})) {
    if (typeof expression === 'string' && /^\$[^$]/.test(expression))
      throw new MongoErr(51276, 'Command let Expression tried to access a field, but this is not allowed')
    vars[name] = evalExprOn(expression)({})
  }
  return vars
}
