// Collections and databases: create, drop, list, statistics.
import { z } from 'zod'
import { anyArg, countArg, docArg, flagArg, nameArg } from './arguments.ts'
import { type Collection, indexesOf, shownSpec } from './catalog.ts'
import { type Call, collectionOf, command, ensureCollection } from './command.ts'
import { toBson } from './document.ts'
import { compile } from './match.ts'
import { cursorOptions } from './read-commands.ts'
import { size } from './rows.ts'
import { type Doc, MongoErr } from './value.ts'

const create = command('create', {
  args: z.strictObject({ create: nameArg }),
  writes: true,
  inTransaction: true,
  run(call, { create: name }) {
    if (collectionOf(call, name)) throw new MongoErr(48, `Collection ${call.db}.${name} already exists.`)
    ensureCollection(call, name)
    return {}
  },
})

const drop = command('drop', {
  args: z.strictObject({ drop: nameArg }),
  writes: true,
  run(call, { drop: name }) {
    const collection = collectionOf(call, name)
    if (!collection) return {}
    const nIndexesWas = indexesOf(collection).length
    call.catalog.drop(call.connection, collection)
    return { ns: collection.ns, nIndexesWas }
  },
})

const dropDatabase = command('dropDatabase', {
  args: z.strictObject({ dropDatabase: anyArg }),
  writes: true,
  run(call) {
    for (const collection of call.catalog.list(call.connection, call.db)) call.catalog.drop(call.connection, collection)
    return { dropped: call.db }
  },
})

const described = (collection: Collection): Doc => ({
  name: collection.name,
  type: 'collection',
  options: {},
  info: { readOnly: false, uuid: collection.uuid },
  idIndex: shownSpec(collection.idIndex),
})

const listCollections = command('listCollections', {
  args: z.strictObject({
    listCollections: anyArg,
    filter: docArg.optional(),
    nameOnly: flagArg.optional(),
    authorizedCollections: anyArg,
    cursor: z.strictObject({ batchSize: countArg.optional() }).optional(),
  }),
  run(call, { filter, nameOnly, cursor }) {
    const all = call.catalog.list(call.connection, call.db).map(described).filter(compile(filter))
    const shown = nameOnly ? all.map(({ name, type }) => ({ name, type })) : all
    return call.cursors.open(shown.map(toBson), cursorOptions(call, '$cmd.listCollections', cursor))
  },
})

const listDatabases = command('listDatabases', {
  args: z.strictObject({
    listDatabases: anyArg,
    filter: docArg.optional(),
    nameOnly: flagArg.optional(),
    authorizedDatabases: anyArg,
  }),
  run(call, { filter, nameOnly }) {
    const names = new Set(call.catalog.list(call.connection).map((collection) => collection.db))
    const databases = [...names].sort().map((name) => ({ name, sizeOnDisk: stats(call, name).dataSize, empty: false }))
    const matching = databases.filter(compile(filter))
    if (nameOnly) return { databases: matching.map(({ name }) => ({ name })) }
    return { databases: matching, totalSize: matching.reduce((sum, database) => sum + database.sizeOnDisk, 0) }
  },
})

function stats(call: Call, db: string) {
  const collections = call.catalog.list(call.connection, db)
  const sizes = collections.map((collection) => size(call.connection, collection))
  const objects = sizes.reduce((sum, one) => sum + one.documents, 0)
  const dataSize = sizes.reduce((sum, one) => sum + one.bytes, 0)
  const indexes = collections.reduce((sum, collection) => sum + indexesOf(collection).length, 0)
  return { db, collections: collections.length, objects, dataSize, storageSize: dataSize, indexes, indexSize: 0 }
}

const dbStats = command('dbStats', {
  args: z.strictObject({ dbStats: anyArg, scale: anyArg, freeStorage: anyArg }),
  run: (call) => ({ ...stats(call, call.db), views: 0, scaleFactor: 1 }),
})

const collStats = command('collStats', {
  args: z.strictObject({ collStats: nameArg, scale: anyArg }),
  run(call, { collStats: name }) {
    const collection = collectionOf(call, name)
    const { documents, bytes } = collection ? size(call.connection, collection) : { documents: 0, bytes: 0 }
    const avgObjSize = documents ? Math.round(bytes / documents) : 0
    const nindexes = collection ? indexesOf(collection).length : 0
    return { ns: `${call.db}.${name}`, count: documents, size: bytes, storageSize: bytes, avgObjSize, nindexes }
  },
})

export const namespaceCommands = [create, drop, dropDatabase, listCollections, listDatabases, dbStats, collStats]
