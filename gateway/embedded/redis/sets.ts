// Sets, gone with their last member.

import { amount, scanned } from './arguments.ts'
import { atLeast, type Commands, exactly, type Reply, syntaxError, wrongType } from './command.ts'
import type { Keyspace } from './keyspace.ts'

export function setCommands(keys: Keyspace): Commands {
  return {
    sadd: atLeast(2, ([key = '', ...members]) => add(keys, key, members)),
    srem: atLeast(2, ([key = '', ...members]) => remove(keys, key, members)),
    smembers: exactly(1, ([key = '']) => [...(read(keys, key) ?? [])]),
    scard: exactly(1, ([key = '']) => read(keys, key)?.size ?? 0),
    sismember: exactly(2, ([key = '', member = '']) => (read(keys, key)?.has(member) === true ? 1 : 0)),
    smismember: atLeast(2, ([key = '', ...members]) => {
      const set = read(keys, key)
      return members.map((member) => (set?.has(member) === true ? 1 : 0))
    }),
    smove: exactly(3, ([from = '', to = '', member = '']) => {
      if (read(keys, from) !== undefined) read(keys, to)
      if (remove(keys, from, [member]) === 0) return 0
      add(keys, to, [member])
      return 1
    }),
    spop: atLeast(1, ([key = '', ...count]) => {
      const taken = draw(keys, key, count)
      remove(keys, key, taken)
      return count.length === 0 ? (taken[0] ?? null) : taken
    }),
    srandmember: atLeast(1, ([key = '', ...count]) => {
      const taken = draw(keys, key, count)
      return count.length === 0 ? (taken[0] ?? null) : taken
    }),
    sinter: atLeast(1, (names) => combine(keys, names, (all, next) => all.intersection(next))),
    sunion: atLeast(1, (names) => combine(keys, names, (all, next) => all.union(next))),
    sdiff: atLeast(1, (names) => combine(keys, names, (all, next) => all.difference(next))),
    sscan: atLeast(2, ([key = '', , ...options]) => ['0', scanned(options, read(keys, key) ?? [])]),
  }
}

function read(keys: Keyspace, key: string): Set<string> | undefined {
  const value = keys.get(key)
  if (value === undefined) return undefined
  if (value.kind !== 'set') throw wrongType()
  return value.data
}

function add(keys: Keyspace, key: string, members: readonly string[]): number {
  let set = read(keys, key)
  if (set === undefined) {
    set = new Set()
    keys.put(key, { kind: 'set', data: set }, undefined)
  }
  const before = set.size
  for (const member of members) set.add(member)
  return set.size - before
}

function remove(keys: Keyspace, key: string, members: readonly string[]): number {
  const set = read(keys, key)
  if (set === undefined) return 0
  const removed = members.filter((member) => set.delete(member)).length
  if (set.size === 0) keys.remove(key)
  return removed
}

/** Distinct members at random; negative counts (repeats allowed) are not supported. */
function draw(keys: Keyspace, key: string, count: readonly string[]): string[] {
  if (count.length > 1) throw syntaxError()
  const wanted = amount(count[0] ?? '1')
  const members = [...(read(keys, key) ?? [])]
  const taken: string[] = []
  while (taken.length < wanted && members.length > 0) {
    const at = Math.floor(Math.random() * members.length)
    taken.push(...members.splice(at, 1))
  }
  return taken
}

function combine(
  keys: Keyspace,
  names: readonly string[],
  step: (all: Set<string>, next: Set<string>) => Set<string>,
): Reply {
  const [first = new Set<string>(), ...rest] = names.map((key) => read(keys, key) ?? new Set<string>())
  return [...rest.reduce(step, first)]
}
