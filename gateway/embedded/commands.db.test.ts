import { rmSync } from 'node:fs'
import { Binary, type Db, Decimal128, Double, Int32, Long, ObjectId, UUID } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { codeOf, freshDir, freshStore, stagesOf, type TestStore } from './store.test-support.ts'

interface Counter {
  _id: string
  n: number
  made?: boolean
  scope?: string
}

let t: TestStore
let db: Db
beforeAll(async () => {
  t = await freshStore({ sync: 'NORMAL', sweepIntervalMs: 50 })
  db = t.db
})
afterAll(() => t[Symbol.asyncDispose]())
beforeEach(() => db.dropDatabase())

describe('documents', () => {
  test('every BSON type comes back as it went in', async () => {
    const types = db.collection('types', { promoteValues: false })
    const doc = {
      _id: new ObjectId(),
      whole: new Double(5),
      int: new Int32(5),
      long: Long.fromString('9007199254740993'),
      decimal: Decimal128.fromString('0.10'),
      bytes: new Binary(Buffer.from([1, 2, 255])),
      uuid: new UUID(),
      nested: { list: [new Double(1), { deep: new Long(1) }] },
    }
    await types.insertOne(doc)
    const stored = await types.findOne({})
    expect(stored?.whole).toBeInstanceOf(Double)
    expect(stored?.long.toString()).toBe('9007199254740993')
    expect(stored).toMatchObject({ decimal: doc.decimal, nested: { list: [new Double(1), { deep: new Long(1) }] } })
    expect(stored?.uuid.toString()).toBe(doc.uuid.toString())
  })

  test('the _id is stored first, also when the driver or a shell put it last', async () => {
    const order = db.collection('order')
    await order.insertMany([
      { z: new Double(1), y: 2 },
      { z: 3, _id: 7 as never },
      { z: 3, _id: 8 as never, a: 1 },
    ])
    const all = await order.find({}, { raw: false }).toArray()
    expect(all.map((doc) => Object.keys(doc)[0])).toEqual(['_id', '_id', '_id'])
    const raw = await order.find({ y: 2 }, { promoteValues: false }).next()
    expect(raw?.z).toBeInstanceOf(Double)
  })

  test('a field called documents survives findAndModify as it is', async () => {
    const files = db.collection<{ _id: number; documents?: unknown[] }>('files')
    await files.insertOne({ _id: 1 })
    await files.findOneAndUpdate({ _id: 1 }, { $set: { documents: [{ name: 'a' }] } })
    expect(await files.findOne({ _id: 1 })).toEqual({ _id: 1, documents: [{ name: 'a' }] })
  })

  test('an unordered insert goes on after a duplicate, an ordered one stops', async () => {
    const numbers = db.collection<{ _id: number }>('numbers')
    await numbers.insertOne({ _id: 2 })
    const docs = [{ _id: 1 }, { _id: 2 }, { _id: 3 }]
    await expect(numbers.insertMany(docs, { ordered: false })).rejects.toMatchObject({ code: 11000, insertedCount: 2 })
    await numbers.deleteMany({ _id: { $ne: 2 } })
    await expect(numbers.insertMany(docs)).rejects.toMatchObject({ code: 11000, insertedCount: 1 })
    expect(await numbers.countDocuments()).toBe(2)
  })

  test('upserts take their fields from the filter and report the new id', async () => {
    const counters = db.collection<Counter>('counters')
    const result = await counters.updateOne(
      { _id: 'x', scope: 'day' },
      { $inc: { n: 2 }, $setOnInsert: { made: true } },
      { upsert: true },
    )
    expect(result).toMatchObject({ matchedCount: 0, upsertedId: 'x', upsertedCount: 1 })
    await counters.updateOne({ _id: 'x' }, { $inc: { n: 3 }, $setOnInsert: { made: false } }, { upsert: true })
    expect(await counters.findOne()).toEqual({ _id: 'x', scope: 'day', n: 5, made: true })
    expect(await counters.updateOne({ _id: 'x' }, { $set: { n: 5 } })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 0,
    })
  })

  test('an update that fails on one document changes none', async () => {
    const mixed = db.collection<{ _id: number; n: unknown }>('mixed')
    await mixed.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 'text' },
    ])
    await expect(mixed.updateMany({}, { $inc: { n: 1 } as never })).rejects.toMatchObject({ code: 14 })
    expect(await mixed.findOne({ _id: 1 })).toEqual({ _id: 1, n: 1 })
  })

  test('findAndModify updates, replaces, removes, projects and upserts', async () => {
    const jobs = db.collection<{ _id: number; state: string; at?: number }>('jobs')
    await jobs.insertMany([
      { _id: 1, state: 'new', at: 2 },
      { _id: 2, state: 'new', at: 1 },
    ])
    const claimed = await jobs.findOneAndUpdate(
      { state: 'new' },
      { $set: { state: 'taken' } },
      { sort: { at: 1 }, returnDocument: 'after', projection: { state: 1 } },
    )
    expect(claimed).toEqual({ _id: 2, state: 'taken' })
    expect(await jobs.findOneAndReplace({ _id: 2 }, { state: 'done' })).toEqual({ _id: 2, state: 'taken', at: 1 })
    expect(await jobs.findOneAndDelete({ _id: 2 })).toEqual({ _id: 2, state: 'done' })
    const made = await jobs.findOneAndUpdate(
      { _id: 9 },
      { $set: { state: 'x' } },
      { upsert: true, returnDocument: 'after' },
    )
    expect(made).toEqual({ _id: 9, state: 'x' })
    expect(await jobs.findOneAndUpdate({ _id: 5 }, { $set: { state: 'x' } })).toBeNull()
  })

  test('cursors hand out everything in batches, and can be closed', async () => {
    const many = db.collection<{ _id: number; text: string }>('many')
    await many.insertMany(Array.from({ length: 1_000 }, (_, _id) => ({ _id, text: 'x'.repeat(40_000) })))
    const ids: number[] = []
    for await (const { _id } of many.find().sort({ _id: -1 }).batchSize(300)) ids.push(_id)
    expect(ids).toEqual(Array.from({ length: 1_000 }, (_, at) => 999 - at))
    const cursor = many.find().batchSize(2)
    await cursor.next()
    const { id } = cursor
    await cursor.close()
    expect(await codeOf(db.command({ getMore: id, collection: 'many' }))).toBe(43)
    expect(await many.find().skip(990).limit(20).project({ _id: 1 }).toArray()).toHaveLength(10)
  })

  test('count and distinct agree with find', async () => {
    const tags = db.collection('tags')
    await tags.insertMany([{ t: ['a', 'b'] }, { t: 'b', n: { k: 1 } }, { n: [{ k: 2 }, { k: 1 }] }, { t: null }])
    expect(await tags.countDocuments({ t: 'b' })).toBe(2)
    expect(await tags.estimatedDocumentCount()).toBe(4)
    expect(await tags.distinct('t')).toEqual([null, 'a', 'b'])
    expect(await tags.distinct('n.k')).toEqual([1, 2])
    expect(await tags.distinct('t', { n: { $exists: true } })).toEqual(['b'])
  })
})

describe('aggregation', () => {
  beforeEach(async () => {
    await db.collection('orders').insertMany([
      { _id: 1 as never, who: 'a', amount: 5, items: ['x', 'y'], at: new Date(0) },
      { _id: 2 as never, who: 'b', amount: Long.fromNumber(7), items: ['x'], at: new Date(1) },
      { _id: 3 as never, who: 'a', amount: 11, items: [], at: new Date(2) },
    ])
    await db.collection('people').insertMany([
      { _id: 'a' as never, name: 'Ann', age: 30 },
      { _id: 'b' as never, name: 'Bob', age: 40 },
    ])
  })
  const run = (pipeline: object[]) => db.collection('orders').aggregate(pipeline).toArray()

  test('groups, sorts and reshapes', async () => {
    const byPerson = [{ $group: { _id: '$who', total: { $sum: '$amount' }, n: { $sum: 1 } } }, { $sort: { _id: 1 } }]
    expect(await run(byPerson)).toEqual([
      { _id: 'a', total: 16, n: 2 },
      { _id: 'b', total: 7, n: 1 },
    ])
    expect(await run([{ $unwind: '$items' }, { $sortByCount: '$items' }])).toEqual([
      { _id: 'x', count: 2 },
      { _id: 'y', count: 1 },
    ])
    const shaped = [{ $match: { amount: { $gt: 5 } } }, { $set: { twice: { $multiply: ['$amount', 2] } } }]
    expect(
      await run([...shaped, { $unset: ['items', 'at'] }, { $project: { _id: 0, twice: 1 } }, { $sort: { twice: -1 } }]),
    ).toEqual([{ twice: 22 }, { twice: 14 }])
    expect(await run([{ $limit: 1 }, { $replaceRoot: { newRoot: { k: '$who' } } }])).toEqual([{ k: 'a' }])
    expect(await run([{ $sort: { _id: -1 } }, { $skip: 1 }, { $limit: 1 }, { $count: 'n' }])).toEqual([{ n: 1 }])
  })

  test('facets run side by side and keep ObjectIds and dates', async () => {
    const [facets] = await run([
      { $facet: { all: [{ $count: 'n' }], first: [{ $sort: { _id: 1 } }, { $limit: 1 }, { $project: { at: 1 } }] } },
    ])
    expect(facets).toEqual({ all: [{ n: 3 }], first: [{ _id: 1, at: new Date(0) }] })
  })

  test('looks up by field, and by a pipeline with variables', async () => {
    const [first] = await run([
      { $match: { _id: 2 } },
      { $lookup: { from: 'people', localField: 'who', foreignField: '_id', as: 'person' } },
    ])
    expect(first?.person).toEqual([{ _id: 'b', name: 'Bob', age: 40 }])
    const pipeline = [{ $match: { $expr: { $gt: ['$age', '$$least'] } } }, { $project: { name: 1, _id: 0 } }]
    const [second] = await run([
      { $match: { _id: 1 } },
      { $lookup: { from: 'people', let: { least: { $multiply: ['$amount', 7] } }, pipeline, as: 'older' } },
    ])
    expect(second?.older).toEqual([{ name: 'Bob' }])
    const [none] = await run([
      { $limit: 1 },
      { $lookup: { from: 'nowhere', localField: 'x', foreignField: 'y', as: 'z' } },
    ])
    expect(none?.z).toEqual([])
  })
})

describe('indexes', () => {
  test('a unique index refuses a second value and says which', async () => {
    const users = db.collection('users')
    await users.createIndex({ tenant: 1, email: 1 }, { unique: true })
    await users.insertOne({ tenant: 't', email: 'e' })
    await expect(users.insertOne({ tenant: 't', email: 'e' })).rejects.toMatchObject({
      code: 11000,
      keyPattern: { tenant: 1, email: 1 },
      keyValue: { tenant: 't', email: 'e' },
    })
    await users.insertOne({ tenant: 'u', email: 'e' })
    await expect(users.updateOne({ tenant: 'u' }, { $set: { tenant: 't' } })).rejects.toMatchObject({ code: 11000 })
    expect(await users.countDocuments({ tenant: 't' })).toBe(1)
    await users.deleteOne({ tenant: 't' })
    await users.insertOne({ tenant: 't', email: 'e' })
    await users.insertMany([{ a: 1 }, { a: 1, tenant: 'x' }])
    await expect(users.createIndex({ a: 1 }, { unique: true })).rejects.toMatchObject({ code: 11000 })
    expect(await users.indexes()).toHaveLength(2)
  })

  test('a unique index over an array looks at every element', async () => {
    const rooms = db.collection('rooms')
    await rooms.createIndex({ 'members.id': 1 }, { unique: true })
    await rooms.insertOne({ members: [{ id: 1 }, { id: 2 }] })
    await expect(rooms.insertOne({ members: [{ id: 3 }, { id: 2 }] })).rejects.toMatchObject({ code: 11000 })
    expect(stagesOf(await rooms.find({ 'members.id': 2 }).explain())).toContain('IXSCAN')
    expect(await rooms.countDocuments({ 'members.id': { $in: [1, 2] } })).toBe(1)
  })

  test('a partial unique index holds for its documents only, and serves filters that imply it', async () => {
    const slots = db.collection('slots')
    await slots.createIndex({ at: 1 }, { unique: true, partialFilterExpression: { state: 'open' } })
    await slots.insertMany([
      { at: 1, state: 'open' },
      { at: 1, state: 'gone' },
      { at: 1, state: 'gone' },
    ])
    await expect(slots.updateOne({ state: 'gone' }, { $set: { state: 'open' } })).rejects.toMatchObject({ code: 11000 })
    expect(stagesOf(await slots.find({ at: 1, state: 'open' }).explain())).toContain('IXSCAN')
    expect(stagesOf(await slots.find({ at: 1 }).explain())).toContain('COLLSCAN')
    expect(await slots.countDocuments({ at: 1 })).toBe(3)
  })

  test('a sparse index never hides documents from a query', async () => {
    const users = db.collection('users')
    await users.createIndex({ phone: 1, ext: 1 }, { sparse: true, unique: true })
    await users.insertMany([{ n: 1 }, { n: 2 }, { phone: '1', ext: null }])
    expect(await users.countDocuments({ phone: null })).toBe(2)
    expect(await users.countDocuments({ phone: null, ext: null })).toBe(2)
    expect(stagesOf(await users.find({ phone: '1' }).explain())).toContain('IXSCAN')
  })

  test('a TTL index removes what is old enough, and dates only', async () => {
    const leases = db.collection('leases')
    await leases.createIndex({ until: 1 }, { expireAfterSeconds: 10 })
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000)
    await leases.insertMany([
      { n: 1, until: ago(60) },
      { n: 2, until: ago(1) },
      { n: 3, until: 'never' },
      { n: 4 },
      { n: 5, until: [ago(0), ago(60)] },
    ])
    await expect.poll(() => leases.distinct('n')).toEqual([2, 3, 4])
  })

  test('indexes are listed, found again by key, and dropped', async () => {
    const logs = db.collection('logs')
    expect(await logs.createIndex({ at: -1 })).toBe('at_-1')
    expect(await logs.createIndex({ at: -1 })).toBe('at_-1')
    expect(await codeOf(logs.createIndex({ at: -1 }, { unique: true }))).toBe(85)
    expect(await codeOf(logs.createIndex({ to: 1 }, { name: 'at_-1' }))).toBe(86)
    expect((await logs.indexes()).map((index) => index.name)).toEqual(['_id_', 'at_-1'])
    await logs.dropIndex('at_-1')
    expect((await logs.indexes()).map((index) => index.name)).toEqual(['_id_'])
    expect(await codeOf(logs.dropIndex('at_-1'))).toBe(27)
  })
})

describe('namespaces', () => {
  test('collections and databases are created, listed, measured and dropped', async () => {
    await db.createCollection('made')
    await db.collection('used').insertOne({ a: 1 })
    expect((await db.listCollections({}, { nameOnly: true }).toArray()).map((one) => one.name).sort()).toEqual([
      'made',
      'used',
    ])
    expect(await db.listCollections({ name: 'made' }).toArray()).toHaveLength(1)
    expect(await codeOf(db.createCollection('made'))).toBe(48)
    expect(await db.command({ collStats: 'used' })).toMatchObject({ count: 1, nindexes: 1 })
    expect(await db.stats()).toMatchObject({ collections: 2, objects: 1 })
    const { databases } = await db.admin().listDatabases()
    expect(databases.map((one) => one.name)).toContain('test')
    await db.collection('made').drop()
    await db.dropDatabase()
    expect(await db.listCollections().toArray()).toEqual([])
    expect(await db.collection('used').findOne()).toBeNull()
  })

  test('a shell that asks who the server is gets answers', async () => {
    const admin = t.client.db('admin')
    for (const name of 'ping hello isMaster buildInfo serverStatus hostInfo getCmdLineOpts connectionStatus'.split(' '))
      expect(await admin.command({ [name]: 1 })).toMatchObject({ ok: 1 })
    expect(await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 })).toMatchObject({ ok: 1 })
    expect(await admin.command({ getLog: 'startupWarnings' })).toMatchObject({ log: [] })
  })
})

describe('what is not supported fails with an error of Mongo', () => {
  const cases: [string, number, (db: Db) => Promise<unknown>][] = [
    ['an unknown command', 59, (db) => db.command({ renameCollection: 'a', to: 'b' })],
    [
      'collation',
      238,
      (db) =>
        db
          .collection('c')
          .find({}, { collation: { locale: 'en' } })
          .toArray(),
    ],
    ['an unknown option', 40415, (db) => db.command({ find: 'c', nonsense: 1 })],
    ['a missing argument', 40414, (db) => db.command({ delete: 'c' })],
    ['an argument of the wrong type', 14, (db) => db.command({ find: 'c', filter: 5 })],
    ['a text index', 67, (db) => db.collection('c').createIndex({ a: 'text' })],
    ['a wildcard index', 67, (db) => db.collection('c').createIndex({ '$**': 1 })],
    ['a capped collection', 238, (db) => db.createCollection('c', { capped: true, size: 10 })],
    ['a view', 238, (db) => db.createCollection('v', { viewOn: 'c', pipeline: [] })],
    ['a validator', 238, (db) => db.createCollection('v', { validator: { a: 1 } })],
    [
      '$out',
      40324,
      (db) =>
        db
          .collection('c')
          .aggregate([{ $out: 'd' }])
          .toArray(),
    ],
    [
      'a stage inside a facet',
      40324,
      (db) =>
        db
          .collection('c')
          .aggregate([{ $facet: { a: [{ $merge: 'd' }] } }])
          .toArray(),
    ],
    ['a change stream', 40324, (db) => db.collection('c').watch().next()],
    ['a tailable cursor', 238, (db) => db.collection('c').find({}, { tailable: true }).toArray()],
    [
      'an unknown query operator',
      2,
      (db) =>
        db
          .collection('c')
          .find({ a: { $nonsense: 1 } })
          .toArray(),
    ],
    [
      'a geo query',
      238,
      (db) =>
        db
          .collection('c')
          .find({ a: { $near: [1, 2] } })
          .toArray(),
    ],
    ['an unknown update operator', 9, (db) => db.collection('c').updateOne({}, { $nonsense: { a: 1 } } as never)],
    ['a write concern of two nodes', 100, (db) => db.collection('c').insertOne({}, { writeConcern: { w: 2 } })],
    [
      'a snapshot outside a transaction',
      72,
      (db) => db.collection('c').find({}, { readConcern: 'snapshot' }).toArray(),
    ],
    ['a hint without an index', 2, (db) => db.collection('c').find({}, { hint: 'nowhere' }).toArray()],
    [
      'a sort by relevance',
      15975,
      (db) =>
        db
          .collection('c')
          .find()
          .sort({ a: { $meta: 'textScore' } })
          .toArray(),
    ],
  ]
  test.each(cases)('%s', async (_, code, attempt) => {
    await db.collection('c').insertOne({ a: 1 })
    expect(await codeOf(attempt(db))).toBe(code)
  })
})

test('a retried write is done once', async () => {
  const counters = db.collection<{ _id: string; n: number }>('counters')
  await counters.insertOne({ _id: 'x', n: 0 })
  const session = t.client.startSession()
  const increment = { update: 'counters', updates: [{ q: { _id: 'x' }, u: { $inc: { n: 1 } } }] }
  const send = (number: number) =>
    db.command({ ...increment, txnNumber: Long.fromNumber(1_000_000 + number) }, { session })
  expect(await send(1)).toMatchObject({ nModified: 1 })
  expect(await send(1)).toMatchObject({ nModified: 1, retriedStmtIds: [0] })
  expect(await send(2)).toMatchObject({ nModified: 1 })
  expect(await codeOf(send(1))).toBe(225)
  expect(await counters.findOne()).toEqual({ _id: 'x', n: 2 })
  await session.endSession()
})

test('what was written is there after closing and opening again', async () => {
  const dir = freshDir()
  onTestFinished(() => rmSync(dir, { recursive: true }))
  {
    await using first = await freshStore({ dir })
    await first.db.collection('c').createIndex({ tags: 1 }, { expireAfterSeconds: 1_000 })
    await first.db.collection('c').createIndex({ u: 1 }, { unique: true, partialFilterExpression: { u: { $gt: 0 } } })
    await first.db.collection('c').insertOne({ tags: ['a', 'b'], u: 1 })
  }
  await using second = await freshStore({ dir })
  const again = second.db.collection('c')
  expect(await again.countDocuments({ tags: 'b' })).toBe(1)
  expect((await again.find({ tags: 'b' }).explain()).queryPlanner.winningPlan.inputStage).toMatchObject({
    isMultiKey: true,
  })
  await expect(again.insertOne({ u: 1 })).rejects.toMatchObject({ code: 11000 })
  expect(await again.indexes()).toMatchObject([{}, { expireAfterSeconds: 1_000 }, { unique: true }])
})
