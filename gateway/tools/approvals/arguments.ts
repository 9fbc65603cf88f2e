// What exactly is approved: arguments in one spelling, their hash, and what a person changed of them. Pure.

import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ApprovalChange } from '../../protocol/approvals.ts'
import type { JsonObject } from '../tool.ts'

/** The same text for the same value, in whatever order its fields were written. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    isObject(each) ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1))) : each,
  )
}

/** `session`: the live one, or the conversation in writing. */
export function hashOf(call: { readonly tool: string; readonly args: string; readonly session: string }): string {
  return createHash('sha256')
    .update(JSON.stringify([call.tool, call.args, call.session]))
    .digest('hex')
}

/** Beyond it nobody reads them one by one. */
const mostChanges = 100

/** Paths in the order of `before`, then what is new. */
export function changesOf(before: JsonObject, after: JsonObject): readonly ApprovalChange[] {
  return [...differences(before, after, '')].slice(0, mostChanges)
}

function* differences(before: unknown, after: unknown, path: string): Generator<ApprovalChange> {
  if (isDeepStrictEqual(before, after)) return
  if (!isObject(before) || !isObject(after)) {
    yield { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
    return
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
    yield* differences(own(before, name), own(after, name), path === '' ? name : `${path}.${name}`)
}

const own = (value: JsonObject, name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined)

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Undefined: no JSON object. */
export function objectOf(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
