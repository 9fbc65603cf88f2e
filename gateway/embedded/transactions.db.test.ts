import { rmSync } from 'node:fs'
import { Binary, type ClientSession, type Db, type Document, Long } from 'mongodb'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { Engine } from './engine.ts'
import { codeOf, freshDir, freshStore, type TestStore } from './store.test-support.ts'

interface Account {
  _id: string
  balance: number
}
let t: TestStore
let db: Db
beforeAll(async () => {
  t = await freshStore({ sync: 'NORMAL', client: { maxPoolSize: 60 } })
  db = t.db
})
afterAll(() => t[Symbol.asyncDispose]())
beforeEach(async () => {
  await db.dropDatabase()
  await db.collection<Account>('accounts').insertMany([
    { _id: 'a', balance: 100 },
    { _id: 'b', balance: 0 },
  ])
})
const accounts = () => db.collection<Account>('accounts')
const inTransaction = <T>(work: (session: ClientSession) => Promise<T>): Promise<T> =>
  t.client.withSession((session) => session.withTransaction(() => work(session)))

test('a transaction is seen by itself, by others only after its commit', async () => {
  await inTransaction(async (session) => {
    await accounts().updateOne({ _id: 'a' }, { $inc: { balance: -40 } }, { session })
    await accounts().updateOne({ _id: 'b' }, { $inc: { balance: 40 } }, { session })
    await db.collection('made').insertOne({ inside: true }, { session })
    expect(await accounts().findOne({ _id: 'b' }, { session })).toMatchObject({ balance: 40 })
    expect(await db.collection('made').countDocuments({}, { session })).toBe(1)
    expect(await accounts().findOne({ _id: 'b' })).toMatchObject({ balance: 0 })
    expect(await db.listCollections({ name: 'made' }).toArray()).toEqual([])
  })
  expect(await accounts().findOne({ _id: 'b' })).toMatchObject({ balance: 40 })
  expect(await db.collection('made').countDocuments()).toBe(1)
})

test('an aborted transaction leaves nothing, its collections and indexes included', async () => {
  const failed = inTransaction(async (session) => {
    await accounts().deleteMany({}, { session })
    await db.createCollection('made', { session })
    await db.collection('made').createIndex({ tags: 1 }, { session })
    await db.collection('made').insertOne({ tags: ['a', 'b'] }, { session })
    throw new Error('changed my mind')
  })
  await expect(failed).rejects.toThrow('changed my mind')
  expect(await accounts().countDocuments()).toBe(2)
  expect(await db.listCollections({ name: 'made' }).toArray()).toEqual([])
  // The next transaction may get the same connection.
  await inTransaction((session) => db.collection('made').insertOne({ tags: 'c' }, { session }))
  expect(await db.collection('made').indexes()).toHaveLength(1)
})

test('a failed statement ends the transaction', async () => {
  const session = t.client.startSession()
  session.startTransaction()
  await accounts().updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session })
  expect(await codeOf(accounts().insertOne({ _id: 'a', balance: 0 }, { session }))).toBe(11000)
  await expect(accounts().findOne({}, { session })).rejects.toMatchObject({ code: 251 })
  await session.endSession()
  expect(await accounts().findOne({ _id: 'a' })).toMatchObject({ balance: 100 })
})

test('twenty transactions that read, insert and update at once have one serial history', async () => {
  const counter = db.collection<{ _id: string; n: number }>('counter')
  const history = db.collection<{ _id: number; writer: number }>('history')
  await counter.insertOne({ _id: 'c', n: 0 })
  await Promise.all(
    Array.from({ length: 20 }, (_, writer) =>
      inTransaction(async (session) => {
        const { n } = (await counter.findOne({ _id: 'c' }, { session })) ?? { n: Number.NaN }
        await history.insertOne({ _id: n, writer }, { session })
        await counter.updateOne({ _id: 'c' }, { $set: { n: n + 1 } }, { session })
      }),
    ),
  )
  expect(await counter.findOne()).toEqual({ _id: 'c', n: 20 })
  const written = await history.find().sort({ _id: 1 }).toArray()
  expect(written.map((entry) => entry._id)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  expect(new Set(written.map((entry) => entry.writer)).size).toBe(20)
})

test('a transaction that read a snapshot and writes on stale data gets a transient WriteConflict', async () => {
  const [holder, reader] = [t.client.startSession(), t.client.startSession()]
  holder.startTransaction()
  await accounts().updateOne({ _id: 'a' }, { $inc: { balance: -1 } }, { session: holder })
  reader.startTransaction()
  // The writer is taken, so after a second the reader goes on with a snapshot.
  expect(await accounts().findOne({ _id: 'a' }, { session: reader })).toMatchObject({ balance: 100 })
  await holder.commitTransaction()
  expect(await accounts().findOne({ _id: 'a' }, { session: reader })).toMatchObject({ balance: 100 })
  const stale = await accounts()
    .updateOne({ _id: 'a' }, { $inc: { balance: -1 } }, { session: reader })
    .catch((error) => error)
  expect(stale).toMatchObject({ code: 112 })
  expect(stale.hasErrorLabel('TransientTransactionError')).toBe(true)
  await Promise.all([holder.endSession(), reader.endSession()])
  expect(await accounts().findOne({ _id: 'a' })).toMatchObject({ balance: 99 })
})

test('a writer waits for a transaction to end, but not past its maxTimeMS', async () => {
  const session = t.client.startSession()
  session.startTransaction()
  await accounts().updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session })
  expect(await codeOf(accounts().updateOne({ _id: 'b' }, { $inc: { balance: 1 } }, { maxTimeMS: 50 }))).toBe(50)
  const waiting = accounts().updateOne({ _id: 'b' }, { $inc: { balance: 1 } })
  await session.commitTransaction()
  expect(await waiting).toMatchObject({ modifiedCount: 1 })
  await session.endSession()
  expect(await accounts().findOne({ _id: 'b' })).toMatchObject({ balance: 1 })
})

test('a commit whose answer was lost can be sent again', async () => {
  const session = t.client.startSession()
  session.startTransaction()
  await accounts().updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session })
  await session.commitTransaction()
  await session.commitTransaction()
  expect(await accounts().findOne({ _id: 'a' })).toMatchObject({ balance: 101 })
  await session.endSession()
})

test('a commit is still known when the server died before it could answer', async () => {
  const dir = freshDir()
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const lsid = { id: new Binary(Buffer.alloc(16, 7), 4) }
  const open = () => new Engine({ dir, sync: 'FULL', address: 'here' })
  const run = (engine: Engine, command: Document, number: number) =>
    engine.run({ ...command, $db: 'test', lsid, txnNumber: Long.fromNumber(number), autocommit: false }, lsid)
  const first = open()
  const insert = { insert: 'c', documents: [{ _id: 1 }], startTransaction: true }
  expect(await run(first, insert, 5)).toMatchObject({ ok: 1 })
  expect(await run(first, { commitTransaction: 1 }, 5)).toMatchObject({ ok: 1 })
  first.close()
  const second = open()
  expect(await run(second, { commitTransaction: 1 }, 5)).toMatchObject({ ok: 1 })
  expect(await run(second, { commitTransaction: 1 }, 6)).toMatchObject({ ok: 0, code: 251 })
  second.close()
})

test('an index on a collection that others use cannot be made inside a transaction', async () => {
  const failed = inTransaction((session) => accounts().createIndex({ balance: 1 }, { session }))
  expect(await codeOf(failed)).toBe(263)
})

test('of racing debits exactly as many succeed as the balance allows', async () => {
  await accounts().updateOne({ _id: 'a' }, { $set: { balance: 1_000 } })
  const debit = async () => {
    const taken = await accounts().updateOne({ _id: 'a', balance: { $gte: 5 } }, { $inc: { balance: -5 } })
    return taken.modifiedCount
  }
  const results = await Promise.all(Array.from({ length: 400 }, debit))
  expect(results.filter((count) => count === 1)).toHaveLength(200)
  expect(await accounts().findOne({ _id: 'a' })).toMatchObject({ balance: 0 })
})

test('racing findOneAndUpdate calls each see a different value', async () => {
  const next = () => accounts().findOneAndUpdate({ _id: 'b' }, { $inc: { balance: 1 } }, { returnDocument: 'after' })
  const values = await Promise.all(Array.from({ length: 300 }, async () => (await next())?.balance))
  expect(values.sort((x, y) => Number(x) - Number(y))).toEqual(Array.from({ length: 300 }, (_, n) => n + 1))
})

test('racing inserts of one unique value: one wins', async () => {
  const claims = db.collection('claims')
  await claims.createIndex({ slot: 1 }, { unique: true })
  const results = await Promise.all(Array.from({ length: 100 }, (_, by) => codeOf(claims.insertOne({ slot: 1, by }))))
  expect(results.filter((code) => code === undefined)).toHaveLength(1)
  expect(results.filter((code) => code === 11000)).toHaveLength(99)
})
