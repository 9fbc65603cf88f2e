// Chooses how to read a collection. A plan is only a pre-filter (the matcher looks at every document again), so it may
// find too much but never too little.

import type { Hint } from './arguments.ts'
import { type Collection, type Index, indexesOf } from './catalog.ts'
import { type Condition, type Conditions, conditionsOf, implies } from './conditions.ts'
import { componentKey } from './index-keys.ts'
import { compare, type Doc, encode, invert, isPlain, MongoErr, num, RANK, rank } from './value.ts'

/** Keys from `low` (included) up to `high` (excluded). */
export interface Range {
  low: Buffer
  high: Buffer
}
export interface IndexPlan {
  readonly kind: 'index'
  readonly index: Index
  readonly ranges: readonly Range[]
  readonly reverse: boolean
  readonly sorted: boolean
  /** Every document found matches: nothing needs decoding. */
  readonly exact: boolean
  /** Some condition narrows the ranges. */
  readonly bounded: boolean
  readonly score: number
}
export type Plan =
  | IndexPlan
  | { readonly kind: 'scan'; readonly reverse: boolean; readonly sorted: boolean }
  | { readonly kind: 'or'; readonly branches: readonly IndexPlan[]; readonly sorted: boolean }
interface PlanRequest {
  readonly filter: Doc
  readonly sort?: Doc | undefined
  readonly hint?: Hint | undefined
}

/** A list of $in values multiplies the ranges of a compound index; past this the rest is left to the matcher. */
const MAX_RANGES = 500
const END = Buffer.from([255])

export function plan(collection: Collection, { filter, sort = {}, hint }: PlanRequest): Plan {
  const natural = isPlain(hint) ? hint.$natural : sort.$natural
  const sorted = Object.keys(sort).length === 0
  if (natural !== undefined) return { kind: 'scan', reverse: num(natural) < 0, sorted: sorted || '$natural' in sort }
  const conditions = conditionsOf(filter)
  const request = { conditions, filter, sort, hinted: hint !== undefined }
  const candidates = hint === undefined ? indexesOf(collection) : [hinted(collection, hint)]
  let best: IndexPlan | undefined
  for (const index of candidates) {
    const candidate = planIndex(index, request)
    if (candidate && (candidate.score > (best?.score ?? 0) || request.hinted)) best = candidate
  }
  if (best) return best
  const branches = Array.isArray(filter.$or) && !request.hinted ? planBranches(collection, filter.$or) : undefined
  return branches ? { kind: 'or', branches, sorted } : { kind: 'scan', reverse: false, sorted }
}

function planBranches(collection: Collection, filters: unknown[]): IndexPlan[] | undefined {
  const branches: IndexPlan[] = []
  for (const filter of filters) {
    const branch = isPlain(filter) ? plan(collection, { filter }) : undefined
    if (branch?.kind !== 'index' || !branch.bounded) return undefined
    branches.push(branch)
  }
  return branches
}

const numbers = (key: Doc): string => JSON.stringify(Object.entries(key).map(([path, value]) => [path, num(value)]))
export const sameKey = (a: Doc, b: Doc): boolean => numbers(a) === numbers(b)

function hinted(collection: Collection, hint: Hint): Index {
  const wanted = (index: Index) => (typeof hint === 'string' ? index.name === hint : sameKey(index.spec.key, hint))
  const index = indexesOf(collection).find(wanted)
  if (!index) throw new MongoErr(2, 'planner returned error: hint provided does not correspond to an existing index')
  return index
}

interface IndexRequest {
  conditions: Conditions
  filter: Doc
  sort: Doc
  hinted: boolean
}

function planIndex(index: Index, request: IndexRequest): IndexPlan | undefined {
  const { conditions, filter, sort } = request
  const { partialFilterExpression } = index.spec
  if (partialFilterExpression && !implies(conditions, partialFilterExpression)) return undefined
  const head = equalities(index, conditions)
  const next = index.fields[head.fields]
  const condition = next && conditions.get(next.path)
  const bounds = condition && boundsOf(condition, { desc: next.desc, multikey: index.multikey })
  // Documents without the indexed fields are not in a sparse index; a value other than null rules them out.
  if (index.sparse && !head.present && !bounds && !request.hinted) return undefined
  const order = sortOrder(index, sort, head)
  const sorted = Object.keys(sort).length === 0 || order !== 0
  const bounded = head.fields > 0 || bounds !== undefined
  const whole = head.single === index.fields.length
  let score = head.single * 10 + (head.fields - head.single) * 7 + (bounds ? 4 : 0) + (order === 0 ? 0 : 3)
  if (whole && index.unique) score += index.id === 0 ? 50 : 20
  const exact = whole && head.exact && !index.multikey && simple(filter, head.fields)
  const ranges = rangesOf(head.prefixes, bounds)
  return { kind: 'index', index, ranges, reverse: order < 0, sorted, exact, bounded, score }
}

/** The filter is nothing but `fields` plain equalities. */
const simple = (filter: Doc, fields: number): boolean => {
  const entries = Object.entries(filter)
  return entries.length === fields && entries.every(([path, value]) => !path.startsWith('$') && !isPlain(value))
}

interface Head {
  prefixes: Buffer[]
  /** How many leading fields of the index are bound to values. */
  fields: number
  /** How many of them to one value, and which paths those are. */
  single: number
  paths: Set<string>
  present: boolean
  exact: boolean
}

function equalities(index: Index, conditions: Conditions): Head {
  const head: Head = {
    prefixes: [Buffer.alloc(0)],
    fields: 0,
    single: 0,
    paths: new Set(),
    present: false,
    exact: true,
  }
  for (const { path, desc } of index.fields) {
    const condition = conditions.get(path)
    const values = condition?.equal.length ? condition.equal.slice(0, 1) : condition?.in
    if (!condition || !values || (head.prefixes.length > 1 && head.prefixes.length * values.length > MAX_RANGES)) break
    const keys = values.map((value) => componentKey(value, desc))
    head.prefixes = head.prefixes.flatMap((prefix) => keys.map((key) => Buffer.concat([prefix, key])))
    head.fields++
    const nullish = values.some((value) => value === null || value === undefined)
    head.present ||= !nullish
    // null also means "missing", and documents compare by more than their key: the matcher decides those.
    if (nullish || condition.equal.length !== 1 || values.some((value) => rank(value) === RANK.OBJ)) head.exact = false
    if (values.length !== 1) continue
    head.single++
    if (!index.multikey) head.paths.add(path)
  }
  return head
}

/** Bounds for one component after the equalities, or undefined when the condition gives none. */
function boundsOf(condition: Condition, field: { desc: boolean; multikey: boolean }): Range | undefined {
  const { above, below, prefix } = condition
  const value = above?.value ?? below?.value ?? prefix
  if (value === undefined) return undefined
  const type = rank(value)
  let low: Buffer = Buffer.from([type])
  let high: Buffer = Buffer.from([type + 1])
  if (!above && !below) {
    low = encode(value).subarray(0, -1)
    high = Buffer.concat([low, END])
  }
  if (above) {
    const key = encode(above.value)
    low = above.inclusive ? key : Buffer.concat([key, END])
  }
  // In an array one element may meet the lower bound and another the upper, so only one bound can be used.
  if (below && rank(below.value) === type && !(field.multikey && above)) {
    const key = encode(below.value)
    high = below.inclusive ? Buffer.concat([key, END]) : key
  }
  return field.desc ? { low: invert(unended(high)), high: successor(invert(unended(low))) } : { low, high }
}

/** Inverted, END would sort first instead of last: descending bounds are taken without it, one key wider. */
const unended = (key: Buffer): Buffer => (key.length > 1 && key.at(-1) === 255 ? key.subarray(0, -1) : key)
/** The least key greater than every key that starts with `key`. */
function successor(key: Buffer): Buffer {
  let length = key.length
  while (length > 0 && key[length - 1] === 255) length--
  if (length === 0) return Buffer.from([255, 255])
  const next = Buffer.from(key.subarray(0, length))
  next.writeUInt8(next.readUInt8(length - 1) + 1, length - 1)
  return next
}

function rangesOf(prefixes: Buffer[], bounds: Range | undefined): Range[] {
  const ranges = prefixes.map((prefix) => ({
    low: bounds ? Buffer.concat([prefix, bounds.low]) : prefix,
    high: Buffer.concat([prefix, bounds?.high ?? END]),
  }))
  ranges.sort((a, b) => Buffer.compare(a.low, b.low))
  return ranges.filter((range, at) => at === 0 || !ranges[at - 1]?.low.equals(range.low))
}

/** 1 when reading the index forwards gives the sort order, -1 backwards, 0 not at all. */
function sortOrder(index: Index, sort: Doc, head: Head): number {
  if (head.fields !== head.single) return 0
  const wanted = Object.keys(sort).filter((path) => !head.paths.has(path))
  // Among the entries of one value each document stands once, and an _id is never an array: its order is right there too.
  if (index.multikey && !(wanted.length === 1 && wanted[0] === '_id')) return 0
  let at = index.multikey ? head.fields : 0
  while (head.paths.has(index.fields[at]?.path ?? '')) at++
  let direction = 0
  for (const path of wanted) {
    const field = index.fields[at++]
    if (field?.path !== path) return 0
    const needed = num(sort[path]) < 0 === field.desc ? 1 : -1
    if (direction !== 0 && direction !== needed) return 0
    direction = needed
  }
  return direction || (Object.keys(sort).length ? 1 : 0)
}

/** Throws 15975 unless every direction is 1 or -1. */
export function checkSort(sort: Doc): void {
  for (const [path, direction] of Object.entries(sort))
    if (compare(direction, 1) !== 0 && compare(direction, -1) !== 0)
      throw new MongoErr(15975, `$sort key ordering must be 1 (for ascending) or -1 (for descending): ${path}`)
}
