// What each update operator does to one place of a document.
import { Timestamp } from 'bson'
import { elementPredicate, isOperatorDoc, type MatchOpts } from './match.ts'
import { MongoErr } from './mongo-error.ts'
import { arithmetic } from './number.ts'
import { clearSlot, readSlot, type Slot, slotExists, writeSlot } from './path.ts'
import { equalTest, type Test } from './predicate.ts'
import { sortCmp } from './sort.ts'
import { cloneValue, compare, type Doc, equal, isNumeric, isPlain, num, typeName } from './value.ts'

/** One change: `path` is for messages, `slot` is where it happens. */
export interface Change {
  readonly slot: Slot
  readonly path: string
  readonly argument: unknown
  readonly options: MatchOpts
}
type Apply = (change: Change) => void

const set: Apply = ({ slot, argument }) => writeSlot(slot, cloneValue(argument))

const calculate =
  (operator: '+' | '*', name: string): Apply =>
  ({ slot, path, argument }) => {
    const current = slotExists(slot) ? readSlot(slot) : undefined
    if (current !== undefined && !isNumeric(current))
      throw new MongoErr(14, `Cannot apply ${name} to the field '${path}' of non-numeric type ${typeName(current)}`)
    // Multiplying a missing field gives zero of the argument's type.
    if (current !== undefined) writeSlot(slot, arithmetic(operator, current, argument))
    else writeSlot(slot, operator === '+' ? argument : arithmetic('*', 0, argument))
  }

const extreme =
  (direction: 1 | -1): Apply =>
  ({ slot, argument }) => {
    if (!slotExists(slot) || compare(argument, readSlot(slot)) * direction > 0) writeSlot(slot, cloneValue(argument))
  }

const currentDate: Apply = ({ slot, argument }) => {
  const type = isPlain(argument) ? argument.$type : argument
  if (type === true || type === 'date') writeSlot(slot, new Date())
  else if (type === 'timestamp') writeSlot(slot, new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 }))
  else
    throw new MongoErr(
      2,
      `${typeName(argument)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    )
}

/** The array in a slot, empty when the field is missing; `code` is Mongo's for a field of another type. */
function arrayIn({ slot, path }: Change, operator: string, code = 2): unknown[] {
  const current = slotExists(slot) ? readSlot(slot) : []
  if (Array.isArray(current)) return current
  throw new MongoErr(
    code,
    `Cannot apply ${operator}: the field '${path}' must be an array but is of type ${typeName(current)}`,
  )
}

/** The values of `$each`, or the argument as the only one. Throws 2 for clauses that are not in `allowed`. */
function eachOf(argument: unknown, operator: string, allowed: readonly string[]): { values: unknown[]; clauses: Doc } {
  if (!isPlain(argument) || !('$each' in argument)) return { values: [argument], clauses: {} }
  const { $each: values, ...clauses } = argument
  if (!Array.isArray(values))
    throw new MongoErr(
      2,
      `The argument to $each in ${operator} must be an array but it was of type ${typeName(values)}`,
    )
  const unknown = Object.keys(clauses).find((clause) => !allowed.includes(clause))
  if (unknown !== undefined) throw new MongoErr(2, `Unrecognized clause in ${operator}: ${unknown}`)
  return { values: values.map(cloneValue), clauses }
}
function integerClause(clauses: Doc, name: string): number | undefined {
  if (!(name in clauses)) return undefined
  const value = isNumeric(clauses[name]) ? num(clauses[name]) : Number.NaN
  if (!Number.isInteger(value)) throw new MongoErr(2, `The value for ${name} must be an integer value`)
  return value
}
function sortClause(given: unknown): (a: unknown, b: unknown) => number {
  if (isPlain(given)) return sortCmp(given)
  const direction = isNumeric(given) ? num(given) : 0
  if (direction !== 1 && direction !== -1)
    throw new MongoErr(
      2,
      'The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields',
    )
  return (a, b) => compare(a, b) * direction
}

const push: Apply = (change) => {
  const { values, clauses } = eachOf(change.argument, '$push', ['$slice', '$sort', '$position'])
  const array = [...arrayIn(change, '$push')]
  array.splice(integerClause(clauses, '$position') ?? array.length, 0, ...values)
  if ('$sort' in clauses) array.sort(sortClause(clauses.$sort))
  const limit = integerClause(clauses, '$slice')
  if (limit === undefined) writeSlot(change.slot, array)
  else writeSlot(change.slot, limit < 0 ? array.slice(limit) : array.slice(0, limit))
}

const addToSet: Apply = (change) => {
  const array = [...arrayIn(change, '$addToSet')]
  for (const value of eachOf(change.argument, '$addToSet', []).values)
    if (!array.some((item) => equal(item, value))) array.push(value)
  writeSlot(change.slot, array)
}

const pop: Apply = (change) => {
  const array = arrayIn(change, '$pop', 14)
  writeSlot(change.slot, num(change.argument) < 0 ? array.slice(1) : array.slice(0, -1))
}

const pull: Apply = (change) => {
  const { argument, options } = change
  const test = pullTest(argument, options)
  writeSlot(
    change.slot,
    arrayIn(change, '$pull').filter((item) => !test(item)),
  )
}
function pullTest(argument: unknown, options: MatchOpts): Test {
  if (!isPlain(argument)) return equalTest(argument)
  const matches = elementPredicate(argument, options)
  return isOperatorDoc(argument) ? matches : (item) => isPlain(item) && matches(item)
}

const pullAll: Apply = (change) => {
  const { argument } = change
  if (!Array.isArray(argument)) throw new MongoErr(2, '$pullAll requires an array argument')
  writeSlot(
    change.slot,
    arrayIn(change, '$pullAll').filter((item) => !argument.some((unwanted) => equal(item, unwanted))),
  )
}

export const UPDATE_OPERATORS: ReadonlyMap<string, Apply> = new Map([
  ['$set', set],
  ['$setOnInsert', set],
  ['$unset', ({ slot }) => clearSlot(slot)],
  ['$inc', calculate('+', '$inc')],
  ['$mul', calculate('*', '$mul')],
  ['$min', extreme(-1)],
  ['$max', extreme(1)],
  ['$currentDate', currentDate],
  ['$push', push],
  ['$addToSet', addToSet],
  ['$pop', pop],
  ['$pull', pull],
  ['$pullAll', pullAll],
])
/** These leave a document alone in which their path is missing. */
export const ONLY_EXISTING: ReadonlySet<string> = new Set(['$unset', '$pop', '$pull', '$pullAll'])
