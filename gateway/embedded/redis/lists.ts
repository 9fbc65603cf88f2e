// Lists, gone with their last item. Meant for short ones: pushing left moves every item.

import { amount, integer, rankRange } from './arguments.ts'
import { atLeast, type Commands, exactly, ok, RedisError, type Reply, syntaxError, wrongType } from './command.ts'
import type { Keyspace } from './keyspace.ts'

export function listCommands(keys: Keyspace): Commands {
  return { ...pushCommands(keys), ...itemCommands(keys) }
}

function pushCommands(keys: Keyspace): Commands {
  return {
    lpush: atLeast(2, ([key = '', ...items]) => open(keys, key).unshift(...items.toReversed())),
    rpush: atLeast(2, ([key = '', ...items]) => open(keys, key).push(...items)),
    lpushx: atLeast(2, ([key = '', ...items]) => read(keys, key)?.unshift(...items.toReversed()) ?? 0),
    rpushx: atLeast(2, ([key = '', ...items]) => read(keys, key)?.push(...items) ?? 0),
    lpop: atLeast(1, ([key = '', ...count]) => pop(keys, key, { side: 'left', count })),
    rpop: atLeast(1, ([key = '', ...count]) => pop(keys, key, { side: 'right', count })),
    lmove: exactly(4, ([from = '', to = '', ...sides]) => {
      const [out, into] = sides.map(side)
      if (read(keys, from) !== undefined) read(keys, to)
      const item = pop(keys, from, { side: out ?? 'left', count: [] })
      if (typeof item !== 'string') return null
      if (into === 'left') open(keys, to).unshift(item)
      else open(keys, to).push(item)
      return item
    }),
  }
}

function itemCommands(keys: Keyspace): Commands {
  return {
    llen: exactly(1, ([key = '']) => read(keys, key)?.length ?? 0),
    lrange: exactly(3, ([key = '', first = '', last = '']) => rankRange(first, last)(read(keys, key) ?? [])),
    lindex: exactly(2, ([key = '', at = '']) => read(keys, key)?.at(integer(at)) ?? null),
    lset: exactly(3, ([key = '', at = '', item = '']) => {
      const list = read(keys, key)
      if (list === undefined) throw new RedisError('ERR no such key')
      const index = integer(at) < 0 ? list.length + integer(at) : integer(at)
      if (index < 0 || index >= list.length) throw new RedisError('ERR index out of range')
      list[index] = item
      return ok
    }),
    lrem: exactly(3, ([key = '', count = '', item = '']) => {
      const most = integer(count)
      const list = read(keys, key)
      return list === undefined ? 0 : replace(keys, key, without(list, item, most))
    }),
    ltrim: exactly(3, ([key = '', first = '', last = '']) => {
      const cut = rankRange(first, last)
      const list = read(keys, key)
      if (list !== undefined) replace(keys, key, cut(list))
      return ok
    }),
  }
}

type Side = 'left' | 'right'

function side(word: string): Side {
  const found = word.toLowerCase()
  if (found !== 'left' && found !== 'right') throw syntaxError()
  return found
}

function read(keys: Keyspace, key: string): string[] | undefined {
  const value = keys.get(key)
  if (value === undefined) return undefined
  if (value.kind !== 'list') throw wrongType()
  return value.data
}

function open(keys: Keyspace, key: string): string[] {
  const found = read(keys, key)
  if (found !== undefined) return found
  const list: string[] = []
  keys.put(key, { kind: 'list', data: list }, undefined)
  return list
}

function pop(keys: Keyspace, key: string, from: { side: Side; count: readonly string[] }): Reply {
  if (from.count.length > 1) throw syntaxError()
  const wanted = amount(from.count[0] ?? '1')
  const list = read(keys, key)
  if (list === undefined) return null
  const taken = from.side === 'left' ? list.splice(0, wanted) : list.splice(-wanted || list.length).toReversed()
  if (list.length === 0) keys.remove(key)
  return from.count.length === 0 ? (taken[0] ?? null) : taken
}

/** How many items went; the expiry stays. */
function replace(keys: Keyspace, key: string, items: string[]): number {
  const before = read(keys, key)?.length ?? 0
  if (items.length === 0) keys.remove(key)
  else keys.put(key, { kind: 'list', data: items }, keys.expiresAt(key))
  return before - items.length
}

/** Removes up to |count| equal items, from the right when negative, all when zero. */
function without(list: readonly string[], item: string, count: number): string[] {
  let left = count === 0 ? list.length : Math.abs(count)
  const kept = (count < 0 ? list.toReversed() : list).filter((each) => each !== item || left-- <= 0)
  return count < 0 ? kept.toReversed() : kept
}
