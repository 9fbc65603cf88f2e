// The one way to Redis, always through the client of @upstash/redis. Holds only what may be lost and rebuilt.

import { errors, Redis, type Requester } from '@upstash/redis'
import { withDeadline } from './deadline.ts'
import type { Log } from './log.ts'
import { createRedisRequester } from './redis-requester.ts'

export interface RedisConfig {
  readonly upstashUrl?: string | undefined
  readonly upstashToken?: string | undefined
  /** redis:// or rediss:// */
  readonly redisUrl?: string | undefined
}

export interface RedisStore {
  readonly redis: Redis
  readonly kind: 'upstash' | 'redis' | 'embedded'
  /** Whether it answers within a second; never rejects. */
  ping(): Promise<boolean>
  close(): Promise<void>
}

export interface EmbeddedRequester extends Requester {
  close?(): void
}

const pingTimeoutMs = 1_000
/** Bounds one HTTP command; callers on the way to a visitor bound it further with a breaker. */
const requestTimeoutMs = 2_000

/** Upstash if both its values are given, else `redisUrl`, else the embedded one. Throws when the settings do not fit. */
export function openRedis(config: RedisConfig, embedded: () => EmbeddedRequester, log: Log): RedisStore {
  const { upstashUrl, upstashToken, redisUrl } = config
  if (upstashUrl !== undefined && upstashToken !== undefined) {
    if (redisUrl !== undefined) log.warn({ event: 'redis_url_unused', reason: 'the Upstash settings come first' })
    return store('upstash', upstash(upstashUrl, upstashToken), async () => {})
  }
  if (upstashUrl !== undefined) throw new Error('UPSTASH_REDIS_REST_URL is set but UPSTASH_REDIS_REST_TOKEN is not')
  if (upstashToken !== undefined) throw new Error('UPSTASH_REDIS_REST_TOKEN is set but UPSTASH_REDIS_REST_URL is not')
  if (redisUrl !== undefined) {
    // Anything else ioredis would take for a socket path. The value may hold a password: not shown.
    if (!/^rediss?:\/\//.test(redisUrl)) throw new Error('REDIS_URL must start with redis:// or rediss://')
    const requester = createRedisRequester(redisUrl, log)
    return store('redis', new Redis(requester), () => requester.close())
  }
  const requester = embedded()
  return store('embedded', new Redis(requester), async () => requester.close?.())
}

function store(kind: RedisStore['kind'], redis: Redis, close: () => Promise<void>): RedisStore {
  return {
    redis,
    kind,
    async ping() {
      try {
        const answer = redis.ping().then((pong) => pong === 'PONG')
        return await withDeadline(answer, { timeoutMs: pingTimeoutMs, fallback: () => false })
      } catch {
        return false
      }
    },
    close,
  }
}

function upstash(url: string, token: string): Redis {
  const redis = new Redis({
    url,
    token,
    enableTelemetry: false,
    // Off: one reply that cannot be read would fail every command that happened to share its request.
    enableAutoPipelining: false,
    // One more try covers a kept-alive socket the server just closed.
    retry: { retries: 1, backoff: () => 50 },
    signal: () => AbortSignal.timeout(requestTimeoutMs),
  })
  redis.use(async (request, next) => {
    try {
      return await next(request)
    } catch (error) {
      throw withoutCommand(error)
    }
  })
  return redis
}

/** The client quotes the whole command in its errors, values included: those must not reach a log. */
function withoutCommand(error: unknown): unknown {
  if (!(error instanceof errors.UpstashError)) return error
  const at = error.message.indexOf(', command was: ')
  return at < 0 ? error : new errors.UpstashError(error.message.slice(0, at))
}
