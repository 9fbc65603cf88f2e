// Update language: checks an update, applies it to one document, and seeds upserts.
import { isOperatorDoc } from './match.ts'
import { MongoErr } from './mongo-error.ts'
import { findSlot, getPath, makeSlot, slotExists, writeSlot } from './path.ts'
import { compilePipeline } from './pipeline-update.ts'
import { sortCmp } from './sort.ts'
import { ONLY_EXISTING, UPDATE_OPERATORS } from './update-operator.ts'
import { pathExpander, type UpdateOpts } from './update-path.ts'
import { clone, cloneValue, compare, type Doc, isNumeric, isPlain, num, RANK, rank, typeName } from './value.ts'

export { getPath, sortCmp, type UpdateOpts }

/** A whole new document, as opposed to operators or a pipeline. */
export const isReplacement = (update: unknown): update is Doc =>
  isPlain(update) && !Object.keys(update)[0]?.startsWith('$')

/** Throws for whatever is wrong with the update itself, before any document is looked at: 2, 9, 14, 40, 52, 56, 238. */
export function checkUpdate(update: unknown): void {
  if (Array.isArray(update)) {
    compilePipeline(update, undefined)
    return
  }
  if (!isPlain(update)) throw new MongoErr(9, 'Update argument must be either an object or an array')
  if (isReplacement(update)) {
    const key = Object.keys(update).find((name) => name.startsWith('$'))
    if (key !== undefined)
      throw new MongoErr(52, `The dollar ($) prefixed field '${key}' is not allowed in a replacement document.`)
    return
  }
  const paths: string[] = []
  for (const [operator, fields] of Object.entries(update))
    for (const [path, argument] of Object.entries(checkOperator(operator, fields))) {
      checkPath(path)
      checkArgument(operator, path, argument)
      paths.push(path)
      if (operator === '$rename') paths.push(checkRename(path, argument))
    }
  checkConflicts(paths)
}

function checkOperator(operator: string, fields: unknown): Doc {
  if (operator === '$bit') throw new MongoErr(238, '$bit is not supported by the embedded store')
  if (operator !== '$rename' && !UPDATE_OPERATORS.has(operator))
    throw new MongoErr(9, `Unknown modifier: ${operator}. Expected a valid update modifier or a pipeline-style update`)
  if (isPlain(fields)) return fields
  throw new MongoErr(9, `Modifiers operate on fields but we found type ${typeName(fields)} instead for ${operator}`)
}

function checkPath(path: string): void {
  const parts = path.split('.')
  if (parts.includes('')) throw new MongoErr(56, `The update path '${path}' contains an empty field name.`)
  for (const [depth, part] of parts.entries())
    if (part.startsWith('$') && (depth === 0 || !isPositional(part)))
      throw new MongoErr(52, `The dollar ($) prefixed field '${part}' in '${path}' is not allowed.`)
}
const isPositional = (part: string): boolean => /^\$(\[\w*\])?$/.test(part)

function checkArgument(operator: string, path: string, argument: unknown): void {
  if ((operator === '$inc' || operator === '$mul') && !isNumeric(argument))
    throw new MongoErr(14, `Cannot ${operator} with non-numeric argument: {${path}: ${typeName(argument)}}`)
  if (operator === '$pop' && !(isNumeric(argument) && Math.abs(num(argument)) === 1))
    throw new MongoErr(9, '$pop expects 1 or -1')
}

function checkRename(from: string, to: unknown): string {
  if (typeof to !== 'string') throw new MongoErr(2, `The 'to' field for $rename must be a string: ${from}`)
  checkPath(to)
  if ([from, to].some((path) => path.split('.').some(isPositional)))
    throw new MongoErr(2, `The source and destination of $rename may not be positional: ${from}: "${to}"`)
  if (from === to) throw new MongoErr(2, `The source and target field for $rename must differ: ${from}: "${to}"`)
  return to
}

/** No path may be updated twice, nor together with one above it. */
function checkConflicts(paths: readonly string[]): void {
  const seen = new Set<string>()
  for (const path of paths) {
    if (seen.has(path)) throw conflict(path, path)
    seen.add(path)
  }
  for (const path of paths)
    for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1))
      if (seen.has(path.slice(0, dot))) throw conflict(path, path.slice(0, dot))
}
const conflict = (path: string, at: string): MongoErr =>
  new MongoErr(40, `Updating the path '${path}' would create a conflict at '${at}'`)

/** The updated copy of `doc`, which stays as it is; the update has passed `checkUpdate`. Throws 66 when `_id` would change. */
export function applyUpdate(doc: Doc, update: unknown, options: UpdateOpts): Doc {
  if (Array.isArray(update)) return withId(compilePipeline(update, options.vars)(doc), doc._id)
  if (!isPlain(update)) throw new MongoErr(9, 'Update argument must be either an object or an array')
  if (isReplacement(update)) return withId(clone(update), doc._id)
  const result = applyOperators(doc, update, options)
  if (doc._id !== undefined && result._id === undefined) throw immutable()
  return withId(result, doc._id)
}

const immutable = (): MongoErr =>
  new MongoErr(66, "Performing an update on the path '_id' would modify the immutable field '_id'")

/** Keeps the identity of a document, and `_id` as its first field. */
function withId(result: Doc, id: unknown): Doc {
  const { _id: given, ...fields } = result
  if (given !== undefined && id !== undefined && compare(given, id) !== 0) throw immutable()
  const kept = id ?? given
  if (kept === undefined) return fields
  return Object.keys(result)[0] === '_id' && given === kept ? result : { _id: kept, ...fields }
}

function applyOperators(doc: Doc, update: Doc, options: UpdateOpts): Doc {
  const result = clone(doc)
  const changes = Object.entries(update).flatMap(([operator, fields]) =>
    Object.entries(isPlain(fields) ? fields : {}).map(([path, argument]) => ({ operator, path, argument })),
  )
  const expand = pathExpander(
    doc,
    changes.map(({ path }) => path),
    options,
  )
  for (const { operator, path, argument } of changes) {
    if (operator === '$setOnInsert' && !options.upsertInsert) continue
    if (operator === '$rename') rename(result, path, String(argument))
    else
      for (const parts of expand(result, path.split('.'))) {
        const slot = ONLY_EXISTING.has(operator) ? findSlot(result, parts) : makeSlot(result, parts)
        if (slot) UPDATE_OPERATORS.get(operator)?.({ slot, path, argument, options })
      }
  }
  return result
}
function rename(doc: Doc, from: string, to: string): void {
  const source = findSlot(doc, from.split('.'))
  if (!source) return
  const { holder, key } = source
  if (Array.isArray(holder)) throw new MongoErr(2, `The source field cannot be an array element, '${from}'`)
  const value = holder[key]
  delete holder[key]
  const target = makeSlot(doc, to.split('.'))
  if (Array.isArray(target.holder)) throw new MongoErr(2, `The destination field cannot be an array element, '${to}'`)
  writeSlot(target, value)
}

/** The fields an upsert takes from the equalities of its query. Throws 54 when a path is given twice. */
export function upsertSeed(query: unknown): Doc {
  const seed: Doc = {}
  const take = (filter: unknown): void => {
    for (const [key, given] of Object.entries(isPlain(filter) ? filter : {})) {
      if (key === '$and' && Array.isArray(given)) given.forEach(take)
      else if (key === '$or' && Array.isArray(given) && given.length === 1) take(given[0])
      else if (!key.startsWith('$')) {
        const [value] = equalities(given)
        if (value === undefined) continue
        const slot = makeSlot(seed, key.split('.'))
        if (slotExists(slot)) throw new MongoErr(54, `cannot infer query fields to set, path '${key}' is matched twice`)
        writeSlot(slot, cloneValue(value))
      }
    }
  }
  take(query)
  return seed
}
/** At most one value: what a condition pins its field to. */
function equalities(given: unknown): unknown[] {
  if (rank(given) === RANK.RE) return []
  if (!isPlain(given) || !Object.keys(given)[0]?.startsWith('$')) return [given]
  if ('$eq' in given) return [given.$eq]
  const list = given.$in ?? given.$all
  return Array.isArray(list) && list.length === 1 && rank(list[0]) !== RANK.RE && !isOperatorDoc(list[0]) ? list : []
}
