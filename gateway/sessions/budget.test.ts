import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { ExtendAnswer, Ledger, SettleRequest, TenantLedger } from '../ledger/ledger.ts'
import { asTenantId } from '../platform/ids.ts'
import { createLog } from '../platform/log.ts'
import type { Turn } from '../protocol/turn.ts'
import type { CheckpointFacts, Usage, UsageSoFar } from '../usage/usage.ts'
import { Budget, type BudgetFacts } from './budget.ts'
import { Recorder } from './recorder.ts'

const perSecond = 100

/** A ledger of one hold with so much credit behind it. */
function setup(options: {
  creditMicro: number
  checkpoint?: () => 'applied' | 'fenced'
  store?: () => Promise<boolean>
  facts?: Partial<BudgetFacts>
  isDayOver?: () => Promise<boolean>
  messages?: () => number
}) {
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
      ...options.facts,
    },
    {
      clock,
      ...(options.isDayOver === undefined ? {} : { isDayOver: options.isDayOver }),
      log: createLog('silent', { write: () => {} }),
      messages: options.messages ?? (() => 0),
      usage,
      ledger,
      store: options.store ?? (async () => true),
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

test('[S20] a checkpoint proves that the session was ours when it was asked, not when its answer is read', async () => {
  const answers: PromiseWithResolvers<boolean>[] = []
  const { clock, budget, told } = setup({
    creditMicro: 1_000_000,
    store: () => {
      const answer = Promise.withResolvers<boolean>()
      answers.push(answer)
      return answer.promise
    },
  })
  budget.start()
  expect(budget.confirmedAtMs, 'an engine that is ready proves nothing').toBe(Number.NEGATIVE_INFINITY)
  await clock.advance(15_000)
  const askedAtMs = clock.monotonicMs()
  await clock.advance(20_000)
  answers[0]?.resolve(true)
  await clock.advance(0)
  expect(budget.confirmedAtMs).toBe(askedAtMs)
  await clock.advance(15_000)
  answers[1]?.resolve(false)
  await clock.advance(0)
  expect(budget.confirmedAtMs, 'a refusal proves nothing').toBe(askedAtMs)
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

test('[S31] what is told stands on what earlier owners used', async () => {
  let messages = 3
  const before = { seconds: 100, meters: { 'output.text.tokens': 7 }, toolCalls: 2, tools: { find: 1 }, messages: 3 }
  const { clock, budget, checkpoints } = setup({
    creditMicro: 1_000_000,
    facts: { baseline: before, freeGapMs: 9_000 },
    messages: () => messages,
  })
  expect(budget.used).toEqual(before)
  messages = 4
  budget.start()
  budget.meters({ 'output.text.tokens': 5, 'input.text.tokens': 1 })
  // An engine that counts from nothing again takes nothing back.
  budget.meters({ 'output.text.tokens': 2 })
  budget.toolCall('find')
  budget.toolCall('book')
  budget.toolCall()
  await clock.advance(15_000)
  expect(checkpoints.at(-1)?.usage).toEqual({
    seconds: 115,
    meters: { 'output.text.tokens': 12, 'input.text.tokens': 1 },
    toolCalls: 5,
    tools: { find: 2, book: 1 },
    messages: 4,
  })
  expect(budget.freeGapMs).toBe(9_000)
})

test('[S38] a message said again to the next owner is charged once, whenever the owner before it went away', async () => {
  let session = 0
  const usedBy = (baseline: UsageSoFar | undefined, before: readonly Turn[], items: readonly string[]) => {
    const recorder = new Recorder({
      ...{ clock: new ManualClock(), sessionId: 'sess_1', conversationId: 'conv_1', channel: 'widget', before },
      ...{ write: async () => ({ fenced: [] }), onTurn: () => {}, onStored: () => {}, onFenced: () => {} },
    })
    const facts = baseline === undefined ? {} : { baseline }
    const { budget } = setup({ creditMicro: 1_000_000, facts, messages: () => recorder.messages })
    for (const item of items) {
      recorder.begin(item, 'user', false)
      recorder.change(item, { text: `${item} of ${session}`, state: 'final' })
    }
    session++
    return { used: budget.used, turns: recorder.turns }
  }
  const first = usedBy(undefined, [], ['a', 'b'])
  expect(first.used.messages).toBe(2)
  // It told of both and stored neither, or one; or stored both and told of none.
  const storedOf = [[], first.turns.slice(0, 1), first.turns]
  for (const stored of storedOf) {
    for (const baseline of [first.used, { ...first.used, messages: 0 }, undefined]) {
      const second = usedBy(baseline, stored, ['a', 'b', 'c'])
      expect(second.used.messages).toBe(3)
      // Said to three: it is still the same one.
      expect(usedBy(second.used, stored, ['b', 'c', 'a']).used.messages).toBe(3)
      expect(usedBy(second.used, second.turns, ['c', 'd']).used.messages).toBe(4)
    }
  }
})

test('[S35] half a minute without a durable checkpoint ends a session whose hold is nearly used', async () => {
  let isDown = false
  const { clock, budget, told } = setup({
    creditMicro: 0,
    checkpoint: () => {
      if (isDown) throw new Error('store down')
      return 'applied'
    },
  })
  budget.start()
  await clock.advance(60_000)
  isDown = true
  await clock.advance(25_000)
  // 35 s are held, 25 s nobody knows about.
  expect(told).not.toContain('out')
  await clock.advance(10_000)
  expect(budget.seconds).toBeLessThan(100)
  expect(told).toContain('out')
})

test('[S36] BILL-12: a session ends with its closing sentence before it costs more than it may', async () => {
  const { clock, budget, told } = setup({ creditMicro: 1_000_000, facts: { capMicro: 300 * perSecond } })
  budget.start()
  await clock.advance(274_000)
  expect(told).toEqual([])
  await clock.advance(10_000)
  expect(told).toContain('out')
})

test('[S36] BILL-12: a session ends when its agent has used up its day', async () => {
  let isOver = false
  const { clock, budget, told } = setup({ creditMicro: 1_000_000, isDayOver: async () => isOver })
  budget.start()
  await clock.advance(60_000)
  expect(told).toEqual([])
  isOver = true
  await clock.advance(15_000)
  expect(told).toEqual(['out'])
})
