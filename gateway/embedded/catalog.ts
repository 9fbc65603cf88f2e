// Which collections and indexes exist: kept in memory, written through to SQLite.
import { UUID } from 'bson'
import { z } from 'zod'
import { docArg, flagArg, integerArg } from './arguments.ts'
import { decode, toBson } from './document.ts'
import { compile, type Pred } from './match.ts'
import { blob, type Connection, integer, text } from './sqlite.ts'
import { type Doc, MongoErr, num } from './value.ts'

/** What createIndexes accepts for one index, and what is stored of it. */
export const indexSpec = z.strictObject({
  v: integerArg.optional(),
  key: docArg,
  name: z.string().optional(),
  unique: flagArg.optional(),
  sparse: flagArg.optional(),
  expireAfterSeconds: integerArg.optional(),
  partialFilterExpression: docArg.optional(),
})
export type IndexSpec = z.output<typeof indexSpec>

export interface Index {
  /** 0 is the index over _id, which lives in the table of the documents. */
  readonly id: number
  readonly name: string
  readonly spec: IndexSpec
  readonly fields: readonly { readonly path: string; readonly parts: readonly string[]; readonly desc: boolean }[]
  readonly unique: boolean
  readonly sparse: boolean
  readonly partial: Pred | undefined
  readonly table: string
  /** Set once a document had an array at an indexed path; never unset. */
  multikey: boolean
}

export interface Collection {
  readonly id: number
  readonly db: string
  readonly name: string
  readonly ns: string
  readonly uuid: UUID
  readonly table: string
  readonly idIndex: Index
  readonly secondary: Index[]
  /** The transaction that created it; nobody else sees it before the commit. */
  pending: Connection | undefined
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS ns(id INTEGER PRIMARY KEY AUTOINCREMENT, db TEXT NOT NULL, name TEXT NOT NULL,
    uuid BLOB NOT NULL, UNIQUE(db, name));
  CREATE TABLE IF NOT EXISTS idx(id INTEGER PRIMARY KEY AUTOINCREMENT, ns INTEGER NOT NULL, name TEXT NOT NULL,
    spec BLOB NOT NULL, multikey INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS retry(session BLOB PRIMARY KEY, number INTEGER NOT NULL, reply BLOB NOT NULL,
    at INTEGER NOT NULL) WITHOUT ROWID;`

export const indexesOf = (collection: Collection): Index[] => [collection.idIndex, ...collection.secondary]

export class Catalog {
  readonly #collections = new Map<string, Collection>()
  /** True since a collection or index was made or dropped; whoever rolls back then calls `load`. */
  changed = false

  load(connection: Connection): void {
    connection.exec(SCHEMA)
    this.#collections.clear()
    this.changed = false
    for (const row of connection.all('SELECT * FROM ns')) {
      const collection = this.#register(integer(row.id), text(row.db), text(row.name), new UUID(blob(row.uuid)))
      for (const index of connection.all('SELECT * FROM idx WHERE ns=? ORDER BY id', collection.id)) {
        const spec = indexSpec.parse(decode(blob(index.spec)))
        collection.secondary.push(toIndex(integer(index.id), text(index.name), spec, integer(index.multikey) === 1))
      }
    }
  }

  /** The collection, when `viewer` may see it. */
  find(ns: string, viewer: Connection): Collection | undefined {
    const collection = this.#collections.get(ns)
    return collection?.pending && collection.pending !== viewer ? undefined : collection
  }

  list(viewer: Connection, db?: string): Collection[] {
    return [...this.#collections.values()].filter(
      (collection) => (db === undefined || collection.db === db) && this.find(collection.ns, viewer) !== undefined,
    )
  }

  create(connection: Connection, db: string, name: string): Collection {
    if (!name || /[\0$]/.test(name) || name.startsWith('.') || /[/\\. "$*<>:|?\0]|^$/.test(db))
      throw new MongoErr(73, `Invalid namespace specified '${db}.${name}'`)
    this.changed = true
    const uuid = new UUID()
    const id = connection.run('INSERT INTO ns(db, name, uuid) VALUES(?,?,?)', db, name, uuid.buffer)
    connection.exec(`CREATE TABLE d${id}(rid INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, doc BLOB NOT NULL)`)
    return this.#register(id, db, name, uuid)
  }

  drop(connection: Connection, collection: Collection): void {
    for (const index of [...collection.secondary]) this.dropIndex(connection, collection, index)
    connection.exec(`DROP TABLE ${collection.table}`)
    connection.run('DELETE FROM ns WHERE id=?', collection.id)
    this.#collections.delete(collection.ns)
    this.changed = true
  }

  /** Registers an empty index; the caller fills it. */
  addIndex(connection: Connection, collection: Collection, spec: IndexSpec & { name: string }): Index {
    this.changed = true
    const sql = 'INSERT INTO idx(ns, name, spec) VALUES(?,?,?)'
    const index = toIndex(connection.run(sql, collection.id, spec.name, toBson(spec)), spec.name, spec, false)
    connection.exec(
      `CREATE TABLE ${index.table}(k BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY(k, rid)) WITHOUT ROWID`,
    )
    collection.secondary.push(index)
    return index
  }

  dropIndex(connection: Connection, collection: Collection, index: Index): void {
    connection.exec(`DROP TABLE ${index.table}`)
    connection.run('DELETE FROM idx WHERE id=?', index.id)
    collection.secondary.splice(collection.secondary.indexOf(index), 1)
    this.changed = true
  }

  /** Makes the collections of a committed transaction visible to all. */
  publish(creator: Connection): void {
    for (const collection of this.#collections.values())
      if (collection.pending === creator) collection.pending = undefined
  }

  #register(id: number, db: string, name: string, uuid: UUID): Collection {
    const ns = `${db}.${name}`
    const idSpec = { v: 2, key: { _id: 1 }, name: '_id_', unique: true }
    const idIndex = { ...toIndex(0, '_id_', idSpec, false), table: `d${id}` }
    const collection = { id, db, name, ns, uuid, table: `d${id}`, idIndex, secondary: [], pending: undefined }
    this.#collections.set(ns, collection)
    return collection
  }
}

function toIndex(id: number, name: string, spec: IndexSpec, multikey: boolean): Index {
  const fields = Object.entries(spec.key).map(([path, direction]) => {
    return { path, parts: path.split('.'), desc: num(direction) < 0 }
  })
  const partial = spec.partialFilterExpression && compile(spec.partialFilterExpression)
  const { unique = false, sparse = false } = spec
  return { id, name, spec, fields, unique, sparse, partial, table: `i${id}`, multikey }
}

/** The spec of the index over _id as listIndexes shows it; `unique` goes without saying there. */
export const shownSpec = ({ id, spec }: Index): Doc => (id === 0 ? { v: 2, key: spec.key, name: '_id_' } : spec)
