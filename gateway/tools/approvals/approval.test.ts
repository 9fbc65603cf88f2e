import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Actor } from '../../platform/access.ts'
import { asTenantId } from '../../platform/ids.ts'
import { type ApprovalState, approvalStates, undoMs } from '../../protocol/approvals.ts'
import { type Approval, type ApprovalEvent, expiryMs, isOver, step } from './approval.ts'

const ada: Actor = { kind: 'operator', id: 'op_ada', name: 'Ada' }
const bob: Actor = { kind: 'operator', id: 'op_bob', name: 'Bob' }

const asked: Approval = {
  ...{ id: 'appr_1', tenantId: asTenantId('ten_1'), agent: { id: 'agt_1', name: 'Helper', version: 3 } },
  ...{ origin: 'session', sessionId: 'sess_1', conversationId: 'conv_1', channel: 'widget', callId: 'call_1' },
  ...{ tool: 'refund', args: '{"amount":5}', hash: 'h', state: 'pending', requestedAtMs: 0, expiresAtMs: expiryMs },
  ...{ attempts: 0, delivery: 'none', rev: 0 },
}
const yes: ApprovalEvent = { is: 'approve', by: ada, hash: 'h' }
const no: ApprovalEvent = { is: 'reject', by: bob, reason: 'Too much.' }

/** What becomes of it; a refusal throws its words. */
function after(approval: Approval, ...events: readonly (readonly [ApprovalEvent, number])[]): Approval {
  return events.reduce((now, [event, atMs]) => {
    const next = step(now, event, atMs)
    if (next.is === 'refused') throw new Error(next.message)
    return next.is === 'next' ? next.approval : now
  }, approval)
}

test('[A2] approved, begun and done; an end is owed to the person', () => {
  const approved = after(asked, [yes, 1_000])
  expect(approved).toMatchObject({ state: 'approved', effectAtMs: 1_000 + undoMs, decision: { by: ada, hash: 'h' } })
  const done = after(approved, [{ is: 'take' }, 6_000], [{ is: 'finish', outcome: 'done', result: '{}' }, 6_100])
  expect(done).toMatchObject({ state: 'done', attempts: 1, result: '{}', endedAtMs: 6_100, delivery: 'owed' })
  expect(after(done, [{ is: 'told' }, 6_200]).delivery).toBe('told')
})

test('[A2] whatever comes in whatever order, an end stays, and only a change counts', () => {
  const event = fc.oneof(
    fc.constantFrom<ApprovalEvent>(yes, { ...yes, hash: 'other', edited: '{"amount":4}' }, no),
    fc.constantFrom<ApprovalEvent>({ is: 'undo' }, { is: 'expire' }, { is: 'take' }, { is: 'told' }, { is: 'lost' }),
    fc.constant<ApprovalEvent>({ is: 'withdraw', why: 'Put away.' }),
    fc
      .constantFrom('done' as const, 'failed' as const, 'unknown' as const)
      .map((outcome): ApprovalEvent => ({ is: 'finish', outcome, result: '{}' })),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.integer({ min: 0, max: expiryMs / 8 }))), (events) => {
      let now = asked
      let nowMs = 0
      for (const [each, waitMs] of events) {
        nowMs += waitMs
        const next = step(now, each, nowMs)
        if (next.is !== 'next') continue
        expect(next.approval.rev).toBe(now.rev + 1)
        if (isOver(now)) expect(next.approval.state).toBe(now.state)
        // What runs is what was approved, by whoever did last.
        if (next.approval.state === 'running') expect(next.approval.decision?.hash).toBeDefined()
        expect(isOver(next.approval)).toBe(next.approval.endedAtMs !== undefined)
        now = next.approval
      }
    }),
  )
})

test('[A3] the same decision again gives how it stands, another one is a conflict that says how', () => {
  const approved = after(asked, [yes, 0])
  expect(step(approved, yes, 1)).toEqual({ is: 'stands' })
  expect(step(approved, { ...yes, by: bob }, 1)).toEqual({ is: 'stands' })
  expect(step(approved, { ...yes, hash: 'other' }, 1)).toMatchObject({ is: 'refused', message: /approved/ })
  expect(step(approved, no, 1)).toMatchObject({ is: 'refused' })
  const rejected = after(asked, [no, 0])
  expect(rejected).toMatchObject({ state: 'rejected', decision: { by: bob, reason: 'Too much.' }, delivery: 'owed' })
  expect(step(rejected, { ...no, reason: 'Other words.' }, 1)).toEqual({ is: 'stands' })
  expect(step(rejected, yes, 1)).toMatchObject({ is: 'refused', message: 'This was rejected.' })
  const done = after(approved, [{ is: 'take' }, undoMs], [{ is: 'finish', outcome: 'done', result: '{}' }, undoMs])
  expect(step(done, yes, undoMs)).toEqual({ is: 'stands' })
  expect(step(done, no, undoMs)).toMatchObject({ is: 'refused', message: 'This was approved and done.' })
})

test('[A4] it can be undone for five seconds; the effect does not begin before, and undo comes too late after', () => {
  const approved = after(asked, [yes, 1_000])
  expect(step(approved, { is: 'take' }, 1_000 + undoMs - 1)).toMatchObject({ is: 'refused' })
  expect(step(approved, { is: 'undo' }, 1_000 + undoMs)).toMatchObject({ is: 'refused' })
  const undone = after(approved, [{ is: 'undo' }, 1_000 + undoMs - 1])
  expect(undone).toEqual({ ...asked, rev: 2 })
  expect(step(undone, { is: 'undo' }, 2_000)).toEqual({ is: 'stands' })
  expect(after(undone, [no, 3_000]).state).toBe('rejected')
})

test('[A5] at its deadline it is expired, whether somebody looked at it or not', () => {
  expect(step(asked, { is: 'expire' }, expiryMs - 1)).toMatchObject({ is: 'refused' })
  expect(step(asked, yes, expiryMs)).toMatchObject({ is: 'refused', message: /expired/ })
  expect(step(asked, no, expiryMs)).toMatchObject({ is: 'refused', message: /expired/ })
  const expired = after(asked, [{ is: 'expire' }, expiryMs])
  expect(expired).toMatchObject({ state: 'expired', delivery: 'owed' })
  expect(step(expired, yes, expiryMs + 1)).toMatchObject({ is: 'refused' })
  // Approved in time, it runs in time.
  const late = after(asked, [yes, expiryMs - 1])
  expect(after(late, [{ is: 'take' }, expiryMs + undoMs]).state).toBe('running')
})

test('[A8] what may not be done any more is withdrawn, pending or approved; what has ended is not', () => {
  const withdraw = { is: 'withdraw', why: 'Put away.' } as const
  for (const each of [asked, after(asked, [yes, 0])])
    expect(after(each, [withdraw, 1])).toMatchObject({ state: 'withdrawn', why: 'Put away.', delivery: 'owed' })
  expect(step(after(asked, [no, 0]), withdraw, 1)).toMatchObject({ is: 'refused' })
})

test('[A7] an attempt after another counts; nothing ends that nobody began', () => {
  const begun = after(asked, [yes, 0], [{ is: 'take' }, undoMs], [{ is: 'take' }, undoMs + 60_000])
  expect(begun).toMatchObject({ state: 'running', attempts: 2 })
  expect(step(asked, { is: 'finish', outcome: 'done', result: '{}' }, 0)).toMatchObject({ is: 'refused' })
})

test('every state is reached', () => {
  const approved = after(asked, [yes, 0])
  const running = after(approved, [{ is: 'take' }, undoMs])
  const ended = (outcome: 'done' | 'failed' | 'unknown') =>
    after(running, [{ is: 'finish', outcome, result: '{}' }, undoMs])
  const reached: ApprovalState[] = [
    ...[asked, approved, running, ended('done'), ended('failed'), ended('unknown'), after(asked, [no, 0])],
    ...[after(asked, [{ is: 'expire' }, expiryMs]), after(asked, [{ is: 'withdraw', why: '' }, 0])],
  ].map(({ state }) => state)
  expect(reached).toEqual(approvalStates)
})
