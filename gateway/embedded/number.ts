// BSON numbers: int32 and double arrive as JavaScript numbers, int64 as Long; money must survive all three exactly.
import { Double, Int32, Long } from 'bson'
import { MongoErr } from './mongo-error.ts'

const INT32_MAX = 2 ** 31 - 1
const INT32_MIN = -(2 ** 31)

/** The nearest JavaScript number; NaN for what is no number. Exact up to 2^53. */
export function num(value: unknown): number {
  if (typeof value === 'number') return value
  if (value instanceof Long) return value.toNumber()
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Int32 || value instanceof Double ? Number(value.value) : Number.NaN
}

/** Number or bigint, which JavaScript compares with each other exactly. */
function exact(value: unknown): number | bigint {
  if (!(value instanceof Long)) return typeof value === 'bigint' ? value : num(value)
  const nearest = value.toNumber()
  return Number.isSafeInteger(nearest) ? nearest : value.toBigInt()
}

/** Mongo's order of numbers: by value across types, NaN equal to itself and below all others. */
export function compareNumbers(left: unknown, right: unknown): number {
  const a = typeof left === 'number' ? left : exact(left)
  const b = typeof right === 'number' ? right : exact(right)
  if (a < b) return -1
  if (a > b) return 1
  const aIsNaN = Number.isNaN(a)
  return aIsNaN === Number.isNaN(b) ? 0 : aIsNaN ? -1 : 1
}

const isInt32 = (value: number): boolean =>
  Number.isInteger(value) && value <= INT32_MAX && value >= INT32_MIN && !Object.is(value, -0)

/** The BSON type `value` has on the wire; a JavaScript number in the int32 range is an int. */
export function numericType(value: unknown): 'int' | 'long' | 'double' {
  if (typeof value === 'number') return isInt32(value) ? 'int' : 'double'
  if (value instanceof Int32) return 'int'
  return value instanceof Double ? 'double' : 'long'
}

/** A double that stays one on the wire, where bson would write a small whole number as int32. */
export const double = (value: number): number | Double => (isInt32(value) ? new Double(value) : value)

/** The smallest integer type from `atLeast` upwards that holds `value`; throws 2 beyond 64 bits. */
export function integer(value: bigint, atLeast: 'int' | 'long'): number | Long {
  if (atLeast === 'int' && value <= INT32_MAX && value >= INT32_MIN) return Number(value)
  if (BigInt.asIntN(64, value) !== value) throw new MongoErr(2, `integer overflow: ${value} does not fit 64 bits`)
  return Long.fromBigInt(value)
}

/** Throws 2 for NaN, infinities and fractions. */
export function toBigInt(value: unknown): bigint {
  if (value instanceof Long) return value.toBigInt()
  const number = num(value)
  if (!Number.isInteger(number)) throw new MongoErr(2, `${number} is not an integer`)
  return BigInt(number)
}

const INTEGER_RESULT = {
  '+': (a: bigint, b: bigint) => a + b,
  '-': (a: bigint, b: bigint) => a - b,
  '*': (a: bigint, b: bigint) => a * b,
  '%': (a: bigint, b: bigint) => a % b,
}
const DOUBLE_RESULT = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '%': (a: number, b: number) => a % b,
}

/** Mongo's arithmetic: any double makes a double, integers stay exact and widen to int64; throws 2 on overflow. */
export function arithmetic(operator: '+' | '-' | '*' | '%', left: unknown, right: unknown): number | Long | Double {
  const types = [numericType(left), numericType(right)]
  if (operator === '%' && num(right) === 0) throw new MongoErr(2, "can't $mod by zero")
  if (types.includes('double')) return double(DOUBLE_RESULT[operator](num(left), num(right)))
  return integer(INTEGER_RESULT[operator](toBigInt(left), toBigInt(right)), types.includes('long') ? 'long' : 'int')
}
