// What Parley relies on from any Redis it is given, through the client of @upstash/redis. Run by every way of opening one.

import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

export interface ContractRedis extends AsyncDisposable {
  readonly redis: Redis
}

/** Keeps the pair (epoch, used) that is greater, epoch first; answers 1 when it took the new one. */
const keepGreater = `
local epoch, used = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = redis.call('HMGET', KEYS[1], 'epoch', 'used')
local heldEpoch, heldUsed = tonumber(held[1]), tonumber(held[2])
if heldEpoch and (heldEpoch > epoch or (heldEpoch == epoch and heldUsed >= used)) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'used', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`

export function redisContract(name: string, open: () => Promise<ContractRedis>): void {
  describe(`redis contract: ${name}`, () => {
    const prefix = `contract:${randomBytes(6).toString('hex')}`
    let opened: ContractRedis
    let redis: Redis
    let count = 0
    /** Braces keep the keys of one test on one node of a cluster. */
    const key = (label = 'k') => `{${prefix}:${count}}:${label}`

    beforeAll(async () => {
      opened = await open()
      redis = opened.redis
    })
    afterAll(async () => {
      const left = await redis.keys(`{${prefix}:*`)
      if (left.length > 0) await redis.del(...left)
      await opened[Symbol.asyncDispose]()
    })

    const rule = (title: string, body: () => Promise<void>) =>
      it(title, async () => {
        count++
        await body()
      })

    rule('answers PING and echoes text of any script unchanged', async () => {
      expect(await redis.ping()).toBe('PONG')
      expect(await redis.echo('grüße 你好 🎧')).toBe('grüße 你好 🎧')
    })

    rule('gives back strings, numbers and objects as they were set, and null for nothing', async () => {
      await redis.set(key(), 'plain words')
      expect(await redis.get(key())).toBe('plain words')
      await redis.set(key(), { epoch: 3, owner: 'n1' })
      expect(await redis.get(key())).toEqual({ epoch: 3, owner: 'n1' })
      await redis.set(key(), 42)
      expect(await redis.get(key())).toBe(42)
      await redis.set(key(), 'OK')
      expect(await redis.get(key())).toBe('OK')
      expect(await redis.get(key('none'))).toBeNull()
    })

    rule('sets with NX only when absent and with XX only when present', async () => {
      expect(await redis.set(key(), 'a', { xx: true })).toBeNull()
      expect(await redis.set(key(), 'a', { nx: true })).toBe('OK')
      expect(await redis.set(key(), 'b', { nx: true })).toBeNull()
      expect(await redis.set(key(), 'c', { xx: true })).toBe('OK')
      expect(await redis.get(key())).toBe('c')
    })

    rule('lets one of many racing NX writers win', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 25 }, (_, at) => redis.set(key(), `n${at}`, { nx: true, px: 60_000 })),
      )
      expect(outcomes.filter((outcome) => outcome === 'OK')).toHaveLength(1)
    })

    rule('returns the old value with GET, keeps the expiry with KEEPTTL and drops it without', async () => {
      await redis.set(key(), 'one', { px: 60_000 })
      expect(await redis.set(key(), 'two', { get: true, keepTtl: true })).toBe('one')
      expect(await redis.pttl(key())).toBeGreaterThan(50_000)
      await redis.set(key(), 'three')
      expect(await redis.pttl(key())).toBe(-1)
      expect(await redis.set(key('new'), 'x', { get: true })).toBeNull()
      expect(await redis.getdel(key())).toBe('three')
      expect(await redis.exists(key())).toBe(0)
    })

    rule('forgets a value after EX and PX, and refuses an expiry of zero', async () => {
      await redis.set(key('ex'), 'a', { ex: 100 })
      expect(await redis.ttl(key('ex'))).toBe(100)
      await redis.set(key('px'), 'a', { px: 60 })
      expect(await redis.get(key('px'))).toBe('a')
      await sleep(90)
      expect(await redis.get(key('px'))).toBeNull()
      await expect(redis.set(key('zero'), 'a', { ex: 0 })).rejects.toThrow(/invalid expire/)
    })

    rule('reads and writes several keys at once', async () => {
      await redis.mset({ [key('a')]: 'x', [key('b')]: 'y' })
      await redis.sadd(key('c'), 'not a string')
      expect(await redis.mget(key('a'), key('b'), key('c'), key('d'))).toEqual(['x', 'y', null, null])
      expect(await redis.msetnx({ [key('b')]: 'z', [key('e')]: 'z' })).toBe(0)
      expect(await redis.exists(key('e'))).toBe(0)
    })

    rule('counts exactly under concurrent INCR and keeps the expiry', async () => {
      await redis.set(key(), 0, { px: 60_000 })
      const seen = await Promise.all(Array.from({ length: 40 }, () => redis.incr(key())))
      expect(new Set(seen).size).toBe(40)
      expect(await redis.get(key())).toBe(40)
      expect(await redis.pttl(key())).toBeGreaterThan(50_000)
    })

    rule('counts up, down, by many, above 32 bits and in fractions', async () => {
      expect(await redis.incrby(key(), 3_000_000_000)).toBe(3_000_000_000)
      expect(await redis.incrby(key(), 3_000_000_000)).toBe(6_000_000_000)
      expect(await redis.decrby(key(), 7_000_000_000)).toBe(-1_000_000_000)
      expect(await redis.decr(key())).toBe(-1_000_000_001)
      expect(Number(await redis.incrbyfloat(key('f'), 0.1))).toBe(0.1)
      expect(Number(await redis.incrbyfloat(key('f'), 0.2))).toBe(0.3)
      expect(Number(await redis.incrbyfloat(key('f'), -1.3))).toBe(-1)
      expect(await redis.get(key('f'))).toBe(-1)
    })

    rule('refuses to count what is no number', async () => {
      await redis.set(key(), 'abc')
      await expect(redis.incr(key())).rejects.toThrow(/not an integer/)
      await expect(redis.incrbyfloat(key(), 1)).rejects.toThrow(/not a valid float/)
    })

    rule('keeps hashes: fields, defaults, increments, and no key without a field', async () => {
      expect(await redis.hset(key(), { epoch: 1, used: 10 })).toBe(2)
      expect(await redis.hset(key(), { used: 11, node: 'n1' })).toBe(1)
      expect(await redis.hsetnx(key(), 'node', 'n2')).toBe(0)
      expect(await redis.hget(key(), 'used')).toBe(11)
      expect(await redis.hget(key(), 'none')).toBeNull()
      expect(await redis.hmget(key(), 'epoch', 'none')).toEqual({ epoch: 1, none: null })
      expect(await redis.hgetall(key())).toEqual({ epoch: 1, used: 11, node: 'n1' })
      expect(await redis.hgetall(key('none'))).toBeNull()
      expect(await redis.hincrby(key(), 'used', 5)).toBe(16)
      expect(Number(await redis.hincrbyfloat(key(), 'share', 0.5))).toBe(0.5)
      expect([...(await redis.hkeys(key()))].sort()).toEqual(['epoch', 'node', 'share', 'used'])
      expect(await redis.hlen(key())).toBe(4)
      expect(await redis.hexists(key(), 'node')).toBe(1)
      expect(await redis.hdel(key(), 'epoch', 'used', 'node', 'share', 'none')).toBe(4)
      expect(await redis.exists(key())).toBe(0)
    })

    rule('keeps sets', async () => {
      expect(await redis.sadd(key(), 'a', 'b', 'a')).toBe(2)
      expect(await redis.sismember(key(), 'a')).toBe(1)
      expect(await redis.smismember(key(), ['a', 'z'])).toEqual([1, 0])
      expect((await redis.smembers(key())).sort()).toEqual(['a', 'b'])
      await redis.sadd(key('other'), 'b', 'c')
      expect(await redis.sinter(key(), key('other'))).toEqual(['b'])
      expect((await redis.sunion(key(), key('other'))).sort()).toEqual(['a', 'b', 'c'])
      expect(await redis.sdiff(key(), key('other'))).toEqual(['a'])
      expect(['a', 'b']).toContain(await redis.spop(key()))
      expect(await redis.scard(key())).toBe(1)
      expect(await redis.srem(key(), 'a', 'b')).toBe(1)
      expect(await redis.exists(key())).toBe(0)
    })

    rule('keeps sorted sets by score, bounds included or not', async () => {
      const members = [
        { score: 30, member: 'c' },
        { score: 10, member: 'a' },
        { score: 20, member: 'b' },
        { score: 20, member: 'bb' },
      ] as const
      expect(await redis.zadd(key(), ...members)).toBe(4)
      expect(await redis.zrange(key(), 0, -1)).toEqual(['a', 'b', 'bb', 'c'])
      expect(await redis.zrange(key(), 0, 1, { rev: true })).toEqual(['c', 'bb'])
      expect(await redis.zrange(key(), 10, 20, { byScore: true })).toEqual(['a', 'b', 'bb'])
      expect(await redis.zrange(key(), '(10', '(30', { byScore: true })).toEqual(['b', 'bb'])
      expect(await redis.zrange(key(), '-inf', '+inf', { byScore: true, offset: 1, count: 2 })).toEqual(['b', 'bb'])
      expect(await redis.zrange(key(), '+inf', 20, { byScore: true, rev: true, withScores: true })).toEqual([
        'c',
        30,
        'bb',
        20,
        'b',
        20,
      ])
      expect(await redis.zcount(key(), 20, '+inf')).toBe(3)
      expect(await redis.zscore(key(), 'c')).toBe(30)
      expect(await redis.zrank(key(), 'c')).toBe(3)
      expect(Number(await redis.zincrby(key(), 15.5, 'a'))).toBe(25.5)
      expect(await redis.zrange(key(), 0, -1)).toEqual(['b', 'bb', 'a', 'c'])
      expect(
        await redis.zadd(key(), { gt: true, ch: true }, { score: 5, member: 'a' }, { score: 40, member: 'c' }),
      ).toBe(1)
      expect(await redis.zadd(key(), { nx: true }, { score: 99, member: 'c' })).toBe(0)
      expect(await redis.zscore(key(), 'c')).toBe(40)
      expect(await redis.zremrangebyscore(key(), '-inf', '(25.5')).toBe(2)
      expect(await redis.zpopmin(key())).toEqual(['a', 25.5])
      expect(await redis.zrem(key(), 'c', 'none')).toBe(1)
      expect(await redis.exists(key())).toBe(0)
    })

    rule('keeps lists from both ends', async () => {
      expect(await redis.rpush(key(), 'b', 'c')).toBe(2)
      expect(await redis.lpush(key(), 'a', 'z')).toBe(4)
      expect(await redis.lrange(key(), 0, -1)).toEqual(['z', 'a', 'b', 'c'])
      expect(await redis.lindex(key(), -1)).toBe('c')
      expect(await redis.lpop(key())).toBe('z')
      expect(await redis.rpop(key())).toBe('c')
      await redis.rpush(key(), 'a', 'a')
      expect(await redis.lrem(key(), -1, 'a')).toBe(1)
      expect(await redis.ltrim(key(), 0, 1)).toBe('OK')
      expect(await redis.lrange(key(), 0, -1)).toEqual(['a', 'b'])
      expect(await redis.lmove(key(), key('to'), 'left', 'right')).toBe('a')
      expect(await redis.lpop(key(), 5)).toEqual(['b'])
      expect(await redis.exists(key())).toBe(0)
      expect(await redis.lpop(key())).toBeNull()
    })

    rule('sets, reads, conditions and removes an expiry', async () => {
      await redis.set(key(), 'a')
      expect(await redis.ttl(key())).toBe(-1)
      expect(await redis.ttl(key('none'))).toBe(-2)
      expect(await redis.expire(key(), 100)).toBe(1)
      expect(await redis.ttl(key())).toBe(100)
      expect(await redis.expire(key(), 50, 'GT')).toBe(0)
      expect(await redis.pexpire(key(), 50_000, 'LT')).toBe(1)
      expect(await redis.pttl(key())).toBeLessThanOrEqual(50_000)
      expect(await redis.persist(key())).toBe(1)
      expect(await redis.ttl(key())).toBe(-1)
      expect(await redis.pexpireat(key(), Date.now() - 1_000)).toBe(1)
      expect(await redis.exists(key())).toBe(0)
      expect(await redis.expire(key('none'), 1)).toBe(0)
    })

    rule('expires containers too, and not before their time', async () => {
      await redis.hset(key('h'), { a: 1 })
      await redis.zadd(key('z'), { score: 1, member: 'm' })
      await redis.pexpire(key('h'), 60)
      await redis.pexpire(key('z'), 60_000)
      await sleep(90)
      expect(await redis.hget(key('h'), 'a')).toBeNull()
      expect(await redis.hincrby(key('h'), 'a', 1)).toBe(1)
      expect(await redis.ttl(key('h'))).toBe(-1)
      expect(await redis.zcard(key('z'))).toBe(1)
    })

    rule('renames a key with its expiry and finds keys by pattern', async () => {
      await redis.set(key('old'), 'a', { px: 60_000 })
      expect(await redis.rename(key('old'), key('new'))).toBe('OK')
      expect(await redis.pttl(key('new'))).toBeGreaterThan(50_000)
      expect(await redis.type(key('new'))).toBe('string')
      await redis.sadd(key('set'), 'a')
      expect((await redis.keys(`{${prefix}:${count}}:*`)).sort()).toEqual([key('new'), key('set')])
      const found: string[] = []
      let cursor = '0'
      do {
        const [next, page] = await redis.scan(cursor, { match: `{${prefix}:${count}}:n?w`, count: 100 })
        cursor = next
        found.push(...page)
      } while (cursor !== '0')
      expect(found).toEqual([key('new')])
      await expect(redis.rename(key('none'), key('x'))).rejects.toThrow(/no such key/)
    })

    rule('refuses a command on the wrong type and leaves the key alone', async () => {
      await redis.set(key(), 'a')
      await expect(redis.hset(key(), { a: 1 })).rejects.toThrow(/WRONGTYPE/)
      await expect(redis.lpush(key(), 'a')).rejects.toThrow(/WRONGTYPE/)
      await expect(redis.zadd(key(), { score: 1, member: 'a' })).rejects.toThrow(/WRONGTYPE/)
      await expect(redis.sadd(key(), 'a')).rejects.toThrow(/WRONGTYPE/)
      await redis.rpush(key('list'), 'a')
      await expect(redis.get(key('list'))).rejects.toThrow(/WRONGTYPE/)
      await expect(redis.incr(key('list'))).rejects.toThrow(/WRONGTYPE/)
      expect(await redis.get(key())).toBe('a')
    })

    rule('names no value of the command in its errors', async () => {
      await redis.set(key(), 'a')
      const failure = await redis.hset(key(), { note: 'confidential' }).catch((error: unknown) => String(error))
      expect(failure).toMatch(/WRONGTYPE/)
      expect(failure).not.toMatch(/confidential/)
    })

    rule('refuses unknown commands and wrong argument counts', async () => {
      await expect(redis.exec(['NOSUCHCOMMAND', 'a'])).rejects.toThrow(/unknown command/)
      await expect(redis.exec(['GET'])).rejects.toThrow(/wrong number of arguments/)
    })

    rule('answers a pipeline in order, failures beside successes', async () => {
      const pipeline = redis.pipeline()
      pipeline.set(key(), 'a')
      pipeline.incr(key())
      pipeline.hset(key('h'), { a: 1 })
      pipeline.hgetall(key('h'))
      pipeline.get(key('none'))
      const answers = await pipeline.exec({ keepErrors: true })
      expect(answers[1]?.error).toMatch(/not an integer/)
      expect([0, 2, 3, 4].map((at) => answers[at]?.result)).toEqual(['OK', 1, { a: 1 }, null])
      await expect(redis.pipeline().set(key('b'), '1').lpush(key('b'), 'x').exec()).rejects.toThrow(
        /Command 2 .*WRONGTYPE/,
      )
    })

    rule('runs a transaction alone: no other writer between its commands', async () => {
      const transactions = Array.from({ length: 20 }, async () => {
        const transaction = redis.multi()
        transaction.incr(key())
        transaction.incr(key())
        return await transaction.exec<[number, number]>()
      })
      const singles = Array.from({ length: 20 }, () => redis.incr(key()))
      const pairs = await Promise.all(transactions)
      await Promise.all(singles)
      for (const [first, second] of pairs) expect(second).toBe(first + 1)
      expect(await redis.get(key())).toBe(60)
    })

    rule('runs the rest of a transaction when one command fails, and nothing when one cannot be queued', async () => {
      await redis.set(key('text'), 'abc')
      const mixed = await redis.multi().incr(key('text')).incr(key()).exec({ keepErrors: true })
      expect(mixed[0]?.error).toMatch(/not an integer/)
      expect(mixed[1]?.result).toBe(1)
      const broken = redis.multi().incr(key())
      Reflect.get(broken, 'commands').push({ command: ['nosuchcommand', 'a'], deserialize: (reply: unknown) => reply })
      await expect(broken.exec()).rejects.toThrow()
      expect(await redis.get(key())).toBe(1)
    })

    rule('runs scripts with keys, arguments and every kind of result', async () => {
      expect(await redis.eval('return {KEYS[1], ARGV[1], ARGV[2]}', [key()], ['a', 7])).toEqual([key(), 'a', 7])
      expect(await redis.eval('return 3.99', [], [])).toBe(3)
      expect(await redis.eval('return tonumber(ARGV[1]) + tonumber(ARGV[2])', [], [2_000_000_000, 2_000_000_000])).toBe(
        4_000_000_000,
      )
      expect(await redis.eval("return 'n' .. (10 / 5) .. tonumber('7')", [], [])).toBe('n27')
      expect(await redis.eval('return {1, {2, "b"}, false, 4}', [], [])).toEqual([1, [2, 'b'], null, 4])
      expect(await redis.eval("return redis.status_reply('FINE')", [], [])).toBe('FINE')
      expect(
        await redis.eval(
          "redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000) return redis.call('GET', KEYS[1])",
          [key()],
          ['ä🎧'],
        ),
      ).toBe('ä🎧')
      expect(await redis.eval("return redis.call('GET', KEYS[1]) == false", [key('none')], [])).toBe(1)
      expect(await redis.eval("return redis.call('INCRBY', KEYS[1], 2.0)", [key('n')], [])).toBe(2)
      expect(
        await redis.eval('local sum = 0 for i = 1, #ARGV do sum = sum + ARGV[i] end return sum', [], [1, 2, 3]),
      ).toBe(6)
    })

    rule('gives a script its errors, raised or caught', async () => {
      await redis.set(key(), 'a')
      await expect(redis.eval("return redis.call('HGET', KEYS[1], 'f')", [key()], [])).rejects.toThrow(/WRONGTYPE/)
      expect(await redis.eval("return redis.pcall('HGET', KEYS[1], 'f').err", [key()], [])).toMatch(/WRONGTYPE/)
      await expect(redis.eval("return redis.error_reply('REFUSED not now')", [], [])).rejects.toThrow(/REFUSED not now/)
      await expect(redis.eval("error('went wrong')", [], [])).rejects.toThrow(/went wrong/)
      await expect(redis.eval('return (', [], [])).rejects.toThrow(/compiling script/)
      await expect(redis.eval('leaked = 1', [], [])).rejects.toThrow(/readonly table|global/)
    })

    rule('runs a loaded script by its SHA and says NOSCRIPT for others', async () => {
      const source = `return ARGV[1] .. '${prefix}'`
      await expect(redis.evalsha('f'.repeat(40), [], [])).rejects.toThrow(/NOSCRIPT/)
      const sha = await redis.scriptLoad(source)
      expect(await redis.scriptExists(sha, 'f'.repeat(40))).toEqual([1, 0])
      expect(await redis.evalsha(sha, [], ['a'])).toBe(`a${prefix}`)
      const script = redis.createScript<string>(`return 'late ${prefix}'`)
      expect(await script.exec([], [])).toBe(`late ${prefix}`)
      expect(await redis.evalsha(script.sha1, [], [])).toBe(`late ${prefix}`)
    })

    rule('accepts a script with Upstash flags under the SHA of the whole text', async () => {
      const source = `#!lua flags=allow-key-locking\nreturn '${prefix}'`
      const sha = await redis.scriptLoad(source)
      expect(sha).toBe(createHash('sha1').update(source).digest('hex'))
      expect(await redis.scriptExists(sha)).toEqual([1])
      expect(await redis.evalsha(sha, [], [])).toBe(prefix)
      expect(await redis.pipeline().eval(source, [], []).evalsha(sha, [], []).exec()).toEqual([prefix, prefix])
    })

    const limiters = {
      fixedWindow: Ratelimit.fixedWindow(10, '1 h'),
      slidingWindow: Ratelimit.slidingWindow(10, '1 h'),
      tokenBucket: Ratelimit.tokenBucket(10, '1 h', 10),
    }
    for (const [kind, limiter] of Object.entries(limiters)) {
      rule(`lets exactly the limit of ${kind} through under 40 concurrent calls`, async () => {
        const ratelimit = new Ratelimit({ redis, limiter, prefix: key(kind), ephemeralCache: false, timeout: 0 })
        const outcomes = await Promise.all(Array.from({ length: 40 }, () => ratelimit.limit('caller')))
        expect(outcomes.filter((outcome) => outcome.success)).toHaveLength(10)
        const others = await Promise.all(Array.from({ length: 5 }, () => ratelimit.limit('another')))
        expect(others.every((outcome) => outcome.success)).toBe(true)
        expect((await ratelimit.getRemaining('another')).remaining).toBe(5)
        await ratelimit.resetUsedTokens('caller')
        expect((await ratelimit.limit('caller')).success).toBe(true)
      })
    }

    rule('keeps the greatest (epoch, used) of heartbeats in any order', async () => {
      const script = redis.createScript<number>(keepGreater)
      const beat = (epoch: number, used: number) => script.exec([key()], [`${epoch}`, `${used}`, '60000'])
      expect(await beat(1, 100)).toBe(1)
      expect(await beat(1, 90)).toBe(0)
      expect(await beat(1, 100)).toBe(0)
      expect(await beat(2, 10)).toBe(1)
      expect(await beat(1, 5_000_000_000)).toBe(0)
      expect(await beat(2, 5_000_000_000)).toBe(1)
      expect(await beat(2, 4_999_999_999)).toBe(0)
      expect(await redis.hgetall(key())).toEqual({ epoch: 2, used: 5_000_000_000 })
      expect(await redis.pttl(key())).toBeGreaterThan(50_000)
      const beats = Array.from({ length: 40 }, (_, at) => ({ epoch: 3 + (at % 4), used: (at * 7_919) % 1_000 }))
      await Promise.all(beats.map(({ epoch, used }) => beat(epoch, used)))
      const last = Math.max(...beats.filter(({ epoch }) => epoch === 6).map(({ used }) => used))
      expect(await redis.hgetall(key())).toEqual({ epoch: 6, used: last })
    })

    rule('delivers published messages to subscribers of the channel and of its pattern, until they leave', async () => {
      const got: unknown[] = []
      const byName = redis.subscribe<{ n: number }>(key('room'))
      const byPattern = redis.psubscribe<{ n: number }>(`{${prefix}:${count}}:r*`)
      const joined = new Promise<void>((resolve) => {
        let left = 2
        const one = () => void (--left === 0 && resolve())
        byName.on('subscribe', one)
        byPattern.on('psubscribe', one)
      })
      byName.on('message', ({ channel, message }) => got.push(['name', channel, message]))
      byPattern.on('pmessage', ({ channel, message }) => got.push(['pattern', channel, message]))
      await joined
      await redis.publish(key('room'), { n: 1, text: 'a, b' })
      await redis.publish(key('elsewhere'), { n: 2 })
      await until(() => got.length >= 2)
      expect(got).toHaveLength(2)
      expect(got).toContainEqual(['name', key('room'), { n: 1, text: 'a, b' }])
      expect(got).toContainEqual(['pattern', key('room'), { n: 1, text: 'a, b' }])
      await byName.unsubscribe()
      await byPattern.unsubscribe()
      await until(async () => (await redis.publish(key('room'), { n: 3 })) === 0)
    })
  })
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await done()) return
    await sleep(10)
  }
  throw new Error('waited 2 s in vain')
}
