import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { ExtendAnswer, Ledger, SettleRequest, TenantLedger } from '../ledger/ledger.ts'
import { asTenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import type { CheckpointFacts, Usage } from '../usage/usage.ts'
import { Budget } from './budget.ts'

const perSecond = 100

/** A ledger of one hold with so much credit behind it. */
function setup(options: { creditMicro: number; checkpoint?: () => 'applied' | 'fenced' }) {
  const clock = new ManualClock()
  const told: string[] = []
  const checkpoints: CheckpointFacts[] = []
  const settled: SettleRequest[] = []
  let credit = options.creditMicro
  let held = 120 * perSecond
  const tenant: Pick<TenantLedger, 'extend' | 'settle'> = {
    async extend({ addMicro }): Promise<ExtendAnswer> {
      if (addMicro > credit) return { is: 'out_of_credit', shortfallMicro: addMicro - credit }
      credit -= addMicro
      held += addMicro
      return { is: 'held', amountMicro: held }
    },
    async settle(request) {
      settled.push(request)
      return { is: 'fenced' }
    },
  }
  const usage: Pick<Usage, 'bill' | 'heartbeat' | 'checkpoint'> = {
    bill: (_, { seconds }) => ({ lines: [], totalMicro: seconds * perSecond, tokens: 0, costUsdMicro: 0 }),
    heartbeat: async () => {},
    async checkpoint(facts) {
      checkpoints.push(facts)
      return options.checkpoint?.() ?? 'applied'
    },
  }
  const ledger: Pick<Ledger, 'of'> = { of: () => tenant as TenantLedger }
  const budget = new Budget(
    {
      tenantId: asTenantId('t'),
      sessionId: 's',
      agentId: 'a',
      channel: 'widget',
      admission: {
        holdId: 'h',
        epoch: 1,
        heldMicro: held,
        price: {
          id: 'p',
          engine: 'demo',
          secondMicro: perSecond,
          meterMicroPerMillion: {},
          costUsdMicroPerMillion: null,
          holdSecondMicro: perSecond,
        },
      },
    },
    {
      clock,
      log: createLog('silent', { write: () => {} }),
      usage,
      ledger,
      store: async () => {},
      onLow: () => void told.push('low'),
      onOut: () => void told.push('out'),
      onFenced: () => void told.push('fenced'),
    },
  )
  return { clock, budget, told, checkpoints, settled, held: () => held }
}

test('[S14] nothing is counted before the engine is ready, and a started second counts', async () => {
  const { clock, budget } = setup({ creditMicro: 0 })
  await clock.advance(10_000)
  expect(budget.seconds).toBe(0)
  budget.start()
  await clock.advance(1_001)
  expect(budget.seconds).toBe(2)
})

test('[S14] the hold is extended before it runs out, again and again', async () => {
  const { clock, budget, told, held } = setup({ creditMicro: 1_000_000 })
  budget.start()
  await clock.advance(600_000)
  expect(told).toEqual([])
  expect(held()).toBeGreaterThan(600 * perSecond)
})

test('[S14] the last credit is used before the session is wrapped up, with 20 s of grace left', async () => {
  const { clock, budget, told, held } = setup({ creditMicro: 50 * perSecond })
  budget.start()
  for (let s = 0; s < 200 && !told.includes('out'); s++) await clock.advance(1_000)
  expect(held()).toBe(170 * perSecond)
  expect(told[0]).toBe('low')
  expect(budget.seconds).toBeGreaterThan(145)
  expect(budget.seconds).toBeLessThanOrEqual(156)
})

test('[S14] checkpoints are cumulative and come every 15 s; the wall clock may jump', async () => {
  const { clock, budget, checkpoints } = setup({ creditMicro: 1_000_000 })
  budget.start()
  await clock.advance(16_000)
  clock.jump(-3_600_000)
  await clock.advance(15_000)
  expect(checkpoints.map((each) => each.usage.seconds)).toEqual([15, 30])
})

test('[S5] a checkpoint that is refused says so once and the session is told', async () => {
  const { clock, budget, told } = setup({ creditMicro: 1_000_000, checkpoint: () => 'fenced' })
  budget.start()
  await clock.advance(15_000)
  expect(told).toContain('fenced')
})

test('a minute without one durable checkpoint wraps the session up', async () => {
  const { clock, budget, told } = setup({
    creditMicro: 1_000_000,
    checkpoint: () => {
      throw new Error('store down')
    },
  })
  budget.start()
  await clock.advance(59_000)
  expect(told).toEqual([])
  await clock.advance(30_000)
  expect(told).toContain('out')
})
