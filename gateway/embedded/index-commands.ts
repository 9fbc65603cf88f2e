// createIndexes, listIndexes, dropIndexes.
import { z } from 'zod'
import { anyArg, countArg, docArg, nameArg } from './arguments.ts'
import { type Collection, type IndexSpec, indexesOf, indexSpec, shownSpec } from './catalog.ts'
import { type Call, collectionOf, command, ensureCollection } from './command.ts'
import { toBson } from './document.ts'
import { sameKey } from './planner.ts'
import { cursorOptions } from './read-commands.ts'
import { fillIndex } from './rows.ts'
import { equal, isNumeric, MongoErr, num } from './value.ts'

type NamedSpec = IndexSpec & { name: string }

/** Throws 67 for a kind of index that is not supported. */
function checkKey({ key }: IndexSpec): void {
  if (!Object.keys(key).length) throw new MongoErr(67, 'Index keys cannot be empty.')
  for (const [path, direction] of Object.entries(key)) {
    if (!isNumeric(direction) || !num(direction))
      throw new MongoErr(67, `index type '${String(direction)}' is not supported by the embedded store`)
    if (/\$|(^|\.)(\d+|)(\.|$)/.test(path))
      throw new MongoErr(67, `an index over '${path}' is not supported by the embedded store`)
  }
}

const named = (spec: IndexSpec): NamedSpec => {
  const name = Object.entries(spec.key).map(([path, direction]) => `${path}_${num(direction)}`)
  const flags = { ...(spec.unique && { unique: true }), ...(spec.sparse && { sparse: true }) }
  const { key, expireAfterSeconds, partialFilterExpression } = spec
  const ttl = expireAfterSeconds !== undefined && { expireAfterSeconds }
  return {
    v: 2,
    key,
    name: spec.name ?? name.join('_'),
    ...flags,
    ...ttl,
    ...(partialFilterExpression && { partialFilterExpression }),
  }
}
const sameFilter = (a: IndexSpec, b: IndexSpec): boolean =>
  equal(a.partialFilterExpression ?? null, b.partialFilterExpression ?? null)
const sameOptions = (a: IndexSpec, b: IndexSpec): boolean =>
  (a.unique ?? false) === (b.unique ?? false) &&
  (a.sparse ?? false) === (b.sparse ?? false) &&
  a.expireAfterSeconds === b.expireAfterSeconds

/** True when the index is there already. Throws 85 or 86 when something else stands in its place. */
function exists(collection: Collection, spec: NamedSpec): boolean {
  const alike = collection.secondary.find((one) => sameKey(one.spec.key, spec.key) && sameFilter(one.spec, spec))
  if (alike && (alike.name !== spec.name || !sameOptions(alike.spec, spec)))
    throw new MongoErr(85, `An equivalent index already exists with a different name or options: ${alike.name}`)
  if (!alike && indexesOf(collection).some((one) => one.name === spec.name))
    throw new MongoErr(86, `An existing index has the same name as the requested index: ${spec.name}`)
  return alike !== undefined
}

function createIndex(call: Call, collection: Collection, given: IndexSpec): void {
  checkKey(given)
  if (sameKey(given.key, { _id: 1 })) return
  const spec = named(given)
  if (spec.expireAfterSeconds !== undefined && Object.keys(spec.key).length !== 1)
    throw new MongoErr(67, 'TTL indexes are single-field indexes')
  if (exists(collection, spec)) return
  fillIndex(call.connection, collection, call.catalog.addIndex(call.connection, collection, spec))
}

const createIndexes = command('createIndexes', {
  args: z.strictObject({
    createIndexes: nameArg,
    indexes: z.array(indexSpec.extend({ background: anyArg })).min(1),
    commitQuorum: anyArg,
  }),
  writes: true,
  inTransaction: true,
  run(call, { createIndexes: name, indexes }) {
    const before = collectionOf(call, name)
    // Others read the catalog in memory: they must not see an index that may yet be rolled back.
    if (call.transaction && before && !before.pending)
      throw new MongoErr(263, 'In a transaction, indexes can be created on a collection made in it only.')
    const collection = ensureCollection(call, name)
    const numIndexesBefore = indexesOf(collection).length
    for (const given of indexes) createIndex(call, collection, given)
    const numIndexesAfter = indexesOf(collection).length
    return { numIndexesBefore, numIndexesAfter, createdCollectionAutomatically: before === undefined }
  },
})

const missing = (call: Call, name: string): MongoErr => new MongoErr(26, `ns does not exist: ${call.db}.${name}`)

const dropIndexes = command('dropIndexes', {
  args: z.strictObject({ dropIndexes: nameArg, index: z.union([z.string(), docArg, z.array(z.string())]) }),
  writes: true,
  run(call, { dropIndexes: name, index: wanted }) {
    const collection = collectionOf(call, name)
    if (!collection) throw missing(call, name)
    const nIndexesWas = indexesOf(collection).length
    const all = wanted === '*' ? collection.secondary.map((index) => index.name) : [wanted].flat()
    for (const one of all) {
      const index = indexesOf(collection).find(({ name, spec }) =>
        typeof one === 'string' ? name === one : sameKey(spec.key, one),
      )
      if (!index) throw new MongoErr(27, `index not found: ${typeof one === 'string' ? one : JSON.stringify(one)}`)
      if (index.id === 0) throw new MongoErr(72, 'cannot drop _id index')
      call.catalog.dropIndex(call.connection, collection, index)
    }
    return { nIndexesWas }
  },
})

const listIndexes = command('listIndexes', {
  args: z.strictObject({ listIndexes: nameArg, cursor: z.strictObject({ batchSize: countArg.optional() }).optional() }),
  run(call, { listIndexes: name, cursor }) {
    const collection = collectionOf(call, name)
    if (!collection) throw missing(call, name)
    const specs = indexesOf(collection).map((index) => toBson(shownSpec(index)))
    return call.cursors.open(specs, cursorOptions(call, name, cursor))
  },
})

export const indexCommands = [createIndexes, dropIndexes, listIndexes]
