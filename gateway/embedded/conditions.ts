// What a filter demands of each path, as far as an index can use it. Everything else is left to the matcher.
import { compile, toRegExp } from './match.ts'
import { compare, type Doc, isNumeric, isPlain, num, RANK, rank } from './value.ts'

interface Bound {
  readonly value: unknown
  readonly inclusive: boolean
}
export interface Condition {
  /** Every one of these holds. */
  equal: unknown[]
  in?: unknown[]
  above?: Bound
  below?: Bound
  /** Strings at this path begin so. */
  prefix?: string
  exists: boolean
}
export type Conditions = ReadonlyMap<string, Condition>

const NO_KEY: ReadonlySet<number> = new Set([RANK.ARR, RANK.RE])
const NO_RANGE: ReadonlySet<number> = new Set([RANK.ARR, RANK.OBJ, RANK.NULL, RANK.MIN, RANK.MAX])
const isOperators = (value: unknown): value is Doc => isPlain(value) && Object.keys(value)[0]?.[0] === '$'

export function conditionsOf(filter: Doc, into = new Map<string, Condition>()): Conditions {
  for (const [path, value] of Object.entries(filter)) {
    if (path === '$and' && Array.isArray(value)) for (const part of value) if (isPlain(part)) conditionsOf(part, into)
    if (path.startsWith('$')) continue
    const condition = into.get(path) ?? { equal: [], exists: false }
    into.set(path, condition)
    if (rank(value) === RANK.RE) note(condition, '$regex', { $regex: value })
    else if (!isOperators(value)) note(condition, '$eq', { $eq: value })
    else for (const operator of Object.keys(value)) note(condition, operator, value)
  }
  return into
}

function note(condition: Condition, operator: string, operators: Doc): void {
  const value = operators[operator]
  const type = rank(value)
  if (operator === '$eq') {
    if (!NO_KEY.has(type)) condition.equal.push(value)
  } else if (operator === '$in') {
    if (Array.isArray(value) && !value.some((one) => NO_KEY.has(rank(one)))) condition.in ??= value
  } else if (operator === '$gt' || operator === '$gte') {
    if (!NO_RANGE.has(type)) condition.above ??= { value, inclusive: operator === '$gte' }
  } else if (operator === '$lt' || operator === '$lte') {
    if (!NO_RANGE.has(type)) condition.below ??= { value, inclusive: operator === '$lte' }
  } else if (operator === '$exists') {
    if (value === true || (isNumeric(value) && num(value) !== 0)) condition.exists = true
  } else if (operator === '$regex') {
    const { $options } = operators
    const prefix = literalPrefix(toRegExp(value, typeof $options === 'string' ? $options : undefined))
    if (prefix) condition.prefix ??= prefix
  }
}

/** The text every match of a regular expression starts with; '' when that cannot be told cheaply. */
function literalPrefix(pattern: RegExp): string {
  if (/[im]/.test(pattern.flags) || pattern.source.includes('|')) return ''
  const found = /^\^((?:[A-Za-z0-9 _:@-]|\\[.\-/])+)/.exec(pattern.source)
  if (!found?.[1]) return ''
  const prefix = found[1].replace(/\\(.)/g, '$1')
  // A quantifier makes the character before it optional.
  return /[*?{+]/.test(pattern.source[found[0].length] ?? '') ? prefix.slice(0, -1) : prefix
}

/** True when every document that meets `conditions` is in a partial index over `partial`. */
export function implies(conditions: Conditions, partial: Doc): boolean {
  return Object.entries(partial).every(([path, wanted]) => {
    if (path === '$and' && Array.isArray(wanted))
      return wanted.every((part) => isPlain(part) && implies(conditions, part))
    const condition = conditions.get(path)
    if (!condition) return false
    if (!isOperators(wanted)) return condition.equal.some((value) => compare(value, wanted) === 0)
    return Object.entries(wanted).every(([operator, value]) => impliesOperator(condition, operator, value))
  })
}

function impliesOperator(condition: Condition, operator: string, value: unknown): boolean {
  const { above, below } = condition
  const values = condition.equal.length ? condition.equal : condition.in
  const test = compile({ v: { [operator]: value } })
  if (values) return values.every((one) => test({ v: one }) && (operator !== '$exists' || one !== null))
  if (operator === '$exists') return value === true && (condition.exists || above !== undefined || below !== undefined)
  if (operator === '$type') return [above, below].some((bound) => bound !== undefined && test({ v: bound.value }))
  if ((operator === '$gt' || operator === '$gte') && above) return within(above, value, operator) >= 0
  if ((operator === '$lt' || operator === '$lte') && below) return within(below, value, operator) <= 0
  return false
}

/** Sign of the bound against the wanted one: 0 when they meet and the bound is at least as strict. */
function within(bound: Bound, wanted: unknown, operator: string): number {
  if (rank(bound.value) !== rank(wanted)) return Number.NaN
  const order = compare(bound.value, wanted)
  return order === 0 && bound.inclusive && operator.length === 3 ? Number.NaN : order
}
