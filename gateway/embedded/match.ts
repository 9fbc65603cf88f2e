// Query language: compiles a filter into a predicate over decoded documents.
import { evalExprOn } from './expr.ts'
import { MongoErr } from './mongo-error.ts'
import { reaches } from './path.ts'
import {
  anyOfTest,
  equalTest,
  exactTest,
  modTest,
  type Range,
  rangeTest,
  regexTest,
  sizeTest,
  type Test,
  truthy,
  typeTest,
} from './predicate.ts'
import { toRegExp } from './regex.ts'
import { type Doc, isPlain, RANK, rank } from './value.ts'

export { toRegExp }

export type Pred = (doc: unknown) => boolean
export interface MatchOpts {
  /** Variables of `let`, as `$$name` in expressions. */
  readonly vars?: Doc | undefined
  /** The filter that found the document: positional `$` is the first array element to satisfy it. */
  readonly query?: Doc | undefined
}

/** Asks whether a value passes: `single` an array element as it stands, `spread` a field including array elements. */
type Look = (single: Test, spread: Test) => boolean
type Condition = (look: Look) => boolean

const LOGICAL = new Set(['$and', '$or', '$nor'])
/** Mongo has these and the embedded store has not. */
const NOT_HERE = new Set(
  '$where $text $near $nearSphere $geoWithin $geoIntersects $jsonSchema $sampleRate'
    .split(' ')
    .concat('$bitsAllSet $bitsAnySet $bitsAllClear $bitsAnyClear'.split(' ')),
)
function unknownOperator(name: string, where: string): MongoErr {
  if (NOT_HERE.has(name)) return new MongoErr(238, `${name} is not supported by the embedded store`)
  return new MongoErr(2, `unknown ${where}: ${name}`)
}

export const isOperatorDoc = (value: unknown): value is Doc =>
  isPlain(value) && Object.keys(value)[0]?.[0] === '$' && !('$ref' in value || '$id' in value)

const leaf = (test: Test): Condition => {
  const spread: Test = (value) => test(value) || (Array.isArray(value) && value.some(test))
  return (look) => look(test, spread)
}
const wholeValue =
  (test: Test): Condition =>
  (look) =>
    look(test, test)
const negate =
  (condition: Condition): Condition =>
  (look) =>
    !condition(look)
const every =
  (conditions: Condition[]): Condition =>
  (look) =>
    conditions.every((condition) => condition(look))

const range =
  (operator: Range): Operator =>
  (argument) =>
    leaf(rangeTest(operator, argument))

type Operator = (argument: unknown, siblings: Doc, options: MatchOpts) => Condition
const OPERATORS = new Map<string, Operator>([
  ['$eq', (argument) => leaf(rank(argument) === RANK.RE ? exactTest(argument) : equalTest(argument))],
  ['$ne', (argument) => negate(leaf(equalTest(notRegex('$ne', argument))))],
  ['$gt', range('$gt')],
  ['$gte', range('$gte')],
  ['$lt', range('$lt')],
  ['$lte', range('$lte')],
  ['$in', (argument) => leaf(anyOfTest('$in', withoutOperators('$in', argument)))],
  ['$nin', (argument) => negate(leaf(anyOfTest('$nin', withoutOperators('$nin', argument))))],
  ['$exists', (argument) => (truthy(argument) ? wholeValue(present) : negate(wholeValue(present)))],
  ['$type', (argument) => leaf(typeTest(argument))],
  ['$regex', (argument, { $options }) => leaf(regexTest(toRegExp(argument, $options), argument))],
  ['$mod', (argument) => leaf(modTest(argument))],
  ['$size', (argument) => wholeValue(sizeTest(argument))],
  ['$all', (argument, _, options) => all(argument, options)],
  ['$elemMatch', (argument, _, options) => wholeValue(elementTest(argument, options))],
  ['$not', (argument, _, options) => not(argument, options)],
])
const present: Test = (value) => value !== undefined

function notRegex(operator: string, argument: unknown): unknown {
  if (rank(argument) === RANK.RE) throw new MongoErr(2, `Can't have regex as arg to ${operator}.`)
  return argument
}
function withoutOperators(operator: string, list: unknown): unknown {
  if (Array.isArray(list) && list.some(isOperatorDoc)) throw new MongoErr(2, `cannot nest $ under ${operator}`)
  return list
}

function all(argument: unknown, options: MatchOpts): Condition {
  if (!Array.isArray(argument)) throw new MongoErr(2, '$all needs an array')
  if (!argument.length) return () => false
  return every(argument.map((item: unknown) => allItem(item, options)))
}
function allItem(item: unknown, options: MatchOpts): Condition {
  if (!isOperatorDoc(item)) return leaf(equalTest(item))
  if (!('$elemMatch' in item)) throw new MongoErr(2, 'no $ expressions in $all')
  return wholeValue(elementTest(item.$elemMatch, options))
}

/** Passes arrays of which one element meets the condition: operators on the element itself, or a filter on documents. */
export function elementTest(argument: unknown, options: MatchOpts): Test {
  if (!isPlain(argument)) throw new MongoErr(2, '$elemMatch needs an Object')
  const element = elementPredicate(argument, options)
  return (value) => Array.isArray(value) && value.some(element)
}
export function elementPredicate(argument: Doc, options: MatchOpts): Pred {
  if (isOperatorDoc(argument) && !LOGICAL.has(Object.keys(argument)[0] ?? '')) {
    const condition = compileCondition(argument, options)
    return (element) => condition((single) => single(element))
  }
  const filter = compile(argument, options)
  return (element) => (isPlain(element) || Array.isArray(element)) && filter(element)
}

function not(argument: unknown, options: MatchOpts): Condition {
  if (rank(argument) === RANK.RE) return negate(leaf(equalTest(argument)))
  if (!isOperatorDoc(argument)) throw new MongoErr(2, '$not needs a regex or a document of operators')
  return negate(compileCondition(argument, options))
}

function compileCondition(given: unknown, options: MatchOpts): Condition {
  if (!isOperatorDoc(given)) return leaf(equalTest(given))
  const conditions: Condition[] = []
  for (const [name, argument] of Object.entries(given)) {
    if (name === '$options') {
      if (!('$regex' in given)) throw new MongoErr(2, '$options needs a $regex')
      continue
    }
    const operator = OPERATORS.get(name)
    if (!operator) throw unknownOperator(name, 'operator')
    conditions.push(operator(argument, given, options))
  }
  const [only] = conditions
  return only && conditions.length === 1 ? only : every(conditions)
}

function compileField(path: string, given: unknown, options: MatchOpts): Pred {
  const parts = path.split('.')
  const condition = compileCondition(given, options)
  return (doc) => condition((_, spread) => reaches(doc, parts, spread))
}

function compileList(name: string, given: unknown, options: MatchOpts): Pred[] {
  if (!Array.isArray(given) || !given.length) throw new MongoErr(2, `${name} must be a nonempty array`)
  return given.map((filter) => {
    if (!isPlain(filter)) throw new MongoErr(2, `${name} entries need to be full objects`)
    return compile(filter, options)
  })
}

function compileTopLevel(name: string, given: unknown, options: MatchOpts): Pred {
  if (name === '$expr') {
    const evaluate = evalExprOn(given, options.vars)
    return (doc) => truthy(evaluate(doc))
  }
  if (name === '$comment') return () => true
  if (!LOGICAL.has(name)) throw unknownOperator(name, 'top level operator')
  const filters = compileList(name, given, options)
  if (name === '$and') return (doc) => filters.every((filter) => filter(doc))
  const any: Pred = (doc) => filters.some((filter) => filter(doc))
  return name === '$or' ? any : (doc) => !any(doc)
}

/** Throws MongoErr 2 for malformed or unknown operators, 14 when `filter` is no document, 238 for what is left out. */
export function compile(filter: unknown, options: MatchOpts = {}): Pred {
  if (filter === undefined || filter === null) return () => true
  if (!isPlain(filter)) throw new MongoErr(14, 'filter must be an object')
  const filters = Object.entries(filter).map(([key, given]) =>
    key.startsWith('$') ? compileTopLevel(key, given, options) : compileField(key, given, options),
  )
  const [only] = filters
  return only && filters.length === 1 ? only : (doc) => filters.every((test) => test(doc))
}
