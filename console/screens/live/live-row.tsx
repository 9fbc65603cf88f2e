import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { SessionView } from '../../../gateway/protocol/rest.ts'
import { creditsColumn } from '../../ui/format.ts'
import { LatencyChip } from '../../ui/pill.tsx'
import { channelName, contactName, EndReasonPill, EngineName, StateMark } from '../../ui/session-bits.tsx'
import { Duration } from '../../ui/time.tsx'

export function LiveHead() {
  return (
    <div className="rows-head live-grid" aria-hidden="true">
      <span>State</span>
      <span>Contact</span>
      <span>Channel</span>
      <span>Engine</span>
      <span className="end">Latency</span>
      <span className="end">Credits</span>
      <span className="end">Duration</span>
    </div>
  )
}

export const LiveRow = memo(function LiveRow({ session }: { session: SessionView }) {
  const ended = session.state === 'ended'
  return (
    <Link
      to="/sessions/$sessionId"
      params={{ sessionId: session.id }}
      className="row live-grid"
      data-ended={ended || undefined}
      data-session={session.id}
    >
      <span className="live-state">
        {ended ? <EndReasonPill session={session} /> : <StateMark session={session} />}
      </span>
      <span className="live-who">
        <span className="live-names">
          <strong title={session.contactId}>{contactName(session)}</strong>
          <span className="quiet">with {session.agent.name}</span>
        </span>
        <span className="live-last">{session.lastText === '' ? 'Nothing said yet' : session.lastText}</span>
      </span>
      <span className="live-channel">{channelName(session.channel)}</span>
      <span className="live-engine">
        <EngineName session={session} />
      </span>
      <span className="live-latency end">
        <span className="sr">latency</span> <LatencyChip ms={session.latencyMs} />
      </span>
      <span className="live-credits end number">
        {creditsColumn(session.creditsMicro)} <span className="sr">credits</span>
      </span>
      <span className="live-duration end number">
        <span className="sr">duration</span> <Duration startedAt={session.startedAt} endedAt={session.endedAt} />
      </span>
    </Link>
  )
})
