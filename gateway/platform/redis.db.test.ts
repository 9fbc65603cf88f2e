import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { redisContract } from '../../test/contract/redis.contract.ts'
import { startFakeUpstash } from '../../test/harness/fake-upstash.ts'
import { createEmbeddedRedis } from '../embedded/redis/embedded-redis.ts'
import { createLog } from './log.ts'
import { openRedis } from './redis.ts'

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
    expect(await store.ping()).toBe(false)
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
