// What is different between two configs, field by field. Pure.

import { isDeepStrictEqual } from 'node:util'
import type { AgentChange } from '../protocol/agents.ts'

/** In the order of the fields; lists are one field, whatever changed in them. */
export function diffOf(before: object, after: object, path = ''): readonly AgentChange[] {
  const [one, other] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((name) =>
    changeOf(path === '' ? name : `${path}.${name}`, one.get(name), other.get(name)),
  )
}

function changeOf(field: string, before: unknown, after: unknown): readonly AgentChange[] {
  if (isDeepStrictEqual(before, after)) return []
  if (isRecord(before) && isRecord(after)) return diffOf(before, after, field)
  if (before === undefined) return [{ field, kind: 'added', after }]
  if (after === undefined) return [{ field, kind: 'removed', before }]
  return [{ field, kind: 'changed', before, after }]
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
