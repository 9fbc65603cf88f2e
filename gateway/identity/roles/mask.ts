// Takes masked fields out of a copy of a record. Pure.

import type { FieldMask } from './grant.ts'

export const redactedText = '[redacted]'

/** The record itself when nothing is masked. */
export function withoutMasked<T extends object>(record: T, masks: readonly FieldMask[]): T {
  if (masks.length === 0) return record
  const copy = structuredClone(record)
  for (const { field, how } of masks) mask(copy, field.split('.'), how)
  return copy
}

function mask(value: unknown, [key, ...rest]: readonly string[], how: FieldMask['how']): void {
  if (Array.isArray(value)) {
    for (const item of value) mask(item, key === undefined ? [] : [key, ...rest], how)
    return
  }
  if (typeof value !== 'object' || value === null || key === undefined || !Object.hasOwn(value, key)) return
  if (rest.length > 0) mask(Reflect.get(value, key), rest, how)
  else if (how === 'hide') Reflect.deleteProperty(value, key)
  else if (Reflect.get(value, key) !== null) Reflect.set(value, key, redactedText)
}
