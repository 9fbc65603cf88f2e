import { expect, test } from 'vitest'
import type { ConsoleServerEvent } from '../../gateway/protocol/rest.ts'
import { emptyLive, type LiveState, mergeTurns, newerSession, reduceLive } from './live-state.ts'
import { sampleSession, sampleTurn } from './samples.ts'

function after(...events: ConsoleServerEvent[]): LiveState {
  return events.reduce((state, event) => reduceLive(state, { type: 'event', event }), emptyLive)
}

test('a snapshot replaces everything, so sessions missed while offline disappear', () => {
  const state = after(
    { type: 'sessions', sessions: [sampleSession({ id: 'a' }), sampleSession({ id: 'b' })] },
    { type: 'sessions', sessions: [sampleSession({ id: 'b' })] },
  )
  expect([...state.sessions.keys()]).toEqual(['b'])
  expect(state.ready).toBe(true)
})

test('a session update is stored, and a late one does not wake an ended session', () => {
  const ended = sampleSession({ state: 'ended', endReason: 'client_ended', endedAt: '2026-01-01T10:02:00.000Z' })
  const state = after(
    { type: 'session', session: sampleSession() },
    { type: 'session', session: ended },
    { type: 'session', session: sampleSession() },
  )
  expect(state.sessions.get('ses_1')?.state).toBe('ended')
})

test('ended sessions are forgotten oldest first, running ones never', () => {
  const events = Array.from({ length: 60 }, (_, n): ConsoleServerEvent => {
    const endedAt = new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString()
    return { type: 'session', session: sampleSession({ id: `s${n}`, state: 'ended', endedAt }) }
  })
  const state = after({ type: 'session', session: sampleSession({ id: 'running' }) }, ...events)
  expect(state.sessions.size).toBe(41)
  expect(state.sessions.has('running')).toBe(true)
  expect(state.sessions.has('s0')).toBe(false)
  expect(state.sessions.has('s59')).toBe(true)
})

test('turns stand in the order in which speech began, whatever order they arrive in', () => {
  const state = after(
    { type: 'turn', sessionId: 'ses_1', turn: sampleTurn({ id: 'b', seq: 2 }) },
    { type: 'turn', sessionId: 'ses_1', turn: sampleTurn({ id: 'a', seq: 1 }) },
  )
  expect(state.turns.get('ses_1')?.map((turn) => turn.id)).toEqual(['a', 'b'])
})

test('a partial turn grows in place, and an older copy of it is dropped', () => {
  const grown = sampleTurn({ state: 'final', text: 'Hello there', updatedAt: '2026-01-01T10:00:09.000Z' })
  const state = after(
    { type: 'turn', sessionId: 'ses_1', turn: sampleTurn({ state: 'partial', text: 'Hel' }) },
    { type: 'turn', sessionId: 'ses_1', turn: grown },
    { type: 'turn', sessionId: 'ses_1', turn: sampleTurn({ state: 'partial', text: 'Hello' }) },
  )
  expect(state.turns.get('ses_1')).toEqual([grown])
})

test('the stored transcript and the socket agree on the newer copy of each turn', () => {
  const stored = [sampleTurn({ id: 'a', text: 'old' }), sampleTurn({ id: 'c', seq: 3 })]
  const live = [
    sampleTurn({ id: 'a', text: 'new', updatedAt: '2026-01-01T11:00:00.000Z' }),
    sampleTurn({ id: 'b', seq: 2 }),
  ]
  expect(mergeTurns(stored, live).map((turn) => `${turn.id}:${turn.text}`)).toEqual(['a:new', 'b:Hello', 'c:Hello'])
})

test('of two views of a session the ended or the later one is shown', () => {
  const early = sampleSession({ seconds: 1 })
  const late = sampleSession({ seconds: 2, lastSeenAt: '2026-01-01T10:05:00.000Z' })
  const ended = sampleSession({ state: 'ended' })
  expect(newerSession(early, late)).toBe(late)
  expect(newerSession(late, early)).toBe(late)
  expect(newerSession(ended, late)).toBe(ended)
  expect(newerSession(early, ended)).toBe(ended)
  expect(newerSession(undefined, early)).toBe(early)
})

test('leaving a session forgets its turns, and a new link keeps what is known', () => {
  const state = after({ type: 'turns', sessionId: 'ses_1', turns: [sampleTurn()] })
  expect(reduceLive(state, { type: 'forget', sessionId: 'ses_1' }).turns.size).toBe(0)
  const again = reduceLive(state, { type: 'link', link: { state: 'reconnecting', attempt: 1 } })
  expect(again.turns.size).toBe(1)
  expect(again.link).toEqual({ state: 'reconnecting', attempt: 1 })
})

test('what is told of requests for approval is counted, so that lists of them are read again', () => {
  const told: ConsoleServerEvent = { type: 'approval', approval: { id: 'apr_1', state: 'pending' } }
  expect(after(told, told).approvalChanges).toBe(2)
})
