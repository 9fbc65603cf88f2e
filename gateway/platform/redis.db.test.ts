import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { redisContract } from '../../test/contract/redis.contract.ts'
import { startFakeUpstash } from '../../test/harness/fake-upstash.ts'
import { createEmbeddedRedis } from '../embedded/redis/embedded-redis.ts'
import { createLog } from './log.ts'
import { openRedis } from './redis.ts'
import { createRedisRequester } from './redis-requester.ts'

const quiet = createLog('silent')
const unused = () => {
  throw new Error('the embedded Redis was opened')
}

redisContract('embedded', async () => {
  const store = openRedis({}, createEmbeddedRedis, quiet)
  return { redis: store.redis, [Symbol.asyncDispose]: store.close }
})

redisContract('upstash over HTTP', async () => {
  const fake = await startFakeUpstash()
  const store = openRedis({ upstashUrl: fake.url, upstashToken: fake.token }, unused, quiet)
  return {
    redis: store.redis,
    async [Symbol.asyncDispose]() {
      await store.close()
      await fake[Symbol.asyncDispose]()
    },
  }
})

// biome-ignore lint/style/noProcessEnv: which Redis to test against is asked of the caller.
const redisUrl = process.env.TEST_REDIS_URL
if (redisUrl === undefined) {
  process.stderr.write('redis contract: no leg on a real Redis, because TEST_REDIS_URL is not set\n')
} else {
  redisContract('real Redis', async () => {
    const store = openRedis({ redisUrl }, unused, quiet)
    return { redis: store.redis, [Symbol.asyncDispose]: store.close }
  })
  describe('embedded beside real Redis', () => {
    const real = createRedisRequester(redisUrl, quiet)
    afterAll(() => real.close())

    it('answers any commands alike: same replies, same error codes', { timeout: 60_000 }, async () => {
      const run = `alike:${randomBytes(6).toString('hex')}`
      const keys = ['a', 'b', 'c', 'd'].map((name) => `{${run}}:${name}`)
      await fc.assert(
        fc.asyncProperty(fc.array(randomCommand(keys), { minLength: 20, maxLength: 60 }), async (commands) => {
          await real.request({ body: ['DEL', ...keys] })
          const embedded = createEmbeddedRedis()
          for (const body of commands) {
            const [ours, theirs] = await Promise.all([embedded.request({ body }), real.request({ body })])
            expect([body, comparable(body, ours)]).toEqual([body, comparable(body, theirs)])
          }
          embedded.close()
        }),
        { numRuns: 300 },
      )
      await real.request({ body: ['DEL', ...keys] })
    })
  })
}

/** Upper case letters stand for a key, value, number, member, score or score bound, wrong ones among them. */
const shapes = `
  set K V|set K V nx|set K V xx get|set K V px 90000 get|set K V ex N|set K V keepttl|get K|getdel K|getset K V|setnx K V
  strlen K|append K V|getex K persist|getex K ex 90|mget K K K|mset K V K V|msetnx K V K V|incr K|decrby K N|incrby K N
  incrbyfloat K S|del K K|exists K K|type K|rename K K|renamenx K K|expire K 90|expire K -1|expire K 50 gt|expire K N lt
  ttl K|persist K|hset K M V|hset K M V M V|hset K M|hsetnx K M V|hget K M|hmget K M M|hgetall K|hdel K M M|hlen K
  hexists K M|hkeys K|hvals K|hincrby K M N|hincrbyfloat K M S|hstrlen K M|sadd K M M|srem K M M|smembers K|sismember K M
  smismember K M M|scard K|smove K K M|sinter K K|sunion K K|sdiff K K|zadd K S M|zadd K S M S M|zadd K nx S M
  zadd K xx ch S M|zadd K gt ch S M|zadd K lt S M|zadd K incr S M|zadd K nx gt S M|zincrby K S M|zrem K M M|zcard K
  zscore K M|zmscore K M M|zrank K M|zrevrank K M|zrange K N N|zrange K N N rev withscores|zrange K B B byscore
  zrange K B B byscore rev limit N N withscores|zrangebyscore K B B withscores|zcount K B B|zremrangebyscore K B B
  zremrangebyrank K N N|zpopmin K|zpopmax K N|lpush K V V|rpush K V V|lpushx K V|rpushx K V|lpop K|lpop K N|rpop K N
  lrange K N N|llen K|lindex K N|lset K N V|lrem K N V|ltrim K N N|lmove K K left right|lmove K K right left
`
  .trim()
  .split(/\s*[|\n]\s*/)
  .map((shape) => shape.split(' '))

function randomCommand(keys: readonly string[]) {
  const words: Record<string, readonly string[]> = {
    K: keys,
    V: ['x', '', '1', '-3', '2.5', '10', 'ä🎧'],
    N: ['0', '1', '-1', '2', '-2', '5', '100', '1.5', 'x'],
    M: ['m', 'n', 'o'],
    S: ['1', '2', '-3', '2.5', '10', 'zz'],
    B: ['-inf', '+inf', '(1', '2', '(2.5', 'q'],
  }
  return fc
    .constantFrom(...shapes)
    .chain((shape) => fc.tuple(...shape.map((word) => fc.constantFrom(...(words[word] ?? [word])))))
}

/** Order means nothing in sets and hashes, and only the code of an error is part of the contract. */
function comparable(command: readonly string[], answer: { result?: unknown; error?: string }): unknown {
  if (answer.error !== undefined) return answer.error.split(' ')[0]
  const isUnordered = /^(smembers|sinter|sunion|sdiff|hkeys|hvals|hgetall)$/.test(command[0] ?? '')
  return isUnordered && Array.isArray(answer.result) ? answer.result.toSorted() : answer.result
}

describe('the Upstash wire', () => {
  it('answers no request without the token, pipelines included', async () => {
    await using fake = await startFakeUpstash()
    for (const path of ['/', '/pipeline', '/multi-exec', '/subscribe/a']) {
      const response = await fetch(`${fake.url}${path}`, { method: 'POST', body: '["PING"]' })
      expect(response.status).toBe(401)
    }
    const store = openRedis({ upstashUrl: fake.url, upstashToken: 'wrong' }, unused, quiet)
    await expect(store.redis.get('a')).rejects.toThrow(/WRONGPASS/)
    expect(await store.ping()).toBe(false)
    expect(fake.paths).toEqual([])
  })

  it('sends plain text to a client that asks for no base64', async () => {
    await using fake = await startFakeUpstash()
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(fake.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${fake.token}`, ...headers },
        body: '["ECHO","hello"]',
      })
      return await response.json()
    }
    expect(await ask({})).toEqual({ result: 'hello' })
    expect(await ask({ 'upstash-encoding': 'base64' })).toEqual({ result: 'aGVsbG8=' })
  })
})

describe('a Redis that does not answer', () => {
  it('says so to a ping within about a second and works again when it comes back', async () => {
    await using fake = await startFakeUpstash()
    const store = openRedis({ upstashUrl: fake.url, upstashToken: fake.token }, unused, quiet)
    expect(await store.ping()).toBe(true)
    fake.silent = true
    expect(await Promise.race([store.ping(), sleep(1_700, 'late')])).toBe(false)
    fake.silent = false
    expect(await store.ping()).toBe(true)
  })

  it('fails commands on a silent socket in bounded time and closes cleanly', async () => {
    const sockets: Socket[] = []
    const server = createServer((socket) => void sockets.push(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const store = openRedis({ redisUrl: `redis://127.0.0.1:${port}` }, unused, quiet)
    expect(await store.ping()).toBe(false)
    await expect(store.redis.get('a')).rejects.toThrow()
    await expect(store.redis.pipeline().get('a').get('b').exec()).rejects.toThrow()
    await store.close()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  it('survives nobody listening: one warning per outage, no crash, errors to callers', async () => {
    const lines: string[] = []
    const log = createLog('info', { write: (line) => void lines.push(line) })
    const store = openRedis({ redisUrl: 'redis://127.0.0.1:1' }, unused, log)
    await expect(store.redis.incr('a')).rejects.toThrow()
    await sleep(500)
    expect(await store.ping()).toBe(false)
    expect(lines.filter((line) => line.includes('redis_down'))).toHaveLength(1)
    await store.close()
  })
})
