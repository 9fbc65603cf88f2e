import type { SessionView } from '../../../gateway/protocol/rest.ts'

/** An ended row stays this long, so that it does not vanish under the pointer. */
const lingerMs = 6_000

/** Running sessions, newest first, and those that ended a moment ago. The order never changes while they run. */
export function shownSessions(sessions: Iterable<SessionView>, nowMs: number): readonly SessionView[] {
  return [...sessions]
    .filter((session) => session.state !== 'ended' || nowMs - Date.parse(session.endedAt ?? '') < lingerMs)
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt) || a.id.localeCompare(b.id))
}

export interface LiveSummary {
  readonly running: number
  readonly busy: number
  readonly medianLatencyMs: number | null
  readonly creditsMicro: number
}

export function summarise(sessions: readonly SessionView[]): LiveSummary {
  const running = sessions.filter((session) => session.state !== 'ended')
  const latencies = running.flatMap((session) => (session.latencyMs === null ? [] : [session.latencyMs]))
  return {
    running: running.length,
    busy: running.filter((session) => session.state === 'live' && session.activity !== 'listening').length,
    medianLatencyMs: median(latencies),
    creditsMicro: running.reduce((sum, session) => sum + session.creditsMicro, 0),
  }
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const low = sorted[(sorted.length - 1) >> 1]
  const high = sorted[sorted.length >> 1]
  return low === undefined || high === undefined ? null : (low + high) / 2
}
