import { BSONRegExp, Long, ObjectId } from 'bson'
import { describe, expect, it } from 'vitest'
import { compile } from './match.ts'

const matches = (filter: unknown, doc: unknown): boolean => compile(filter)(doc)
const failure = (filter: unknown): unknown => {
  try {
    compile(filter)
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  return undefined
}

describe('a filter', () => {
  it.each<[string, unknown, unknown, boolean]>([
    ['equality across numeric types', { a: 5 }, { a: Long.fromNumber(5) }, true],
    ['equality of int64 beyond 2^53', { a: 2 ** 53 }, { a: Long.fromString('9007199254740993') }, false],
    ['equality with an array element', { a: 1 }, { a: [2, 1] }, true],
    ['equality with a whole array', { a: [2, 1] }, { a: [2, 1] }, true],
    ['equality with a nested array', { a: [2, 1] }, { a: [[2, 1]] }, true],
    ['equality of documents counts the order of fields', { a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, false],
    ['null matches missing', { a: null }, {}, true],
    ['null matches a missing field in one of the elements', { 'a.b': null }, { a: [{ b: 1 }, {}] }, true],
    ['null does not match an empty array', { a: null }, { a: [] }, false],
    ['$eq null matches null in an array', { a: { $eq: null } }, { a: [null] }, true],
    ['$ne excludes when one element is equal', { a: { $ne: 1 } }, { a: [1, 2] }, false],
    ['$ne null demands presence', { a: { $ne: null } }, {}, false],
    ['a range stays in its type', { a: { $gt: 1 } }, { a: '5' }, false],
    ['a range takes any element', { a: { $gt: 4 } }, { a: [1, 5] }, true],
    ['two bounds may be met by two elements', { a: { $gt: 4, $lt: 2 } }, { a: [1, 5] }, true],
    ['$gt compares int64 with doubles', { a: { $gt: 4.5 } }, { a: Long.fromNumber(5) }, true],
    ['$gt NaN matches no number', { a: { $gt: Number.NaN } }, { a: 5 }, false],
    ['$gte NaN matches NaN', { a: { $gte: Number.NaN } }, { a: Number.NaN }, true],
    ['$gte NaN matches no other number', { a: { $gte: Number.NaN } }, { a: 5 }, false],
    ['$lt does not reach NaN', { a: { $lt: 5 } }, { a: Number.NaN }, false],
    ['$gte null matches missing', { a: { $gte: null } }, {}, true],
    ['$gt null matches nothing', { a: { $gt: null } }, { a: 1 }, false],
    ['$gt on a date', { a: { $gt: new Date(1) } }, { a: new Date(2) }, true],
    ['$in', { a: { $in: [1, 'x'] } }, { a: ['x'] }, true],
    ['$in with null matches missing', { a: { $in: [null] } }, {}, true],
    ['$in with a pattern', { a: { $in: [/^x/] } }, { a: 'xy' }, true],
    ['$in over many strings', { a: { $in: [...'abcdefghij'] } }, { a: 'j' }, true],
    ['$in over many strings without a hit', { a: { $in: [...'abcdefghij'] } }, { a: 'z' }, false],
    ['$nin', { a: { $nin: [1] } }, { a: [1, 2] }, false],
    ['$nin on a missing field', { a: { $nin: [1] } }, {}, true],
    ['$exists true accepts null', { a: { $exists: true } }, { a: null }, true],
    ['$exists false', { a: { $exists: false } }, {}, true],
    ['$exists false when one element has the field', { 'a.x': { $exists: false } }, { a: [{ x: 1 }, {}] }, false],
    ['$type by alias', { a: { $type: 'long' } }, { a: Long.ONE }, true],
    ['$type number takes all numbers', { a: { $type: 'number' } }, { a: 1.5 }, true],
    ['$type by code and list', { a: { $type: [2, 'bool'] } }, { a: true }, true],
    ['$type looks into arrays', { a: { $type: 'string' } }, { a: [1, 'x'] }, true],
    ['$type does not match missing', { a: { $type: 'null' } }, {}, false],
    ['$regex with options', { a: { $regex: '^AB', $options: 'i' } }, { a: 'abc' }, true],
    ['$regex as BSON value', { a: new BSONRegExp('^ab', 'i') }, { a: 'ABC' }, true],
    ['$regex with inline flags', { a: { $regex: '(?i)^ab' } }, { a: 'ABC' }, true],
    ['$regex only tests strings', { a: /1/ }, { a: 1 }, false],
    ['$not with a pattern', { a: { $not: /^a/ } }, { a: 'b' }, true],
    ['$not accepts missing', { a: { $not: { $gt: 1 } } }, {}, true],
    ['$not negates the whole array test', { a: { $not: { $gt: 1 } } }, { a: [0, 2] }, false],
    ['$and', { $and: [{ a: 1 }, { b: 1 }] }, { a: 1, b: 2 }, false],
    ['$or', { $or: [{ a: 1 }, { b: 1 }] }, { a: 1, b: 2 }, true],
    ['$nor', { $nor: [{ a: 1 }, { b: 1 }] }, { a: 2, b: 2 }, true],
    ['$all', { a: { $all: [1, 2] } }, { a: [2, 3, 1] }, true],
    ['$all of nothing matches nothing', { a: { $all: [] } }, { a: [] }, false],
    ['$all with $elemMatch', { a: { $all: [{ $elemMatch: { x: 1, y: 1 } }] } }, { a: [{ x: 1, y: 1 }] }, true],
    ['$elemMatch wants one element for both', { a: { $elemMatch: { $gt: 4, $lt: 2 } } }, { a: [1, 5] }, false],
    ['$elemMatch on values', { a: { $elemMatch: { $gt: 4, $lt: 6 } } }, { a: [1, 5] }, true],
    ['$elemMatch does not look into nested arrays', { a: { $elemMatch: { $gt: 4 } } }, { a: [[5]] }, false],
    ['$elemMatch on documents', { a: { $elemMatch: { x: 1, y: 2 } } }, { a: [{ x: 1 }, { x: 1, y: 2 }] }, true],
    ['$elemMatch with $or', { a: { $elemMatch: { $or: [{ x: 1 }, { x: 2 }] } } }, { a: [{ x: 2 }] }, true],
    ['$elemMatch wants an array', { a: { $elemMatch: { x: 1 } } }, { a: { x: 1 } }, false],
    ['$size', { a: { $size: 2 } }, { a: [1, 2] }, true],
    ['$size does not look into elements', { a: { $size: 1 } }, { a: [[1], [2]] }, false],
    ['$mod exact on int64', { a: { $mod: [10, 3] } }, { a: Long.fromString('9007199254740993') }, true],
    ['$mod cuts fractions', { a: { $mod: [4, 1] } }, { a: 5.9 }, true],
    ['dotted paths through arrays', { 'a.b': 2 }, { a: [{ b: 1 }, { b: 2 }] }, true],
    ['dotted paths with an index', { 'a.1.b': 2 }, { a: [{ b: 1 }, { b: 2 }] }, true],
    ['a field called like an inherited one', { 'a.constructor': { $exists: true } }, { a: {} }, false],
    ['$expr on int64', { $expr: { $gte: [{ $subtract: ['$a', '$b'] }, 1] } }, { a: Long.fromNumber(3), b: 2 }, true],
    ['$expr does not equate missing with null', { $expr: { $eq: ['$a', null] } }, {}, false],
    ['$comment', { $comment: 'why', a: 1 }, { a: 1 }, true],
  ])('%s', (_, filter, doc, expected) => {
    expect(matches(filter, doc)).toBe(expected)
  })

  it('takes variables in $expr', () => {
    const filter = compile({ $expr: { $eq: ['$a', '$$wanted'] } }, { vars: { wanted: new ObjectId('00'.repeat(12)) } })
    expect(filter({ a: new ObjectId('00'.repeat(12)) })).toBe(true)
    expect(filter({ a: new ObjectId('11'.repeat(12)) })).toBe(false)
  })

  it.each<[string, unknown, number]>([
    ['a filter that is no document', 'x', 14],
    ['an unknown operator', { a: { $foo: 1 } }, 2],
    ['an unknown top level operator', { $foo: 1 }, 2],
    ['fields among operators', { a: { $gt: 1, b: 2 } }, 2],
    ['$in without an array', { a: { $in: 1 } }, 2],
    ['operators inside $in', { a: { $in: [{ $gt: 1 }] } }, 2],
    ['$and without entries', { $and: [] }, 2],
    ['$or with a scalar', { $or: [1] }, 2],
    ['$not with a scalar', { a: { $not: 1 } }, 2],
    ['$not with an empty document', { a: { $not: {} } }, 2],
    ['$ne with a pattern', { a: { $ne: /x/ } }, 2],
    ['$gt with a pattern', { a: { $gt: /x/ } }, 2],
    ['$size with a fraction', { a: { $size: 1.5 } }, 2],
    ['$mod with one number', { a: { $mod: [2] } }, 2],
    ['$mod by zero', { a: { $mod: [0, 1] } }, 2],
    ['$type of an unknown name', { a: { $type: 'money' } }, 2],
    ['$options alone', { a: { $options: 'i' } }, 2],
    ['$elemMatch with a scalar', { a: { $elemMatch: 1 } }, 2],
    ['operators inside $all', { a: { $all: [{ $gt: 1 }] } }, 2],
    ['an invalid pattern', { a: { $regex: '(' } }, 51091],
    ['an unknown pattern option', { a: { $regex: 'a', $options: 'x' } }, 51108],
    ['an unknown expression', { $expr: { $foo: 1 } }, 168],
    ['$where', { $where: 'true' }, 238],
    ['$text', { $text: { $search: 'x' } }, 238],
    ['$near', { a: { $near: [0, 0] } }, 238],
    ['$bitsAllSet', { a: { $bitsAllSet: 1 } }, 238],
    ['$jsonSchema', { $jsonSchema: {} }, 238],
  ])('fails for %s', (_, filter, code) => {
    expect(failure(filter)).toBe(code)
  })
})
