import { Double, Int32, Long, Timestamp } from 'bson'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UpdateOpts } from './update.ts'
import { applyUpdate, checkUpdate, isReplacement, upsertSeed } from './update.ts'
import type { Doc } from './value.ts'

const long = (value: number | string): Long => Long.fromString(String(value))
const update = (doc: Doc, change: unknown, options: UpdateOpts = {}): Doc => {
  checkUpdate(change)
  return applyUpdate(doc, change, options)
}
const failure = (doc: Doc, change: unknown, options?: UpdateOpts): unknown => {
  try {
    update(doc, change, options)
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  return undefined
}

describe('an update', () => {
  it.each<[string, Doc, Doc, Doc]>([
    ['$set creates parents', {}, { $set: { 'a.b': 1 } }, { a: { b: 1 } }],
    ['$set pads arrays with null', { a: [1] }, { $set: { 'a.3': 4 } }, { a: [1, null, null, 4] }],
    ['$set replaces an element', { a: [{ b: 1 }] }, { $set: { 'a.0.b': 2 } }, { a: [{ b: 2 }] }],
    ['$unset removes a field', { a: { b: 1, c: 1 } }, { $unset: { 'a.b': '' } }, { a: { c: 1 } }],
    ['$unset leaves null in an array', { a: [1, 2] }, { $unset: { 'a.0': '' } }, { a: [null, 2] }],
    ['$unset of a missing path changes nothing', { a: 1 }, { $unset: { 'a.b.c': '' } }, { a: 1 }],
    ['$inc from nothing', {}, { $inc: { n: long(5) } }, { n: long(5) }],
    ['$mul from nothing', {}, { $mul: { n: long(5) } }, { n: long(0) }],
    ['$min takes the lesser', { n: long(5) }, { $min: { n: 4 } }, { n: 4 }],
    ['$min keeps the equal one of another type', { n: long(5) }, { $min: { n: 5 } }, { n: long(5) }],
    ['$max takes the greater', { n: 5 }, { $max: { n: long(6) } }, { n: long(6) }],
    ['$max follows the order of types', { n: 5 }, { $max: { n: 'x' } }, { n: 'x' }],
    ['$max sets a missing field', {}, { $max: { n: 1 } }, { n: 1 }],
    ['$rename', { a: { b: 1 } }, { $rename: { 'a.b': 'c' } }, { a: {}, c: 1 }],
    ['$rename of a missing field', { a: 1 }, { $rename: { b: 'c' } }, { a: 1 }],
    ['$setOnInsert does nothing on update', { a: 1 }, { $setOnInsert: { a: 2 } }, { a: 1 }],
    ['$push', { a: [1] }, { $push: { a: 2 } }, { a: [1, 2] }],
    ['$push creates the array', {}, { $push: { a: { x: 1 } } }, { a: [{ x: 1 }] }],
    [
      '$push $each with $position',
      { a: [1, 4] },
      { $push: { a: { $each: [2, 3], $position: 1 } } },
      { a: [1, 2, 3, 4] },
    ],
    [
      '$push with a negative $position',
      { a: [1, 3] },
      { $push: { a: { $each: [2], $position: -1 } } },
      { a: [1, 2, 3] },
    ],
    ['$push $slice keeps the last', { a: [1, 2] }, { $push: { a: { $each: [3], $slice: -2 } } }, { a: [2, 3] }],
    ['$push $slice keeps the first', { a: [1, 2] }, { $push: { a: { $each: [3], $slice: 1 } } }, { a: [1] }],
    ['$push $slice 0', { a: [1] }, { $push: { a: { $each: [], $slice: 0 } } }, { a: [] }],
    ['$push $sort', { a: [3, 1] }, { $push: { a: { $each: [long(2)], $sort: -1 } } }, { a: [3, long(2), 1] }],
    [
      '$push $sort by a field, then $slice',
      { a: [{ n: 3 }, { n: 1 }] },
      { $push: { a: { $each: [{ n: 2 }], $sort: { n: 1 }, $slice: 2 } } },
      { a: [{ n: 1 }, { n: 2 }] },
    ],
    ['$addToSet by value', { a: [long(1)] }, { $addToSet: { a: { $each: [1, 2, 2] } } }, { a: [long(1), 2] }],
    ['$pop last', { a: [1, 2] }, { $pop: { a: 1 } }, { a: [1] }],
    ['$pop first', { a: [1, 2] }, { $pop: { a: -1 } }, { a: [2] }],
    ['$pull by value', { a: [1, 2, 1] }, { $pull: { a: long(1) } }, { a: [2] }],
    ['$pull by operators', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5, $lt: 9 } } }, { a: [1, 9] }],
    ['$pull by fields', { a: [{ x: 1, y: 1 }, { x: 2 }, 7] }, { $pull: { a: { x: 1 } } }, { a: [{ x: 2 }, 7] }],
    [
      '$pull by fields leaves nested arrays alone',
      { a: [[{ x: 1 }]] },
      { $pull: { a: { x: 1 } } },
      { a: [[{ x: 1 }]] },
    ],
    ['$pull by pattern', { a: ['ax', 'b'] }, { $pull: { a: /^a/ } }, { a: ['b'] }],
    ['$pull of a whole array', { a: [[1], 1] }, { $pull: { a: [1] } }, { a: [1] }],
    ['$pullAll', { a: [1, 2, 3] }, { $pullAll: { a: [1, long(3)] } }, { a: [2] }],
    ['$pull where there is no field', { b: 1 }, { $pull: { a: 1 } }, { b: 1 }],
    ['several operators', { n: 1 }, { $inc: { n: 1 }, $set: { m: 2 } }, { n: 2, m: 2 }],
  ])('%s', (_, doc, change, expected) => {
    const before = structuredClone(Object.keys(doc))
    expect(update(doc, change)).toEqual(expected)
    expect(Object.keys(doc)).toEqual(before)
  })

  it('leaves the given document untouched', () => {
    const doc = { _id: 1, a: { list: [{ n: 1 }] } }
    update(doc, { $set: { 'a.list.0.n': 2 }, $push: { 'a.more': 1 } })
    expect(doc).toEqual({ _id: 1, a: { list: [{ n: 1 }] } })
  })

  it('applies $setOnInsert to an upsert, and keeps _id first', () => {
    const result = update({ a: 1 }, { $setOnInsert: { b: 2, _id: 7 } }, { upsertInsert: true })
    expect(Object.entries(result)).toEqual([
      ['_id', 7],
      ['a', 1],
      ['b', 2],
    ])
  })

  it('writes the present time with $currentDate', () => {
    const result = update({}, { $currentDate: { at: true, ts: { $type: 'timestamp' } } })
    expect(result.at).toBeInstanceOf(Date)
    expect(result.ts).toBeInstanceOf(Timestamp)
  })

  it('cannot reach the prototype of a document', () => {
    const result = update({ _id: 1 }, { $set: { ['__proto__']: { polluted: true } } })
    expect(Object.keys(result)).toEqual(['_id', '__proto__'])
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
    expect(failure({}, { $set: { 'constructor.prototype.polluted': 1 } })).toBe(undefined)
    expect('polluted' in {}).toBe(false)
  })
})

describe('positional paths', () => {
  const items = {
    _id: 1,
    items: [
      { k: 'a', n: 1 },
      { k: 'b', n: 1 },
    ],
  }

  it('$ takes the first element the query found', () => {
    const query = { 'items.k': 'b' }
    expect(update(items, { $inc: { 'items.$.n': 1 } }, { query }).items).toEqual([
      { k: 'a', n: 1 },
      { k: 'b', n: 2 },
    ])
  })
  it('$ follows $elemMatch and $and', () => {
    const query = { $and: [{ items: { $elemMatch: { k: 'b', n: 1 } } }] }
    expect(update(items, { $set: { 'items.$': 0 } }, { query }).items).toEqual([{ k: 'a', n: 1 }, 0])
  })
  it('$[] takes all elements', () => {
    expect(update(items, { $inc: { 'items.$[].n': 1 } }).items).toEqual([
      { k: 'a', n: 2 },
      { k: 'b', n: 2 },
    ])
  })
  it('$[identifier] takes those its filter accepts', () => {
    const options = { arrayFilters: [{ 'x.k': 'a' }] }
    expect(update(items, { $set: { 'items.$[x].n': 9 } }, options).items).toEqual([
      { k: 'a', n: 9 },
      { k: 'b', n: 1 },
    ])
  })
  it('nest', () => {
    const doc = { rows: [{ cells: [1, 5] }, { cells: [9] }] }
    const options = { arrayFilters: [{ big: { $gte: 5 } }] }
    expect(update(doc, { $set: { 'rows.$[].cells.$[big]': 0 } }, options)).toEqual({
      rows: [{ cells: [1, 0] }, { cells: [0] }],
    })
  })
  it.each<[string, Doc, UpdateOpts, number]>([
    ['$ without a match', { $set: { 'items.$': 1 } }, { query: { _id: 1 } }, 2],
    ['$[] on a scalar', { $set: { '_id.$[]': 1 } }, {}, 2],
    ['$[] on nothing', { $set: { 'nothing.$[]': 1 } }, {}, 2],
    ['an identifier without a filter', { $set: { 'items.$[x]': 1 } }, {}, 2],
    ['a filter without a use', { $set: { a: 1 } }, { arrayFilters: [{ x: 1 }] }, 9],
    ['a filter with two names', { $set: { 'items.$[x]': 1 } }, { arrayFilters: [{ x: 1, y: 1 }] }, 9],
    ['two filters of one name', { $set: { 'items.$[x]': 1 } }, { arrayFilters: [{ x: 1 }, { x: 2 }] }, 9],
  ])('fail for %s', (_, change, options, code) => {
    expect(failure(items, change, options)).toBe(code)
  })
})

describe('a wrong update', () => {
  it.each<[string, Doc, unknown, number]>([
    ['no document', {}, 1, 9],
    ['an unknown modifier', {}, { $foo: { a: 1 } }, 9],
    ['$bit', {}, { $bit: { a: { and: 1 } } }, 238],
    ['a modifier without fields', {}, { $set: 1 }, 9],
    ['operators and fields together', {}, { $set: { a: 1 }, b: 1 }, 9],
    ['fields and operators together', {}, { b: 1, $set: { a: 1 } }, 52],
    ['an empty path', {}, { $set: { '': 1 } }, 56],
    ['an empty part of a path', {}, { $set: { 'a..b': 1 } }, 56],
    ['a path that starts with a dollar', {}, { $set: { $a: 1 } }, 52],
    ['a dollar inside a path', {}, { $set: { 'a.$b': 1 } }, 52],
    ['one path twice', {}, { $set: { a: 1 }, $inc: { a: 1 } }, 40],
    ['a path and one below it', {}, { $set: { 'a.b': 1 }, $unset: { a: 1 } }, 40],
    ['a renamed path that is set too', {}, { $rename: { a: 'b' }, $set: { b: 1 } }, 40],
    ['$rename to itself', {}, { $rename: { a: 'a' } }, 2],
    ['$rename to no string', {}, { $rename: { a: 1 } }, 2],
    ['$rename of an array element', { a: [1] }, { $rename: { 'a.0': 'b' } }, 2],
    ['$inc by a string', {}, { $inc: { a: '1' } }, 14],
    ['$inc of a string', { a: '1' }, { $inc: { a: 1 } }, 14],
    ['$inc of null', { a: null }, { $inc: { a: 1 } }, 14],
    ['$inc beyond int64', { a: Long.MAX_VALUE }, { $inc: { a: 1 } }, 2],
    ['$set below a scalar', { a: 1 }, { $set: { 'a.b': 1 } }, 28],
    ['$set of a name in an array', { a: [] }, { $set: { 'a.b': 1 } }, 28],
    ['$set far beyond an array', { a: [] }, { $set: { 'a.9999999': 1 } }, 2],
    ['$push to a scalar', { a: 1 }, { $push: { a: 1 } }, 2],
    ['$push with an unknown clause', {}, { $push: { a: { $each: [], $foo: 1 } } }, 2],
    ['$push $each without an array', {}, { $push: { a: { $each: 1 } } }, 2],
    ['$push $slice with a fraction', {}, { $push: { a: { $each: [], $slice: 1.5 } } }, 2],
    ['$push $sort by 2', {}, { $push: { a: { $each: [], $sort: 2 } } }, 2],
    ['$addToSet to a scalar', { a: 1 }, { $addToSet: { a: 1 } }, 2],
    ['$pop of a scalar', { a: 1 }, { $pop: { a: 1 } }, 14],
    ['$pop by 2', { a: [] }, { $pop: { a: 2 } }, 9],
    ['$pull of a scalar', { a: 1 }, { $pull: { a: 1 } }, 2],
    ['$pullAll without an array', { a: [] }, { $pullAll: { a: 1 } }, 2],
    ['$currentDate of an unknown type', {}, { $currentDate: { a: { $type: 'x' } } }, 2],
    ['a change of _id', { _id: 1 }, { $set: { _id: 2 } }, 66],
    ['a removal of _id', { _id: 1 }, { $unset: { _id: '' } }, 66],
    ['a replacement with another _id', { _id: 1 }, { _id: 2 }, 66],
    ['a pipeline that changes _id', { _id: 1 }, [{ $set: { _id: 2 } }], 66],
  ])('fails for %s', (_, doc, change, code) => {
    expect(failure(doc, change)).toBe(code)
  })
})

describe('numbers', () => {
  it('stay exact int64 under $inc and $mul, whatever integer types meet', () => {
    const integer = fc.oneof(
      fc.integer(),
      fc.integer().map((value) => new Int32(value)),
      fc.bigInt({ min: -(2n ** 61n), max: 2n ** 61n }).map((value) => Long.fromBigInt(value)),
    )
    const big = (value: unknown): bigint =>
      Long.isLong(value) ? value.toBigInt() : BigInt(value instanceof Int32 ? value.value : Number(value))
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        const { n } = update({ n: a }, { $inc: { n: b } })
        expect(big(n)).toBe(big(a) + big(b))
        const anyLong = Long.isLong(a) || Long.isLong(b)
        expect(Long.isLong(n)).toBe(anyLong || BigInt.asIntN(32, big(n)) !== big(n))
      }),
      { numRuns: 2_000, seed: 7 },
    )
  })

  it.each<[string, unknown, unknown, unknown]>([
    ['int + int', 1, 2, 3],
    ['int + int beyond 32 bits', 2_147_483_647, 1, long(2_147_483_648)],
    ['int64 + int', long('9007199254740993'), 1, long('9007199254740994')],
    ['int64 + double is a double, as on a server', long(1), 3e9, 3_000_000_001],
    ['double + double stays a double', 0.5, 1.5, new Double(2)],
    ['int + double', 1, 0.5, 1.5],
  ])('%s', (_, a, b, expected) => {
    expect(update({ n: a }, { $inc: { n: b } })).toStrictEqual({ n: expected })
  })

  it('multiply to int64 without losing a digit', () => {
    expect(update({ n: 2_000_000_011 }, { $mul: { n: 2_000_000_033 } }).n).toEqual(long('4000000088000000363'))
  })
})

describe('replacements and upserts', () => {
  it('are told from operators', () => {
    expect([{}, { a: 1 }].every(isReplacement)).toBe(true)
    expect([{ $set: {} }, [], null].some(isReplacement)).toBe(false)
  })

  it('a replacement keeps the _id of the document', () => {
    expect(Object.entries(update({ _id: 1, a: 1 }, { b: 2 }))).toEqual([
      ['_id', 1],
      ['b', 2],
    ])
  })

  it('an upsert starts from the equalities of its query', () => {
    const query = {
      _id: 1,
      a: { $eq: 2 },
      'b.c': { $in: [3] },
      $and: [{ d: { $all: [4] } }],
      $or: [{ e: 5 }],
      f: { $gt: 6 },
      g: /x/,
    }
    expect(upsertSeed(query)).toEqual({ _id: 1, a: 2, b: { c: 3 }, d: 4, e: 5 })
  })

  it('an upsert refuses a path that is given twice', () => {
    expect(() => upsertSeed({ a: 1, $and: [{ a: 1 }] })).toThrow(expect.objectContaining({ code: 54 }))
  })
})
