import { EJSON } from 'bson'
import type { Document } from 'mongodb'
import { expect, test } from 'vitest'
import { randomDocuments, randomFilter, randomSort, seededRandom } from './random-filter.test-support.ts'
import { freshStore, stagesOf } from './store.test-support.ts'

const INDEXES: { key: Record<string, 1 | -1>; sparse?: boolean; partialFilterExpression?: Document }[] = [
  { key: { a: 1 } },
  { key: { b: -1 } },
  { key: { c: 1 }, sparse: true },
  { key: { a: 1, b: -1 } },
  { key: { b: 1, 'n.x': 1 } },
  { key: { 'n.x': -1, c: 1 } },
  { key: { 'n.x.y': 1 } },
  { key: { c: -1, a: 1 }, partialFilterExpression: { b: { $gt: 0 } } },
  { key: { n: 1, c: -1 } },
]

test.each([1, 2, 3])(
  'a random query finds the same through an index as by reading everything (seed %i)',
  async (seed) => {
    await using t = await freshStore({ sync: 'NORMAL' })
    const random = seededRandom(seed)
    const indexed = t.db.collection<Document>('indexed')
    const plain = t.db.collection<Document>('plain')
    const documents = randomDocuments(random, 250)
    await Promise.all([indexed.insertMany(documents), plain.insertMany(documents)])
    for (const { key, ...options } of INDEXES) await indexed.createIndex(key, options)
    const mismatches: string[] = []
    let throughIndex = 0
    for (let round = 0; round < 400; round++) {
      const filter = randomFilter(random)
      const sort = randomSort(random)
      const limit = random() < 0.3 ? 5 : 0
      const ids = (name: 'indexed' | 'plain') =>
        t.db
          .collection(name)
          .find(filter)
          .sort(sort)
          .limit(limit)
          .map((doc) => doc._id)
          .toArray()
      const [found, expected] = await Promise.all([ids('indexed'), ids('plain')])
      if (JSON.stringify(found) !== JSON.stringify(expected))
        mismatches.push(EJSON.stringify({ filter, sort, found, expected }))
      const inOrder = (await indexed.find(filter).toArray()).length
      if (limit === 0 && inOrder !== expected.length) mismatches.push(EJSON.stringify({ filter, inOrder }))
      if (
        round % 8 === 0 &&
        stagesOf(await indexed.find(filter).sort(sort).explain()).some((s) => s === 'IXSCAN' || s === 'OR')
      )
        throughIndex++
    }
    expect(mismatches).toEqual([])
    // The comparison means something only if the planner used the indexes.
    expect(throughIndex).toBeGreaterThan(10)
  },
)

test('a random query finds the same after random updates and deletions', async () => {
  await using t = await freshStore({ sync: 'NORMAL' })
  const random = seededRandom(99)
  const indexed = t.db.collection<Document>('indexed')
  for (const { key, ...options } of INDEXES) await indexed.createIndex(key, options)
  await indexed.insertMany(randomDocuments(random, 300))
  for (const [at, next] of randomDocuments(random, 300).entries()) {
    const { _id, ...fields } = { ...next, _id: at as never }
    if (random() < 0.15) await indexed.deleteOne({ _id })
    else if (random() < 0.5) await indexed.replaceOne({ _id }, fields)
    else await indexed.updateOne({ _id }, { $set: fields, $unset: { gone: 1 } })
  }
  const plain = t.db.collection<Document>('plain')
  // Without promotion: what is copied keeps its BSON types.
  await plain.insertMany(await indexed.find({}, { promoteValues: false }).toArray())
  for (let round = 0; round < 300; round++) {
    const filter = randomFilter(random)
    const sort = randomSort(random)
    const [found, expected] = await Promise.all([
      indexed.find(filter).sort(sort).toArray(),
      plain.find(filter).sort(sort).toArray(),
    ])
    expect(
      found.map((doc) => doc._id),
      EJSON.stringify({ filter, sort }),
    ).toEqual(expected.map((doc) => doc._id))
  }
})

test('explain shows IXSCAN for an indexed query, in index order, and COLLSCAN for any other', async () => {
  await using t = await freshStore({ sync: 'NORMAL' })
  const calls = t.db.collection('calls')
  await calls.createIndex({ tenantId: 1, at: -1 })
  await calls.insertMany(Array.from({ length: 50 }, (_, at) => ({ tenantId: `t${at % 5}`, at })))
  const recent = calls.find({ tenantId: 't1' }).sort({ at: -1 }).limit(3)
  expect(stagesOf(await recent.explain())).toEqual(['FETCH', 'IXSCAN'])
  expect((await recent.toArray()).map((doc) => doc.at)).toEqual([46, 41, 36])
  expect(stagesOf(await calls.find({ tenantId: 't1' }).sort({ other: 1 }).explain())).toEqual([
    'SORT',
    'FETCH',
    'IXSCAN',
  ])
  expect(stagesOf(await calls.find({ at: 3 }).explain())).toEqual(['COLLSCAN'])
  const aggregated = await calls.aggregate([{ $match: { tenantId: 't1' } }, { $group: { _id: '$at' } }]).explain()
  expect(stagesOf(aggregated)).toEqual(['FETCH', 'IXSCAN'])
  const { executionStats } = await calls.find({ tenantId: 't1', at: { $gte: 30 } }).explain('executionStats')
  expect(executionStats).toMatchObject({ nReturned: 4, totalDocsExamined: 4 })
})

test('a cursor goes on while the documents behind it are written', async () => {
  await using t = await freshStore({ sync: 'NORMAL' })
  const numbers = t.db.collection<{ _id: number; seen?: boolean }>('numbers')
  await numbers.insertMany(Array.from({ length: 500 }, (_, _id) => ({ _id })))
  const met: number[] = []
  for await (const { _id } of numbers.find().sort({ _id: 1 }).batchSize(20)) {
    met.push(_id)
    await numbers.updateOne({ _id }, { $set: { seen: true } })
    if (_id % 10 === 0) await numbers.deleteOne({ _id: _id + 300 })
  }
  expect(met.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, id) => id))
  expect(new Set(met).size).toBe(met.length)
  expect(met).not.toContain(400)
})

test('a query gives up when maxTimeMS is over', async () => {
  await using t = await freshStore({ sync: 'NORMAL' })
  const many = t.db.collection('many')
  await many.insertMany(Array.from({ length: 20_000 }, (_, n) => ({ n, text: 'x'.repeat(50) })))
  await expect(many.find({ text: /y$/ }).maxTimeMS(1).toArray()).rejects.toMatchObject({ code: 50 })
  await expect(many.aggregate([{ $group: { _id: '$n' } }], { maxTimeMS: 1 }).toArray()).rejects.toMatchObject({
    code: 50,
  })
})

test('documents that hold a value in an array come in the order of their ids without a sort, each once', async () => {
  await using t = await freshStore({ sync: 'NORMAL' })
  const people = t.db.collection<{ _id: number; roles: { in: string; as: string }[] }>('people')
  await people.createIndex({ 'roles.in': 1, _id: 1 })
  await people.insertMany(
    Array.from({ length: 30 }, (_, n) => ({
      _id: (n * 7) % 30,
      roles: [
        { in: n % 3 === 0 ? 'b' : 'a', as: 'x' },
        { in: 'a', as: 'y' },
      ],
    })),
  )
  for (const direction of [1, -1] as const) {
    const cursor = people.find({ 'roles.in': 'a' }).sort({ _id: direction })
    const ids = (await cursor.toArray()).map((each) => each._id)
    expect(ids).toEqual(Array.from({ length: 30 }, (_, n) => (direction === 1 ? n : 29 - n)))
    expect(stagesOf(await people.find({ 'roles.in': 'a' }).sort({ _id: direction }).explain())).not.toContain('SORT')
  }
  const rest = people.find({ 'roles.in': 'b', _id: { $gt: 9 } }).sort({ _id: 1 })
  expect((await rest.toArray()).map((each) => each._id)).toEqual([12, 15, 18, 21, 24, 27])
  expect(stagesOf(await people.find({ 'roles.in': 'a' }).sort({ 'roles.as': 1 }).explain())).toContain('SORT')
})

test('after single values a list’s index gives the order of ids, both ways and a page at a time', async () => {
  await using t = await freshStore({ sync: 'NORMAL' })
  const random = seededRandom(7)
  const tags = t.db.collection<Document>('tags')
  await tags.createIndex({ k: 1, t: 1, _id: -1 })
  const word = () => ['a', 'b', 'c', null][Math.floor(random() * 4)]
  const docs = Array.from({ length: 300 }, (_, n) => ({
    _id: (n * 7919) % 1_009,
    k: n % 2,
    t: n % 9 === 0 ? word() : Array.from({ length: n % 5 }, word),
  }))
  await tags.insertMany(docs as never)
  for (const value of ['a', 'b', null])
    for (const direction of [1, -1] as const) {
      const filter = { k: 1, $and: [{ t: value }, { t: { $ne: 'c' } }] }
      const wanted = docs
        .filter(
          ({ k, t: own }) =>
            k === 1 && (Array.isArray(own) ? own.includes(value) && !own.includes('c') : own === value),
        )
        .map((each) => each._id)
        .sort((a, b) => (a - b) * direction)
      const found = tags.find(filter).sort({ _id: direction })
      expect((await found.toArray()).map((each) => each._id)).toEqual(wanted)
      expect(stagesOf(await tags.find(filter).sort({ _id: direction }).explain())).toEqual(['FETCH', 'IXSCAN'])
    }
  const unsorted = { k: { $in: [0, 1] }, t: 'a' }
  expect(stagesOf(await tags.find(unsorted).sort({ _id: 1 }).explain())).toContain('SORT')
  const range = await tags
    .find({ k: 1, t: { $gte: 'a' } })
    .sort({ _id: 1 })
    .toArray()
  expect(range.map((each) => each._id)).toEqual(range.map((each) => each._id).toSorted((a, b) => Number(a) - Number(b)))
})
