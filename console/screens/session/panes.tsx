import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Receipt, SessionView } from '../../../gateway/protocol/rest.ts'
import type { Turn } from '../../../gateway/protocol/turn.ts'
import { useLive } from '../../api/live.tsx'
import { ApiProblem } from '../../api/problem.ts'
import { receiptQuery } from '../../api/queries.ts'
import { useScope } from '../../api/scope.tsx'
import { CodeBlock } from '../../ui/copy.tsx'
import { absolute, clock, creditsColumn } from '../../ui/format.ts'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { ReceiptTable } from './receipt-table.tsx'
import { eventsOf } from './session-events.ts'
import './panes.css'

export function ReceiptPane({ session }: { session: SessionView }) {
  return session.state === 'ended' ? <SettledReceipt session={session} /> : <RunningReceipt session={session} />
}

function RunningReceipt({ session }: { session: SessionView }) {
  return (
    <Empty icon="credits" title={`${creditsColumn(session.creditsMicro)} credits so far`}>
      <p>The receipt is written when the session ends and its hold is settled.</p>
    </Empty>
  )
}

function SettledReceipt({ session }: { session: SessionView }) {
  const receipt = useQuery({
    ...receiptQuery(useScope(), session.id),
    // A session that ended a moment ago may not be settled yet.
    refetchInterval: (query) => (isMissing(query.state.error) && justEnded(session) ? 2_000 : false),
  })
  if (receipt.isPending) return <Loading label="Loading the receipt" />
  if (isMissing(receipt.error)) return <NoReceipt />
  if (receipt.isError) return <ProblemBox error={receipt.error} onRetry={() => void receipt.refetch()} />
  return <ReceiptTable receipt={receipt.data satisfies Receipt} />
}

function NoReceipt() {
  return (
    <Empty icon="credits" title="No receipt yet">
      <p>This session has ended but its hold is not settled. The janitor does so within a minute.</p>
    </Empty>
  )
}

export function EventsPane({ session, turns }: { session: SessionView; turns: readonly Turn[] }) {
  const notices = useLive((state) => state.notices)
  const events = useMemo(() => eventsOf(session, turns, notices), [session, turns, notices])
  const startMs = Date.parse(session.startedAt)
  return (
    <ol className="events">
      {events.map((event) => (
        <li key={event.key} data-tone={event.tone}>
          <time className="number" dateTime={event.at} title={absolute(event.at)}>
            {clock((Date.parse(event.at) - startMs) / 1000)}
          </time>
          <span>
            <strong>{event.name}</strong> {event.text}
          </span>
        </li>
      ))}
    </ol>
  )
}

export function RawPane({ session, turns }: { session: SessionView; turns: readonly Turn[] }) {
  const code = useMemo(() => JSON.stringify({ session, turns }, null, 2), [session, turns])
  return (
    <div className="raw">
      <CodeBlock code={code} label="session as JSON" />
    </div>
  )
}

const settlingMs = 90_000

function justEnded(session: SessionView): boolean {
  return Date.now() - Date.parse(session.endedAt ?? session.lastSeenAt) < settlingMs
}

function isMissing(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404
}
