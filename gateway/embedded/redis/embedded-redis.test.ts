import { createRequire } from 'node:module'
import { Redis } from '@upstash/redis'
import { describe, expect, it } from 'vitest'
import { createEmbeddedRedis } from './embedded-redis.ts'

/** Runs first in this file: nothing before it may evaluate a script. */
it('loads Lua with the first script, not before', async () => {
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('fengari'))
  const redis = new Redis(createEmbeddedRedis())
  await redis.set('a', 1)
  expect(loaded()).toBe(false)
  await redis.eval('return 1', [], [])
  expect(loaded()).toBe(true)
})

describe('embedded Redis', () => {
  it('lives by the clock it is given', async () => {
    let now = 1_700_000_000_250
    const redis = new Redis(createEmbeddedRedis({ now: () => now }))
    expect(await redis.time()).toEqual([1_700_000_000, 250_000])
    await redis.set('a', 'x', { ex: 10 })
    now += 9_999
    expect(await redis.pttl('a')).toBe(1)
    now += 1
    expect(await redis.get('a')).toBeNull()
  })

  it('keeps two stores apart and drops everything on close', async () => {
    const requester = createEmbeddedRedis()
    const [one, other] = [new Redis(requester), new Redis(createEmbeddedRedis())]
    await one.set('a', 1)
    expect(await other.get('a')).toBeNull()
    requester.close()
    expect(await one.get('a')).toBeNull()
  })

  it('treats key names as data, those of built-in properties too', async () => {
    const redis = new Redis(createEmbeddedRedis())
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(await redis.get(key)).toBeNull()
      expect(await redis.incr(key)).toBe(1)
    }
    await expect(redis.exec(['constructor', 'a'])).rejects.toThrow(/unknown command/)
  })

  it('says no, rather than nothing, to options it does not have', async () => {
    const redis = new Redis(createEmbeddedRedis())
    await expect(redis.exec(['SET', 'a', 'b', 'IFEQ', 'c'])).rejects.toThrow(/syntax error/)
    await expect(redis.exec(['ZRANGE', 'z', '-', '+', 'BYLEX'])).rejects.toThrow(/syntax error/)
    await expect(redis.exec(['SET', 'a', 'b', 'NX', 'XX'])).rejects.toThrow(/syntax error/)
    await expect(redis.exec(['HSET', 'h', 'a', '1', 'b'])).rejects.toThrow(/wrong number of arguments/)
    await expect(redis.exec(['XADD', 's', '*', 'a', '1'])).rejects.toThrow(/unknown command/)
    expect(await redis.dbsize()).toBe(0)
  })

  it('stops delivering once the signal of a subscription aborts', async () => {
    const requester = createEmbeddedRedis()
    const redis = new Redis(requester)
    const controller = new AbortController()
    await requester.request({ path: ['subscribe', 'room'], onMessage: () => {}, signal: controller.signal })
    expect(await redis.publish('room', 'a')).toBe(1)
    controller.abort()
    expect(await redis.publish('room', 'a')).toBe(0)
    await requester.request({ path: ['subscribe', 'room'], onMessage: () => {}, signal: AbortSignal.abort() })
    expect(await redis.publish('room', 'a')).toBe(0)
  })
})

describe('embedded scripts', () => {
  const open = () => new Redis(createEmbeddedRedis())

  it('count with doubles, as Redis does, not with 32-bit integers', async () => {
    const redis = open()
    expect(await redis.eval('return 60 * 60 * 24 * 1000 * 365', [], [])).toBe(31_536_000_000)
    expect(await redis.eval('return math.floor(100000.7) * math.ceil(99999.2)', [], [])).toBe(10_000_000_000)
    expect(await redis.eval("return 'k' .. 1 .. ':' .. #ARGV", [], ['a', 'b'])).toBe('k1:2')
    await redis.set('n', 5_000_000_000)
    expect(await redis.eval("return redis.call('INCRBY', 'n', 1)", [], [])).toBe(5_000_000_001)
  })

  it('keep what they changed before they failed, and leave the next script a clean stack', async () => {
    const redis = open()
    await expect(redis.eval("redis.call('SET', 'a', 1) error('late')", [], [])).rejects.toThrow(/late/)
    expect(await redis.get('a')).toBe(1)
    for (let at = 0; at < 300; at++) await redis.eval("return redis.pcall('LPUSH', 'a', 1)", [], []).catch(() => {})
    expect(await redis.eval('return {KEYS[1], ARGV[1]}', ['k'], ['v'])).toEqual(['k', 'v'])
  })

  it('reach neither the machine nor another script', async () => {
    const redis = open()
    for (const name of ['io', 'os', 'require', 'package', 'dofile', 'debug', 'js']) {
      await expect(redis.eval(`return ${name}`, [], [])).rejects.toThrow(/nonexistent global/)
    }
    await expect(redis.eval("return redis.call('EVAL', 'return 1', 0)", [], [])).rejects.toThrow(/not allowed/)
    await expect(redis.eval("return redis.call('SCRIPT', 'FLUSH')", [], [])).rejects.toThrow(/not allowed/)
  })

  it('do not pile up: the oldest of many is forgotten and can come back', async () => {
    const redis = open()
    const first = await redis.scriptLoad('return 0')
    for (let at = 1; at <= 500; at++) await redis.scriptLoad(`return ${at}`)
    await expect(redis.evalsha(first, [], [])).rejects.toThrow(/NOSCRIPT/)
    expect(await redis.eval('return 0', [], [])).toBe(0)
    expect(await redis.evalsha(first, [], [])).toBe(0)
    await redis.scriptFlush()
    await expect(redis.evalsha(first, [], [])).rejects.toThrow(/NOSCRIPT/)
  })

  it('check their key count', async () => {
    const redis = open()
    await expect(redis.exec(['EVAL', 'return 1', '2', 'k'])).rejects.toThrow(/greater than number of args/)
    await expect(redis.exec(['EVAL', 'return 1', '-1'])).rejects.toThrow(/negative/)
  })
})
