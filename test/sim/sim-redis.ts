// Redis in the simulated world: the embedded keyspace and commands on virtual time. The two scripts that run all the time
// are translated (a test compares them with the Lua); any other text runs as Lua.

import { createHash } from 'node:crypto'
import type { Redis } from '@upstash/redis'
import type { Command, Reply } from '../../gateway/embedded/redis/command.ts'
import { hashCommands } from '../../gateway/embedded/redis/hashes.ts'
import { keyCommands } from '../../gateway/embedded/redis/keys.ts'
import { Keyspace } from '../../gateway/embedded/redis/keyspace.ts'
import { scriptCommands } from '../../gateway/embedded/redis/scripting.ts'
import { zsetCommands } from '../../gateway/embedded/redis/zsets.ts'
import type { Random } from '../chaos/random.ts'
import type { Life, Scheduler } from './scheduler.ts'

export type Execute = (words: readonly string[]) => Reply
type Script = (run: Execute, keys: readonly string[], args: readonly string[]) => Reply

/** By the SHA-1 of the Lua they stand for. */
export const translations: ReadonlyMap<string, Script> = new Map<string, Script>([
  ['b275231671006300d372f3ce8c89780e0c1c8f3b', acquire],
  ['af9a06acafd5f6b41d6c3553d80bf479a2d3cc8e', beat],
])

export function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}

function nowOf(run: Execute): number {
  const time = run(['TIME'])
  if (!Array.isArray(time)) throw new Error('TIME without an answer')
  return Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000)
}

function acquire(run: Execute, [slots = '']: readonly string[], args: readonly string[]): Reply {
  const [id = '', limit = '', lease = '', ...evict] = args
  const now = nowOf(run)
  run(['ZREMRANGEBYSCORE', slots, '-inf', String(now)])
  for (const other of evict) run(['ZREM', slots, other])
  if (run(['ZSCORE', slots, id]) === null && Number(run(['ZCARD', slots])) >= Number(limit)) {
    const holders = run(['ZRANGE', slots, '0', '-1', 'WITHSCORES'])
    if (!Array.isArray(holders)) return []
    return holders.map((each: Reply, i) => (i % 2 === 0 ? each : Number(each) - now))
  }
  run(['ZADD', slots, String(now + Number(lease)), id])
  run(['PEXPIRE', slots, lease])
  return []
}

function beat(run: Execute, [slots = '', counters = '']: readonly string[], args: readonly string[]): Reply {
  const [id = '', lease = '', epoch = '', keep = '', ...pairs] = args
  const now = nowOf(run)
  const known = Number(run(['HGET', counters, 'epoch']) ?? '0')
  if (known > Number(epoch)) return 0
  if (known < Number(epoch)) run(['DEL', counters])
  run(['HSET', counters, 'epoch', epoch])
  for (let i = 0; i < pairs.length; i += 2) {
    const [name = '', value = ''] = [pairs[i], pairs[i + 1]]
    const before = run(['HGET', counters, name])
    if (before === null || Number(before) < Number(value)) run(['HSET', counters, name, value])
  }
  run(['PEXPIRE', counters, keep])
  run(['ZADD', slots, String(now + Number(lease)), id])
  run(['PEXPIRE', slots, lease])
  return 1
}

/** Commands on one keyspace, scripts included. */
export function redisCommands(keys: Keyspace): Execute {
  const commands = new Map<string, Command>()
  const execute: Execute = (words) => {
    const command = commands.get(words[0]?.toLowerCase() ?? '')
    if (command === undefined) throw new Error(`Redis command ${words[0]} is not simulated`)
    return command.run(words.slice(1))
  }
  for (const table of [hashCommands(keys), keyCommands(keys), zsetCommands(keys), scriptCommands(execute)])
    for (const [name, command] of Object.entries(table)) commands.set(name, command)
  return execute
}

export interface RedisSide {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly epochMs: number
  /** Of calls: answers after 60 ms–3 s, or the connection breaks. */
  readonly trouble: number
  note(line: string): void
  /** A heartbeat made of the counters what it must not. */
  onWrong(what: string): void
}

/** The one server. What it holds may go at any moment. */
export class SimRedisServer {
  downUntilMs = 0
  readonly #side: RedisSide
  #keys: Keyspace
  #run: Execute
  /** Writes since the start, to go back to an earlier state. */
  readonly #journal: { readonly atMs: number; readonly apply: () => void }[] = []

  constructor(side: RedisSide) {
    this.#side = side
    this.#keys = new Keyspace(() => this.#nowMs())
    this.#run = redisCommands(this.#keys)
  }

  get side(): RedisSide {
    return this.#side
  }

  execute(words: readonly string[]): Reply {
    return this.#run(words)
  }

  script(source: string, keys: readonly string[], args: readonly string[]): Reply {
    const apply = (): Reply => {
      const translated = translations.get(sha1Of(source))
      if (translated !== undefined) return translated(this.#run, keys, args)
      return this.#run(['EVAL', source, String(keys.length), ...keys, ...args])
    }
    this.#journal.push({ atMs: this.#side.scheduler.nowMs, apply })
    const [, counters] = keys
    const before = counters === undefined ? undefined : this.#counters(counters)
    const reply = apply()
    if (counters !== undefined && before !== undefined) this.#check(counters, before, args.slice(4))
    return reply
  }

  flush(): void {
    this.#keys.clear()
    this.#journal.length = 0
  }

  /** A replica that had not heard the last `lostMs` is the server now. */
  failOver(lostMs: number): void {
    const untilMs = this.#side.scheduler.nowMs - lostMs
    this.#keys.clear()
    for (const { atMs, apply } of this.#journal) if (atMs <= untilMs) apply()
  }

  /** Ends the timers of the keyspace. */
  close(): void {
    this.#keys.clear()
  }

  #nowMs(): number {
    return this.#side.epochMs + Math.floor(this.#side.scheduler.nowMs)
  }

  #counters(key: string): ReadonlyMap<string, number> {
    const words = this.#run(['HGETALL', key])
    const pairs = new Map<string, number>()
    if (Array.isArray(words))
      for (let i = 0; i < words.length; i += 2) pairs.set(String(words[i]), Number(words[i + 1]))
    return pairs
  }

  #check(key: string, before: ReadonlyMap<string, number>, told: readonly string[]): void {
    const after = this.#counters(key)
    const [epoch = 0, was = 0] = [after.get('epoch'), before.get('epoch')]
    if (epoch < was) this.#side.onWrong(`${key} fell back to an older epoch`)
    for (let i = 0; i < told.length; i += 2) {
      const [name = '', value] = [told[i], Number(told[i + 1])]
      const now = after.get(name) ?? 0
      // What an older owner counted when it woke up is nobody's.
      if (epoch > was && now !== value)
        this.#side.onWrong(`${key} has ${now} of ${name} under a new owner, told were ${value}`)
      if (epoch === was && now < (before.get(name) ?? 0)) this.#side.onWrong(`${name} of ${key} went back`)
    }
  }
}

const digests = new Map<string, string>()

function sha1Of(source: string): string {
  const known = digests.get(source)
  if (known !== undefined) return known
  const made = sha1(source)
  digests.set(source, made)
  return made
}

/** The client of one process: the members of @upstash/redis that the slices call. */
export function simRedis(server: SimRedisServer, name: string, life: Life): Redis {
  const call = <T>(what: string, apply: () => T): Promise<T> => {
    const { scheduler, random, trouble, note } = server.side
    const hopMs = 0.2 + random.next()
    const chance = random.next()
    const lateMs = chance < trouble ? 60 + random.next() * 9_000 : 0
    const lost = chance < trouble / 3
    const lateBefore = random.next() < 0.5
    return new Promise<T>((resolve, reject) => {
      scheduler.in(hopMs + (lateBefore ? lateMs : 0), () => {
        if (scheduler.nowMs < server.downUntilMs) {
          scheduler.in(2_000, () => reject(new Error('Redis does not answer')), life)
          return
        }
        const result = apply()
        note(`${name} redis ${what}`)
        scheduler.in(
          hopMs + (lateBefore ? 0 : lateMs),
          () => (lost ? reject(new Error('connection lost')) : resolve(result)),
          life,
        )
      })
    })
  }
  const redis = {
    createScript: (source: string) => ({
      exec: (keys: string[], args: string[]) => call('script', () => server.script(source, keys, args)),
    }),
    hgetall: (key: string) =>
      call('hgetall', () => {
        const words = server.execute(['HGETALL', key])
        if (!Array.isArray(words) || words.length === 0) return null
        const fields: Record<string, unknown> = {}
        for (let i = 0; i < words.length; i += 2) fields[String(words[i])] = Number(words[i + 1])
        return fields
      }),
    zrem: (key: string, member: string) => call('zrem', () => server.execute(['ZREM', key, member])),
  }
  return new Proxy(redis, {
    get(target, member) {
      // The limiters of plans with limits look for what client it is; the simulated plan has none.
      if (typeof member === 'symbol' || member in target || member === 'then') return Reflect.get(target, member)
      throw new Error(`Redis.${member} is not simulated`)
    },
  }) as unknown as Redis
}
