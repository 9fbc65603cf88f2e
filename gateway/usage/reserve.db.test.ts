import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { ledgerCollections } from '../ledger/ledger.ts'
import type { TenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { fresh, grant, patient, usageRig } from './usage.test-support.ts'
import { type Reservation, type ReserveAsk, usageCollections } from './usage.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...ledgerCollections, ...usageCollections])
})
afterAll(() => store[Symbol.asyncDispose]())

const day = '2026-11-24'
const clock = { ...patient, now: () => Date.parse(`${day}T12:00:00Z`) }
const rig = () => usageRig(store.db, { clock })
let holds = 0
const ask = (tenantId: TenantId, over: Partial<ReserveAsk> = {}): ReserveAsk => ({
  tenantId,
  agentId: 'agt_1',
  holdId: `hold_${holds++}`,
  pieceId: 'msg_1',
  owner: 'node_1',
  action: { is: 'message', weight: 'simple' },
  ...over,
})

async function reserved(it: ReturnType<typeof rig>, asked: ReserveAsk): Promise<Reservation> {
  const answer = await it.usage.reserve(asked)
  if (answer.is !== 'reserved') throw new Error(answer.is)
  return answer.reservation
}
const charge = (tenantId: TenantId, reservation: Reservation) => ({
  ...{ tenantId, agentId: 'agt_1', channel: 'api' as const, reservation, note: 'an answer', used: [] },
  actions: [
    { is: 'message' as const, weight: 'complex' as const },
    { is: 'tool' as const, name: 'send_email' },
  ],
})

test('[U16] what was reserved and extended is charged once, by whoever repeats it; what is given back costs nothing', async () => {
  const it = rig()
  const tenantId = fresh()
  await grant(it.ledger, tenantId, 10)
  const asked = ask(tenantId)
  const [reservation, again] = [await reserved(it, asked), await reserved(it, asked)]
  expect(again).toEqual(reservation)
  for (const _ of [1, 2])
    expect(await it.usage.reserveMore({ tenantId, reservation }, { n: 1, amountMicro: 3_000_000 })).toBe(true)
  expect((await it.ledger.of(tenantId).credits()).availableMicro).toBe(6_000_000)
  const charged = await Promise.all(
    Array.from({ length: 5 }, () => it.usage.chargeReserved(charge(tenantId, reservation))),
  )
  for (const each of charged) expect(each).toEqual({ amountMicro: 4_000_000, costUsdMicro: 0 })
  const other = await reserved(it, ask(tenantId))
  for (const _ of [1, 2]) await it.usage.giveBack({ tenantId, agentId: 'agt_1', reservation: other })
  expect(await it.ledger.of(tenantId).credits()).toMatchObject({ availableMicro: 6_000_000, holds: [] })
  expect((await it.usage.days(tenantId, { from: day, to: day }))[0]).toMatchObject({
    sessions: 0,
    creditsMicro: 4_000_000,
  })
})

test('[U17] ten at once on an agent that may answer three: three are reserved, and one given back makes room for one', async () => {
  const it = rig()
  const tenantId = fresh()
  await grant(it.ledger, tenantId, 100)
  const agentLimits = { dailyMessages: 3 }
  const answers = await Promise.all(Array.from({ length: 10 }, () => it.usage.reserve(ask(tenantId, { agentLimits }))))
  const made = answers.flatMap((each) => (each.is === 'reserved' ? [each.reservation] : []))
  expect(made).toHaveLength(3)
  const [first, second] = made
  if (first === undefined || second === undefined) throw new Error('none')
  await it.usage.chargeReserved(charge(tenantId, first))
  expect((await it.usage.reserve(ask(tenantId, { agentLimits }))).is).toBe('refused')
  await it.usage.giveBack({ tenantId, agentId: 'agt_1', reservation: second })
  expect((await it.usage.reserve(ask(tenantId, { agentLimits }))).is).toBe('reserved')
  expect((await it.usage.reserve(ask(tenantId, { agentLimits }))).is).toBe('refused')
})

test('[U18] a reservation that the janitor settled because nobody spoke for it is charged after all, once', async () => {
  const it = rig()
  const tenantId = fresh()
  await grant(it.ledger, tenantId, 10)
  const reservation = await reserved(it, ask(tenantId))
  const ledger = it.ledger.of(tenantId)
  const by = { epoch: reservation.epoch }
  await ledger.settle({ holdId: reservation.holdId, by, lines: [], costUsdMicro: null, note: 'closed by the janitor' })
  expect(await it.usage.keepReserved({ tenantId, reservation })).toBe(false)
  for (const _ of [1, 2])
    expect((await it.usage.chargeReserved(charge(tenantId, reservation))).amountMicro).toBe(4_000_000)
  expect((await ledger.credits()).availableMicro).toBe(6_000_000)
  expect(await it.ledger.reconcile()).toEqual([])
})
