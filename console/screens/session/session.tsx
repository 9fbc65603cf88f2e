import { getRouteApi, Link } from '@tanstack/react-router'
import type { SessionView } from '../../../gateway/protocol/rest.ts'
import { CopyId } from '../../ui/copy.tsx'
import { shortId } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { Inspector, type Pane } from '../../ui/inspector.tsx'
import { folded, useMedia } from '../../ui/media.ts'
import { Page } from '../../ui/page.tsx'
import { contactName, EndReasonPill, StateMark } from '../../ui/session-bits.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { Duration } from '../../ui/time.tsx'
import { EndSession } from './end-session.tsx'
import { Facts } from './facts.tsx'
import { EventsPane, RawPane, ReceiptPane } from './panes.tsx'
import { Transcript } from './transcript.tsx'
import { type SessionData, useSession } from './use-session.ts'
import './session.css'

const route = getRouteApi('/inside/sessions/$sessionId')

export function Session() {
  const { sessionId } = route.useParams()
  // Another session is another view: scroll position, tabs and dialogs start anew.
  return <SessionPage key={sessionId} id={sessionId} />
}

function SessionPage({ id }: { id: string }) {
  const data = useSession(id)
  const { session } = data
  return (
    <Page
      title={<Title session={session} id={id} />}
      name={session === undefined ? `Session ${shortId(id)}` : contactName(session)}
      aside={session && <Heading session={session} />}
      actions={session && session.state !== 'ended' && <EndSession session={session} />}
      fill
    >
      {session === undefined && (data.error === null ? <Loading /> : <Failed data={data} />)}
      {session !== undefined && <Layout data={data} session={session} />}
    </Page>
  )
}

function Title({ session, id }: { session: SessionView | undefined; id: string }) {
  const past = session?.state === 'ended'
  return (
    <span className="session-title">
      <Link
        to={past ? '/history' : '/'}
        aria-label={past ? 'Back to history' : 'Back to live sessions'}
        className="icon-button"
      >
        <Icon name="back" />
      </Link>
      <span title={session?.contactId ?? id}>{session === undefined ? 'Session' : contactName(session)}</span>
      {session !== undefined && <span className="session-with">with {session.agent.name}</span>}
    </span>
  )
}

function Heading({ session }: { session: SessionView }) {
  return (
    <div className="session-heading">
      {session.state === 'ended' ? <EndReasonPill session={session} /> : <StateMark session={session} />}
      <span className="number">
        <span className="sr">duration</span>{' '}
        <Duration
          startedAt={session.startedAt}
          endedAt={session.state === 'ended' ? (session.endedAt ?? session.lastSeenAt) : undefined}
        />
      </span>
      <CopyId id={session.id} name="session id" />
    </div>
  )
}

function Failed({ data }: { data: SessionData }) {
  return (
    <div className="session-failed">
      <ProblemBox error={data.error} onRetry={data.retry} />
    </div>
  )
}

function Layout({ data, session }: { data: SessionData; session: SessionView }) {
  const narrow = useMedia(folded)
  const transcript = <Transcript data={data} session={session} />
  const facts = <Facts session={session} />
  const panes: readonly Pane[] = [
    { id: 'receipt', name: 'Receipt', content: <ReceiptPane session={session} /> },
    { id: 'events', name: 'Events', content: <EventsPane session={session} turns={data.turns} /> },
    { id: 'raw', name: 'Raw JSON', content: <RawPane session={session} turns={data.turns} /> },
  ]
  if (narrow) {
    const front: readonly Pane[] = [
      { id: 'transcript', name: 'Transcript', content: transcript, fill: true },
      { id: 'facts', name: 'Facts', content: facts },
    ]
    return <Inspector label="Session details" panes={[...front, ...panes]} />
  }
  return (
    <div className="session-columns">
      <aside className="session-facts" aria-label="Facts">
        {facts}
      </aside>
      {transcript}
      <aside className="session-inspector" aria-label="Inspector">
        <Inspector label="Session details" panes={panes} />
      </aside>
    </div>
  )
}
