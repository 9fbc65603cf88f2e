// Tests of one value, as the leaves of a filter make them; types only compare within their bracket.
import { MongoErr } from './mongo-error.ts'
import { toBigInt } from './number.ts'
import { toRegExp } from './regex.ts'
import { compare, equal, isNumeric, num, RANK, rank, typeName } from './value.ts'

/** `undefined` stands for a missing field. */
export type Test = (value: unknown) => boolean

/** Equality; null also accepts missing, a regular expression accepts what it matches. */
export function equalTest(expected: unknown): Test {
  if (expected === null || expected === undefined) return (value) => value === null || value === undefined
  if (rank(expected) === RANK.RE) return regexTest(toRegExp(expected), expected)
  if (typeof expected === 'string') return (value) => value === expected
  return exactTest(expected)
}
/** Equality that takes a regular expression as a value. */
export function exactTest(expected: unknown): Test {
  const bracket = rank(expected)
  return (value) => value !== undefined && rank(value) === bracket && compare(value, expected) === 0
}
export function regexTest(pattern: RegExp, given: unknown): Test {
  return (value) => (typeof value === 'string' ? pattern.test(value) : rank(value) === RANK.RE && equal(value, given))
}

const ACCEPTS = {
  $gt: (order: number) => order > 0,
  $gte: (order: number) => order >= 0,
  $lt: (order: number) => order < 0,
  $lte: (order: number) => order <= 0,
}
export type Range = keyof typeof ACCEPTS

/** Throws 2 for a regular expression. NaN is only in reach of $gte and $lte NaN. */
export function rangeTest(operator: Range, bound: unknown): Test {
  const bracket = rank(bound)
  const accepts = ACCEPTS[operator]
  const inclusive = accepts(0)
  if (bracket === RANK.RE) throw new MongoErr(2, `Can't have RegEx as arg to ${operator}.`)
  if (bracket === RANK.NULL) return (value) => inclusive && (value === null || value === undefined)
  if (bracket === RANK.MIN || bracket === RANK.MAX)
    return (value) => value !== undefined && accepts(compare(value, bound))
  if (Number.isNaN(bound)) return (value) => inclusive && Number.isNaN(value)
  return (value) =>
    value !== undefined && rank(value) === bracket && !Number.isNaN(value) && accepts(compare(value, bound))
}

/** Shorter lists are as fast without a set. */
const SET_FROM = 8

export function anyOfTest(operator: string, list: unknown): Test {
  if (!Array.isArray(list)) throw new MongoErr(2, `${operator} needs an array`)
  if (list.length > SET_FROM && list.every((item) => typeof item === 'string')) {
    const known = new Set<unknown>(list)
    return (value) => known.has(value)
  }
  const tests = list.map((item: unknown) => equalTest(item))
  return (value) => tests.some((test) => test(value))
}

const TYPE_CODES: Readonly<Record<number, string>> = {
  '-1': 'minKey',
  1: 'double',
  2: 'string',
  3: 'object',
  4: 'array',
  5: 'binData',
  7: 'objectId',
  8: 'bool',
  9: 'date',
  10: 'null',
  11: 'regex',
  16: 'int',
  17: 'timestamp',
  18: 'long',
  127: 'maxKey',
}
const TYPES = new Set(Object.values(TYPE_CODES))

/** Takes aliases, `number`, codes, or an array of them. Throws 2 for unknown types. */
export function typeTest(given: unknown): Test {
  const wanted = new Set<string>()
  for (const type of Array.isArray(given) ? given : [given]) {
    const name = isNumeric(type) ? TYPE_CODES[num(type)] : type
    if (name === 'number') for (const numeric of ['int', 'long', 'double']) wanted.add(numeric)
    else if (typeof name === 'string' && TYPES.has(name)) wanted.add(name)
    else throw new MongoErr(2, `Unknown type name alias or code: ${type}`)
  }
  return (value) => wanted.has(typeName(value))
}

/** `[divisor, remainder]`; fractions are cut off, int64 stays exact. Throws 2 when malformed. */
export function modTest(given: unknown): Test {
  if (!Array.isArray(given) || given.length !== 2 || !given.every((item) => isNumeric(item)))
    throw new MongoErr(2, 'malformed mod, needs to be an array of two numbers')
  const [divisor, remainder] = [whole(given[0]), whole(given[1])]
  if (!divisor || remainder === undefined) throw new MongoErr(2, 'divisor cannot be 0')
  return (value) => {
    const dividend = whole(value)
    return dividend !== undefined && dividend % divisor === remainder
  }
}
function whole(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined
  return isNumeric(value) ? toBigInt(value) : undefined
}

export function sizeTest(given: unknown): Test {
  const size = isNumeric(given) ? num(given) : Number.NaN
  if (!Number.isInteger(size) || size < 0)
    throw new MongoErr(2, 'Failed to parse $size. Expected a non-negative integer')
  return (value) => Array.isArray(value) && value.length === size
}

/** Truth of expressions and flags: all but false, null, missing and zero. */
export const truthy = (value: unknown): boolean =>
  value !== false && value !== null && value !== undefined && !(isNumeric(value) && num(value) === 0)
