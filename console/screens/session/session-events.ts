// The story of a session in events: what the record implies, and the notices seen while watching.

import type { SessionView } from '../../../gateway/protocol/rest.ts'
import type { Turn } from '../../../gateway/protocol/turn.ts'
import type { Notice } from '../../api/live-state.ts'
import { latency } from '../../ui/format.ts'
import { endReasons, type Tone, unknownWord } from '../../ui/words.ts'

export interface SessionEvent {
  readonly key: string
  readonly at: string
  readonly name: string
  readonly text: string
  readonly tone: Tone
}

export function eventsOf(
  session: SessionView,
  turns: readonly Turn[],
  notices: readonly Notice[],
): readonly SessionEvent[] {
  const events = [
    started(session),
    ...turns.flatMap(turnEvents),
    ...notices.filter((notice) => notice.sessionId === session.id).map(noticeEvent),
    ...ended(session),
  ]
  return events.toSorted((a, b) => a.at.localeCompare(b.at))
}

function started(session: SessionView): SessionEvent {
  const text = `${session.agent.name} on ${session.engine.kind} · ${session.engine.model}`
  return { key: 'started', at: session.startedAt, name: 'Session started', text, tone: 'good' }
}

function ended(session: SessionView): readonly SessionEvent[] {
  if (session.endedAt === undefined) return []
  const reason = session.endReason && endReasons[session.endReason]
  const text = reason?.text ?? unknownWord(session.endReason ?? 'unknown reason')
  return [{ key: 'ended', at: session.endedAt, name: 'Session ended', text, tone: reason?.tone ?? 'neutral' }]
}

function turnEvents(turn: Turn): readonly SessionEvent[] {
  const events: SessionEvent[] = []
  if (turn.state === 'interrupted') {
    const played =
      turn.audio === undefined ? '' : `${latency(turn.audio.playedMs)} of ${latency(turn.audio.sentMs)} heard`
    events.push({ key: `cut-${turn.id}`, at: turn.updatedAt, name: 'Visitor cut in', text: played, tone: 'warn' })
  }
  if (turn.state === 'failed')
    events.push({ key: `bad-${turn.id}`, at: turn.updatedAt, name: 'Turn failed', text: turn.text, tone: 'bad' })
  if (turn.tool !== undefined) {
    const { name, state } = turn.tool
    const tone = { running: 'info', waiting: 'warn', ok: 'tool', failed: 'bad', unknown: 'warn' } as const
    events.push({ key: `tool-${turn.id}`, at: turn.createdAt, name: `Tool ${state}`, text: name, tone: tone[state] })
  }
  return events
}

function noticeEvent(notice: Notice, index: number): SessionEvent {
  const tone = notice.code === 'credit_low' || notice.code === 'going_away' ? 'warn' : 'info'
  return { key: `notice-${index}`, at: notice.at, name: unknownWord(notice.code), text: notice.text, tone }
}
