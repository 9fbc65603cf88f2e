import { Double, Long, ObjectId } from 'bson'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evalExprOn } from './expr.ts'
import { applyUpdate, checkUpdate } from './update.ts'
import type { Doc } from './value.ts'

const long = (value: number | string): Long => Long.fromString(String(value))
const update = (doc: Doc, pipeline: unknown[], vars?: Doc): Doc => {
  checkUpdate(pipeline)
  return applyUpdate(doc, pipeline, { vars })
}
const evaluate = (expression: unknown, doc: Doc = {}): unknown => evalExprOn(expression)(doc)
const failure = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  return undefined
}

describe('a pipeline update', () => {
  it('settles a hold in int64, new fields included', () => {
    const doc = { _id: 1, balanceMicro: long('9007199254740000'), holds: { s1: long(700), s2: long(300) } }
    const result = update(doc, [
      { $set: { cost: { $min: [{ $max: [long(0), 650] }, '$holds.s1'] } } },
      {
        $set: {
          balanceMicro: { $subtract: ['$balanceMicro', '$cost'] },
          spentMicro: { $add: [{ $ifNull: ['$spentMicro', long(0)] }, '$cost'] },
          holds: { $unsetField: { field: 's1', input: '$holds' } },
          enough: { $cond: [{ $gte: ['$balanceMicro', long(1)] }, true, false] },
        },
      },
      { $unset: 'cost' },
    ])
    expect(result).toStrictEqual({
      _id: 1,
      balanceMicro: long('9007199254739350'),
      holds: { s2: long(300) },
      enough: true,
      spentMicro: long(650),
    })
  })

  it('keeps the types of everything it does not touch, in arrays too', () => {
    const doc = { _id: 1, list: [{ n: long(5) }], id: new ObjectId(), whole: new Double(5), big: Long.MAX_VALUE }
    expect(update(doc, [{ $set: { x: 1 } }])).toStrictEqual({ ...doc, x: 1 })
    expect(update(doc, [{ $replaceWith: { kept: '$list' } }])).toStrictEqual({ _id: 1, kept: [{ n: long(5) }] })
  })

  it('evaluates all fields of a stage on the document before it', () => {
    expect(update({ a: 1, b: 2 }, [{ $set: { a: '$b', b: '$a' } }])).toEqual({ a: 2, b: 1 })
  })

  it('sets nested fields beside their siblings and inside array elements', () => {
    const doc = { a: { x: 1 }, list: [{ n: 1 }, { n: 2 }] }
    expect(update(doc, [{ $set: { a: { y: 2 }, 'list.m': long(3) } }])).toEqual({
      a: { x: 1, y: 2 },
      list: [
        { n: 1, m: long(3) },
        { n: 2, m: long(3) },
      ],
    })
  })

  it('removes fields by $$REMOVE, $unset and $project', () => {
    const doc = { _id: 1, a: 1, b: { c: 1, d: 1 }, e: 1 }
    expect(update(doc, [{ $set: { a: '$$REMOVE' } }, { $unset: ['b.c', 'e'] }])).toEqual({ _id: 1, b: { d: 1 } })
    expect(update(doc, [{ $project: { b: { c: 1 }, sum: { $add: ['$a', '$e'] } } }])).toEqual({
      _id: 1,
      b: { c: 1 },
      sum: 2,
    })
  })

  it('never writes a missing value as null', () => {
    expect(
      update({ _id: 1, a: 1 }, [
        { $set: { a: '$gone', d: [{ x: '$gone' }], b: { $mergeObjects: [{ x: '$gone', y: 1 }] }, c: ['$gone'] } },
      ]),
    ).toStrictEqual({
      _id: 1,
      d: [{}],
      b: { y: 1 },
      c: [null],
    })
  })

  it('sees one $$NOW in all its stages', () => {
    const result = update({}, [{ $set: { a: '$$NOW' } }, { $set: { b: '$$NOW' } }])
    expect(result.a).toBeInstanceOf(Date)
    expect(result.b).toEqual(result.a)
    expect(evalExprOn(['$$NOW'], undefined, new Date(5))({})).toEqual([new Date(5)])
  })

  it('takes variables', () => {
    expect(update({ n: long(1) }, [{ $set: { n: { $add: ['$n', '$$by'] } } }], { by: long(2) })).toEqual({ n: long(3) })
  })

  it('is checked without a document, so that it also fails when nothing matches', () => {
    expect(failure(() => checkUpdate([{ $set: { a: { $foo: 1 } } }]))).toBe(168)
    expect(failure(() => checkUpdate([{ $match: {} }]))).toBe(40324)
  })

  it.each<[string, unknown[], number]>([
    ['two operators in a stage', [{ $set: {}, $unset: 'a' }], 40323],
    ['an empty stage', [{}], 40323],
    ['a stage that does not belong in an update', [{ $match: {} }], 40324],
    ['an unknown expression', [{ $set: { a: { $foo: 1 } } }], 168],
    ['an unknown expression in a branch not taken', [{ $set: { a: { $cond: [true, 1, { $foo: 1 }] } } }], 168],
    ['an expression with two operators', [{ $set: { a: { $add: [1], $max: [1] } } }], 15983],
    ['an unknown variable', [{ $set: { a: '$$nobody' } }], 17276],
    ['$replaceWith no document', [{ $replaceWith: 1 }], 40228],
    ['$set with a scalar', [{ $set: 1 }], 40272],
    ['$unset with a number', [{ $unset: 1 }], 31002],
    ['arithmetic on a string', [{ $set: { a: { $add: [1, 'x'] } } }], 14],
    ['division by zero', [{ $set: { a: { $divide: [1, 0] } } }], 2],
    ['int64 overflow', [{ $set: { a: { $add: [Long.MAX_VALUE, 1] } } }], 2],
    ['$size of a scalar', [{ $set: { a: { $size: 1 } } }], 17124],
    ['$in without an array', [{ $set: { a: { $in: [1, 2] } } }], 40081],
    ['too many arguments', [{ $set: { a: { $subtract: [1, 2, 3] } } }], 16020],
    ['$toInt out of range', [{ $set: { a: { $toInt: 3e9 } } }], 241],
  ])('fails for %s', (_, pipeline, code) => {
    expect(failure(() => update({ _id: 1 }, pipeline))).toBe(code)
  })
})

describe('an expression', () => {
  it.each<[string, unknown, Doc, unknown]>([
    ['$add int64 and int', { $add: ['$n', 1] }, { n: long('9007199254740993') }, long('9007199254740994')],
    ['$add ints', { $add: ['$n', 1] }, { n: 1 }, 2],
    ['$add beyond 32 bits', { $add: ['$n', 1] }, { n: 2_147_483_647 }, long(2_147_483_648)],
    ['$add to a date', { $add: ['$at', long(5)] }, { at: new Date(10) }, new Date(15)],
    ['$add null', { $add: ['$n', 1] }, {}, null],
    ['$subtract dates', { $subtract: ['$b', '$a'] }, { a: new Date(1), b: new Date(5) }, long(4)],
    ['$multiply', { $multiply: [long(3), '$n'] }, { n: 4 }, long(12)],
    ['$divide makes a double', { $divide: [long(6), 2] }, {}, new Double(3)],
    ['$mod', { $mod: ['$n', 10] }, { n: long('9007199254740993') }, long(3)],
    ['$floor of a double', { $floor: 2.7 }, {}, new Double(2)],
    ['$round to even', { $round: 2.5 }, {}, new Double(2)],
    ['$ceil leaves int64 alone', { $ceil: '$n' }, { n: Long.MAX_VALUE }, Long.MAX_VALUE],
    ['$max by value and not by text', { $max: [long(9), long(10)] }, {}, long(10)],
    ['$max ignores null and missing', { $max: ['$a', null, long(2)] }, {}, long(2)],
    ['$min over an array', { $min: '$list' }, { list: [3, long(2)] }, long(2)],
    ['$sum over an array', { $sum: '$list' }, { list: [1, long(2), 'x'] }, long(3)],
    ['$avg', { $avg: [long(1), 2] }, {}, 1.5],
    ['$eq across types', { $eq: ['$n', 5] }, { n: long(5) }, true],
    ['$eq of missing and null', { $eq: ['$n', null] }, {}, false],
    ['$lt orders types', { $lt: [long(5), 'x'] }, {}, true],
    ['$lt puts missing first', { $lt: ['$n', 0] }, {}, true],
    ['$cmp', { $cmp: [long(10), 9] }, {}, 1],
    ['$cond takes int64 zero for false', { $cond: [long(0), 'yes', 'no'] }, {}, 'no'],
    ['$and, $or and $not too', { $and: [{ $not: [long(0)] }, { $or: [long(0), long(1)] }] }, {}, true],
    ['$and with int64 zero', { $and: [true, long(0)] }, {}, false],
    ['the empty string is true', { $not: '' }, {}, false],
    [
      '$switch',
      // biome-ignore lint/suspicious/noThenProperty: Mongo's name for it
      { $switch: { branches: [{ case: long(0), then: 1 }], default: 2 } },
      {},
      2,
    ],
    ['$ifNull', { $ifNull: ['$n', long(7)] }, {}, long(7)],
    ['$in compares by value', { $in: [5, '$list'] }, { list: [long(5)] }, true],
    [
      '$filter',
      { $filter: { input: '$list', cond: { $gte: ['$$this', 2] } } },
      { list: [long(1), long(2)] },
      [long(2)],
    ],
    ['$map', { $map: { input: '$list', as: 'n', in: { $add: ['$$n', 1] } } }, { list: [long(1)] }, [long(2)]],
    [
      '$reduce',
      { $reduce: { input: '$list', initialValue: long(0), in: { $add: ['$$value', '$$this'] } } },
      { list: [1, long(2)] },
      long(3),
    ],
    ['$objectToArray', { $objectToArray: '$o' }, { o: { a: long(1) } }, [{ k: 'a', v: long(1) }]],
    ['$arrayToObject', { $arrayToObject: [[['a', [1, 2]]]] }, {}, { a: [1, 2] }],
    ['$mergeObjects', { $mergeObjects: ['$o', null, { b: 2 }] }, { o: { a: long(1), b: 1 } }, { a: long(1), b: 2 }],
    ['$setField', { $setField: { field: 'a.b', input: '$o', value: long(1) } }, { o: {} }, { 'a.b': long(1) }],
    [
      '$setField removes',
      { $setField: { field: 'a', input: '$o', value: '$$REMOVE' } },
      { o: { a: 1, b: 2 } },
      { b: 2 },
    ],
    ['$unsetField', { $unsetField: { field: 'a', input: '$o' } }, { o: { a: 1, b: 2 } }, { b: 2 }],
    ['$getField of missing input is missing', { $getField: { field: 'a', input: '$o' } }, { a: 1 }, undefined],
    ['$sortArray', { $sortArray: { input: '$list', sortBy: -1 } }, { list: [long(9), long(10)] }, [long(10), long(9)]],
    ['$arrayElemAt with an int64 index', { $arrayElemAt: ['$list', long(1)] }, { list: [long(1), long(2)] }, long(2)],
    ['$slice', { $slice: ['$list', 1] }, { list: [long(1), long(2)] }, [long(1)]],
    ['$first', { $first: '$list' }, { list: [long(1)] }, long(1)],
    ['$last keeps nested arrays', { $last: '$list' }, { list: [[1], [2, 3]] }, [2, 3]],
    ['$concatArrays', { $concatArrays: ['$list', [2]] }, { list: [long(1)] }, [long(1), 2]],
    ['$toLong of text', { $toLong: '9007199254740993' }, {}, long('9007199254740993')],
    ['$toLong of int64', { $toLong: long('9007199254740993') }, {}, long('9007199254740993')],
    ['$toInt', { $toInt: 2.9 }, {}, 2],
    ['$toString', { $toString: '$n' }, { n: long('9007199254740993') }, '9007199254740993'],
    ['$type', { $type: '$n' }, { n: long(1) }, 'long'],
    ['$isNumber', { $isNumber: '$n' }, { n: long(1) }, true],
    ['$literal', { $literal: '$n' }, { n: 1 }, '$n'],
    ['$literal of an operator', { $literal: { $foo: 1 } }, {}, { $foo: 1 }],
    [
      '$dateAdd with int64',
      { $dateAdd: { startDate: '$at', unit: 'day', amount: long(1) } },
      { at: new Date(0) },
      new Date(86_400_000),
    ],
  ])('%s', (_, expression, doc, expected) => {
    expect(evaluate(expression, doc)).toStrictEqual(expected)
  })

  it('adds and subtracts integers up to 2^53 exactly, as numbers or int64', () => {
    const integer = fc.maxSafeInteger().map((value) => Math.trunc(value / 4))
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        const doc = { a: Long.fromNumber(a), b: Long.fromNumber(b) }
        expect(evaluate({ $subtract: [{ $add: ['$a', '$b', '$b'] }, '$b'] }, doc)).toEqual(Long.fromNumber(a + b))
        expect(Number(evaluate({ $add: ['$a', '$b'] }, { a, b }))).toBe(a + b)
        expect(evaluate({ $max: ['$a', '$b'] }, doc)).toEqual(Long.fromNumber(Math.max(a, b)))
        expect(evaluate({ $min: ['$a', b] }, { a })).toBe(Math.min(a, b))
        expect(evaluate({ $cmp: ['$a', b] }, doc)).toBe(Math.sign(a - b))
      }),
      { numRuns: 2_000, seed: 11 },
    )
  })
})
