// The truth store in memory: the part of MongoDB that the slices use, with the matching, ordering and number rules of
// `gateway/embedded`. What is not modelled throws Unsupported, which ends the run as a breach. Documents are never
// changed in place: an update shares what it leaves alone.

import { Long } from 'bson'
import { Aggregator, demote, mingoOpts } from '../../gateway/embedded/expr.ts'
import { compile } from '../../gateway/embedded/match.ts'
import { arithmetic } from '../../gateway/embedded/number.ts'
import { projector } from '../../gateway/embedded/project.ts'
import { applyUpdate, checkUpdate, sortCmp, upsertSeed } from '../../gateway/embedded/update.ts'
import { compare, type Doc, isPlain, same } from '../../gateway/embedded/value.ts'

export class Unsupported extends Error {
  override readonly name = 'Unsupported'
}

/** Another document has that `_id`. */
export class DuplicateKey extends Error {
  override readonly name = 'DuplicateKey'
}

export interface Query {
  readonly filter: Doc
  readonly sort?: Doc | undefined
  readonly limit?: number | undefined
}

export interface UpdateRequest {
  readonly filter: Doc
  readonly update: Doc
  readonly upsert?: boolean | undefined
  readonly multi?: boolean | undefined
}

export interface Updated {
  readonly matched: number
  readonly modified: number
  readonly upsertedId: unknown
  /** As stored after the update; undefined when nothing matched. */
  readonly doc: Doc | undefined
}

/** A write as it was applied. `before` undefined: an insertion. `by` is the process that sent it. */
export interface Applied {
  readonly collection: string
  readonly before: Doc | undefined
  readonly after: Doc
  readonly by: string
}

export interface SimStoreOptions {
  /** Wall time of the store, ms since epoch. */
  readonly now: () => number
  readonly onWrite?: (write: Applied) => void
}

export class SimStore {
  readonly #options: SimStoreOptions
  readonly #collections = new Map<string, Map<string, Doc>>()

  constructor(options: SimStoreOptions) {
    this.#options = options
  }

  get now(): Date {
    return new Date(this.#options.now())
  }

  collection(name: string): Map<string, Doc> {
    const known = this.#collections.get(name)
    if (known !== undefined) return known
    const made = new Map<string, Doc>()
    this.#collections.set(name, made)
    return made
  }

  /** Stored documents in order; `read` makes of them what a client gets. */
  find(name: string, { filter, sort, limit }: Query): Doc[] {
    const found = this.#matching(name, filter)
    const sorted = sort === undefined ? found : [...found].sort(sortCmp(sort))
    return limit === undefined || limit === 0 ? sorted : sorted.slice(0, limit)
  }

  update(name: string, request: UpdateRequest, by: string): Updated {
    const { filter, multi, upsert } = request
    const update = this.#dated(request.update)
    checkUpdate(update)
    const found = this.#matching(name, filter)
    const targets = multi === true ? found : found.slice(0, 1)
    let modified = 0
    let doc: Doc | undefined
    for (const before of targets) {
      doc = changed(before, update)
      if (same(before, doc)) continue
      modified++
      this.#write(name, { before, after: doc, by })
    }
    if (targets.length > 0 || upsert !== true)
      return { matched: targets.length, modified, upsertedId: null, doc: multi === true ? undefined : doc }
    const seed = upsertSeed(filter)
    const after = applyUpdate(seed, update, { query: filter, upsertInsert: true })
    if (typeof after._id !== 'string') throw new Unsupported(`an upsert in ${name} without an _id`)
    if (this.collection(name).has(after._id)) throw new DuplicateKey()
    this.#write(name, { before: undefined, after, by })
    return { matched: 0, modified: 0, upsertedId: after._id, doc: after }
  }

  /** False: the id is taken, and nothing changes. */
  insert(name: string, given: Doc, by: string): boolean {
    const after = stored(given)
    if (!isPlain(after) || typeof after._id !== 'string') throw new Unsupported(`an insert in ${name} without an _id`)
    if (this.collection(name).has(after._id)) return false
    this.#write(name, { before: undefined, after, by })
    return true
  }

  /** A leading $match, then stages that mingo runs on what a reader gets. */
  aggregate(name: string, pipeline: readonly Doc[]): { readonly docs: Doc[]; readonly finish: (docs: Doc[]) => Doc[] } {
    const [first, ...rest] = pipeline
    const filter = first?.$match
    if (!isPlain(filter)) throw new Unsupported('a pipeline that does not begin with $match')
    const now = this.now
    const stages = rest.map((stage) => withNow(stage, now))
    const finish = (docs: Doc[]): Doc[] => {
      const addFields = stages.length === 1 ? stages[0]?.$addFields : undefined
      // The scans' only stage is a constant: mingo would copy every account for it.
      if (isPlain(addFields) && Object.values(addFields).every((value) => value instanceof Date))
        return docs.map((doc) => ({ ...read(doc), ...addFields }))
      if (stages.length === 0) return docs.map(read)
      return new Aggregator(stages, mingoOpts()).run(docs.map((doc) => demote(doc))).map((doc) => {
        if (!isPlain(doc)) throw new Unsupported('a stage that gives no documents')
        return doc
      })
    }
    return { docs: this.#matching(name, filter), finish }
  }

  #matching(name: string, asked: Doc): Doc[] {
    const docs = this.collection(name)
    const given = '$expr' in asked ? withNow(asked, this.now) : asked
    const { _id: id } = given
    const matches = compile(hasUndefined(given) ? stored(given) : given)
    if (typeof id !== 'string') return [...docs.values()].filter(matches)
    const doc = docs.get(id)
    return doc !== undefined && matches(doc) ? [doc] : []
  }

  #write(collection: string, { before, after, by }: { before: Doc | undefined; after: Doc; by: string }): void {
    this.collection(collection).set(String(after._id), after)
    this.#options.onWrite?.({ collection, before, after, by })
  }

  /** `$currentDate` by the store's clock, as a `$set`. */
  #dated(given: Doc): Doc {
    const update = stored(given)
    if (!isPlain(update)) throw new Unsupported('an update that is no document of operators')
    const dates = update.$currentDate
    if (dates === undefined) return update
    if (!isPlain(dates)) throw new Unsupported('$currentDate of another type')
    const now = this.now
    const set = isPlain(update.$set) ? update.$set : {}
    for (const path of Object.keys(dates)) {
      if (dates[path] !== true) throw new Unsupported('$currentDate of another type')
      set[path] = now
    }
    const result: Doc = {}
    for (const operator of Object.keys(update)) if (operator !== '$currentDate') result[operator] = update[operator]
    result.$set = set
    return result
  }
}

/** As BSON would keep it: without undefined fields. Values that BSON has are shared. */
function stored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => stored(item) ?? null)
  if (!isPlain(value)) return value
  const result: Doc = {}
  for (const key of Object.keys(value)) if (value[key] !== undefined) result[key] = stored(value[key])
  return result
}

function hasUndefined(value: unknown): boolean {
  if (value === undefined) return true
  if (Array.isArray(value)) return value.some(hasUndefined)
  if (!isPlain(value)) return false
  for (const key of Object.keys(value)) if (hasUndefined(value[key])) return true
  return false
}

const reads = new WeakMap<object, unknown>()

/** As the driver gives it: int64 as a number. What is shared by two versions of a document is converted once. */
function readValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Long) {
    const number = value.toNumber()
    return Number.isSafeInteger(number) ? number : value
  }
  if (Array.isArray(value)) return value.map(readValue)
  if (!isPlain(value)) return value
  const known = reads.get(value)
  if (known !== undefined) return known
  const result: Doc = {}
  for (const key of Object.keys(value)) result[key] = readValue(value[key])
  // A client that changed what it read would change it for all: it must not.
  Object.freeze(result)
  reads.set(value, result)
  return result
}

export function read(doc: Doc): Doc {
  const result = readValue(doc)
  if (!isPlain(result)) throw new Unsupported('a document that is none')
  return { ...result }
}

function withNow(stage: Doc, now: Date): Doc {
  const replace = (value: unknown): unknown => {
    if (value === '$$NOW') return now
    if (Array.isArray(value)) return value.map(replace)
    if (!isPlain(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item)]))
  }
  const result = replace(stage)
  return isPlain(result) ? result : {}
}

/** A projection: fields by dotted path, `_id` unless excluded, and the store's time. */
export function project(doc: Doc, projection: Doc | undefined, now: Date): Doc {
  if (projection === undefined) return read(doc)
  const named = Object.entries(projection)
  const plain = Object.fromEntries(named.filter(([, value]) => value !== '$$NOW'))
  const included = Object.values(plain).every((value) => value === 1)
  const result = included ? picked(doc, Object.keys(plain)) : read(projector(plain, {})?.(doc) ?? doc)
  for (const [path, value] of named) if (value === '$$NOW') result[path] = now
  return result
}

function picked(doc: Doc, paths: readonly string[]): Doc {
  const result: Doc = { _id: doc._id }
  for (const path of paths) pick(doc, result, path.split('.'))
  return result
}

function pick(from: Doc, into: Doc, [key = '', ...rest]: readonly string[]): void {
  if (!Object.hasOwn(from, key)) return
  const value = from[key]
  if (rest.length === 0) into[key] = readValue(value)
  else if (isPlain(value)) {
    const inner = isPlain(into[key]) ? into[key] : {}
    into[key] = inner
    pick(value, inner, rest)
  }
}

const simple = new Set(['$set', '$inc', '$max', '$unset', '$setOnInsert'])

/** The updated document. Plain operators on plain paths copy only the way to what they change; the rest is the embedded store's. */
function changed(doc: Doc, update: Doc): Doc {
  const changes: { operator: string; parts: string[]; argument: unknown }[] = []
  for (const [operator, fields] of Object.entries(update)) {
    if (!simple.has(operator) || !isPlain(fields)) return applyUpdate(doc, update, {})
    if (operator === '$setOnInsert') continue
    for (const [path, argument] of Object.entries(fields)) {
      if (path.includes('$') || path === '_id') return applyUpdate(doc, update, {})
      changes.push({ operator, parts: path.split('.'), argument })
    }
  }
  const fresh = new Set<Doc>()
  let result = doc
  for (const { operator, parts, argument } of changes) {
    const next = change(result, parts, { operator, argument, fresh })
    if (next === undefined) return applyUpdate(doc, update, {})
    result = next
  }
  return result
}

interface One {
  readonly operator: string
  readonly argument: unknown
  /** Made during this update: may be written to. */
  readonly fresh: Set<Doc>
}

/** Undefined: something other than a document stands in the way. */
function change(doc: Doc, parts: readonly string[], one: One): Doc | undefined {
  const [key = '', ...rest] = parts
  const present = Object.hasOwn(doc, key)
  const copy = (): Doc => {
    if (one.fresh.has(doc)) return doc
    const made = { ...doc }
    one.fresh.add(made)
    return made
  }
  if (rest.length > 0) {
    if (!present && one.operator === '$unset') return doc
    const inner = present ? doc[key] : {}
    if (!isPlain(inner)) return undefined
    const next = change(inner, rest, one)
    if (next === undefined) return undefined
    if (next === inner && present) return doc
    const made = copy()
    made[key] = next
    return made
  }
  if (one.operator === '$unset') {
    if (!present) return doc
    const made = copy()
    delete made[key]
    return made
  }
  const value = valueAfter(present ? doc[key] : undefined, one)
  if (present && value === doc[key]) return doc
  const made = copy()
  made[key] = value
  return made
}

function valueAfter(before: unknown, { operator, argument }: One): unknown {
  if (operator === '$set' || before === undefined) return argument
  if (operator === '$inc') return arithmetic('+', before, argument)
  return compare(argument, before) > 0 ? argument : before
}
