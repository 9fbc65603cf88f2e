// Sorted sets: members by score, then by name. Lexical ranges and set algebra over them are not supported.

import { amount, float, integer, numberText, pairs, rankRange, scanned, scoreRange } from './arguments.ts'
import { atLeast, type Commands, exactly, RedisError, type Reply, syntaxError, wrongType } from './command.ts'
import type { Keyspace, SortedSet } from './keyspace.ts'

type Member = readonly [member: string, score: number]

export function zsetCommands(keys: Keyspace): Commands {
  return { ...memberCommands(keys), ...rangeCommands(keys) }
}

function memberCommands(keys: Keyspace): Commands {
  return {
    zadd: atLeast(3, ([key = '', ...words]) => add(keys, key, words)),
    zincrby: exactly(3, ([key = '', by = '', member = '']) => add(keys, key, ['incr', by, member])),
    zrem: atLeast(2, ([key = '', ...members]) => remove(keys, key, members)),
    zcard: exactly(1, ([key = '']) => read(keys, key)?.scores.size ?? 0),
    zscore: exactly(2, ([key = '', member = '']) => scoreText(read(keys, key), member)),
    zmscore: atLeast(2, ([key = '', ...members]) => {
      const zset = read(keys, key)
      return members.map((member) => scoreText(zset, member))
    }),
    zrank: exactly(2, ([key = '', member = '']) => rank(ordered(read(keys, key)), member)),
    zrevrank: exactly(2, ([key = '', member = '']) => rank(ordered(read(keys, key)).toReversed(), member)),
    zscan: atLeast(2, ([key = '', , ...options]) => {
      const zset = read(keys, key)
      const members = scanned(options, zset?.scores.keys() ?? [])
      return ['0', members.flatMap((member) => [member, scoreText(zset, member) ?? ''])]
    }),
  }
}

function rangeCommands(keys: Keyspace): Commands {
  return {
    zrange: atLeast(3, ([key = '', first = '', last = '', ...options]) => range(keys, key, [first, last, ...options])),
    zrangebyscore: atLeast(3, ([key = '', low = '', high = '', ...options]) =>
      range(keys, key, [low, high, 'byscore', ...options]),
    ),
    zcount: exactly(3, ([key = '', low = '', high = '']) => within(keys, key, [low, high]).length),
    zremrangebyscore: exactly(3, ([key = '', low = '', high = '']) =>
      remove(keys, key, names(within(keys, key, [low, high]))),
    ),
    zremrangebyrank: exactly(3, ([key = '', first = '', last = '']) =>
      remove(keys, key, names(rankRange(first, last)(ordered(read(keys, key))))),
    ),
    zpopmin: atLeast(1, ([key = '', count = '1']) => {
      const most = amount(count)
      return pop(keys, key, ordered(read(keys, key)).slice(0, most))
    }),
    zpopmax: atLeast(1, ([key = '', count = '1']) => {
      const most = amount(count)
      return pop(keys, key, ordered(read(keys, key)).toReversed().slice(0, most))
    }),
  }
}

function read(keys: Keyspace, key: string): SortedSet | undefined {
  const value = keys.get(key)
  if (value === undefined) return undefined
  if (value.kind !== 'zset') throw wrongType()
  return value.data
}

function ordered(zset: SortedSet | undefined): readonly Member[] {
  if (zset === undefined) return []
  zset.order ??= [...zset.scores].sort((a, b) => (a[1] === b[1] ? (a[0] < b[0] ? -1 : 1) : a[1] < b[1] ? -1 : 1))
  return zset.order
}

const addFlags = new Set(['nx', 'xx', 'gt', 'lt', 'ch', 'incr'])

/** Count of members added (changed, with CH); with INCR the new score, or null when a condition refused it. */
function add(keys: Keyspace, key: string, words: readonly string[]): Reply {
  const split = words.findIndex((word) => !addFlags.has(word.toLowerCase()))
  const flags = new Set(words.slice(0, Math.max(0, split)).map((word) => word.toLowerCase()))
  const entries = pairs(split < 0 ? [] : words.slice(split)).map(([score, member]): Member => [member, float(score)])
  const clash = flags.has('nx') && (flags.has('xx') || flags.has('gt') || flags.has('lt'))
  if (entries.length === 0 || clash || (flags.has('gt') && flags.has('lt'))) throw syntaxError()
  if (flags.has('incr') && entries.length > 1) {
    throw new RedisError('ERR INCR option supports a single increment-element pair')
  }
  const zset = read(keys, key) ?? { scores: new Map<string, number>(), order: undefined }
  let added = 0
  let changed = 0
  let last: number | undefined
  for (const [member, given] of entries) {
    const old = zset.scores.get(member)
    const score = flags.has('incr') ? given + (old ?? 0) : given
    if (Number.isNaN(score)) throw new RedisError('ERR resulting score is not a number (NaN)')
    if (!allowed(flags, old, score)) continue
    if (old === undefined) added++
    if (old !== score) changed++
    zset.scores.set(member, score)
    last = score
  }
  if (changed > 0) zset.order = undefined
  if (keys.get(key) === undefined && zset.scores.size > 0) keys.put(key, { kind: 'zset', data: zset }, undefined)
  if (flags.has('incr')) return last === undefined ? null : numberText(last)
  return flags.has('ch') ? changed : added
}

function allowed(flags: ReadonlySet<string>, old: number | undefined, score: number): boolean {
  if (old === undefined) return !flags.has('xx')
  if (flags.has('nx')) return false
  return !(flags.has('gt') && score <= old) && !(flags.has('lt') && score >= old)
}

function remove(keys: Keyspace, key: string, members: readonly string[]): number {
  const zset = read(keys, key)
  if (zset === undefined) return 0
  const removed = members.filter((member) => zset.scores.delete(member)).length
  if (removed > 0) zset.order = undefined
  if (zset.scores.size === 0) keys.remove(key)
  return removed
}

function within(keys: Keyspace, key: string, [low, high]: readonly [string, string]): readonly Member[] {
  const inside = scoreRange(low, high)
  return ordered(read(keys, key)).filter(([, score]) => inside(score))
}

interface RangeOptions {
  readonly flags: ReadonlySet<string>
  readonly offset: number
  readonly count: number
}

function rangeOptions(words: readonly string[]): RangeOptions {
  const flags = new Set<string>()
  let offset = 0
  let count = -1
  for (let i = 0; i < words.length; i++) {
    const word = (words[i] ?? '').toLowerCase()
    if (word === 'limit') {
      offset = integer(words[++i] ?? '')
      count = integer(words[++i] ?? '')
    } else if (word !== 'byscore' && word !== 'rev' && word !== 'withscores') throw syntaxError()
    flags.add(word)
  }
  if (flags.has('limit') && !flags.has('byscore')) throw syntaxError()
  return { flags, offset, count }
}

function range(keys: Keyspace, key: string, [first = '', last = '', ...words]: readonly string[]): Reply {
  const { flags, offset, count } = rangeOptions(words)
  const reverse = flags.has('rev')
  if (!flags.has('byscore')) {
    const cut = rankRange(first, last)
    const members = ordered(read(keys, key))
    return shown(cut(reverse ? members.toReversed() : members), flags)
  }
  const members = within(keys, key, reverse ? [last, first] : [first, last])
  const page = (reverse ? members.toReversed() : members).slice(offset, count < 0 ? undefined : offset + count)
  return shown(offset < 0 ? [] : page, flags)
}

function shown(members: readonly Member[], flags: ReadonlySet<string>): string[] {
  return flags.has('withscores') ? scored(members) : names(members)
}

function pop(keys: Keyspace, key: string, taken: readonly Member[]): Reply {
  remove(keys, key, names(taken))
  return scored(taken)
}

function names(members: readonly Member[]): string[] {
  return members.map(([member]) => member)
}

function scored(members: readonly Member[]): string[] {
  return members.flatMap(([member, score]) => [member, numberText(score)])
}

function scoreText(zset: SortedSet | undefined, member: string): string | null {
  const score = zset?.scores.get(member)
  return score === undefined ? null : numberText(score)
}

function rank(members: readonly Member[], member: string): number | null {
  const at = members.findIndex(([name]) => name === member)
  return at < 0 ? null : at
}
