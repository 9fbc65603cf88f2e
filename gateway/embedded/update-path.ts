// Positional paths of updates: `$`, `$[]` and `$[identifier]`, resolved to plain paths for one document.
import { compile, type MatchOpts, type Pred } from './match.ts'
import { MongoErr } from './mongo-error.ts'
import { getPath, withPath } from './path.ts'
import { type Doc, isPlain, typeName } from './value.ts'

export interface UpdateOpts extends MatchOpts {
  readonly arrayFilters?: readonly unknown[] | undefined
  /** The document is being inserted by an upsert, so $setOnInsert applies. */
  readonly upsertInsert?: boolean | undefined
}

/** Expands one update path into the paths it stands for in `doc`. */
export type Expand = (doc: Doc, parts: readonly string[]) => (readonly string[])[]

/** `original` is the document before the update. Throws 9 for malformed or unused array filters, 2 for unusable paths. */
export function pathExpander(original: Doc, paths: readonly string[], options: UpdateOpts): Expand {
  const filters = compileArrayFilters(options)
  for (const name of filters.keys())
    if (!paths.some((path) => path.split('.').includes(`$[${name}]`)))
      throw new MongoErr(9, `The array filter for identifier '${name}' was not used in the update`)
  const expand: Expand = (doc, parts) => {
    const at = parts.findIndex((part) => part.startsWith('$'))
    const operator = parts[at]
    if (operator === undefined) return [parts]
    const head = parts.slice(0, at)
    const matching =
      operator === '$' ? [positional(original, head, options)] : elements(getPath(doc, head), parts, filters)
    return matching.flatMap((index) => expand(doc, [...head, String(index), ...parts.slice(at + 1)]))
  }
  return expand
}

/** Indexes that the first `$[]` or `$[identifier]` of `parts` selects in `array`. */
function elements(array: unknown, parts: readonly string[], filters: ReadonlyMap<string, Pred>): number[] {
  const operator = parts.find((part) => part.startsWith('$')) ?? ''
  const path = parts.join('.')
  const name = operator.slice(2, -1)
  const filter = name ? filters.get(name) : () => true
  if (!filter) throw new MongoErr(2, `No array filter found for identifier '${name}' in path '${path}'`)
  if (array === undefined)
    throw new MongoErr(2, `The path must exist in the document in order to apply array updates: '${path}'`)
  if (!Array.isArray(array))
    throw new MongoErr(2, `Cannot apply array updates to a non-array element of type ${typeName(array)}: '${path}'`)
  return array.flatMap((element: unknown, index) => (filter({ [name]: element }) ? [index] : []))
}

function compileArrayFilters(options: UpdateOpts): Map<string, Pred> {
  const filters = new Map<string, Pred>()
  for (const given of options.arrayFilters ?? []) {
    if (!isPlain(given)) throw new MongoErr(14, 'an array filter must be an object')
    const [name, second] = identifiers(given)
    if (name === undefined || second !== undefined)
      throw new MongoErr(9, 'Error parsing array filter: expected a single top-level field name')
    if (filters.has(name))
      throw new MongoErr(9, `Found multiple array filters with the same top-level field name ${name}`)
    filters.set(name, compile(given, options))
  }
  return filters
}
function identifiers(filter: Doc): Set<string> {
  const names = Object.entries(filter).flatMap(([key, value]) => {
    if (!['$and', '$or', '$nor'].includes(key)) return [key.split('.')[0] ?? '']
    return Array.isArray(value) ? value.filter(isPlain).flatMap((inner) => [...identifiers(inner)]) : []
  })
  return new Set(names)
}

/** Index of the first element at `head` that makes the query true when it stands alone. Throws 2 when there is none. */
function positional(doc: Doc, head: readonly string[], options: UpdateOpts): number {
  const path = head.join('.')
  const array = getPath(doc, head)
  for (const clause of Array.isArray(array) ? clausesOn(path, options.query ?? {}) : []) {
    const matches = compile(clause, options)
    const index = Array.isArray(array)
      ? array.findIndex((element: unknown) => matches(withPath(doc, head, [element])))
      : -1
    if (index >= 0) return index
  }
  throw new MongoErr(2, 'The positional operator did not find the match needed from the query.')
}
function clausesOn(path: string, query: Doc): Doc[] {
  return Object.entries(query).flatMap(([key, value]) => {
    if (key === '$and' && Array.isArray(value)) return value.filter(isPlain).flatMap((inner) => clausesOn(path, inner))
    const touches = key === '$or' || `${key}.`.startsWith(`${path}.`) || path.startsWith(`${key}.`)
    return touches ? [{ [key]: value }] : []
  })
}
