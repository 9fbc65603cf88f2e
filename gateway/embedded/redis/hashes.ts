// Hashes: a field map under one key, gone with its last field.

import { float, floatText, integer, numberText, pairs, scanned, sum } from './arguments.ts'
import { atLeast, type Commands, exactly, ok, wrongArity, wrongType } from './command.ts'
import type { Keyspace } from './keyspace.ts'

export function hashCommands(keys: Keyspace): Commands {
  return {
    hset: atLeast(3, ([key = '', ...fields]) => store(keys, key, fields)),
    hmset: atLeast(3, ([key = '', ...fields]) => {
      store(keys, key, fields)
      return ok
    }),
    hsetnx: exactly(3, ([key = '', field = '', value = '']) =>
      read(keys, key)?.has(field) === true ? 0 : store(keys, key, [field, value]),
    ),
    hget: exactly(2, ([key = '', field = '']) => read(keys, key)?.get(field) ?? null),
    hmget: atLeast(2, ([key = '', ...fields]) => {
      const hash = read(keys, key)
      return fields.map((field) => hash?.get(field) ?? null)
    }),
    hgetall: exactly(1, ([key = '']) => [...(read(keys, key) ?? [])].flat()),
    hkeys: exactly(1, ([key = '']) => [...(read(keys, key)?.keys() ?? [])]),
    hvals: exactly(1, ([key = '']) => [...(read(keys, key)?.values() ?? [])]),
    hlen: exactly(1, ([key = '']) => read(keys, key)?.size ?? 0),
    hexists: exactly(2, ([key = '', field = '']) => (read(keys, key)?.has(field) === true ? 1 : 0)),
    hstrlen: exactly(2, ([key = '', field = '']) => Buffer.byteLength(read(keys, key)?.get(field) ?? '')),
    hdel: atLeast(2, ([key = '', ...fields]) => {
      const hash = read(keys, key)
      if (hash === undefined) return 0
      const removed = fields.filter((field) => hash.delete(field)).length
      if (hash.size === 0) keys.remove(key)
      return removed
    }),
    hincrby: exactly(3, ([key = '', field = '', by = '']) => {
      const step = integer(by)
      const value = sum(integer(read(keys, key)?.get(field) ?? '0'), step)
      store(keys, key, [field, numberText(value)])
      return value
    }),
    hincrbyfloat: exactly(3, ([key = '', field = '', by = '']) => {
      const step = float(by)
      const value = floatText(float(read(keys, key)?.get(field) ?? '0') + step)
      store(keys, key, [field, value])
      return value
    }),
    hscan: atLeast(2, ([key = '', , ...options]) => {
      const hash = read(keys, key)
      const fields = scanned(options, hash?.keys() ?? [])
      return ['0', fields.flatMap((field) => [field, hash?.get(field) ?? ''])]
    }),
  }
}

function read(keys: Keyspace, key: string): Map<string, string> | undefined {
  const value = keys.get(key)
  if (value === undefined) return undefined
  if (value.kind !== 'hash') throw wrongType()
  return value.data
}

/** How many of the fields are new. */
function store(keys: Keyspace, key: string, words: readonly string[]): number {
  if (words.length % 2 !== 0) throw wrongArity('hset')
  let hash = read(keys, key)
  if (hash === undefined) {
    hash = new Map()
    keys.put(key, { kind: 'hash', data: hash }, undefined)
  }
  const before = hash.size
  for (const [field, value] of pairs(words)) hash.set(field, value)
  return hash.size - before
}
