// Sessions at the end of their tenant's credit, on one account of holds that answers as the ledger does.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { ExtendAnswer, Ledger, TenantLedger } from '../ledger/ledger.ts'
import { asTenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import { Budget } from './budget.ts'

const graceMs = 12_000

class Account {
  posted: number
  readonly holds = new Map<string, number>()
  readonly done = new Set<string>()
  /** What the next calls do instead of answering. */
  mishaps: ('lost answer' | 'refused')[] = []
  takenMicro = 0

  constructor(posted: number) {
    this.posted = posted
  }

  get available(): number {
    return this.posted - [...this.holds.values()].reduce((sum, micro) => sum + micro, 0)
  }

  extend({ holdId, n, addMicro }: Parameters<TenantLedger['extend']>[0]): ExtendAnswer {
    const held = this.holds.get(holdId)
    if (held === undefined) return { is: 'gone' }
    const key = `${holdId}:${n}`
    if (this.done.has(key)) return { is: 'held', amountMicro: held }
    if (addMicro > this.available) return { is: 'out_of_credit', shortfallMicro: addMicro - this.available }
    this.done.add(key)
    this.takenMicro += addMicro
    this.holds.set(holdId, held + addMicro)
    return { is: 'held', amountMicro: held + addMicro }
  }

  settle(holdId: string, usedMicro: number): number {
    const charge = Math.min(usedMicro, this.holds.get(holdId) ?? 0)
    this.holds.delete(holdId)
    this.posted -= charge
    return charge
  }

  ledger(): Pick<Ledger, 'of'> {
    const tenant: Pick<TenantLedger, 'extend'> = {
      extend: async (request) => {
        const mishap = this.mishaps.shift()
        if (mishap === 'refused') throw new Error('store down')
        const answer = this.extend(request)
        if (mishap === 'lost answer') throw new Error('timed out')
        return answer
      },
    }
    return { of: () => tenant as TenantLedger }
  }
}

interface Call {
  readonly holdId: string
  readonly secondMicro: number
  readonly heldSeconds?: number
  /** What a second really costs. */
  readonly realMicro?: number
  readonly knownMicro?: number
}

function call(clock: ManualClock, account: Account, facts: Call) {
  const { holdId, secondMicro, heldSeconds = 120, realMicro = secondMicro } = facts
  if (!account.holds.has(holdId)) account.holds.set(holdId, heldSeconds * secondMicro)
  const told: { what: string; leftSeconds: number }[] = []
  let usedAtOutMs: number | undefined
  const tell = (what: string) => () => {
    const held = account.holds.get(holdId) ?? 0
    told.push({ what, leftSeconds: (held - budget.seconds * realMicro) / secondMicro })
    if (what === 'out') usedAtOutMs ??= clock.monotonicMs()
  }
  const budget = new Budget(
    {
      tenantId: asTenantId('t'),
      sessionId: holdId,
      agentId: 'a',
      channel: 'widget',
      admission: {
        holdId,
        epoch: 1,
        heldMicro: facts.knownMicro ?? account.holds.get(holdId) ?? 0,
        price: {
          id: 'p',
          engine: 'demo',
          secondMicro,
          meterMicroPerMillion: {},
          costUsdMicroPerMillion: null,
          holdSecondMicro: secondMicro,
        },
      },
    },
    {
      clock,
      log: createLog('silent', { write: () => {} }),
      messages: () => 0,
      usage: {
        bill: (_, { seconds }) => ({ lines: [], totalMicro: seconds * realMicro, tokens: 0, costUsdMicro: null }),
        heartbeat: async () => {},
        checkpoint: async () => 'applied',
      },
      ledger: account.ledger(),
      store: async () => true,
      onLow: tell('low'),
      onOut: tell('out'),
      onFenced: tell('fenced'),
    },
  )
  const end = () => {
    budget.stop()
    return account.settle(holdId, budget.seconds * realMicro)
  }
  return { budget, told, end, outAtMs: () => usedAtOutMs }
}

test('[S34] the operator is warned at 60 s left and the agent closes at 20 s, with time for a sentence', async () => {
  for (const creditSeconds of [0, 1, 19, 50, 119, 121, 300]) {
    const clock = new ManualClock()
    const account = new Account((120 + creditSeconds) * 100)
    const { budget, told } = call(clock, account, { holdId: 'h', secondMicro: 100 })
    budget.start()
    for (let s = 0; s < 600 && !told.some(({ what }) => what === 'out'); s++) await clock.advance(1_000)
    const low = told.find(({ what }) => what === 'low')
    const out = told.find(({ what }) => what === 'out')
    expect([creditSeconds, low?.leftSeconds]).toEqual([creditSeconds, expect.closeTo(57.5, -0.8)])
    expect(out?.leftSeconds).toBeGreaterThan(graceMs / 1000 + 5)
    expect(out?.leftSeconds).toBeLessThanOrEqual(20)
    expect(account.available).toBeLessThan(100)
  }
})

test('[S34] credit that comes in the last minute is taken, and the call goes on', async () => {
  const clock = new ManualClock()
  const account = new Account(120 * 100)
  const { budget, told } = call(clock, account, { holdId: 'h', secondMicro: 100 })
  budget.start()
  await clock.advance(80_000)
  expect(told.map(({ what }) => what)).toContain('low')
  account.posted += 1_000 * 100
  await clock.advance(600_000)
  expect(told.map(({ what }) => what)).not.toContain('out')
})

test('[S33] numbers that earlier owners used up are passed over at once, and nothing is taken twice', async () => {
  const clock = new ManualClock()
  const account = new Account(1_000_000)
  account.holds.set('h', 40 * 120 * 100)
  for (let n = 1; n <= 39; n++) account.done.add(`h:${n}`)
  // What this owner knows of the hold is old, and most of it is used.
  const { budget, told } = call(clock, account, { holdId: 'h', secondMicro: 100, knownMicro: 60 * 100 })
  budget.start()
  await clock.advance(100)
  expect(told).toEqual([])
  expect(account.takenMicro).toBe(0)
  await clock.advance(4_766_000)
  expect(told).toEqual([])
  expect(account.takenMicro).toBe(120 * 100)
  expect(account.done.has('h:40')).toBe(true)
})

test('[S33] an answer that is lost and a store that fails for a while neither miss an extension nor take one twice', async () => {
  const clock = new ManualClock()
  const account = new Account(1_000_000)
  account.mishaps = ['lost answer', 'refused', 'lost answer', 'refused', 'refused']
  const { budget, told } = call(clock, account, { holdId: 'h', secondMicro: 100 })
  budget.start()
  await clock.advance(300_000)
  expect(told).toEqual([])
  expect(account.holds.get('h')).toBe(120 * 100 + account.takenMicro)
  expect(account.holds.get('h')).toBeLessThanOrEqual((300 + 190) * 100)
})

test('[S34] a ledger that answers no more ends the session before its hold is used', async () => {
  const clock = new ManualClock()
  const account = new Account(1_000_000)
  account.mishaps = Array<'refused'>(1_000).fill('refused')
  const { budget, outAtMs } = call(clock, account, { holdId: 'h', secondMicro: 100 })
  budget.start()
  await clock.advance(200_000)
  expect(outAtMs()).toBeLessThanOrEqual(106_000)
})

test('[S34] BILL-01: calls that share the last credit all end in time, pay no more than they hold, and leave no debt', async () => {
  const sharer = fc.record({
    secondMicro: fc.integer({ min: 1_000, max: 10_000 }),
    sharePercent: fc.integer({ min: 25, max: 100 }),
    startsAfterMs: fc.integer({ min: 0, max: 60_000 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(sharer, { minLength: 2, maxLength: 4 }), fc.nat(300), async (sharers, restSeconds) => {
      const clock = new ManualClock()
      const held = sharers.reduce((sum, { secondMicro }) => sum + 120 * secondMicro, 0)
      const account = new Account(held + restSeconds * (sharers[0]?.secondMicro ?? 1))
      const calls = sharers.map(({ secondMicro, sharePercent, startsAfterMs }, i) => {
        const realMicro = Math.max(1, Math.floor((secondMicro * sharePercent) / 100))
        const made = call(clock, account, { holdId: `h${i}`, secondMicro, realMicro })
        clock.after(startsAfterMs, () => made.budget.start())
        return { ...made, holdId: `h${i}`, realMicro, isOver: false }
      })
      for (let s = 0; s < 120_000 && calls.some(({ isOver }) => !isOver); s += 5) {
        await clock.advance(5_000)
        expect(account.available).toBeGreaterThanOrEqual(0)
        for (const each of calls) {
          const outAtMs = each.outAtMs()
          if (each.isOver || outAtMs === undefined || clock.monotonicMs() < outAtMs + graceMs) continue
          const usedMicro = each.budget.seconds * each.realMicro
          // The sentence is over: nothing was given away.
          expect(usedMicro).toBeLessThanOrEqual(account.holds.get(each.holdId) ?? 0)
          expect(each.end()).toBe(usedMicro)
          each.isOver = true
        }
      }
      expect(calls.every(({ isOver }) => isOver)).toBe(true)
      expect(account.posted).toBeGreaterThanOrEqual(0)
    }),
    { numRuns: 60 },
  )
})

test('[S33] an owner that takes over a hold with next to nothing left asks at once', async () => {
  const clock = new ManualClock()
  const account = new Account(1_000_000)
  account.holds.set('h', 10 * 100)
  const { budget, told } = call(clock, account, { holdId: 'h', secondMicro: 100 })
  budget.start()
  await clock.advance(100)
  expect(account.takenMicro).toBe(120 * 100)
  expect(told).toEqual([])
})
