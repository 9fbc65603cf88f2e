// Aggregation expressions and stages: mingo with corrected operators, and only those the store vouches for.
import { Double, Int32, Long } from 'bson'
// Not from 'mingo' itself, which would put all of mingo's own operators before ours.
import { Aggregator } from 'mingo/aggregator'
import { Context, evalExpr, ProcessingMode } from 'mingo/core'
import * as accumulator from 'mingo/operators/accumulator'
import * as expression from 'mingo/operators/expression'
import * as pipeline from 'mingo/operators/pipeline'
import type { Options } from 'mingo/types'
import { expressionOperators, type Operator } from './expression-operator.ts'
import { MongoErr } from './mongo-error.ts'
import { type Doc, isPlain, num } from './value.ts'

export { Aggregator }

/** mingo wants JavaScript numbers where an argument is a count; only the argument itself is converted. */
const withNumbers =
  (operator: Operator): Operator =>
  (obj, given, options) => {
    const literal = (argument: unknown): unknown => {
      const value = evalExpr(obj, argument, options)
      if (value instanceof Long) return value.toNumber()
      return typeof value === 'string' && !value.startsWith('$') ? value : { $literal: value }
    }
    if (Array.isArray(given)) return operator(obj, given.map(literal), options)
    if (!isPlain(given)) return operator(obj, given, options)
    return operator(
      obj,
      Object.fromEntries(Object.entries(given).map(([key, value]) => [key, literal(value)])),
      options,
    )
  }

const { $arrayElemAt, $slice, $range, $substrCP, $dateAdd, $dateSubtract, $dateTrunc, $dateDiff } = expression
const { $literal, $let, $map, $reduce, $ifNull, $concatArrays, $reverseArray, $isArray } = expression
const { $objectToArray, $concat, $toLower, $toUpper, $split, $strLenCP, $trim, $dateToString } = expression
const { $year, $month, $dayOfMonth, $hour, $minute, $dayOfWeek } = expression

const EXPRESSIONS = {
  ...{ $literal, $let, $map, $reduce, $ifNull, $concatArrays, $reverseArray, $isArray },
  ...{ $objectToArray, $concat, $toLower, $toUpper, $split, $strLenCP, $trim, $dateToString },
  ...{ $year, $month, $dayOfMonth, $hour, $minute, $dayOfWeek },
  $arrayElemAt: withNumbers($arrayElemAt),
  $slice: withNumbers($slice),
  $range: withNumbers($range),
  $substrCP: withNumbers($substrCP),
  $dateAdd: withNumbers($dateAdd),
  $dateSubtract: withNumbers($dateSubtract),
  $dateTrunc: withNumbers($dateTrunc),
  $dateDiff: withNumbers($dateDiff),
  ...expressionOperators,
}
const KNOWN = new Set(Object.keys(EXPRESSIONS))

const { $push, $addToSet, $count: $countOf } = accumulator
const { $group, $project, $unwind, $count, $limit, $skip, $sortByCount } = pipeline
const { $addFields, $set, $unset, $replaceRoot, $replaceWith } = pipeline

/** Everything a stage may use; what is not here is refused. Matching, sorting and joining are not mingo's business. */
const context = Context.init({
  accumulator: { $push, $addToSet, $count: $countOf },
  expression: EXPRESSIONS,
  pipeline: {
    ...{ $group, $project, $unwind, $count, $limit, $skip, $sortByCount },
    ...{ $addFields, $set, $unset, $replaceRoot, $replaceWith },
  },
})

/** For reading pipelines, where mingo groups and joins by JavaScript numbers; int64 beyond 2^53 stays a Long. */
export function demote(value: Doc): Doc
export function demote(value: unknown): unknown
export function demote(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Long) {
    const number = value.toNumber()
    return Number.isSafeInteger(number) ? number : value
  }
  if (value instanceof Double || value instanceof Int32) return num(value)
  if (Array.isArray(value)) return value.map((item: unknown) => demote(item))
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, demote(item)]))
}

export function mingoOpts(vars?: Doc): Options {
  return {
    idKey: '_id',
    processingMode: ProcessingMode.CLONE_OFF,
    useStrictMode: true,
    scriptEnabled: false,
    failOnError: true,
    context,
    ...(vars ? { variables: vars } : {}),
  }
}

/** Checks every operator, also in branches never taken, and fixes $$NOW. Throws 168 or 15983. */
function prepare(given: unknown, now: Date): unknown {
  if (given === '$$NOW') return now
  if (Array.isArray(given)) return given.map((item: unknown) => prepare(item, now))
  if (!isPlain(given)) return given
  const keys = Object.keys(given)
  const operator = keys.find((key) => key.startsWith('$'))
  if (operator === '$literal' && keys.length === 1) return given
  if (operator !== undefined) {
    if (keys.length !== 1) throw new MongoErr(15983, 'An object representing an expression must have exactly one field')
    if (!KNOWN.has(operator)) throw new MongoErr(168, `Unrecognized expression '${operator}'`)
  }
  return Object.fromEntries(Object.entries(given).map(([key, item]) => [key, prepare(item, now)]))
}

/** Missing fields of a result vanish, missing array elements are null. */
function settled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => settled(item) ?? null)
  if (!isPlain(value)) return value
  const present = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(present.map(([key, item]) => [key, settled(item)]))
}

/** Compiles an expression; int64 values stay Long. Throws 168 for operators that are not supported. */
export function evalExprOn(given: unknown, vars?: Doc, now: Date = new Date()): (doc: unknown) => unknown {
  const prepared = prepare(given, now)
  const options = mingoOpts(vars)
  return (doc) => {
    try {
      return settled(evalExpr(doc, prepared, options))
    } catch (error) {
      throw wrap(error)
    }
  }
}

/** mingo's errors as Mongo's: 40324 unknown stage, 17276 undefined variable, 168 unknown operator, 2 otherwise. */
export function wrap(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof MongoErr) return error
  const { message } = error
  if (/unregistered pipeline operator/i.test(message))
    return new MongoErr(40324, `Unrecognized pipeline stage: ${message}`)
  if (message.includes('Use of undefined variable')) return new MongoErr(17276, message)
  if (message.includes('is not registered')) return new MongoErr(168, `Unrecognized expression: ${message}`)
  return error.constructor.name === 'MingoError' || error instanceof TypeError
    ? new MongoErr(2, `aggregation: ${message}`)
    : error
}
