import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { systemClock } from '../platform/clock.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import type { ExecutionSums, ExecutionView } from '../protocol/records.ts'
import { createExecutions, executionCollections, type NewExecution } from './executions.ts'

let store: TestStore
let nowMs = Date.parse('2026-03-01T22:00:00Z')
const open = () => createExecutions({ db: store.db, clock: { ...systemClock, now: () => nowMs } })
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, executionCollections)
})
afterAll(() => store[Symbol.asyncDispose]())

const run = (n: number): NewExecution => ({
  agentId: `agt_${n % 3}`,
  conversationId: `conv_${n % 5}`,
  ...(n % 2 === 0 ? { sessionId: 'sess_1' } : {}),
  channel: n % 2 === 0 ? 'voice' : 'api',
  model: n % 4 === 0 ? 'small' : 'large',
  provider: n % 3 === 0 ? 'openai' : 'anthropic',
  inputTokens: 100 + n,
  cachedTokens: n,
  outputTokens: 7 * n,
  latencyMs: 900 + n,
  costUsdMicro: n % 6 === 0 ? null : 31 * n,
  creditsMicro: 5_000_000_000 + n,
  status: n % 7 === 0 ? 'failed' : 'completed',
  ...(n % 7 === 0 ? { error: 'engine_lost' } : {}),
  steps: [{ name: 'model', ms: 800, outcome: 'ok' }],
})

const sums = (runs: readonly ExecutionView[]): ExecutionSums => {
  const sum = (of: (each: ExecutionView) => number) => runs.reduce((total, each) => total + of(each), 0)
  return {
    count: runs.length,
    failed: runs.filter((each) => each.status === 'failed').length,
    inputTokens: sum((each) => each.inputTokens),
    cachedTokens: sum((each) => each.cachedTokens),
    outputTokens: sum((each) => each.outputTokens),
    latencyMs: sum((each) => each.latencyMs),
    costUsdMicro: sum((each) => each.costUsdMicro ?? 0),
    creditsMicro: sum((each) => each.creditsMicro),
  }
}

const groups = (runs: readonly ExecutionView[], keyOf: (each: ExecutionView) => object) => {
  const found = Map.groupBy(runs, (each) => JSON.stringify(keyOf(each)))
  return [...found].map(([key, own]) => ({ ...JSON.parse(key), ...sums(own) }))
}

test('[S001-14] the figures of every run are kept, and stats equal the sums over what is listed', async () => {
  const executions = open().of(asTenantId('ten_a'))
  const stranger = open().of(asTenantId('ten_b'))
  for (let n = 0; n < 42; n++) {
    nowMs += 600_000
    await executions.record(run(n))
    await stranger.record(run(n))
  }
  const all: ExecutionView[] = []
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await executions.list({ limit: 10, cursor })
    all.push(...page.items)
    cursor = page.next ?? undefined
    more = page.next !== null
  }
  expect(all).toHaveLength(42)
  expect(await executions.get(all[0]?.id ?? '')).toEqual(all[0])
  expect(all[0]).toMatchObject({ ...run(41), sessionId: null, error: null })
  expect(await stranger.get(all[0]?.id ?? '')).toBeUndefined()
  const stats = await executions.getStats({})
  expect(stats.total).toEqual(sums(all))
  expect(stats.byAgent).toEqual(expect.arrayContaining(groups(all, ({ agentId }) => ({ agentId }))))
  expect(stats.byAgent).toHaveLength(3)
  expect(stats.byModel).toEqual(expect.arrayContaining(groups(all, ({ provider, model }) => ({ provider, model }))))
  expect(stats.byDay).toEqual(groups(all.toReversed(), ({ at }) => ({ day: at.slice(0, 10) })))
  expect(stats.byDay).toHaveLength(2)
  const filter = { agentId: 'agt_1', from: new Date('2026-03-02') }
  const listed = (await executions.list({ limit: 200, ...filter })).items
  expect(listed.length).toBeGreaterThan(0)
  expect((await executions.getStats(filter)).total).toEqual(sums(listed))
})

test('one run recorded twice under its id is one', async () => {
  const executions = open().of(asTenantId('ten_c'))
  const first = await executions.record({ ...run(1), id: 'exec_1' })
  expect(await executions.record({ ...run(2), id: 'exec_1' })).toEqual(first)
  expect((await executions.getStats({})).total.count).toBe(1)
})

test('[S001-19] [S001-20] lists and sums tell nothing of other rows and of masked fields', async () => {
  const tenantId = asTenantId('ten_d')
  const executions = open().of(tenantId)
  for (let n = 0; n < 9; n++) await executions.record(run(n))
  const mine = executions.as(
    authAs(tenantId, {
      rows: () => ({ is: 'some', anyOf: [[{ is: 'field', field: 'agentId', op: 'eq', values: ['agt_1'] }]] }),
      masked: (_resource, record) => JSON.parse(JSON.stringify({ ...record, costUsdMicro: undefined })),
    }),
  )
  const { items } = await mine.list({ limit: 9 })
  expect(items.map((each) => each.agentId)).toEqual(['agt_1', 'agt_1', 'agt_1'])
  const stats = await mine.getStats({})
  expect(stats.total.count).toBe(3)
  expect(stats.byAgent.map((each) => each.agentId)).toEqual(['agt_1'])
  expect(JSON.stringify([items, stats])).not.toContain('costUsdMicro')
  const other = (await executions.list({ limit: 9, agentId: 'agt_0' })).items[0]
  expect(await mine.get(other?.id ?? '')).toBeUndefined()
  const blind = authAs(tenantId, {
    rows: () => ({ is: 'some', anyOf: [[{ is: 'field', field: 'nonsense', op: 'ne', values: ['x'] }]] }),
  })
  expect((await executions.as(blind).getStats({})).total.count).toBe(0)
})
