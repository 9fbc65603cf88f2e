import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { ledgerCollections } from '../ledger/ledger.ts'
import type { TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { fresh, grant, patient, usageRig } from './usage.test-support.ts'
import { type ChargeRequest, usageCollections } from './usage.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...ledgerCollections, ...usageCollections])
})
afterAll(() => store[Symbol.asyncDispose]())

const day = '2026-11-24'
const clock = { ...patient, now: () => Date.parse(`${day}T12:00:00Z`) }
const rig = () => usageRig(store.db, { clock })
const message = (tenantId: TenantId, over: Partial<ChargeRequest> = {}): ChargeRequest => ({
  tenantId,
  agentId: 'agt_1',
  key: 'turn_1',
  action: { is: 'message', weight: 'simple' },
  channel: 'whatsapp',
  note: 'an answer',
  ...over,
})

test('[U15] an answer is charged once per key, leaves an entry, and counts in the day as no session', async () => {
  const it = rig()
  const tenantId = fresh()
  await grant(it.ledger, tenantId, 10)
  const used = { engine: 'openai-realtime', model: 'gpt-realtime-2.1', meters: { 'output.text.tokens': 1_000 } }
  const again = await Promise.all(Array.from({ length: 20 }, () => it.usage.charge(message(tenantId, { used }))))
  for (const answer of again)
    expect(answer).toEqual({ is: 'charged', entryId: 'turn_1', amountMicro: 1_000_000, costUsdMicro: 24_000 })
  await it.usage.charge(message(tenantId, { key: 'turn_2', action: { is: 'message', weight: 'complex' } }))
  await it.usage.charge(message(tenantId, { key: 'call_1', action: { is: 'tool', name: 'send_ai_email' } }))
  await it.usage.charge(message(tenantId, { key: 'call_2', action: { is: 'tool', name: 'search_contacts' } }))
  await it.usage.charge(message(tenantId, { key: 'call_3', action: { is: 'tool', name: 'launch_rocket' } }))
  await it.usage.charge(message(tenantId, { key: 'build_1', action: { is: 'builder' } }))
  expect((await it.ledger.of(tenantId).credits()).availableMicro).toBe(3_000_000)
  const { items } = await it.ledger.of(tenantId).entries({ limit: 50 })
  const deducted = items.filter(({ kind }) => kind === 'deduct').map(({ id, amountMicro }) => [id, amountMicro])
  expect(deducted.toReversed()).toEqual([
    ['turn_1', -1_000_000],
    ['turn_2', -3_000_000],
    ['call_1', -2_000_000],
    ['call_2', 0],
    ['call_3', -1_000_000],
    ['build_1', 0],
  ])
  expect(await it.usage.days(tenantId, { from: day, to: day })).toEqual([
    {
      ...{ day, channel: 'whatsapp', agentId: 'agt_1', sessions: 0, seconds: 0, tokens: 1_000 },
      // The second answer's cost is not known, and says so.
      ...{ costUsdMicro: 24_000, costUnknown: 1, creditsMicro: 7_000_000 },
    },
  ])
  const today = { tenantId, agentId: 'agt_1' }
  expect(
    (await it.usage.agentDay({ ...today, agentLimits: { dailyMessages: 3, dailyCreditsMicro: 7_000_001 } })).is,
  ).toBe('open')
  expect(await it.usage.agentDay({ ...today, agentLimits: { dailyMessages: 2 } })).toMatchObject({ is: 'refused' })
})

test('[U15] without credit an answer is refused with what is missing, before and at the charge, and nothing is taken', async () => {
  const it = rig()
  const tenantId = fresh()
  await grant(it.ledger, tenantId, 2)
  const action = { is: 'message', weight: 'complex' } as const
  const asked = { tenantId, agentId: 'agt_1', action }
  const missing = { is: 'out_of_credit', amountMicro: 3_000_000, shortfallMicro: 1_000_000 }
  expect(await it.usage.mayCharge(asked)).toEqual(missing)
  expect(await it.usage.charge(message(tenantId, { action }))).toEqual(missing)
  expect((await it.ledger.of(tenantId).credits()).availableMicro).toBe(2_000_000)
  expect(await it.usage.days(tenantId, { from: day, to: day })).toEqual([])
  await grant(it.ledger, tenantId, 1)
  expect(await it.usage.mayCharge(asked)).toEqual({ is: 'enough', amountMicro: 3_000_000 })
  expect(await it.usage.charge(message(tenantId, { action }))).toMatchObject({ is: 'charged' })
})

test('[U15] twenty answers at once on credit for five: five are charged, and the balance is zero', async () => {
  const it = rig()
  const tenantId = fresh()
  await grant(it.ledger, tenantId, 5)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => it.usage.charge(message(tenantId, { key: `turn_${i}` }))),
  )
  expect(answers.filter(({ is }) => is === 'charged')).toHaveLength(5)
  expect((await it.ledger.of(tenantId).credits()).availableMicro).toBe(0)
})

test('[U2] the price of a piece is data: a newer row counts, and sessions get its prices of tools', async () => {
  const it = rig()
  const tenantId = fresh()
  await grant(it.ledger, tenantId, 50)
  await it.usage.mayCharge({ tenantId, agentId: 'agt_1', action: { is: 'builder' } })
  const prices = store.db.collection<{ _id: string; meters?: unknown; effectiveFrom?: Date }>('prices')
  const row = await prices.findOne({ _id: 'actions/*@2026-01-01' })
  await prices.insertOne({
    ...row,
    _id: 'actions/*@2026-11-01',
    effectiveFrom: new Date('2026-11-01'),
    meters: [{ meter: 'tool.send_email.calls', creditMicroPerMillion: 5e12, costUsdMicroPerMillion: null }],
  })
  try {
    const later = rig()
    const charged = await later.usage.charge(message(tenantId, { action: { is: 'tool', name: 'send_email' } }))
    expect(charged).toMatchObject({ amountMicro: 5_000_000 })
    const answer = await later.usage.admit({
      ...{ tenantId, plan: 'free', agentId: 'agt_1', sessionId: 'sess_1', channel: 'api', engine: 'demo' },
      ...{ ip: '', keyId: 'k', owner: 'o' },
    })
    if (answer.is !== 'admitted') throw new Error(answer.code)
    const used = { seconds: 0, meters: {}, toolCalls: 2, tools: { send_email: 1, other: 1 } }
    expect(later.usage.bill(answer.admission.price, used).totalMicro).toBe(5_000_000)
  } finally {
    await prices.deleteOne({ _id: 'actions/*@2026-11-01' })
  }
})
