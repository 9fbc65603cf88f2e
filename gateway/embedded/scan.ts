// Reads rows by key, a page at a time: no statement stays open between pages, so cursors outlive writes.
import type { Collection } from './catalog.ts'
import { decode } from './document.ts'
import type { IndexPlan, Plan } from './planner.ts'
import { blob, type Connection, integer, type SqlRow } from './sqlite.ts'
import type { Doc } from './value.ts'

/** A stored document; `doc` once somebody had to decode it. */
export interface Row {
  readonly rid: number
  readonly raw: Buffer
  doc?: Doc
}
export function docOf(row: Row): Doc {
  row.doc ??= decode(row.raw)
  return row.doc
}

/** Pages grow from the first to the last size: most queries need few rows, some need all. */
const FIRST_PAGE = 32
const LAST_PAGE = 1_024
const nextPage = (rows: number): number => Math.min(LAST_PAGE, rows * 2)
const toRow = (row: SqlRow): Row => ({ rid: integer(row.rid), raw: blob(row.doc) })

export function* scanAll(connection: Connection, collection: Collection, reverse = false): Generator<Row> {
  const [after, order] = reverse ? ['<', 'DESC'] : ['>', 'ASC']
  const sql = `SELECT rid, doc FROM ${collection.table} WHERE rid ${after} ? ORDER BY rid ${order} LIMIT ?`
  let last = reverse ? Number.MAX_SAFE_INTEGER : -1
  for (let page = FIRST_PAGE; ; page = nextPage(page)) {
    const rows = connection.all(sql, last, page)
    for (const row of rows) {
      last = integer(row.rid)
      yield toRow(row)
    }
    if (rows.length < page) return
  }
}

function* scanRanges(connection: Connection, collection: Collection, plan: IndexPlan): Generator<Row> {
  const { index, reverse } = plan
  const documents = collection.table
  const source =
    index.id === 0 ? `${documents} AS i` : `${index.table} AS i CROSS JOIN ${documents} AS d ON d.rid = i.rid`
  const [after, until, order] = reverse ? ['<', '>=', 'DESC'] : ['>', '<', 'ASC']
  const sql = `SELECT i.k, i.rid, doc FROM ${source} WHERE (i.k, i.rid) ${after} (?, ?) AND i.k ${until} ?
    ORDER BY i.k ${order}, i.rid ${order} LIMIT ?`
  for (const range of reverse ? plan.ranges.toReversed() : plan.ranges) {
    let key = reverse ? range.high : range.low
    const end = reverse ? range.low : range.high
    // Row ids start at 1: with -1, keys equal to the bound are after it going up and not before it going down.
    let rid = -1
    for (let page = FIRST_PAGE; ; page = nextPage(page)) {
      const rows = connection.all(sql, key, rid, end, page)
      for (const row of rows) {
        key = blob(row.k)
        rid = integer(row.rid)
        yield toRow(row)
      }
      if (rows.length < page) break
    }
  }
}

export function* scan(connection: Connection, collection: Collection, plan: Plan): Generator<Row> {
  if (plan.kind === 'scan') yield* scanAll(connection, collection, plan.reverse)
  else if (plan.kind === 'index' && !plan.index.multikey) yield* scanRanges(connection, collection, plan)
  else {
    // One document can stand under several keys or branches.
    const seen = new Set<number>()
    for (const branch of plan.kind === 'or' ? plan.branches : [plan])
      for (const row of scanRanges(connection, collection, branch)) {
        if (seen.has(row.rid)) continue
        seen.add(row.rid)
        yield row
      }
  }
}
