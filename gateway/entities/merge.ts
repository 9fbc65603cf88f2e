// JSON merge patches (RFC 7386). Pure.

import { isObject, type JsonObject } from './schema.ts'

/** Objects are gone into, null takes a field out, undefined says nothing, everything else replaces. */
export function merged(target: object, patch: object): JsonObject {
  const result = new Map<string, unknown>(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    const old = result.get(name)
    if (value === undefined) continue
    if (value === null) result.delete(name)
    else result.set(name, isObject(value) ? merged(isObject(old) ? old : {}, value) : value)
  }
  return Object.fromEntries(result)
}

/** Dotted paths that a patch writes. */
export function touched(patch: object, before = ''): string[] {
  return Object.entries(patch).flatMap(([name, value]) => {
    const path = before === '' ? name : `${before}.${name}`
    if (value === undefined) return []
    return isObject(value) && Object.keys(value).length > 0 ? touched(value, path) : [path]
  })
}
