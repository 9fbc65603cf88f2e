import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { SessionView } from '../../../gateway/protocol/rest.ts'
import { count, creditsColumn } from '../../ui/format.ts'
import { DemoBadge, LatencyChip } from '../../ui/pill.tsx'
import { channelName, contactName, EndReasonPill } from '../../ui/session-bits.tsx'
import { Duration, Time } from '../../ui/time.tsx'

export function HistoryHead() {
  return (
    <div className="rows-head history-grid" aria-hidden="true">
      <span>Started</span>
      <span>Contact</span>
      <span>Agent</span>
      <span>Channel</span>
      <span>Ended by</span>
      <span className="end">Duration</span>
      <span className="end">Turns</span>
      <span className="end" title="Times the visitor cut in">
        Cut in
      </span>
      <span className="end">Latency</span>
      <span className="end">Credits</span>
    </div>
  )
}

export const HistoryRow = memo(function HistoryRow({ session }: { session: SessionView }) {
  return (
    <Link
      to="/sessions/$sessionId"
      params={{ sessionId: session.id }}
      className="row history-grid"
      data-session={session.id}
    >
      <span className="history-when quiet">
        <Time at={session.startedAt} />
      </span>
      <strong className="history-who" title={session.contactId}>
        {contactName(session)}
      </strong>
      <span className="history-agent">
        <span>{session.agent.name}</span> {session.engine.demo && <DemoBadge />}
      </span>
      <span className="history-channel">{channelName(session.channel)}</span>
      <span className="history-reason">
        <EndReasonPill session={session} />
      </span>
      <span className="history-duration end number">
        <span className="sr">duration</span>{' '}
        <Duration startedAt={session.startedAt} endedAt={session.endedAt ?? session.lastSeenAt} />
      </span>
      <span className="history-turns end number">
        {count(session.turns)} <span className="sr">turns</span>
      </span>
      <span className="history-cuts end number">
        {session.interruptions === 0 ? <span className="quiet">0</span> : count(session.interruptions)}{' '}
        <span className="sr">interruptions</span>
      </span>
      <span className="history-latency end">
        <span className="sr">latency</span> <LatencyChip ms={session.latencyMs} />
      </span>
      <span className="history-credits end number">
        {creditsColumn(session.creditsMicro)} <span className="sr">credits</span>
      </span>
    </Link>
  )
})
