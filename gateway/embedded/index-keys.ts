// The order-preserving keys a document has in an index.
import type { Index } from './catalog.ts'
import { type Doc, encode, invert, isPlain, MongoErr, UNDEF_KEY } from './value.ts'

interface IndexKeys {
  readonly keys: Buffer[]
  /** An array stood at an indexed path. */
  readonly multikey: boolean
}
const NONE: IndexKeys = { keys: [], multikey: false }
const own = (value: Doc, key: string): unknown => (Object.hasOwn(value, key) ? value[key] : undefined)
/** The key of one value in one field of an index. */
export function componentKey(value: unknown, desc: boolean): Buffer {
  const key = value === UNDEF_KEY ? UNDEF_KEY : encode(value ?? null)
  return desc ? invert(key) : key
}

/** The values at a path, arrays expanded as Mongo indexes them; an empty array counts as UNDEF_KEY. */
export function pathValues(doc: Doc, parts: readonly string[]): { values: unknown[]; array: boolean } {
  const values: unknown[] = []
  let array = false
  const descend = (value: unknown, depth: number): void => {
    const part = parts[depth]
    if (Array.isArray(value)) {
      array = true
      if (part === undefined) values.push(...(value.length ? value : [UNDEF_KEY]))
      else {
        const documents = value.filter((element) => isPlain(element))
        for (const element of documents) descend(element, depth)
        if (!documents.length) values.push(undefined)
      }
    } else if (part === undefined) values.push(value)
    else descend(isPlain(value) ? own(value, part) : undefined, depth + 1)
  }
  descend(doc, 0)
  return { values, array }
}

/** Throws 171 when two indexed paths hold arrays of several elements. */
export function keysOf(index: Index, doc: Doc): IndexKeys {
  if (index.partial && !index.partial(doc)) return NONE
  let keys: Buffer[] = [Buffer.alloc(0)]
  let multikey = false
  let present = false
  for (const { path, parts, desc } of index.fields) {
    const { values, array } = pathValues(doc, parts)
    if (array && multikey && values.length > 1 && keys.length > 1)
      throw new MongoErr(171, `cannot index parallel arrays [${path}]`)
    multikey ||= array
    present ||= values.some((value) => value !== undefined)
    const components = values.map((value) => componentKey(value, desc))
    keys = keys.flatMap((key) => components.map((next) => (key.length ? Buffer.concat([key, next]) : next)))
  }
  if (index.sparse && !present) return NONE
  return { keys: keys.length > 1 ? distinct(keys) : keys, multikey }
}

const distinct = (keys: Buffer[]): Buffer[] => [...new Map(keys.map((key) => [key.toString('latin1'), key])).values()]

/** Keys of `keys` that are not in `others`. */
export function without(keys: Buffer[], others: Buffer[]): Buffer[] {
  const known = new Set(others.map((key) => key.toString('latin1')))
  return keys.filter((key) => !known.has(key.toString('latin1')))
}
