// Strings and counters.

import { float, floatText, integer, pairs, sum } from './arguments.ts'
import { atLeast, type Commands, exactly, ok, RedisError, type Reply, syntaxError, wrongType } from './command.ts'
import type { Keyspace } from './keyspace.ts'

export function stringCommands(keys: Keyspace): Commands {
  return {
    get: exactly(1, ([key = '']) => read(keys, key) ?? null),
    set: atLeast(2, ([key = '', value = '', ...options]) => set(keys, [key, value], options)),
    setnx: exactly(2, ([key = '', value = '']) => (set(keys, [key, value], ['nx']) === null ? 0 : 1)),
    setex: exactly(3, ([key = '', seconds = '', value = '']) => set(keys, [key, value], ['ex', seconds])),
    psetex: exactly(3, ([key = '', ms = '', value = '']) => set(keys, [key, value], ['px', ms])),
    getset: exactly(2, ([key = '', value = '']) => set(keys, [key, value], ['get'])),
    getdel: exactly(1, ([key = '']) => {
      const value = read(keys, key)
      keys.remove(key)
      return value ?? null
    }),
    getex: atLeast(1, ([key = '', ...options]) => getAndExpire(keys, key, options)),
    strlen: exactly(1, ([key = '']) => Buffer.byteLength(read(keys, key) ?? '')),
    append: exactly(2, ([key = '', tail = '']) => Buffer.byteLength(keep(keys, key, (read(keys, key) ?? '') + tail))),
    mget: atLeast(1, (names) => names.map((key) => textOrNull(keys, key))),
    mset: atLeast(2, (words) => {
      for (const [key, value] of pairs(words)) keys.put(key, { kind: 'string', data: value }, undefined)
      return ok
    }),
    msetnx: atLeast(2, (words) => {
      const entries = pairs(words)
      if (entries.some(([key]) => keys.get(key) !== undefined)) return 0
      for (const [key, value] of entries) keys.put(key, { kind: 'string', data: value }, undefined)
      return 1
    }),
    incr: exactly(1, ([key = '']) => add(keys, key, 1)),
    decr: exactly(1, ([key = '']) => add(keys, key, -1)),
    incrby: exactly(2, ([key = '', by = '']) => add(keys, key, integer(by))),
    decrby: exactly(2, ([key = '', by = '']) => add(keys, key, -integer(by))),
    incrbyfloat: exactly(2, ([key = '', by = '']) =>
      keep(keys, key, floatText(float(read(keys, key) ?? '0') + float(by))),
    ),
  }
}

function read(keys: Keyspace, key: string): string | undefined {
  const value = keys.get(key)
  if (value === undefined) return undefined
  if (value.kind !== 'string') throw wrongType()
  return value.data
}

function textOrNull(keys: Keyspace, key: string): string | null {
  const value = keys.get(key)
  return value?.kind === 'string' ? value.data : null
}

/** Writes without touching the expiry. */
function keep(keys: Keyspace, key: string, data: string): string {
  keys.put(key, { kind: 'string', data }, keys.expiresAt(key))
  return data
}

function add(keys: Keyspace, key: string, by: number): number {
  return Number(keep(keys, key, String(sum(integer(read(keys, key) ?? '0'), by))))
}

interface SetOptions {
  readonly words: ReadonlySet<string>
  readonly expiresAt: number | undefined
}

const expiryWords = new Set(['ex', 'px', 'exat', 'pxat'])

function options(keys: Keyspace, given: readonly string[], flags: readonly string[]): SetOptions {
  const words = new Set<string>()
  let expiresAt: number | undefined
  for (let i = 0; i < given.length; i++) {
    const word = (given[i] ?? '').toLowerCase()
    if (expiryWords.has(word)) {
      const value = given[++i]
      if (value === undefined || expiresAt !== undefined) throw syntaxError()
      expiresAt = expiry(keys, word, integer(value))
    } else if (!flags.includes(word)) throw syntaxError()
    words.add(word)
  }
  return { words, expiresAt }
}

function expiry(keys: Keyspace, word: string, value: number): number {
  if (value <= 0) throw new RedisError(`ERR invalid expire time in 'set' command`)
  if (word === 'ex') return keys.now() + value * 1000
  if (word === 'px') return keys.now() + value
  return word === 'exat' ? value * 1000 : value
}

function set(keys: Keyspace, [key, data]: [string, string], given: readonly string[]): Reply {
  const { words, expiresAt } = options(keys, given, ['nx', 'xx', 'get', 'keepttl'])
  if (words.has('nx') && words.has('xx')) throw syntaxError()
  if (words.has('keepttl') && expiresAt !== undefined) throw syntaxError()
  const exists = keys.get(key) !== undefined
  const old = words.has('get') ? (read(keys, key) ?? null) : undefined
  if (exists ? words.has('nx') : words.has('xx')) return old ?? null
  keys.put(key, { kind: 'string', data }, words.has('keepttl') ? keys.expiresAt(key) : expiresAt)
  return old === undefined ? ok : old
}

function getAndExpire(keys: Keyspace, key: string, given: readonly string[]): Reply {
  const { words, expiresAt } = options(keys, given, ['persist'])
  if (words.size > 1) throw syntaxError()
  const value = read(keys, key)
  if (value !== undefined && words.size > 0) keys.expireAt(key, expiresAt)
  return value ?? null
}
