import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from './random-filter.test-support.ts'
import { clone, compare, encode, equal, invert, MongoErr, rank, same, typeName, UNDEF_KEY } from './value.ts'

const long = (text: string): Long => Long.fromString(text)
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  // Where doubles and int64 begin to differ, both sides of zero.
  fc
    .tuple(fc.constantFrom(2n ** 53n, 2n ** 54n, 2n ** 62n, -(2n ** 53n), -(2n ** 60n)), fc.bigInt(-5n, 5n))
    .map(([base, offset]) => Long.fromBigInt(base + offset)),
  fc.constantFrom(2 ** 53, 2 ** 54, -(2 ** 53), 2 ** 62, 0, -0, 5, new Int32(5), new Double(5), Long.fromNumber(5)),
)
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\u0001', '\u0002', '\uff5e', '\u{1f600}'), maxLength: 4 }),
  fc.string({ unit: 'grapheme' }),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3, depthSize: 'small' }, tie('leaf'), tie('array'), tie('document')),
  leaf: fc.oneof(
    number,
    text,
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => new Binary(bytes, bytes.length % 2)),
    fc.nat(9).map((t) => new Timestamp({ t, i: 9 - t })),
    fc.constantFrom(new MinKey(), new MaxKey()),
  ),
  array: fc.array(tie('value'), { maxLength: 3 }),
  document: fc
    .uniqueArray(fc.constantFrom('x', 'y', 'x\0', 'xx'), { maxLength: 3 })
    .chain((keys) =>
      fc
        .array(tie('value'), { minLength: keys.length, maxLength: keys.length })
        .map((items) => Object.fromEntries(keys.map((key, i) => [key, items[i]]))),
    ),
}))
const runs = { numRuns: 5_000, seed: 20_261_124 }

describe('keys', () => {
  it('sort by their bytes as their values compare, and the other way when inverted', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const order = Math.sign(compare(a, b))
        expect(Buffer.compare(encode(a), encode(b))).toBe(order)
        expect(Buffer.compare(invert(encode(a)), invert(encode(b)))).toBe(order === 0 ? 0 : -order)
      }),
      runs,
    )
  })

  it('sort numbers of all types by value, to the last digit of int64', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(Buffer.compare(encode(a), encode(b))).toBe(Math.sign(compare(a, b)))
      }),
      runs,
    )
  })

  it('sort text by code point, also where UTF-16 does not', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compare(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(Buffer.compare(encode(a), encode(b))).toBe(Math.sign(compare(a, b)))
      }),
      runs,
    )
  })

  it('keep their order when another key follows, in both directions', () => {
    fc.assert(
      fc.property(value, value, value, value, (a, b, c, d) => {
        const order = Math.sign(compare(a, b)) || Math.sign(compare(c, d))
        expect(Buffer.compare(Buffer.concat([encode(a), encode(c)]), Buffer.concat([encode(b), encode(d)]))).toBe(order)
        const down = Buffer.compare(
          Buffer.concat([invert(encode(a)), encode(c)]),
          Buffer.concat([invert(encode(b)), encode(d)]),
        )
        expect(down).toBe(-Math.sign(compare(a, b)) || Math.sign(compare(c, d)))
      }),
      runs,
    )
  })

  it('are never a prefix of the key of another value', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [left, right] = [encode(a), encode(b)]
        if (compare(a, b) !== 0) expect(right.subarray(0, left.length).equals(left)).toBe(false)
      }),
      runs,
    )
  })

  it('put an empty array below null', () => {
    expect(Buffer.compare(UNDEF_KEY, encode(null))).toBe(-1)
    expect(Buffer.compare(UNDEF_KEY, encode(new MinKey()))).toBe(1)
  })
})

describe('order', () => {
  it('ranks types as MongoDB does', () => {
    const ascending = [
      new MinKey(),
      null,
      Number.NaN,
      -1,
      'text',
      { a: 1 },
      [1],
      new Binary(Buffer.from('x')),
      new ObjectId(),
      false,
      true,
      new Date(0),
      new Timestamp({ t: 1, i: 1 }),
      /x/,
      new MaxKey(),
    ]
    const random = seededRandom(3)
    const shuffled = ascending.toSorted(() => random() - 0.5)
    expect(shuffled.toSorted(compare)).toEqual(ascending)
  })

  it('compares int64 with doubles exactly beyond 2^53', () => {
    expect(compare(long('9007199254740993'), 2 ** 53)).toBe(1)
    expect(compare(long('9007199254740993'), long('9007199254740992'))).toBe(1)
    expect(compare(long('9223372036854775807'), 2 ** 63)).toBe(-1)
    expect(equal(long('5'), 5)).toBe(true)
    expect(equal(new Double(5), long('5'))).toBe(true)
  })

  it('is antisymmetric and transitive', () => {
    fc.assert(
      fc.property(value, value, value, (a, b, c) => {
        expect(Math.sign(compare(a, b)) + Math.sign(compare(b, a))).toBe(0)
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0)
      }),
      runs,
    )
  })

  it('counts the order of fields in documents and of elements in arrays', () => {
    expect(equal({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(false)
    expect(equal([1, 2], [2, 1])).toBe(false)
  })
})

describe('types', () => {
  it('kept out of the store are refused loudly, wherever they stand', () => {
    const refused = expect.objectContaining({ code: 238 })
    expect(() => rank(Decimal128.fromString('1'))).toThrow(refused)
    expect(() => encode([{ a: Decimal128.fromString('1') }])).toThrow(MongoErr)
  })

  it('are told by class, so a stored field called _bsontype deceives nobody', () => {
    expect(typeName({ _bsontype: 'Long', low: 1 })).toBe('object')
  })

  it('make numbers of equal value differ for a write', () => {
    expect(same(5, long('5'))).toBe(false)
    expect(same({ a: [long('5')] }, { a: [long('5')] })).toBe(true)
    expect(typeName(5)).toBe('int')
    expect(typeName(2 ** 31)).toBe('double')
    expect(typeName(-0)).toBe('double')
  })

  it('survive a copy, and so does a field called __proto__', () => {
    const doc = JSON.parse('{"__proto__": {"a": 1}, "list": [{"b": 2}]}')
    const copy = clone(doc)
    expect(Object.keys(copy)).toEqual(['__proto__', 'list'])
    expect(copy.list).not.toBe(doc.list)
    expect(copy).toEqual(doc)
  })
})
