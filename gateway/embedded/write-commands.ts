// insert, update, delete, findAndModify.

import { z } from 'zod'
import { countArg, docArg, docsArg, flagArg, hintArg, nameArg } from './arguments.ts'
import type { Collection } from './catalog.ts'
import { type Call, collectionOf, command, ensureCollection, variables } from './command.ts'
import { forInsert, MAX_DOCUMENT_BYTES, toBson } from './document.ts'
import { compile } from './match.ts'
import { projector } from './project.ts'
import { find, type Query } from './query.ts'
import { deleteRow, insertRow, updateRow } from './rows.ts'
import { docOf, type Row } from './scan.ts'
import { applyUpdate, checkUpdate, isReplacement, type UpdateOpts, upsertSeed } from './update.ts'
import { type Doc, MongoErr, RANK, rank, same } from './value.ts'

const updateArg = z.union([docArg, docsArg])
const common = { ordered: flagArg.optional(), bypassDocumentValidation: flagArg.optional(), let: docArg.optional() }
const insertArgs = z.strictObject({
  ...common,
  insert: nameArg,
  documents: z.array(z.union([z.instanceof(Uint8Array), docArg])),
})
const updateStatement = z.strictObject({
  q: docArg,
  u: updateArg,
  c: docArg.optional(),
  multi: flagArg.optional(),
  upsert: flagArg.optional(),
  arrayFilters: docsArg.optional(),
  hint: hintArg.optional(),
})
const updateArgs = z.strictObject({ ...common, update: nameArg, updates: z.array(updateStatement) })
const deleteStatement = z.strictObject({ q: docArg, limit: countArg, hint: hintArg.optional() })
const deleteArgs = z.strictObject({ ...common, delete: nameArg, deletes: z.array(deleteStatement) })
const modifyArgs = z.strictObject({
  findAndModify: nameArg,
  query: docArg.optional(),
  sort: docArg.optional(),
  remove: flagArg.optional(),
  update: updateArg.optional(),
  new: flagArg.optional(),
  upsert: flagArg.optional(),
  fields: docArg.optional(),
  arrayFilters: docsArg.optional(),
  hint: hintArg.optional(),
  bypassDocumentValidation: flagArg.optional(),
  let: docArg.optional(),
})

function insertOne(call: Call, collection: Collection, given: Uint8Array | Doc): Doc {
  const row = forInsert(given)
  const type = rank(row.doc._id)
  if (type === RANK.ARR || type === RANK.RE) throw new MongoErr(53, "The '_id' value cannot be an array or a regex")
  if (row.raw.length > MAX_DOCUMENT_BYTES) throw new MongoErr(10334, `BSONObj size: ${row.raw.length} is invalid`)
  insertRow(call.connection, collection, row)
  return row.doc
}

interface Change {
  readonly query: Query
  readonly update: z.output<typeof updateArg>
  readonly options: UpdateOpts
}

/** Returns the new document, or undefined when the update changes nothing. */
function updateOne(call: Call, collection: Collection, target: { row: Row; change: Change }): Doc | undefined {
  const { row, change } = target
  const doc = applyUpdate(docOf(row), change.update, change.options)
  if (same(docOf(row), doc)) return undefined
  const raw = toBson(doc)
  if (raw.length > MAX_DOCUMENT_BYTES) throw new MongoErr(17419, 'Resulting document after update is too large')
  updateRow(call.connection, collection, { row, doc, raw })
  return doc
}

function upsert(call: Call, name: string, { query, update, options }: Change): Doc {
  const seed = upsertSeed(query.filter)
  const id = '_id' in seed ? { _id: seed._id } : {}
  const doc = isReplacement(update)
    ? applyUpdate(id, update, options)
    : applyUpdate(seed, update, { ...options, upsertInsert: true })
  return insertOne(call, ensureCollection(call, name), { ...id, ...doc })
}

interface ChangeRequest {
  filter: Doc
  update: z.output<typeof updateArg>
  arrayFilters: Doc[] | undefined
  vars: Doc
  constants?: Doc | undefined
  sort?: Doc | undefined
  hint: z.output<typeof hintArg> | undefined
  limit: number
}
function toChange({ filter, update, arrayFilters, vars, constants, sort, hint, limit }: ChangeRequest): Change {
  checkUpdate(update)
  if (arrayFilters && (isReplacement(update) || Array.isArray(update)))
    throw new MongoErr(9, 'arrayFilters may only be specified for operator updates')
  const options = { vars, query: filter, ...(arrayFilters && { arrayFilters }), ...(constants && { constants }) }
  return { query: { filter, sort, hint, limit, vars }, update, options }
}

/** All rows first: a document must not be met again where its update moved it to. */
function rowsOf(call: Call, collection: Collection | undefined, query: Query): Row[] {
  if (collection) return [...find(call, collection, query)]
  compile(query.filter)
  return []
}

function toWriteError(error: unknown, index: number): Doc {
  if (!(error instanceof MongoErr)) throw error
  return { index, code: error.code, errmsg: error.message, ...error.extra }
}

/** Runs statements one by one and stops at the first failure when they are ordered. */
function eachStatement<T>(statements: { list: T[]; ordered: boolean }, run: (one: T, at: number) => void) {
  const writeErrors: Doc[] = []
  for (const [at, statement] of statements.list.entries())
    try {
      run(statement, at)
    } catch (error) {
      writeErrors.push(toWriteError(error, at))
      if (statements.ordered) break
    }
  return writeErrors.length ? { writeErrors } : {}
}

const insert = command('insert', {
  args: insertArgs,
  writes: true,
  inTransaction: true,
  run(call, { insert: name, documents, ordered = true }) {
    const collection = ensureCollection(call, name)
    let n = 0
    const errors = eachStatement({ list: documents, ordered }, (document) => {
      insertOne(call, collection, document)
      n++
    })
    return { n, ...errors }
  },
})

function runUpdate(call: Call, name: string, statement: { change: Change; upsert: boolean }) {
  const { change } = statement
  const collection = collectionOf(call, name)
  const rows = rowsOf(call, collection, change.query)
  let nModified = 0
  for (const row of rows) if (collection && updateOne(call, collection, { row, change })) nModified++
  if (rows.length || !statement.upsert) return { n: rows.length, nModified }
  return { n: 1, nModified, upserted: upsert(call, name, change) }
}

const update = command('update', {
  args: updateArgs,
  writes: true,
  inTransaction: true,
  run(call, { update: name, updates, ordered = true, let: definitions }) {
    const vars = variables(definitions)
    const total = { n: 0, nModified: 0 }
    const upserted: Doc[] = []
    const errors = eachStatement({ list: updates, ordered }, (statement, index) => {
      const { q: filter, u, c: constants, arrayFilters, hint, multi = false } = statement
      if (multi && isReplacement(u)) throw new MongoErr(9, 'multi update is not supported for replacement-style update')
      const change = toChange({ filter, update: u, arrayFilters, vars, constants, hint, limit: multi ? 0 : 1 })
      const target = { change, upsert: statement.upsert ?? false }
      const done = call.connection.atomic(() => runUpdate(call, name, target))
      total.n += done.n
      total.nModified += done.nModified
      if (done.upserted) upserted.push({ index, _id: done.upserted._id })
    })
    return { ...total, ...(upserted.length ? { upserted } : {}), ...errors }
  },
})

const remove = command('delete', {
  args: deleteArgs,
  writes: true,
  inTransaction: true,
  run(call, { delete: name, deletes, ordered = true, let: definitions }) {
    const collection = collectionOf(call, name)
    const vars = variables(definitions)
    let n = 0
    const errors = eachStatement({ list: deletes, ordered }, ({ q: filter, limit, hint }) => {
      const rows = rowsOf(call, collection, { filter, limit, hint, vars })
      for (const row of rows) if (collection) deleteRow(call.connection, collection, row)
      n += rows.length
    })
    return { n, ...errors }
  },
})

function runModify(call: Call, args: z.output<typeof modifyArgs>): Doc {
  const { findAndModify: name, query: filter = {}, sort, hint, fields, update: given, arrayFilters } = args
  if (args.remove === true ? given !== undefined : given === undefined)
    throw new MongoErr(9, 'Either an update or remove=true must be specified, and not both')
  const vars = variables(args.let)
  const project = projector(fields, { query: filter, vars })
  const value = (doc: Doc | undefined): Doc | null => (doc ? (project?.(doc) ?? doc) : null)
  const collection = collectionOf(call, name)
  const change = given && toChange({ filter, update: given, arrayFilters, vars, sort, hint, limit: 1 })
  const [row] = rowsOf(call, collection, change?.query ?? { filter, sort, hint, limit: 1, vars })
  if (!change) {
    if (row && collection) deleteRow(call.connection, collection, row)
    return { lastErrorObject: { n: row ? 1 : 0 }, value: value(row && docOf(row)) }
  }
  if (row && collection) {
    const before = docOf(row)
    const after = updateOne(call, collection, { row, change }) ?? before
    return { lastErrorObject: { n: 1, updatedExisting: true }, value: value(args.new ? after : before) }
  }
  if (!args.upsert) return { lastErrorObject: { n: 0, updatedExisting: false }, value: null }
  const inserted = upsert(call, name, change)
  const lastErrorObject = { n: 1, updatedExisting: false, upserted: inserted._id }
  return { lastErrorObject, value: args.new ? value(inserted) : null }
}

const modify = command('findAndModify', { args: modifyArgs, writes: true, inTransaction: true, run: runModify })

export const writeCommands = [insert, update, remove, modify]
