// Finding documents: plan, scan, match, and sort in memory where no index gives the order.
import type { Hint } from './arguments.ts'
import type { Collection } from './catalog.ts'
import { compile } from './match.ts'
import { checkSort, plan } from './planner.ts'
import { docOf, type Row, scan } from './scan.ts'
import type { Connection } from './sqlite.ts'
import { sortCmp } from './update.ts'
import { type Doc, MongoErr } from './value.ts'

/** Mongo's limit for a sort in memory. */
const MAX_SORT_BYTES = 100 * 1024 * 1024

export interface Query {
  readonly filter: Doc
  readonly sort?: Doc | undefined
  readonly hint?: Hint | undefined
  readonly skip?: number | undefined
  /** 0 means no limit. */
  readonly limit?: number | undefined
  readonly vars?: Doc | undefined
}
/** When the running command must give up; a cursor gets a new moment with every getMore. */
export interface Deadline {
  atMs: number
}
export interface Reader {
  readonly connection: Connection
  readonly deadline: Deadline
}

/** Throws 50 once the deadline is past; looks at the clock every 64 rows. */
function* timed(rows: Iterable<Row>, deadline: Deadline): Generator<Row> {
  let count = 0
  for (const row of rows) {
    if ((++count & 63) === 0 && Date.now() > deadline.atMs) throw new MongoErr(50, 'operation exceeded time limit')
    yield row
  }
}

function sortInMemory(rows: Iterable<Row>, sort: Doc): Row[] {
  const all: Row[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += row.raw.length
    if (bytes > MAX_SORT_BYTES) throw new MongoErr(292, 'Sort exceeded memory limit of 104857600 bytes, add an index')
    all.push(row)
  }
  const order = sortCmp(sort)
  return all.sort((a, b) => order(docOf(a), docOf(b)))
}

function* slice(rows: Iterable<Row>, skip: number, limit: number): Generator<Row> {
  let position = 0
  for (const row of rows) {
    if (position++ < skip) continue
    yield row
    if (position >= skip + limit) return
  }
}

/** The documents that match, in order. The filter is checked at once, the documents are read as they are asked for. */
export function find(reader: Reader, collection: Collection, query: Query): Iterable<Row> {
  const { filter, sort, hint } = query
  const matches = compile(filter, { ...(query.vars && { vars: query.vars }) })
  if (sort && !('$natural' in sort)) checkSort(sort)
  const chosen = plan(collection, { filter, sort, hint })
  // What needs no look at the document is not decoded.
  const exact = chosen.kind === 'index' ? chosen.exact : Object.keys(filter).length === 0
  const matching = function* (): Generator<Row> {
    for (const row of timed(scan(reader.connection, collection, chosen), reader.deadline))
      if (exact || matches(docOf(row))) yield row
  }
  const ordered = function* (): Generator<Row> {
    yield* sort && !chosen.sorted ? sortInMemory(matching(), sort) : matching()
  }
  return slice(ordered(), query.skip ?? 0, query.limit || Number.POSITIVE_INFINITY)
}
