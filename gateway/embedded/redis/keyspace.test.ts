import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Keyspace, type Value } from './keyspace.ts'

const text = (data: string): Value => ({ kind: 'string', data })

describe('keyspace', () => {
  it('never shows a key at or after its expiry', () => {
    let now = 1_000
    const keys = new Keyspace(() => now)
    keys.put('a', text('x'), 2_000)
    now = 1_999
    expect(keys.get('a')).toEqual(text('x'))
    now = 2_000
    expect([...keys.keys()]).toEqual([])
    expect(keys.get('a')).toBeUndefined()
    expect(keys.remove('a')).toBe(false)
    expect(keys.expireAt('a', 9_000)).toBe(false)
  })

  it('frees expired keys nobody asks for, a bounded number at a time', () => {
    let now = 0
    const keys = new Keyspace(() => now)
    for (let at = 0; at < 5_000; at++) keys.put(`short:${at}`, text('x'), 10)
    for (let at = 0; at < 100; at++) keys.put(`long:${at}`, text('x'), 1_000)
    keys.put('ever', text('x'), undefined)
    now = 10
    keys.sweep(2_000)
    expect(keys.size).toBe(3_101)
    for (let step = 0; step < 4; step++) keys.sweep(2_000)
    expect(keys.size).toBe(101)
    now = 1_000
    for (let step = 0; step < 3; step++) keys.sweep(2_000)
    expect(keys.size).toBe(1)
    keys.close()
  })

  it('sweeps by itself, and holds no timer that keeps the process alive', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const keys = new Keyspace(Date.now)
    for (let at = 0; at < 50; at++) keys.put(`k${at}`, text('x'), Date.now() + 20)
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBe(before)
    expect(keys.size).toBe(50)
    await sleep(400)
    expect(keys.size).toBe(0)
  })

  it('runs its timer only while a key can expire', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      let now = 0
      const keys = new Keyspace(() => now)
      keys.put('ever', text('x'), undefined)
      expect(vi.getTimerCount()).toBe(0)
      keys.put('short', text('x'), 10)
      expect(vi.getTimerCount()).toBe(1)
      now = 10
      vi.advanceTimersByTime(200)
      expect([keys.size, vi.getTimerCount()]).toEqual([1, 0])
      keys.put('again', text('x'), 20)
      keys.clear()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('agrees with a plain model under random writes, expiries and sweeps', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd')
    const until = fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined })
    const step = fc.oneof(
      fc.record({ op: fc.constant('put' as const), name, until }),
      fc.record({ op: fc.constant('expire' as const), name, until }),
      fc.record({ op: fc.constant('remove' as const), name }),
      fc.record({ op: fc.constant('sweep' as const), limit: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ op: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 15 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = 0
        const keys = new Keyspace(() => now)
        const model = new Map<string, number>()
        const lives = (key: string) => (model.get(key) ?? 0) > now
        for (const each of steps) {
          if (each.op === 'wait') now += each.ms
          else if (each.op === 'sweep') keys.sweep(each.limit)
          else if (each.op === 'remove') {
            expect(keys.remove(each.name)).toBe(lives(each.name))
            model.delete(each.name)
          } else {
            const at = each.until === undefined ? undefined : now + each.until
            if (each.op === 'put') keys.put(each.name, text('x'), at)
            else expect(keys.expireAt(each.name, at)).toBe(lives(each.name))
            if (each.op === 'put' || lives(each.name)) model.set(each.name, at ?? Number.POSITIVE_INFINITY)
          }
          expect([...keys.keys()].sort()).toEqual([...model.keys()].filter(lives).sort())
        }
        keys.close()
      }),
    )
  })
})
