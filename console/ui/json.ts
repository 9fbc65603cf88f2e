// JSON as it comes over the wire, and what differs between two of it. Pure.

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Undefined: no JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  const value = parseJson(text)
  return value.ok && isObject(value.value) ? value.value : undefined
}

export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string }

export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : 'No JSON.' }
  }
}

export interface Difference {
  /** Dotted, from the root; empty: the value itself. */
  readonly field: string
  readonly before?: unknown
  readonly after?: unknown
}

/** Field by field where both sides are objects; lists and everything else as a whole. */
export function differences(before: unknown, after: unknown, field = ''): readonly Difference[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return names.flatMap((name) => differences(before[name], after[name], field === '' ? name : `${field}.${name}`))
  }
  if (same(before, after)) return []
  return [{ field, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

/** The order of an object's fields means nothing. */
export function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((each, at) => same(each, other[at]))
  if (!isObject(one) || !isObject(other)) return false
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => same(one[name], other[name]))
}
