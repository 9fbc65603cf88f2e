// Redis inside the process, for the client of @upstash/redis: the default when no Redis is configured, and in tests.
// One node only, in memory, integers to 2^53, unknown commands refused: what it holds may be lost and rebuilt.

import type { Requester, UpstashRequest } from '@upstash/redis'
import { type Command, type Commands, RedisError, type Reply, wrongArity } from './command.ts'
import { hashCommands } from './hashes.ts'
import { keyCommands } from './keys.ts'
import { Keyspace } from './keyspace.ts'
import { listCommands } from './lists.ts'
import { createPubSub } from './pubsub.ts'
import { scriptCommands } from './scripting.ts'
import { setCommands } from './sets.ts'
import { stringCommands } from './strings.ts'
import { zsetCommands } from './zsets.ts'

export interface EmbeddedRedisOptions {
  /** Wall time in ms since epoch, for expiry and TIME. */
  readonly now?: () => number
}

export interface EmbeddedRedis extends Requester {
  /** Drops every key. */
  close(): void
}

type Answer = { result: unknown } | { error: string }

export function createEmbeddedRedis(options: EmbeddedRedisOptions = {}): EmbeddedRedis {
  const keys = new Keyspace(options.now ?? Date.now)
  const pubsub = createPubSub()
  const tables: Commands[] = [stringCommands, hashCommands, setCommands, zsetCommands, listCommands, keyCommands].map(
    (table) => table(keys),
  )
  const commands = new Map<string, Command>()
  const execute = (words: readonly string[]): Reply => find(commands, words).run(words.slice(1))
  tables.push(pubsub.commands, scriptCommands(execute))
  for (const table of tables) for (const [name, command] of Object.entries(table)) commands.set(name, command)

  const answer = (words: readonly string[]): Answer => {
    try {
      return { result: plain(execute(words)) }
    } catch (error) {
      if (error instanceof RedisError) return { error: error.message }
      throw error
    }
  }

  const respond = (request: UpstashRequest): Answer | Answer[] => {
    const [path, ...names] = request.path ?? []
    if (path === undefined) return answer(wordsOf(request.body))
    if (path === 'subscribe' || path === 'psubscribe') {
      const { onMessage: onLine = () => {}, signal } = request
      pubsub.subscribe({ names, isPattern: path === 'psubscribe', onLine, signal })
      return { result: 1 }
    }
    if (path !== 'pipeline' && path !== 'multi-exec') throw new RedisError(`ERR unsupported path '${path}'`)
    const batch = batchOf(request.body)
    // A transaction is discarded whole when one of its commands cannot be queued.
    if (path === 'multi-exec') for (const words of batch) find(commands, words)
    return batch.map(answer)
  }

  return {
    // The interface promises one answer, the client expects a list of them for a pipeline: its types cannot say both.
    request: (async (request) => respond(request)) as Requester['request'],
    close: () => keys.clear(),
  }
}

function find(commands: ReadonlyMap<string, Command>, [name = '', ...args]: readonly string[]): Command {
  const command = commands.get(name.toLowerCase())
  if (command === undefined) throw new RedisError(`ERR unknown command '${name}'`)
  if (args.length < command.least || args.length > command.most) throw wrongArity(name)
  return command
}

function plain(reply: Reply): unknown {
  if (reply === null || typeof reply !== 'object') return reply
  return 'ok' in reply ? reply.ok : reply.map(plain)
}

function batchOf(body: unknown): string[][] {
  if (!Array.isArray(body)) throw new RedisError('ERR a pipeline is a list of commands')
  return body.map(wordsOf)
}

function wordsOf(body: unknown): string[] {
  if (!Array.isArray(body) || body.length === 0) throw new RedisError('ERR empty command')
  return body.map((word: unknown) =>
    typeof word === 'string' ? word : typeof word === 'object' ? JSON.stringify(word) : String(word),
  )
}
