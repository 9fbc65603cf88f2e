// Ids: a short kind prefix and 95 random bits in base 32, so that a log line tells what an id is of.

import { createHash, randomFillSync } from 'node:crypto'

export type TenantId = string & { readonly brand: 'TenantId' }

/** Only identity (from a verified credential), the seed and stored documents may make one. */
export function asTenantId(id: string): TenantId {
  return id as TenantId
}

export type IdPrefix =
  | 'ten'
  | 'agt'
  | 'key'
  | 'sess'
  | 'conv'
  | 'cont'
  | 'turn'
  | 'hold'
  | 'item'
  | 'resp'
  | 'event'
  | 'call'
  | 'vis'
  | 'op'
  | 'err'
  | 'ent'
  | 'tok'
  | 'kid'
  | 'node'
  | 'dlg'
  | 'obj'
  | 'aud'
  | 'role'
  | 'asg'
  | 'pol'
  | 'inv'
  | 'sec'
  | 'ver'
  | 'evt'
  | 'rel'
  | 'exec'
  | 'msg'
  | 'type'
  | 'acct'
  | 'appr'
  | 'src'
  | 'chk'
  | 'mcp'
  | 'hook'
  | 'hdel'
  | 'pay'
  | 'enr'
  | 'reg'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const length = 19
/** Random bytes are drawn for 200 ids at once: a call to the generator costs more than an id. */
const pool = Buffer.alloc(length * 200)
let used = pool.length

export function newId(prefix: IdPrefix): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  let id = `${prefix}_`
  for (const end = used + length; used < end; used++) id += alphabet[(pool[used] ?? 0) & 31]
  return id
}

let lastMs = 0
let inThisMs = 0

/** Ids that sort as one process made them: 45 bits of time, 10 of a count within the millisecond, then 50 random ones. */
export function newOrderedId(prefix: IdPrefix, nowMs: number): string {
  inThisMs = nowMs === lastMs ? inThisMs + 1 : 0
  lastMs = nowMs
  const random = newId(prefix)
  const start = prefix.length + 1
  return `${random.slice(0, start)}${base32(nowMs, 9)}${base32(inThisMs, 2)}${random.slice(start, start + 10)}`
}

function base32(value: number, digits: number): string {
  let text = ''
  for (let rest = value; text.length < digits; rest = Math.floor(rest / 32)) text = `${alphabet[rest % 32]}${text}`
  return text
}

/** The same id for the same words, by whoever makes it: what two processes make of one thing is one document. */
export function idOf(prefix: IdPrefix, ...words: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(words)).digest()
  let id = `${prefix}_`
  for (const byte of digest.subarray(0, length)) id += alphabet[byte & 31]
  return id
}
