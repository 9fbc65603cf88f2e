import { expect, it } from 'vitest'
import { createLog } from './log.ts'
import { openRedis } from './redis.ts'

const log = createLog('silent')
const upstashUrl = 'http://127.0.0.1:1'

function embedded() {
  const seen = { closed: 0 }
  const open = () => ({
    request: async <T>() => ({ result: 'PONG' as T }),
    close: () => void seen.closed++,
  })
  return { seen, open }
}

it('opens the embedded Redis when nothing is configured, and closes it', async () => {
  const { seen, open } = embedded()
  const store = openRedis({}, open, log)
  expect(store.kind).toBe('embedded')
  expect(await store.ping()).toBe(true)
  await store.close()
  expect(seen.closed).toBe(1)
})

it('names the missing half when only one of the Upstash settings is given', () => {
  const { open } = embedded()
  expect(() => openRedis({ upstashUrl }, open, log)).toThrow(/UPSTASH_REDIS_REST_TOKEN is not/)
  expect(() => openRedis({ upstashToken: 'secret-value' }, open, log)).toThrow(/UPSTASH_REDIS_REST_URL is not/)
  expect(() => openRedis({ upstashToken: 'secret-value' }, open, log)).not.toThrow(/secret-value/)
})

it('prefers Upstash over REDIS_URL and says so', () => {
  const lines: string[] = []
  const log = createLog('info', { write: (line) => void lines.push(line) })
  const config = { upstashUrl, upstashToken: 't', redisUrl: 'redis://127.0.0.1:1' }
  expect(openRedis(config, embedded().open, log).kind).toBe('upstash')
  expect(lines.join()).toMatch(/redis_url_unused/)
})

it('refuses a REDIS_URL that is none without showing it', () => {
  const open = () => openRedis({ redisUrl: 'user:password@host' }, embedded().open, log)
  expect(open).toThrow(/redis:\/\//)
  expect(open).not.toThrow(/password/)
})
