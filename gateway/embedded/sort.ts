// Sort orders over dotted paths.
import { MinKey } from 'bson'
import { MongoErr } from './mongo-error.ts'
import { isIndex } from './path.ts'
import { compare, type Doc, isNumeric, isPlain, num } from './value.ts'

// An empty array sorts below null; only MinKey itself, which nobody stores, ties with it.
const BELOW_NULL = new MinKey()

/** Comparator of a sort specification. Throws 15975 unless each direction is 1 or -1. */
export function sortCmp(spec: Doc): (a: unknown, b: unknown) => number {
  const keys = Object.entries(spec).map(([path, given]) => {
    const direction = isNumeric(given) ? num(given) : 0
    if (direction !== 1 && direction !== -1)
      throw new MongoErr(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
    return { parts: path.split('.'), direction }
  })
  return (a, b) => {
    for (const { parts, direction } of keys) {
      const order = compare(sortKey(a, parts, direction), sortKey(b, parts, direction))
      if (order) return order * direction
    }
    return 0
  }
}

/** What a document sorts by: of several array elements the least when ascending, the greatest when descending. */
function sortKey(doc: unknown, parts: readonly string[], direction: number): unknown {
  let best: unknown
  let found = false
  const offer = (value: unknown): void => {
    const candidate = value ?? null
    if (found && compare(candidate, best) * direction >= 0) return
    best = candidate
    found = true
  }
  const descend = (value: unknown, depth: number): void => {
    const key = parts[depth]
    if (!Array.isArray(value)) {
      if (key === undefined) offer(value)
      else descend(isPlain(value) && Object.hasOwn(value, key) ? value[key] : undefined, depth + 1)
    } else if (key === undefined) {
      if (value.length === 0) offer(BELOW_NULL)
      for (const item of value) offer(item)
    } else if (isIndex(key)) descend(value[Number(key)], depth + 1)
    else for (const item of value) if (isPlain(item)) descend(item, depth)
  }
  descend(doc, 0)
  return found ? best : null
}
