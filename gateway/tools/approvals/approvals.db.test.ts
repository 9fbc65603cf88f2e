import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { authAs } from '../../../test/harness/auth.ts'
import { briefFor } from '../../../test/harness/brief.ts'
import { ManualClock } from '../../../test/harness/clock.ts'
import { QueryWatch } from '../../../test/harness/indexed.ts'
import { recordsIn } from '../../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import type { Brief } from '../../agents/agents.ts'
import { eventCollections } from '../../events/events.ts'
import type { AuthContext } from '../../platform/access.ts'
import { asTenantId, newId, type TenantId } from '../../platform/ids.ts'
import { ensureIndexes, openMongo } from '../../platform/mongo.ts'
import type { ApprovalView } from '../../protocol/approvals.ts'
import type { ToolOutput } from '../output.ts'
import type { Tool } from '../registry.ts'
import type { ApprovedRun, ToolRun } from '../runner.ts'
import { builtin } from '../tool.ts'
import { expiryMs } from './approval.ts'
import { createApprovals, type Outcome } from './approvals.ts'
import { approvalSpec } from './store.ts'

let store: TestStore
const watch = new QueryWatch()
let watched: Awaited<ReturnType<typeof openMongo>>
beforeAll(async () => {
  store = await openTestStore()
  watched = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  await ensureIndexes(watched.db, [approvalSpec, ...eventCollections])
})
afterAll(async () => {
  await watched.close()
  await store[Symbol.asyncDispose]()
})

const refund: Tool = {
  ...builtin(
    { name: 'refund', kind: 'test.refund', category: 'custom', description: 'Pays back.', readOnly: false },
    z.strictObject({ amount: z.int().min(1), to: z.string().optional() }),
    async () => ({}),
  ),
  ...{ own: false, spec: {}, instructions: '' },
}
const waiting = z.object({ waiting: z.object({ approvalId: z.string(), message: z.string() }) })
const idOf = ({ output }: ToolOutput): string => waiting.parse(JSON.parse(output)).waiting.approvalId

/** Several processes on one store, in one tenant, whose outside is written down. */
function place(more: { readonly brief?: () => Brief | undefined; readonly output?: () => Promise<ToolOutput> } = {}) {
  const clock = new ManualClock()
  const tenantId = asTenantId(newId('ten'))
  const ran: ApprovedRun[] = []
  const told: Outcome[] = []
  const shown: ApprovalView[] = []
  const paid: string[] = []
  const { events } = recordsIn(watched.db)
  const outlet = { session: 'gone' as 'gone' | 'told' | 'elsewhere' | 'ended', fails: 0, credit: true }
  const brief = briefFor({ tools: ['refund'], autonomyLevel: 'supervised' })
  const reservation = { holdId: 'hold', epoch: 1, day: null, amountMicro: 1 }
  const open = (nodeId: string) =>
    createApprovals({
      ...{ db: watched.db, clock, log: pino({ level: 'silent' }), nodeId, events },
      agents: { resolve: async () => (more.brief === undefined ? brief : more.brief()) },
      usage: {
        reserve: async ({ holdId }) =>
          outlet.credit
            ? { is: 'reserved', reservation: { ...reservation, holdId } }
            : { is: 'out_of_credit', shortfallMicro: 1 },
        async chargeReserved({ reservation: { holdId } }) {
          paid.push(`paid ${holdId}`)
          return { amountMicro: 1, costUsdMicro: 0 }
        },
        giveBack: async ({ reservation: { holdId } }) => void paid.push(`back ${holdId}`),
      },
      toolNamed: async (_tenantId, name) => (name === 'refund' ? refund : undefined),
      async runApproved(call) {
        ran.push(call)
        return more.output === undefined ? { output: '{"paid":5}', ok: true } : more.output()
      },
      outlets: {
        toSession: async (_approval, outcome) => {
          if (outlet.session === 'told') told.push(outcome)
          return outlet.session
        },
        async toConversation(_approval, outcome) {
          if (outlet.fails-- > 0) throw new Error('the provider is down')
          told.push(outcome)
          return 'told'
        },
        onChange: (_tenantId, make) => void shown.push(make()),
      },
    })
  const [one, two] = [open('node_1'), open('node_2')]
  const as = (own: Partial<AuthContext> = {}, at = one) => at.of(tenantId).as(authAs(tenantId, own))
  const call = (given: Partial<ToolRun> = {}): ToolRun => ({
    ...{ tenantId, sessionId: 'sess_1', callId: 'call_1', name: 'refund', arguments: '{"to":"Ada","amount":5}' },
    ...{ allowed: ['refund'], channel: 'widget', conversationId: 'conv_1', contactId: 'cont_1', isLive: true },
    ...{ agent: { id: 'agt_1', name: 'Helper', version: 3 }, ...given },
  })
  const state = async (id: string) => (await as().get(id))?.state
  return { clock, tenantId, one, two, as, call, ran, told, shown, paid, outlet, events, state }
}

const soon = <T>(check: () => T): Promise<Awaited<T>> =>
  vi.waitFor(async () => check(), { timeout: 10_000 }) as Promise<Awaited<T>>

/** What the store is asked takes real time. */
const settled = async (clock: ManualClock, ms = 0): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 60))
  await clock.advance(ms)
  await new Promise((resolve) => setTimeout(resolve, 60))
}

test('[A1] a parked call has its one output at once; the same call is the same approval, another of the same hash waits already', async () => {
  const { one, two, as, call } = place()
  const first = await one.park({ call: call() })
  expect(first).toMatchObject({ ok: false, is: 'waiting' })
  expect(waiting.parse(JSON.parse(first.output)).waiting.message).toMatch(/has to approve this first/)
  expect(await two.park({ call: call() })).toEqual(first)
  const twin = await two.park({ call: call({ callId: 'call_2', arguments: '{"amount":5,"to":"Ada","note":null}' }) })
  expect(twin).toMatchObject({ ok: false, output: expect.stringContaining('already_waiting') })
  // Other arguments are another approval, and so is another session.
  const other = await one.park({ call: call({ callId: 'call_3', arguments: '{"amount":50}' }) })
  const elsewhere = await one.park({ call: call({ callId: 'call_4', sessionId: 'sess_2' }) })
  expect(new Set([first, other, elsewhere].map(idOf)).size).toBe(3)
  const { items } = await as().list({ limit: 10, state: 'pending' })
  expect(items.map((each) => each.arguments?.amount).toSorted()).toEqual([5, 5, 50])
})

test('[A1] what has ended waits no more: the same is asked for anew', async () => {
  const { one, as, call } = place()
  const id = idOf(await one.park({ call: call() }))
  await as().reject(id, { reason: 'No.' })
  expect(idOf(await one.park({ call: call({ callId: 'call_2' }) }))).not.toBe(id)
})

test('[A2] [S000-15] fifty decisions at once over two processes: one stands, and one effect', async () => {
  const { clock, one, two, as, call, ran, told, state } = place()
  const id = idOf(await one.park({ call: call() }))
  const answers = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) => {
      const caller = as({}, i % 2 === 0 ? one : two)
      return i % 3 === 0 ? caller.reject(id, { reason: `no ${i}` }) : caller.approve(id, {})
    }),
  )
  const stands = new Set(answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value.state] : [])))
  expect(stands.size).toBe(1)
  const refused = answers.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
  expect(new Set(refused)).toEqual(new Set(['conflict']))
  await settled(clock, 5_000)
  const [decision] = stands
  await soon(async () => expect(await state(id)).toBe(decision === 'approved' ? 'done' : 'rejected'))
  await soon(() => expect(told).toHaveLength(1))
  expect(ran).toHaveLength(decision === 'approved' ? 1 : 0)
})

test('[A7] approved, it runs after the time to undo, once, with what was approved, under its own id', async () => {
  const { clock, one, two, as, call, ran, paid, state } = place()
  const id = idOf(await one.park({ call: call() }))
  await as().approve(id, { note: 'Fine.' })
  await settled(clock, 4_900)
  expect([ran.length, await state(id)]).toEqual([0, 'approved'])
  await clock.advance(100)
  await Promise.all([one.sweep(), two.sweep(), one.sweep()])
  await soon(async () => expect(await state(id)).toBe('done'))
  expect(ran).toMatchObject([{ callId: id, name: 'refund', arguments: '{"amount":5,"to":"Ada"}', isTakenOver: false }])
  expect(paid).toHaveLength(1)
})

test('[A4] undone in time nothing runs', async () => {
  const { clock, one, as, call, ran, state } = place()
  const id = idOf(await one.park({ call: call() }))
  await as().approve(id, {})
  await clock.advance(4_000)
  expect(await as().undo(id)).toMatchObject({ state: 'pending', decidedBy: null, effectAt: null })
  await settled(clock, 10_000)
  await one.sweep()
  await settled(clock)
  expect([ran.length, await state(id)]).toEqual([0, 'pending'])
})

test('[A5] [S000-16] a day later it is expired: nobody can approve it, and the person is told', async () => {
  const { clock, one, as, call, ran, told } = place()
  const id = idOf(await one.park({ call: call() }))
  await clock.advance(expiryMs - 1)
  await one.sweep()
  expect(await as().get(id)).toMatchObject({ state: 'pending' })
  await clock.advance(1)
  // Before any job looked.
  await expect(as().approve(id, {})).rejects.toMatchObject({ code: 'conflict', message: /expired/ })
  expect(await as().list({ limit: 5, state: 'pending' })).toMatchObject({ items: [] })
  expect(await as().get(id)).toMatchObject({ state: 'expired', reason: 'Nobody decided within 24 hours.' })
  await one.sweep()
  await soon(() => expect(told).toMatchObject([{ approvalId: id, ok: false }]))
  await expect(as().approve(id, {})).rejects.toMatchObject({ code: 'conflict' })
  expect(ran).toEqual([])
})

test('[A5] [S000-16] the job expires what nobody looks at', async () => {
  const { clock, one, call, shown } = place()
  await one.park({ call: call() })
  await clock.advance(expiryMs)
  await one.sweep()
  await soon(() => expect(shown).toHaveLength(3))
  expect(shown.map((each) => [each.state, each.delivery])).toEqual([
    ...[
      ['pending', 'none'],
      ['expired', 'owed'],
      ['expired', 'told'],
    ],
  ])
})

test('[A6] arguments changed before approving are checked, kept beside the model’s, and are what runs', async () => {
  const { clock, one, as, call, ran, state } = place()
  const id = idOf(await one.park({ call: call() }))
  const blind = as({ sees: (_resource, field) => field !== 'arguments' })
  await expect(blind.approve(id, { arguments: { amount: 4 } })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(as().approve(id, { arguments: { amount: 0 } })).rejects.toMatchObject({ code: 'invalid' })
  await expect(as().approve(id, { arguments: { amount: 4, hack: 1 } })).rejects.toMatchObject({ code: 'invalid' })
  const approved = await as().approve(id, { arguments: { to: 'Ada', amount: 4 } })
  expect(approved).toMatchObject({
    ...{ arguments: { amount: 5, to: 'Ada' }, editedArguments: { amount: 4, to: 'Ada' } },
    changes: [{ path: 'amount', before: 5, after: 4 }],
  })
  expect(approved.approvedHash).not.toBe(approved.argumentsHash)
  // What is approved is not changed by approving once more.
  await expect(as().approve(id, { arguments: { amount: 9 } })).rejects.toMatchObject({ code: 'conflict' })
  await expect(as().approve(id, {})).rejects.toMatchObject({ code: 'conflict' })
  expect(await as().approve(id, { arguments: { amount: 4, to: 'Ada' } })).toMatchObject({ state: 'approved' })
  await clock.advance(5_000)
  await soon(async () => expect(await state(id)).toBe('done'))
  expect(ran.map((each) => each.arguments)).toEqual(['{"amount":4,"to":"Ada"}'])
})

test('[A7] a process that died in the effect leaves it to another, with the same call, when its lease is over', async () => {
  const stuck = new Promise<never>(() => {})
  let runs = 0
  const { clock, one, two, as, call, ran, state } = place({
    output: () =>
      runs++ === 0 ? stuck : Promise.resolve({ output: '{"error":{"code":"unknown"}}', ok: false, is: 'unknown' }),
  })
  const id = idOf(await one.park({ call: call() }))
  await as().approve(id, {})
  await clock.advance(5_000)
  await soon(() => expect(ran).toHaveLength(1))
  await settled(clock, 16_000)
  const stored = store.db.collection<{ _id: string }>('approvals')
  // Found, and left alone: its lease is kept.
  await stored.updateOne({ _id: id }, { $set: { dueAt: new Date(0) } })
  await two.sweep()
  await settled(clock)
  expect([ran.length, await state(id)]).toEqual([1, 'running'])
  // By the database's clock.
  await stored.updateOne({ _id: id }, { $set: { leaseAt: new Date(0), dueAt: new Date(0) } })
  await two.sweep()
  await soon(async () => expect(await state(id)).toBe('unknown'))
  expect(ran.map((each) => [each.callId, each.isTakenOver])).toEqual([
    [id, false],
    [id, true],
  ])
})

test('[A8] an agent put away, a tool taken out, a level that allows nothing: withdrawn, with words', async () => {
  const silent = undefined
  const without = briefFor({ tools: [] })
  const drafting = briefFor({ tools: ['refund'], autonomyLevel: 'draft_only' })
  for (const [brief, words] of [
    [silent, /does not answer/],
    [without, /may not use this tool/],
    [drafting, /changes nothing/],
  ] as const) {
    const { clock, one, as, call, ran, told, state } = place({ brief: () => brief })
    const id = idOf(await one.park({ call: call() }))
    await as().approve(id, {})
    await clock.advance(5_000)
    await soon(async () => expect(await state(id)).toBe('withdrawn'))
    expect((await as().get(id))?.reason).toMatch(words)
    await soon(() => expect(told).toHaveLength(1))
    expect(ran).toEqual([])
  }
})

test('[A9] an outcome is owed until it is told: by the session, by the conversation when that is gone, and after failures', async () => {
  const { clock, one, two, as, call, told, outlet, state } = place()
  outlet.session = 'elsewhere'
  const id = idOf(await one.park({ call: call() }))
  await as().reject(id, { reason: 'Too much.' })
  await settled(clock, 6_000)
  await two.sweep()
  await settled(clock, 6_000)
  expect([told.length, (await as().get(id))?.delivery]).toEqual([0, 'owed'])
  Object.assign(outlet, { session: 'gone', fails: 1 })
  await two.sweep()
  await settled(clock, 6_000)
  await Promise.all([one.sweep(), two.sweep()])
  await soon(() => expect(told).toHaveLength(1))
  expect(JSON.parse(told[0]?.output ?? '')).toEqual({ approvalId: id, decision: 'rejected', reason: 'Too much.' })
  await soon(async () => expect((await as().get(id))?.delivery).toBe('told'))
  await settled(clock, 60_000)
  await one.sweep()
  await settled(clock)
  expect([told.length, await state(id)]).toEqual([1, 'rejected'])
})

test('[A10] who decides has the ability for this agent and sees the approval; an agent never does', async () => {
  const { one, as, call } = place()
  const id = idOf(await one.park({ call: call() }))
  const reads = as({ may: (ability) => ability === 'approvals.read' })
  await expect(reads.approve(id, {})).rejects.toMatchObject({ code: 'forbidden' })
  const ofAnother = as({ may: (_ability, kind) => kind === undefined || kind === 'agt_2' })
  await expect(ofAnother.reject(id, {})).rejects.toMatchObject({ code: 'forbidden' })
  const agent = as({ actor: { kind: 'agent', id: 'agt_1', name: 'Helper' } })
  await expect(agent.approve(id, {})).rejects.toMatchObject({ code: 'forbidden' })
  const unseen = as({
    rows: () => ({ is: 'some', anyOf: [[{ is: 'field', field: 'agentId', op: 'eq', values: ['agt_2'] }]] }),
  })
  await expect(unseen.approve(id, {})).rejects.toMatchObject({ code: 'not_found' })
  expect(await unseen.get(id)).toBeUndefined()
  // Who sees only what waits is told what became of it.
  const ofPending = [[{ is: 'field', field: 'state', op: 'eq', values: ['pending'] }]] as const
  const queue = as({ rows: () => ({ is: 'some', anyOf: ofPending }) })
  const other = idOf(await one.park({ call: call({ callId: 'call_2', arguments: '{"amount":7}' }) }))
  expect(await queue.reject(other, {})).toMatchObject({ state: 'rejected' })
  expect(await queue.get(other)).toBeUndefined()
  expect(await unseen.list({ limit: 5 })).toEqual({ items: [], next: null })
  const stranger = one.of('ten_other' as TenantId).as(authAs('ten_other' as TenantId))
  expect(await stranger.get(id)).toBeUndefined()
  expect((await as().get(id))?.state).toBe('pending')
})

test('[A11] without credit it fails and says so; what did not run is not paid', async () => {
  const poor = place()
  poor.outlet.credit = false
  const id = idOf(await poor.one.park({ call: poor.call() }))
  await poor.as().approve(id, {})
  await poor.clock.advance(5_000)
  await soon(async () => expect(await poor.state(id)).toBe('failed'))
  expect((await poor.as().get(id))?.result).toMatch(/out_of_credit/)
  expect([poor.ran, poor.paid]).toEqual([[], []])
  const refused = place({
    output: async () => ({ output: '{"error":{"code":"not_permitted","message":""}}', ok: false }),
  })
  const other = idOf(await refused.one.park({ call: refused.call() }))
  await refused.as().approve(other, {})
  await refused.clock.advance(5_000)
  await soon(async () => expect(await refused.state(other)).toBe('failed'))
  expect(refused.paid).toEqual([expect.stringMatching(/^back /)])
})

test('[A12] every change is in the event log once, without arguments and results', async () => {
  const { clock, one, two, tenantId, as, call, events, shown, state } = place()
  const id = idOf(await one.park({ call: call({ arguments: '{"amount":5,"to":"a secret"}' }) }))
  for (const decide of [() => as().approve(id, {}), () => as().undo(id), () => as().approve(id, {})]) {
    await clock.advance(1)
    await decide()
  }
  await clock.advance(5_000)
  await soon(async () => expect(await state(id)).toBe('done'))
  await clock.advance(60_000)
  await Promise.all([one.sweep(), two.sweep()])
  const { items } = await events.of(tenantId).list({ limit: 20 })
  expect(items.map(({ type, payload }) => [type, payload.decision ?? payload.state]).toReversed()).toEqual([
    ...[
      ['approval.requested', 'pending'],
      ['approval.decided', 'approved'],
      ['approval.decided', 'undone'],
    ],
    ...[
      ['approval.decided', 'approved'],
      ['approval.finished', 'done'],
    ],
  ])
  expect(JSON.stringify(items)).not.toContain('a secret')
  await soon(() => expect(shown).toHaveLength(7))
  expect(shown.map((each) => each.state)).toEqual([
    ...['pending', 'approved', 'pending', 'approved', 'running', 'done', 'done'],
  ])
})

test('[A13] every query names the tenant, but for the jobs’ own, and runs on an index', async () => {
  expect(watch.seen).toBeGreaterThan(5)
  expect(await watch.scans(watched.db, ['approvals'])).toEqual([])
})
