// Aggregation operators of our own, where mingo's would lose int64, BSON order or a missing value.
import { Long, ObjectId } from 'bson'
import { evalExpr } from 'mingo/core'
import { $push } from 'mingo/operators/accumulator'
import { $filter } from 'mingo/operators/expression'
import type { Options } from 'mingo/types'
import { MongoErr } from './mongo-error.ts'
import { arithmetic, double, integer, numericType, toBigInt } from './number.ts'
import { writeSlot } from './path.ts'
import { truthy } from './predicate.ts'
import { sortCmp } from './sort.ts'
import { compare, type Doc, isNumeric, isPlain, num, typeName } from './value.ts'

export type Operator = (obj: Doc, expression: unknown, options: Options) => unknown
type Values = (values: unknown[]) => unknown

const isNil = (value: unknown): value is null | undefined => value === null || value === undefined

/** An operator over its evaluated arguments, one argument with or without brackets. */
const over =
  (calculate: Values): Operator =>
  (obj, expression, options) => {
    const values = evalExpr(obj, expression, options)
    return calculate(Array.isArray(expression) && Array.isArray(values) ? values : [values])
  }

/** Throws 16020 unless called with `count` arguments. */
const exactly =
  (count: number, calculate: Values): Operator =>
  (obj, expression, options) => {
    const given = Array.isArray(expression) ? expression.length : 1
    if (given !== count)
      throw new MongoErr(16020, `Expression takes exactly ${count} arguments. ${given} were passed in.`)
    return over(calculate)(obj, expression, options)
  }

/** null or missing among the arguments makes the result null. */
const nullable =
  (calculate: Values): Values =>
  (values) =>
    values.some(isNil) ? null : calculate(values)

function needNumber(name: string, value: unknown): void {
  if (!isNumeric(value)) throw new MongoErr(14, `${name} only supports numeric types, not ${typeName(value)}`)
}
/** null in, null out; throws 14 for anything else that is no number. */
const numeric = (name: string, calculate: Values): Values =>
  nullable((values) => {
    for (const value of values) needNumber(name, value)
    return calculate(values)
  })

const add = nullable((values) => {
  const [date, second] = values.filter((value) => value instanceof Date)
  if (second) throw new MongoErr(16612, 'only one date allowed in an $add expression')
  const total = sum(values)
  for (const value of values) if (value !== date) needNumber('$add', value)
  return date ? new Date(date.getTime() + num(total)) : total
})
const subtract = nullable(([left, right]) => {
  if (left instanceof Date && right instanceof Date) return Long.fromNumber(left.getTime() - right.getTime())
  needNumber('$subtract', right)
  if (left instanceof Date) return new Date(left.getTime() - num(right))
  needNumber('$subtract', left)
  return arithmetic('-', left, right)
})
const multiply = numeric('$multiply', (values) => values.reduce((product, value) => arithmetic('*', product, value), 1))
const divide = numeric('$divide', ([left, right]) => {
  if (num(right) === 0) throw new MongoErr(2, "can't $divide by zero")
  return double(num(left) / num(right))
})

/** Rounding leaves integers alone; doubles stay doubles. */
const rounding = (name: string, round: (value: number) => number): Operator =>
  exactly(
    1,
    numeric(name, ([value]) => (numericType(value) === 'double' ? double(round(num(value))) : value)),
  )
function halfToEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

/** Order of expressions: as everywhere, but missing is below null and not equal to it. */
function order([left, right]: unknown[]): number {
  if (left !== undefined && right !== undefined) return compare(left, right)
  return Number(left !== undefined) - Number(right !== undefined)
}
const comparison = (accepts: (order: number) => boolean): Operator => exactly(2, (values) => accepts(order(values)))

const best =
  (direction: 1 | -1): Values =>
  (values) => {
    const [first, ...others] = values.filter((value) => !isNil(value))
    return others.reduce((found, value) => (compare(value, found) * direction > 0 ? value : found), first) ?? null
  }
const sum: Values = (values) => values.filter(isNumeric).reduce((total, value) => arithmetic('+', total, value), 0)
const average: Values = (values) => {
  const numbers = values.filter(isNumeric)
  return numbers.length ? double(num(sum(numbers)) / numbers.length) : null
}
/** In `$group` an operator is given all documents of the group instead of one. */
const grouped =
  (ofGroup: Values, ofOne: Operator): Operator =>
  (obj, expression, options) =>
    Array.isArray(obj) ? ofGroup($push(obj, expression, options)) : ofOne(obj, expression, options)
/** With one argument that is an array, its elements are the values. */
const overElements = (calculate: Values): Operator =>
  over((values) => calculate(values.length === 1 && Array.isArray(values[0]) ? values[0] : values))

const asCondition = (expression: unknown): Doc => ({ $and: [expression] })
const listed = (expression: unknown): unknown[] => (Array.isArray(expression) ? expression : [expression])

const $cond: Operator = (obj, expression, options) => {
  const [condition, then, otherwise] = isPlain(expression)
    ? [expression.if, expression.then, expression.else]
    : listed(expression)
  return evalExpr(obj, truthy(evalExpr(obj, condition, options)) ? then : otherwise, options)
}
const $switch: Operator = (obj, expression, options) => {
  if (!isPlain(expression) || !Array.isArray(expression.branches))
    throw new MongoErr(40060, '$switch requires an object with an array of branches')
  const taken = expression.branches.filter(isPlain).find((branch) => truthy(evalExpr(obj, branch.case, options)))
  if (!taken && !('default' in expression)) throw new MongoErr(40066, '$switch found no matching branch and no default')
  return evalExpr(obj, taken ? taken.then : expression.default, options)
}
const $filterByTruth: Operator = (obj, expression, options) => {
  if (!isPlain(expression)) throw new MongoErr(28646, '$filter only supports an object as its argument')
  return $filter(obj, { ...expression, input: expression.input, cond: asCondition(expression.cond) }, options)
}

const isIn: Values = ([needle, list]) => {
  if (!Array.isArray(list)) throw new MongoErr(40081, `$in requires an array as a second argument`)
  return list.some((item) => order([item, needle]) === 0)
}
const size: Values = ([list]) => {
  if (!Array.isArray(list))
    throw new MongoErr(17124, `The argument to $size must be an array, but was ${typeName(list)}`)
  return list.length
}
const edge = (name: string, index: 0 | -1): Values =>
  nullable(([list]) => {
    if (!Array.isArray(list)) throw new MongoErr(28689, `${name}'s argument must be an array, but is ${typeName(list)}`)
    return list.at(index)
  })
const $sortArray: Operator = (obj, expression, options) => {
  if (!isPlain(expression)) throw new MongoErr(2942500, '$sortArray requires an object')
  const input = evalExpr(obj, expression.input, options)
  if (isNil(input)) return null
  if (!Array.isArray(input)) throw new MongoErr(2942504, 'The input argument to $sortArray must be an array')
  const by = expression.sortBy
  return input.toSorted(isPlain(by) ? sortCmp(by) : (a, b) => compare(a, b) * num(by))
}

const $getField: Operator = (obj, expression, options) => {
  const given = evalExpr(obj, expression, options)
  const field = isPlain(given) ? given.field : given
  const input = isPlain(expression) && 'input' in expression && isPlain(given) ? given.input : obj
  if (typeof field !== 'string')
    throw new MongoErr(5654602, '$getField requires field to evaluate to a constant string')
  return isPlain(input) && Object.hasOwn(input, field) ? input[field] : undefined
}
const $setField: Operator = (obj, expression, options) => {
  const given = evalExpr(obj, expression, options)
  if (!isPlain(given) || typeof given.field !== 'string')
    throw new MongoErr(4161108, '$setField requires field to evaluate to a constant string')
  if (isNil(given.input)) return null
  if (!isPlain(given.input)) throw new MongoErr(4161105, '$setField requires input to evaluate to type Object')
  const { [given.field]: _, ...others } = given.input
  const result = given.value === undefined ? others : { ...given.input }
  if (given.value !== undefined) writeSlot({ holder: result, key: given.field }, given.value)
  return result
}
const $unsetField: Operator = (obj, expression, options) =>
  $setField(obj, isPlain(expression) ? { ...expression, value: '$$REMOVE' } : expression, options)

const mergeObjects: Values = (values) => {
  const parts = values.filter((value) => !isNil(value))
  if (!parts.every(isPlain)) throw new MongoErr(40400, '$mergeObjects requires object inputs')
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)))
}
const arrayToObject = nullable(([list]) => {
  if (!Array.isArray(list))
    throw new MongoErr(40386, `$arrayToObject requires an array input, found: ${typeName(list)}`)
  const pairs = list.map((item: unknown): [string, unknown] => {
    const [key, value] = Array.isArray(item) ? item : isPlain(item) ? [item.k, item.v] : []
    if (typeof key !== 'string') throw new MongoErr(40394, '$arrayToObject requires pairs with a string key')
    return [key, value]
  })
  return Object.fromEntries(pairs)
})

function conversionFailure(value: unknown, type: string): MongoErr {
  return new MongoErr(241, `Failed to convert ${typeName(value)} to ${type} in $convert with no onError value`)
}
/** Fractions are cut off; throws 241 when out of the type's range or no number. */
const toInteger = (type: 'int' | 'long'): Values =>
  nullable(([value]) => {
    const text = typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : undefined
    const number = value instanceof Date ? value.getTime() : typeof value === 'boolean' ? Number(value) : num(value)
    if (text === undefined && !Number.isFinite(number)) throw conversionFailure(value, type)
    const whole = text ?? (value instanceof Long ? toBigInt(value) : BigInt(Math.trunc(number)))
    if (BigInt.asIntN(type === 'int' ? 32 : 64, whole) !== whole) throw conversionFailure(value, type)
    return integer(whole, type)
  })
const toDouble = nullable(([value]) => {
  const number = typeof value === 'string' && value.trim() ? Number(value) : num(value)
  if (Number.isNaN(number) && !isNumeric(value)) throw conversionFailure(value, 'double')
  return double(number)
})
const toText = nullable(([value]) => {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof ObjectId) return value.toHexString()
  if (typeof value === 'string' || typeof value === 'boolean' || isNumeric(value)) return String(value)
  throw conversionFailure(value, 'string')
})

export const expressionOperators: Record<`$${string}`, Operator> = {
  $add: over(add),
  $subtract: exactly(2, subtract),
  $multiply: over(multiply),
  $divide: exactly(2, divide),
  $mod: exactly(
    2,
    numeric('$mod', ([left, right]) => arithmetic('%', left, right)),
  ),
  $ceil: rounding('$ceil', Math.ceil),
  $floor: rounding('$floor', Math.floor),
  $round: rounding('$round', halfToEven),
  $trunc: rounding('$trunc', Math.trunc),
  $max: grouped(best(1), overElements(best(1))),
  $min: grouped(best(-1), overElements(best(-1))),
  $sum: grouped(sum, overElements(sum)),
  $avg: grouped(average, overElements(average)),
  $cmp: exactly(2, (values) => Math.sign(order(values))),
  $eq: comparison((found) => found === 0),
  $ne: comparison((found) => found !== 0),
  $gt: comparison((found) => found > 0),
  $gte: comparison((found) => found >= 0),
  $lt: comparison((found) => found < 0),
  $lte: comparison((found) => found <= 0),
  $and: (obj, expression, options) => listed(expression).every((item) => truthy(evalExpr(obj, item, options))),
  $or: (obj, expression, options) => listed(expression).some((item) => truthy(evalExpr(obj, item, options))),
  $not: exactly(1, ([value]) => !truthy(value)),
  $cond,
  $switch,
  $filter: $filterByTruth,
  $in: exactly(2, isIn),
  $size: exactly(1, size),
  $first: grouped((values) => values.at(0), exactly(1, edge('$first', 0))),
  $last: grouped((values) => values.at(-1), exactly(1, edge('$last', -1))),
  $sortArray,
  $getField,
  $setField,
  $unsetField,
  $mergeObjects: grouped(mergeObjects, over(mergeObjects)),
  $arrayToObject: over(arrayToObject),
  $isNumber: exactly(1, ([value]) => isNumeric(value)),
  $type: exactly(1, ([value]) => typeName(value)),
  $toInt: exactly(1, toInteger('int')),
  $toLong: exactly(1, toInteger('long')),
  $toDouble: exactly(1, toDouble),
  $toString: exactly(1, toText),
}
