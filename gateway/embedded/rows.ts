// Writing documents together with their index entries.
import { EJSON } from 'bson'
import type { Collection, Index } from './catalog.ts'
import { keysOf, without } from './index-keys.ts'
import { docOf, type Row, scanAll } from './scan.ts'
import { type Connection, integer } from './sqlite.ts'
import { getPath } from './update.ts'
import { type Doc, encode, MongoErr } from './value.ts'

function duplicate(collection: Collection, index: Index, doc: Doc): MongoErr {
  const keyValue: Doc = {}
  for (const { path, parts } of index.fields) keyValue[path] = getPath(doc, [...parts]) ?? null
  const message = `E11000 duplicate key error collection: ${collection.ns} index: ${index.name} dup key: `
  return new MongoErr(11000, message + EJSON.stringify(keyValue), { keyPattern: index.spec.key, keyValue })
}

const holder = (connection: Connection, index: Index, key: Buffer): number | undefined => {
  const row = connection.get(`SELECT rid FROM ${index.table} WHERE k=? LIMIT 1`, key)
  return row && integer(row.rid)
}

/** The keys of `doc`, remembering for the planner that arrays have been seen. */
function entries(connection: Connection, index: Index, doc: Doc): Buffer[] {
  const { keys, multikey } = keysOf(index, doc)
  if (multikey && !index.multikey) {
    index.multikey = true
    connection.run('UPDATE idx SET multikey=1 WHERE id=?', index.id)
  }
  return keys
}

function addEntries(connection: Connection, index: Index, entry: { keys: Buffer[]; rid: number }): void {
  for (const key of entry.keys) connection.run(`INSERT INTO ${index.table}(k, rid) VALUES(?,?)`, key, entry.rid)
}
function removeEntries(connection: Connection, index: Index, entry: { keys: Buffer[]; rid: number }): void {
  for (const key of entry.keys) connection.run(`DELETE FROM ${index.table} WHERE k=? AND rid=?`, key, entry.rid)
}

/** Throws 11000 before anything is written. */
export function insertRow(connection: Connection, collection: Collection, row: { doc: Doc; raw: Buffer }): void {
  const key = encode(row.doc._id)
  const planned = collection.secondary.map((index) => ({ index, keys: entries(connection, index, row.doc) }))
  for (const { index, keys } of [{ index: collection.idIndex, keys: [key] }, ...planned])
    if (index.unique && keys.some((one) => holder(connection, index, one) !== undefined))
      throw duplicate(collection, index, row.doc)
  const rid = connection.run(`INSERT INTO ${collection.table}(k, doc) VALUES(?,?)`, key, row.raw)
  for (const { index, keys } of planned) addEntries(connection, index, { keys, rid })
}

/** Replaces the document of `row`, whose _id stays. Throws 11000 before anything is written. */
export function updateRow(
  connection: Connection,
  collection: Collection,
  change: { row: Row; doc: Doc; raw: Buffer },
): void {
  const { rid } = change.row
  const planned = collection.secondary.map((index) => {
    const before = entries(connection, index, docOf(change.row))
    const after = entries(connection, index, change.doc)
    return { index, stale: without(before, after), fresh: without(after, before) }
  })
  for (const { index, fresh } of planned)
    if (index.unique && fresh.some((key) => (holder(connection, index, key) ?? rid) !== rid))
      throw duplicate(collection, index, change.doc)
  connection.run(`UPDATE ${collection.table} SET doc=? WHERE rid=?`, change.raw, rid)
  for (const { index, stale, fresh } of planned) {
    removeEntries(connection, index, { keys: stale, rid })
    addEntries(connection, index, { keys: fresh, rid })
  }
}

export function deleteRow(connection: Connection, collection: Collection, row: Row): void {
  for (const index of collection.secondary)
    removeEntries(connection, index, { keys: entries(connection, index, docOf(row)), rid: row.rid })
  connection.run(`DELETE FROM ${collection.table} WHERE rid=?`, row.rid)
}

/** Enters every stored document into a new index. Throws 11000 when a unique index finds two alike. */
export function fillIndex(connection: Connection, collection: Collection, index: Index): void {
  for (const row of scanAll(connection, collection)) {
    const keys = entries(connection, index, docOf(row))
    if (index.unique && keys.some((key) => holder(connection, index, key) !== undefined))
      throw duplicate(collection, index, docOf(row))
    addEntries(connection, index, { keys, rid: row.rid })
  }
}

export function size(connection: Connection, collection: Collection): { documents: number; bytes: number } {
  const sql = `SELECT count(*) AS n, coalesce(sum(length(doc)), 0) AS bytes FROM ${collection.table}`
  const row = connection.get(sql)
  return { documents: integer(row?.n), bytes: integer(row?.bytes) }
}
export const countRows = (connection: Connection, collection: Collection): number =>
  integer(connection.get(`SELECT count(*) AS n FROM ${collection.table}`)?.n)
