import { describe, expect, it } from 'vitest'
import type { Clock } from './clock.ts'
import { type BreakerState, createBreaker, withDeadline } from './deadline.ts'

/** Time that moves only when told to, and lets promises settle after each step. */
function handClock(): Clock & { advance(ms: number): Promise<void>; readonly timers: number } {
  let now = 0
  const due = new Map<object, { at: number; run: () => void }>()
  const after = (ms: number, run: () => void) => {
    const id = {}
    due.set(id, { at: now + ms, run })
    return { cancel: () => void due.delete(id) }
  }
  return {
    now: () => now,
    monotonicMs: () => now,
    after,
    every: after,
    get timers() {
      return due.size
    },
    async advance(ms) {
      now += ms
      for (const [id, timer] of due) {
        if (timer.at > now) continue
        due.delete(id)
        timer.run()
      }
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    },
  }
}

const never = () => new Promise<string>(() => {})
const down = () => Promise.reject(new Error('down'))

describe('withDeadline', () => {
  it('gives the value when it comes in time and leaves no timer behind', async () => {
    const clock = handClock()
    expect(await withDeadline(Promise.resolve('a'), { timeoutMs: 50, fallback: () => 'b', clock })).toBe('a')
    await clock.advance(0)
    expect(clock.timers).toBe(0)
  })

  it('gives the fallback once time is up, and drops a late rejection', async () => {
    const clock = handClock()
    const { promise, reject } = Promise.withResolvers<string>()
    const answer = withDeadline(promise, { timeoutMs: 50, fallback: () => 'b', clock })
    await clock.advance(50)
    expect(await answer).toBe('b')
    reject(new Error('late'))
    await clock.advance(0)
  })

  it('passes on a rejection in time, and what the fallback throws', async () => {
    const clock = handClock()
    await expect(withDeadline(down(), { timeoutMs: 50, fallback: () => 'b', clock })).rejects.toThrow('down')
    const answer = withDeadline(never(), {
      timeoutMs: 50,
      fallback: () => {
        throw new Error('too late')
      },
      clock,
    })
    const seen = expect(answer).rejects.toThrow('too late')
    await clock.advance(50)
    await seen
  })
})

describe('breaker', () => {
  function open() {
    const clock = handClock()
    const changes: BreakerState[] = []
    const breaker = createBreaker({ clock, onChange: (state) => void changes.push(state) })
    let asked = 0
    const ask = (work: () => Promise<string>) =>
      breaker.run(
        () => {
          asked++
          return work()
        },
        () => 'fallback',
      )
    return { clock, changes, breaker, ask, asked: () => asked }
  }

  it('never holds a call longer than 50 ms', async () => {
    const { clock, ask } = open()
    let answer: string | undefined
    void ask(never).then((value) => {
      answer = value
    })
    await clock.advance(49)
    expect(answer).toBeUndefined()
    await clock.advance(1)
    expect(answer).toBe('fallback')
  })

  it('answers errors with the fallback, a synchronous throw too', async () => {
    const { ask } = open()
    expect(await ask(down)).toBe('fallback')
    expect(
      await ask(() => {
        throw new Error('at once')
      }),
    ).toBe('fallback')
    expect(await ask(async () => 'value')).toBe('value')
  })

  it('opens after three failures in a row and then does not ask', async () => {
    const { ask, breaker, asked } = open()
    await ask(down)
    await ask(down)
    await ask(async () => 'value')
    await ask(down)
    await ask(down)
    expect(breaker.state).toBe('closed')
    await ask(down)
    expect(breaker.state).toBe('open')
    expect(await ask(async () => 'value')).toBe('fallback')
    expect(asked()).toBe(6)
  })

  it('asks once after its rest, closes on success, and opens again on failure', async () => {
    const { clock, ask, changes, asked } = open()
    for (let i = 0; i < 3; i++) await ask(down)
    await clock.advance(2_000)
    const probes = [ask(never), ask(never), ask(never)]
    expect(asked()).toBe(4)
    await clock.advance(50)
    await Promise.all(probes)
    await clock.advance(1_999)
    await ask(async () => 'value')
    expect(asked()).toBe(4)
    await clock.advance(1)
    expect(await ask(async () => 'value')).toBe('value')
    expect(changes).toEqual(['open', 'half_open', 'open', 'half_open', 'closed'])
  })

  it('does not count an answer to a question asked before it opened', async () => {
    const { ask, breaker } = open()
    const { promise, resolve } = Promise.withResolvers<string>()
    const old = ask(() => promise)
    for (let i = 0; i < 3; i++) await ask(down)
    resolve('value')
    expect(await old).toBe('value')
    expect(breaker.state).toBe('open')
  })
})
