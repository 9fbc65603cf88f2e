// find, getMore, killCursors, count, distinct.

import { Long } from 'bson'
import { z } from 'zod'
import { countArg, docArg, flagArg, hintArg, longArg, nameArg } from './arguments.ts'
import { type Call, collectionOf, command, variables } from './command.ts'
import { toBson } from './document.ts'
import { pathValues } from './index-keys.ts'
import { compile } from './match.ts'
import { projector } from './project.ts'
import { find as findRows, type Query } from './query.ts'
import { countRows } from './rows.ts'
import { docOf } from './scan.ts'
import { compare, encode, MongoErr, UNDEF_KEY } from './value.ts'

const findArgs = z.strictObject({
  find: nameArg,
  filter: docArg.optional(),
  sort: docArg.optional(),
  projection: docArg.optional(),
  hint: hintArg.optional(),
  skip: countArg.optional(),
  limit: countArg.optional(),
  batchSize: countArg.optional(),
  singleBatch: flagArg.optional(),
  noCursorTimeout: flagArg.optional(),
  allowDiskUse: flagArg.optional(),
  allowPartialResults: flagArg.optional(),
  let: docArg.optional(),
})

const find = command('find', {
  args: findArgs,
  inTransaction: true,
  run(call, { find: name, filter = {}, projection, let: definitions, ...options }) {
    const vars = variables(definitions)
    const project = projector(projection, { query: filter, vars })
    const collection = collectionOf(call, name)
    if (!collection) compile(filter, { vars })
    const rows = collection ? findRows(call, collection, { ...options, filter, vars }) : []
    const documents = function* (): Generator<Buffer> {
      for (const row of rows) yield project ? toBson(project(docOf(row))) : row.raw
    }
    return call.cursors.open(documents(), cursorOptions(call, name, options))
  },
})

export function cursorOptions(
  call: Call,
  name: string,
  options: { batchSize?: number | undefined; singleBatch?: boolean | undefined } = {},
) {
  const { deadline, session, transaction } = call
  const { batchSize, singleBatch } = options
  return { ns: `${call.db}.${name}`, batchSize, singleBatch, deadline, session, transaction }
}

const getMore = command('getMore', {
  args: z.strictObject({ getMore: longArg, collection: nameArg, batchSize: countArg.optional() }),
  inTransaction: true,
  run: (call, { getMore: id, collection, batchSize }) =>
    call.cursors.more(id, `${call.db}.${collection}`, { batchSize, deadline: call.deadline }),
})

const killCursors = command('killCursors', {
  args: z.strictObject({ killCursors: nameArg, cursors: z.array(longArg) }),
  inTransaction: true,
  run(call, { cursors }) {
    const closed = cursors.map((id) => ({ id: Long.fromBigInt(id), open: call.cursors.close(id) }))
    const ids = (open: boolean) => closed.filter((one) => one.open === open).map((one) => one.id)
    return { cursorsKilled: ids(true), cursorsNotFound: ids(false), cursorsAlive: [], cursorsUnknown: [] }
  },
})

/** How many documents match, decoding as few as possible. */
export function countMatching(call: Call, name: string, query: Query): number {
  const collection = collectionOf(call, name)
  if (!collection) {
    compile(query.filter)
    return 0
  }
  if (!Object.keys(query.filter).length && !query.hint) {
    const found = Math.max(0, countRows(call.connection, collection) - (query.skip ?? 0))
    return Math.min(found, query.limit || found)
  }
  let n = 0
  for (const _ of findRows(call, collection, query)) n++
  return n
}

const count = command('count', {
  args: z.strictObject({
    count: nameArg,
    query: docArg.optional(),
    hint: hintArg.optional(),
    skip: countArg.optional(),
    limit: countArg.optional(),
  }),
  run: (call, { count: name, query: filter = {}, ...options }) => ({
    n: countMatching(call, name, { ...options, filter }),
  }),
})

const distinct = command('distinct', {
  args: z.strictObject({ distinct: nameArg, key: z.string(), query: docArg.optional(), hint: hintArg.optional() }),
  inTransaction: true,
  run(call, { distinct: name, key, query: filter = {}, hint }) {
    if (/(^|\.)\d+(\.|$)/.test(key)) throw new MongoErr(238, 'distinct by array position is not supported')
    const collection = collectionOf(call, name)
    const values = new Map<string, unknown>()
    for (const row of collection ? findRows(call, collection, { filter, hint }) : [])
      for (const value of pathValues(docOf(row), key.split('.')).values)
        if (value !== undefined && value !== UNDEF_KEY) values.set(encode(value).toString('latin1'), value)
    return { values: [...values.values()].sort((a, b) => compare(a, b)) }
  },
})

export const readCommands = [find, getMore, killCursors, count, distinct]
