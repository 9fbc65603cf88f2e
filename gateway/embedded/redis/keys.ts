// Keys of any type and their expiry, and the commands about the whole store.

import { glob, integer, pairs, scanned } from './arguments.ts'
import { atLeast, type Command, type Commands, exactly, ok, RedisError, type Reply, syntaxError } from './command.ts'
import type { Keyspace } from './keyspace.ts'

export function keyCommands(keys: Keyspace): Commands {
  return { ...nameCommands(keys), ...expiryCommands(keys), ...storeCommands(keys) }
}

function nameCommands(keys: Keyspace): Commands {
  const remove = atLeast(1, (names) => names.filter((key) => keys.remove(key)).length)
  const count = atLeast(1, (names) => names.filter((key) => keys.get(key) !== undefined).length)
  return {
    del: remove,
    unlink: remove,
    exists: count,
    touch: count,
    type: exactly(1, ([key = '']) => ({ ok: keys.get(key)?.kind ?? 'none' })),
    rename: exactly(2, ([from = '', to = '']) => {
      rename(keys, from, to)
      return ok
    }),
    renamenx: exactly(2, ([from = '', to = '']) => {
      if (keys.get(from) !== undefined && keys.get(to) !== undefined) return 0
      rename(keys, from, to)
      return 1
    }),
    keys: exactly(1, ([pattern = '']) => {
      const matches = glob(pattern)
      return [...keys.keys()].filter((key) => matches.test(key))
    }),
    scan: atLeast(1, ([, ...options]) => scan(keys, options)),
  }
}

function expiryCommands(keys: Keyspace): Commands {
  return {
    expire: expires(keys, (seconds) => keys.now() + seconds * 1000),
    pexpire: expires(keys, (ms) => keys.now() + ms),
    expireat: expires(keys, (seconds) => seconds * 1000),
    pexpireat: expires(keys, (ms) => ms),
    persist: exactly(1, ([key = '']) => (keys.expiresAt(key) !== undefined && keys.expireAt(key, undefined) ? 1 : 0)),
    pttl: exactly(1, ([key = '']) => leftMs(keys, key)),
    ttl: exactly(1, ([key = '']) => {
      const left = leftMs(keys, key)
      // Rounds half up as Redis does: 1,400 ms left is 1 s.
      return left < 0 ? left : Math.floor((left + 500) / 1000)
    }),
    pexpiretime: exactly(1, ([key = '']) => (keys.get(key) === undefined ? -2 : (keys.expiresAt(key) ?? -1))),
  }
}

function storeCommands(keys: Keyspace): Commands {
  const flush = atLeast(0, () => {
    keys.clear()
    return ok
  })
  return {
    ping: atLeast(0, ([text]) => text ?? { ok: 'PONG' }),
    echo: exactly(1, ([text = '']) => text),
    time: exactly(0, () => {
      const now = keys.now()
      return [String(Math.floor(now / 1000)), String(Math.floor((now % 1000) * 1000))]
    }),
    dbsize: exactly(0, () => [...keys.keys()].length),
    flushall: flush,
    flushdb: flush,
  }
}

/** A fractional time left counts as a whole ms: 0 would read as "gone". */
function leftMs(keys: Keyspace, key: string): number {
  if (keys.get(key) === undefined) return -2
  const expiresAt = keys.expiresAt(key)
  return expiresAt === undefined ? -1 : Math.max(1, Math.ceil(expiresAt - keys.now()))
}

function rename(keys: Keyspace, from: string, to: string): void {
  const value = keys.get(from)
  if (value === undefined) throw new RedisError('ERR no such key')
  const expiresAt = keys.expiresAt(from)
  keys.remove(from)
  keys.put(to, value, expiresAt)
}

function expires(keys: Keyspace, at: (value: number) => number): Command {
  return atLeast(2, ([key = '', value = '', ...conditions]) => {
    const expiresAt = at(integer(value))
    const old = keys.expiresAt(key)
    const met = conditions.map((word) => meets(word.toLowerCase(), old, expiresAt))
    if (keys.get(key) === undefined || met.includes(false)) return 0
    keys.expireAt(key, expiresAt)
    return 1
  })
}

function meets(condition: string, old: number | undefined, next: number): boolean {
  if (condition === 'nx') return old === undefined
  if (condition === 'xx') return old !== undefined
  if (condition === 'gt') return old !== undefined && next > old
  if (condition === 'lt') return old === undefined || next < old
  throw new RedisError(`ERR Unsupported option ${condition}`)
}

function scan(keys: Keyspace, options: readonly string[]): Reply {
  const given = pairs(options)
  const kind = given.find(([name]) => name.toLowerCase() === 'type')?.[1].toLowerCase()
  const rest = given.filter(([name]) => name.toLowerCase() !== 'type')
  if (given.length - rest.length > 1) throw syntaxError()
  const found = scanned(rest.flat(), keys.keys())
  return ['0', kind === undefined ? found : found.filter((key) => keys.get(key)?.kind === kind)]
}
