// What may be an amount and what may be a field name. Everything that enters the ledger passes here.

import { Problem } from '../platform/problem.ts'

/** Whole micro-credits within ±2^53, where a JavaScript number is exact. Throws `invalid` otherwise. */
export function requireInteger(value: number, name: string, least = Number.MIN_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Problem('invalid', `${name} must be a whole number${least === 0 ? ', zero or more' : ''}, below 2^53.`)
  }
  return value
}

/** Ids become parts of field paths: a dot or a `$` would address another field, `__proto__` another object. */
export function requireId(id: string, name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,79}$/.test(id)) throw new Problem('invalid', `${name} is not a usable id.`)
  return id
}

/** Ids of other systems (payments, billing periods) as the last part of a key. */
export function requireReference(id: string, name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/.test(id)) throw new Problem('invalid', `${name} is not a usable id.`)
  return id
}

const ownPrefixes = ['hold', 'ext', 'settle', 'expire', 'repay', 'owe', 'fold']

/** Keys of `post`: the ledger's own kinds of key are not for callers. */
export function requirePostKey(key: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_:-]{0,159}$/.test(key) || ownPrefixes.some((prefix) => key.startsWith(`${prefix}:`))) {
    throw new Problem('invalid', 'The key is not a usable operation key.')
  }
  return key
}
