// Dotted paths: reading and creating what they point at.
import { MongoErr } from './mongo-error.ts'
import { type Doc, isPlain, typeName } from './value.ts'

/** Mongo pads an array with nulls up to the index written, to this many at most. */
const MAX_PADDING = 1_500_000

export const isIndex = (part: string): boolean => /^(0|[1-9]\d*)$/.test(part)
const hasOwn = (doc: Doc, key: string): boolean => Object.hasOwn(doc, key)

/** A document or array together with one key in it. */
export interface Slot {
  readonly holder: Doc | unknown[]
  readonly key: string
}

export function readSlot({ holder, key }: Slot): unknown {
  if (Array.isArray(holder)) return holder[Number(key)]
  return hasOwn(holder, key) ? holder[key] : undefined
}
export function slotExists({ holder, key }: Slot): boolean {
  return Array.isArray(holder) ? Number(key) < holder.length : hasOwn(holder, key)
}
/** Writes in place; arrays are padded with nulls. Throws 2 when an index is absurdly high. */
export function writeSlot({ holder, key }: Slot, value: unknown): void {
  if (!Array.isArray(holder)) {
    // A field called __proto__ must stay a field.
    if (key === '__proto__')
      Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true })
    else holder[key] = value
    return
  }
  const index = Number(key)
  if (index > holder.length + MAX_PADDING) throw new MongoErr(2, `can't backfill more than ${MAX_PADDING} elements`)
  while (holder.length < index) holder.push(null)
  holder[index] = value
}
/** Removes a field; an array element becomes null, as Mongo keeps positions. */
export function clearSlot(slot: Slot): void {
  if (Array.isArray(slot.holder)) writeSlot(slot, null)
  else delete slot.holder[slot.key]
}

/** The value at a path, array elements by index only; undefined when missing. */
export function getPath(root: unknown, parts: readonly string[]): unknown {
  let value = root
  for (const key of parts) {
    if (Array.isArray(value)) value = isIndex(key) ? value[Number(key)] : undefined
    else value = isPlain(value) && hasOwn(value, key) ? value[key] : undefined
  }
  return value
}

const notViable = (key: string, parent: string, value: unknown): MongoErr =>
  new MongoErr(28, `Cannot create field '${key}' in element {${parent}: ${typeName(value)}}`)

/** The slot at a path, or undefined when nothing is there. */
export function findSlot(doc: Doc, parts: readonly string[]): Slot | undefined {
  const holder = getPath(doc, parts.slice(0, -1))
  const key = parts.at(-1) ?? ''
  if (!isPlain(holder) && !(Array.isArray(holder) && isIndex(key))) return undefined
  return slotExists({ holder, key }) ? { holder, key } : undefined
}

/** The slot at a path, creating documents on the way. Throws 28 where a scalar or array stands in it. */
export function makeSlot(doc: Doc, parts: readonly string[]): Slot {
  let holder: Doc | unknown[] = doc
  for (const [i, key] of parts.entries()) {
    if (Array.isArray(holder) && !isIndex(key)) throw notViable(key, parts[i - 1] ?? '', holder)
    const slot: Slot = { holder, key }
    if (i === parts.length - 1) return slot
    if (readSlot(slot) === undefined) writeSlot(slot, {})
    const next = readSlot(slot)
    if (!Array.isArray(next) && !isPlain(next)) throw notViable(parts[i + 1] ?? '', key, next)
    holder = next
  }
  throw new MongoErr(56, 'An empty update path is not valid.')
}

/** Calls `test` with each value a query path reaches, undefined for missing, until one call returns true. */
export function reaches(root: unknown, parts: readonly string[], test: (value: unknown) => boolean): boolean {
  const visit = (value: unknown, depth: number): boolean => {
    const key = parts[depth]
    if (key === undefined) return test(value)
    if (Array.isArray(value)) {
      if (isIndex(key) && Number(key) < value.length && visit(value[Number(key)], depth + 1)) return true
      return value.some((item) => isPlain(item) && visit(item, depth))
    }
    return isPlain(value) && hasOwn(value, key) ? visit(value[key], depth + 1) : test(undefined)
  }
  return visit(root, 0)
}

/** A copy of `root` with a path set, in every element of arrays on the way; undefined removes. `root` is untouched. */
export function withPath(root: unknown, parts: readonly string[], value: unknown): unknown {
  const [key, ...rest] = parts
  if (key === undefined) return value
  if (Array.isArray(root)) return root.map((item: unknown) => withPath(item, parts, value))
  const copy = isPlain(root) ? { ...root } : {}
  const slot: Slot = { holder: copy, key }
  const next = withPath(readSlot(slot), rest, value)
  if (next === undefined) clearSlot(slot)
  else writeSlot(slot, next)
  return copy
}
