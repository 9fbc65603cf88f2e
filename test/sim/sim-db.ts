// The driver's Db as one process sees it: the methods that the slices call, over a Link. Anything else ends the run.

import { type AnyError, type Db, type Document, MongoBulkWriteError, MongoServerError } from 'mongodb'
import { type Doc, isPlain } from '../../gateway/embedded/value.ts'
import type { Link } from './link.ts'
import { DuplicateKey, project, read } from './sim-store.ts'

/** Documents of a cursor's first and later batches: more than any simulated collection has, unless told. */
const defaultBatch = 101

export function simDb(link: Link): Db {
  const collections = new Map<string, ReturnType<typeof simCollection>>()
  const db = {
    collection: (name: string) => {
      const known = collections.get(name)
      if (known !== undefined) return known
      const made = loud(link, `collection ${name}`, simCollection(link, name))
      collections.set(name, made)
      return made
    },
    command: async (command: Document) => {
      if (command.hello !== 1) link.unsupported(`command ${Object.keys(command).join()}`)
      return link.call('hello', () => ({ ok: 1, localTime: link.store.now }))
    },
  }
  // A double of a class with some sixty members, of which the slices use two.
  return loud(link, 'db', db) as unknown as Db
}

/** Members that are not modelled end the run, so that no test is green for want of a method. */
function loud<T extends object>(link: Link, what: string, target: T): T {
  return new Proxy(target, {
    get(object, name) {
      if (typeof name === 'symbol' || name in object || name === 'then') return Reflect.get(object, name)
      return link.unsupported(`${what}.${name}`)
    },
  })
}

function options(link: Link, given: Document | undefined, known: readonly string[]): Document {
  const unknown = Object.keys(given ?? {}).find((key) => !known.includes(key))
  if (unknown !== undefined) link.unsupported(`option ${unknown}`)
  return given ?? {}
}

function simCollection(link: Link, name: string) {
  const { store } = link
  const update = (filter: Document, change: Document, multi: boolean, given: Document | undefined) => {
    const { upsert } = options(link, given, ['upsert'])
    const { matched, modified, upsertedId } = unique(() =>
      store.update(name, { filter, update: change, multi, upsert }, link.name),
    )
    return {
      acknowledged: true,
      matchedCount: matched,
      modifiedCount: modified,
      upsertedCount: upsertedId === null ? 0 : 1,
      upsertedId,
    }
  }
  return {
    findOne: (filter: Document, given?: Document) => {
      const { projection, sort } = options(link, given, ['projection', 'sort'])
      return link.call(`${name}.findOne`, () => {
        const [doc] = store.find(name, { filter, sort, limit: 1 })
        return doc === undefined ? null : project(doc, projection, store.now)
      })
    },
    find: (filter: Document, given?: Document) => {
      const { projection } = options(link, given, ['projection', 'comment', 'batchSize'])
      return simFind(link, name, { filter, projection })
    },
    aggregate: (pipeline: Document[], given?: Document) => {
      const { batchSize } = options(link, given, ['batchSize', 'comment'])
      let finish: (docs: Doc[]) => Doc[]
      return loud(
        link,
        `${name}.aggregate`,
        simCursor(link, name, batchSize ?? defaultBatch, {
          open: () => {
            const opened = store.aggregate(name, pipeline)
            finish = opened.finish
            return opened.docs
          },
          // A group is made at once; documents that only pass are read batch by batch, as they are then.
          ...(pipeline.some((stage) => '$group' in stage)
            ? { whole: (docs: Doc[]) => finish(docs) }
            : { each: (doc: Doc) => finish([store.collection(name).get(String(doc._id)) ?? doc])[0] ?? doc }),
        }),
      )
    },
    updateOne: (filter: Document, change: Document, given?: Document) =>
      link.call(`${name}.updateOne`, () => update(filter, change, false, given)),
    updateMany: (filter: Document, change: Document, given?: Document) =>
      link.call(`${name}.updateMany`, () => update(filter, change, true, given)),
    findOneAndUpdate: (filter: Document, change: Document, given?: Document) => {
      const { projection, returnDocument, upsert } = options(link, given, ['projection', 'returnDocument', 'upsert'])
      return link.call(`${name}.findOneAndUpdate`, () => {
        const [before] = store.find(name, { filter, limit: 1 })
        const { doc } = unique(() => store.update(name, { filter, update: change, upsert }, link.name))
        const shown = returnDocument === 'after' ? doc : before
        return shown === undefined ? null : project(shown, projection, store.now)
      })
    },
    insertMany: (docs: Document[], given?: Document) => {
      if (options(link, given, ['ordered']).ordered !== false) link.unsupported('ordered insertMany')
      return link.call(`${name}.insertMany`, () => {
        const refused = docs.flatMap((doc, index) => (store.insert(name, doc, link.name) ? [] : [index]))
        if (refused.length > 0) throw duplicates(refused, docs.length - refused.length)
        return { acknowledged: true, insertedCount: docs.length, insertedIds: {} }
      })
    },
    insertOne: (doc: Document) =>
      link.call(`${name}.insertOne`, () => {
        if (!store.insert(name, doc, link.name)) throw duplicate()
        return { acknowledged: true, insertedId: doc._id }
      }),
    bulkWrite: (operations: Document[], given?: Document) => {
      options(link, given, ['ordered'])
      return link.call(`${name}.bulkWrite`, () => {
        const totals = { matchedCount: 0, modifiedCount: 0, upsertedCount: 0, insertedCount: 0, ok: 1 }
        const refused: number[] = []
        for (const [index, operation] of operations.entries()) {
          const { updateOne, ...rest } = operation
          if (!isPlain(updateOne) || Object.keys(rest).length > 0)
            link.unsupported(`bulkWrite ${Object.keys(operation)}`)
          const { filter, update: change, upsert, ...more } = updateOne
          if (!isPlain(filter) || Object.keys(more).length > 0) link.unsupported(`bulkWrite ${Object.keys(more)}`)
          if (Array.isArray(change) || !isPlain(change)) link.unsupported('a pipeline update')
          try {
            const result = update(filter, change, false, upsert === true ? { upsert } : undefined)
            totals.matchedCount += result.matchedCount
            totals.modifiedCount += result.modifiedCount
            totals.upsertedCount += result.upsertedCount
          } catch (error) {
            if (!(error instanceof MongoServerError)) throw error
            refused.push(index)
          }
        }
        if (refused.length > 0) throw duplicates(refused, 0)
        return totals
      })
    },
  }
}

function duplicate(): MongoServerError {
  return new MongoServerError({ message: 'E11000 duplicate key error', code: 11000 })
}

function unique<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof DuplicateKey ? duplicate() : error
  }
}

function duplicates(refused: readonly number[], insertedCount: number): MongoBulkWriteError {
  const writeErrors = refused.map((index) => ({ index, code: 11000, errmsg: 'E11000 duplicate key error' }))
  const result = { insertedCount, getWriteConcernError: () => undefined, getWriteErrors: () => writeErrors }
  // The driver's own classes need a command in progress.
  const reply = { message: 'E11000 duplicate key error', code: 11000, writeErrors } as unknown as AnyError
  return new MongoBulkWriteError(reply, result as unknown as MongoBulkWriteError['result'])
}

function simFind(link: Link, name: string, query: { filter: Document; projection: Document | undefined }) {
  const { store } = link
  let sort: Document | undefined
  let limit: number | undefined
  let projection = query.projection
  let batch = defaultBatch
  const cursor = {
    sort: (given: Document) => {
      sort = given
      return cursor
    },
    limit: (given: number) => {
      limit = given
      return cursor
    },
    project: (given: Document) => {
      projection = given
      return cursor
    },
    batchSize: (given: number) => {
      batch = given
      return cursor
    },
    toArray: () => opened().toArray(),
    [Symbol.asyncIterator]: () => opened()[Symbol.asyncIterator](),
  }
  const opened = () =>
    simCursor(link, name, batch, {
      open: () => store.find(name, { filter: query.filter, sort, limit }),
      each: (doc) => project(doc, projection, store.now),
    })
  return loud(link, `${name}.find`, cursor)
}

interface Source {
  /** At the store, when the cursor is opened. */
  readonly open: () => Doc[]
  readonly whole?: (docs: Doc[]) => Doc[]
  /** At the store, when a batch is made. */
  readonly each?: (doc: Doc) => Doc
}

function simCursor(link: Link, name: string, batch: number, { open, whole, each = read }: Source) {
  const shown = whole === undefined ? each : (doc: Doc): Doc => doc
  let more: Doc[] = []
  const cut = (all: Doc[]): Doc[] => {
    more = all.slice(batch)
    return all.slice(0, batch).map(shown)
  }
  const first = (): Promise<Doc[]> =>
    link.call(`${name}.find`, () => {
      const docs = open()
      return cut(whole === undefined ? docs : whole(docs))
    })
  const next = (): Promise<Doc[]> => link.call(`${name}.getMore`, () => cut(more))
  return {
    async toArray(): Promise<Doc[]> {
      const all = await first()
      while (more.length > 0) all.push(...(await next()))
      return all
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<Doc> {
      yield* await first()
      while (more.length > 0) yield* await next()
    },
  }
}
