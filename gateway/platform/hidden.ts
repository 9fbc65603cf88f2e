// Whether a field is masked for a caller: then nothing may be filtered, sorted or searched by it either.

import type { AuthContext } from './access.ts'

/** `path`: dotted, inside the record. Told by a record with a text and one with a number there: a mask may redact only one. */
export function isHidden(auth: AuthContext, resource: string, path: string, kind?: string): boolean {
  return ['a probe of 20 letters', 424_242].some((probe) => {
    const shown = auth.masked(resource, nested(path.split('.'), probe), kind)
    return at(shown, path.split('.')) !== probe
  })
}

function nested(path: readonly string[], value: unknown): object {
  const [head = '', ...rest] = path
  return { [head]: rest.length === 0 ? value : nested(rest, value) }
}

function at(value: unknown, path: readonly string[]): unknown {
  const [head, ...rest] = path
  if (head === undefined) return value
  if (typeof value !== 'object' || value === null) return undefined
  return at(new Map<string, unknown>(Object.entries(value)).get(head), rest)
}
