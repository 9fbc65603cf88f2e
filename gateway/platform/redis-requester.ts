// Any Redis behind the client of @upstash/redis: its requests, spoken over one ioredis connection (a second for pub/sub).

import { createHash } from 'node:crypto'
import type { Requester, UpstashRequest } from '@upstash/redis'
import { Redis as Connection } from 'ioredis'
import type { Log } from './log.ts'

export interface RedisRequester extends Requester {
  close(): Promise<void>
}

type Answer = { result: unknown } | { error: string }

/** What is sent for a command, and what its reply becomes. */
interface Translated {
  readonly words: readonly string[]
  readonly reply: (result: unknown) => unknown
}

/** No command waits longer than this, connected or not, ms. */
const commandTimeoutMs = 2_000
/** Reconnects for ever, this far apart at most, ms. */
const maxReconnectMs = 2_000
const quitTimeoutMs = 1_000

/** `url` is redis:// or rediss://. Errors of commands become {error}; a lost connection rejects. */
export function createRedisRequester(url: string, log: Log): RedisRequester {
  const connection = connect(url, log)
  const scripts = createScripts()
  const subscriber = createSubscriber(() => watch(connection.duplicate(), log))

  const single = async (body: unknown): Promise<Answer> => {
    const { words, reply } = scripts.translate(wordsOf(body))
    const [name = '', ...args] = words
    try {
      return { result: reply(await connection.call(commandName(name), ...args)) }
    } catch (error) {
      return answerOf(error)
    }
  }
  const batch = async (body: unknown, isTransaction: boolean): Promise<Answer[]> => {
    if (!Array.isArray(body)) throw new Error('a pipeline is a list of commands')
    const commands = body.map((each: unknown) => scripts.translate(wordsOf(each)))
    const chain = isTransaction ? connection.multi() : connection.pipeline()
    for (const { words } of commands) {
      const [name = '', ...args] = words
      chain.call(commandName(name), ...args)
    }
    const outcomes = (await chain.exec()) ?? []
    return outcomes.map(([error, result], at) =>
      error === null ? { result: commands[at]?.reply(result) } : answerOf(error),
    )
  }
  const respond = async (request: UpstashRequest): Promise<Answer | Answer[]> => {
    const [path, ...names] = request.path ?? []
    if (path === undefined) return single(request.body)
    if (path === 'pipeline' || path === 'multi-exec') return batch(request.body, path === 'multi-exec')
    if (path !== 'subscribe' && path !== 'psubscribe') throw new Error(`unsupported path ${path}`)
    await subscriber.subscribe({ names, isPattern: path === 'psubscribe', request })
    return { result: 1 }
  }

  return {
    // The interface promises one answer, the client expects a list of them for a pipeline: its types cannot say both.
    request: ((request) => respond(request)) as Requester['request'],
    async close() {
      await Promise.all([quit(connection), subscriber.close()])
    },
  }
}

function connect(url: string, log: Log): Connection {
  const connection = new Connection(url, {
    // RESP2: what every Redis speaks, and the reply shapes the Upstash client was written for.
    protocol: 2,
    connectTimeout: commandTimeoutMs,
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 1,
    // Sent again after a lost reply, a counter would count twice.
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), maxReconnectMs),
  })
  return watch(connection, log)
}

/** Without a listener a lost connection would end the process; one line per outage is enough. */
function watch(connection: Connection, log: Log): Connection {
  let isDown = false
  connection.on('error', (error) => {
    if (!isDown) log.warn({ event: 'redis_down', reason: error.message })
    isDown = true
  })
  connection.on('ready', () => {
    if (isDown) log.info({ event: 'redis_up' })
    isDown = false
  })
  return connection
}

async function quit(connection: Connection): Promise<void> {
  const timer = setTimeout(() => connection.disconnect(), quitTimeoutMs)
  try {
    if (connection.status === 'ready') await connection.quit()
  } catch {
    // Already gone.
  } finally {
    clearTimeout(timer)
    connection.disconnect()
  }
}

function answerOf(error: unknown): { error: string } {
  // Only what the server said is an answer; a broken connection is not.
  if (error instanceof Error && error.name === 'ReplyError') return { error: error.message }
  throw error
}

/** Upper case keeps ioredis from reshaping replies (HGETALL into an object): it knows its own by lower case. */
function commandName(word: string): string {
  return word.toUpperCase()
}

function wordsOf(body: unknown): string[] {
  if (!Array.isArray(body) || body.length === 0) throw new Error('a command is a list of words')
  return body.map((word: unknown) =>
    typeof word === 'string' ? word : typeof word === 'object' ? JSON.stringify(word) : String(word),
  )
}

/** Scripts are constants of the program; past this many the oldest mapping goes and its next EVALSHA says NOSCRIPT. */
const keptScripts = 500

/** Scripts of @upstash/ratelimit start with a flags line only Upstash knows: cut here, while clients keep its SHA. */
function createScripts(): { translate(words: readonly string[]): Translated } {
  const sent = new Map<string, string>()
  const same = (result: unknown): unknown => result

  const cut = (source: string): string => {
    const bare = source.replace(/^#!lua[^\n]*/, '')
    if (bare !== source) sent.set(sha1(source), sha1(bare))
    const oldest = sent.keys().next()
    if (sent.size > keptScripts && oldest.done !== true) sent.delete(oldest.value)
    return bare
  }
  const actual = (sha: string): string => sent.get(sha.toLowerCase()) ?? sha

  return {
    translate(words) {
      const [name = '', first = '', ...rest] = words
      const command = name.toLowerCase()
      if (command === 'eval' || command === 'eval_ro') return { words: [name, cut(first), ...rest], reply: same }
      if (command === 'evalsha' || command === 'evalsha_ro')
        return { words: [name, actual(first), ...rest], reply: same }
      if (command !== 'script') return { words, reply: same }
      const verb = first.toLowerCase()
      if (verb === 'exists') return { words: [name, first, ...rest.map(actual)], reply: same }
      if (verb !== 'load') return { words, reply: same }
      const [source = '', ...more] = rest
      return { words: [name, first, cut(source), ...more], reply: () => sha1(source) }
    },
  }
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}

interface Subscription {
  readonly names: readonly string[]
  readonly isPattern: boolean
  readonly request: UpstashRequest
}

/** One connection for all subscriptions, opened by the first. Lines are those of an Upstash event stream. */
function createSubscriber(open: () => Connection) {
  let connection: Connection | undefined
  const listeners = { message: new Map<string, Set<Listener>>(), pmessage: new Map<string, Set<Listener>>() }

  const opened = (): Connection => {
    if (connection !== undefined) return connection
    connection = open()
    connection.on('message', (channel: string, text: string) => {
      for (const listen of listeners.message.get(channel) ?? []) listen(`message,${channel},${text}`)
    })
    connection.on('pmessage', (pattern: string, channel: string, text: string) => {
      for (const listen of listeners.pmessage.get(pattern) ?? []) listen(`pmessage,${pattern},${channel},${text}`)
    })
    return connection
  }

  return {
    async subscribe({ names, isPattern, request }: Subscription): Promise<void> {
      const { onMessage = () => {}, signal } = request
      const link = opened()
      const table = isPattern ? listeners.pmessage : listeners.message
      for (const name of names) {
        const group = table.get(name) ?? new Set<Listener>()
        table.set(name, group.add(onMessage))
        signal?.addEventListener('abort', () => {
          group.delete(onMessage)
          if (group.size > 0 || !table.delete(name)) return
          const left = isPattern ? link.punsubscribe(name) : link.unsubscribe(name)
          left.catch(() => {})
        })
        const count = isPattern ? await link.psubscribe(name) : await link.subscribe(name)
        onMessage(`${isPattern ? 'psubscribe' : 'subscribe'},${name},${String(count)}`)
      }
    },
    async close(): Promise<void> {
      if (connection !== undefined) await quit(connection)
    },
  }
}

type Listener = (line: string) => void
