import { expect, test } from 'vitest'
import { sampleSession } from '../../api/samples.ts'
import { shownSessions, summarise } from './live-summary.ts'

const nowMs = Date.parse('2026-01-01T10:10:00.000Z')

test('rows stand newest first and an ended one lingers for six seconds', () => {
  const sessions = [
    sampleSession({ id: 'old', startedAt: '2026-01-01T09:00:00.000Z' }),
    sampleSession({ id: 'new', startedAt: '2026-01-01T10:00:00.000Z' }),
    sampleSession({ id: 'just', state: 'ended', endedAt: '2026-01-01T10:09:57.000Z' }),
    sampleSession({ id: 'gone', state: 'ended', endedAt: '2026-01-01T10:09:50.000Z' }),
  ]
  expect(shownSessions(sessions, nowMs).map((session) => session.id)).toEqual(['just', 'new', 'old'])
})

test('the summary counts running sessions only', () => {
  const summary = summarise([
    sampleSession({ latencyMs: 400, activity: 'speaking' }),
    sampleSession({ latencyMs: 900 }),
    sampleSession({ latencyMs: null, state: 'opening', activity: 'thinking' }),
    sampleSession({ state: 'ended', latencyMs: 5_000 }),
  ])
  expect(summary).toEqual({ running: 3, busy: 1, medianLatencyMs: 650, creditsMicro: 3_000_000 })
  expect(summarise([]).medianLatencyMs).toBeNull()
})
