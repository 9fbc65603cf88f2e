import { expect, test } from 'vitest'
import { sampleSession, sampleTurn } from '../../api/samples.ts'
import { eventsOf } from './session-events.ts'

test('interruptions, tools, notices and the end stand in the order in which they happened', () => {
  const session = sampleSession({ state: 'ended', endReason: 'out_of_credit', endedAt: '2026-01-01T10:05:00.000Z' })
  const turns = [
    sampleTurn({
      id: 'a',
      role: 'agent',
      state: 'interrupted',
      audio: { sentMs: 4_000, playedMs: 1_500 },
      updatedAt: '2026-01-01T10:01:00.000Z',
    }),
    sampleTurn({
      id: 'b',
      role: 'tool',
      tool: { name: 'book_table', callId: 'c', arguments: '{}', state: 'failed' },
      createdAt: '2026-01-01T10:03:00.000Z',
    }),
    sampleTurn({ id: 'c' }),
  ]
  const notices = [
    { sessionId: 'ses_1', code: 'credit_low', text: 'Credit is low.', at: '2026-01-01T10:02:00.000Z' },
    { sessionId: 'ses_2', code: 'credit_low', text: 'Not ours.', at: '2026-01-01T10:02:00.000Z' },
  ]
  const events = eventsOf(session, turns, notices).map((event) => `${event.name}: ${event.text} (${event.tone})`)
  expect(events).toEqual([
    'Session started: Reception on demo · demo (good)',
    'Visitor cut in: 1.5 s of 4.0 s heard (warn)',
    'Credit low: Credit is low. (warn)',
    'Tool failed: book_table (bad)',
    'Session ended: Out of credit (bad)',
  ])
})
