import { useMemo } from 'react'
import { useLive } from '../../api/live.tsx'
import { useScope } from '../../api/scope.tsx'
import { count, creditsColumn, latency } from '../../ui/format.ts'
import { phone, useMedia } from '../../ui/media.ts'
import { useNow } from '../../ui/now.ts'
import { Page } from '../../ui/page.tsx'
import { Empty, Loading } from '../../ui/states.tsx'
import { VirtualRows } from '../../ui/virtual-rows.tsx'
import { refusals, unknownWord } from '../../ui/words.ts'
import { LiveEmpty } from './live-empty.tsx'
import { LiveHead, LiveRow } from './live-row.tsx'
import { type LiveSummary, shownSessions, summarise } from './live-summary.ts'
import './live.css'

export function Live() {
  const { chosen } = useScope()
  const sessions = useLive((state) => state.sessions)
  const ready = useLive((state) => state.ready)
  const nowMs = useNow(1_000)
  const shown = useMemo(() => shownSessions(sessions.values(), nowMs), [sessions, nowMs])
  const summary = useMemo(() => summarise(shown), [shown])
  const small = useMedia(phone)
  return (
    <Page title="Live" name={`Live · ${chosen.name}`} aside={shown.length > 0 && <Summary summary={summary} />} fill>
      {!ready && <Waiting />}
      {ready && shown.length === 0 && <LiveEmpty />}
      {shown.length > 0 && (
        <VirtualRows
          label="Running sessions"
          count={shown.length}
          rowPx={small ? 78 : 56}
          keyOf={(index) => shown[index]?.id ?? String(index)}
          row={(index) => {
            const session = shown[index]
            return session && <LiveRow session={session} />
          }}
          head={<LiveHead />}
        />
      )}
    </Page>
  )
}

function Waiting() {
  const link = useLive((state) => state.link)
  if (link.state !== 'refused') return <Loading label="Waiting for the live connection" />
  return (
    <Empty icon="alert" title={refusals[link.code] ?? unknownWord(link.code)}>
      <p>The gateway refused the live connection for this tenant. Past sessions are still in the history.</p>
    </Empty>
  )
}

function Summary({ summary }: { summary: LiveSummary }) {
  return (
    <dl className="summary">
      <div>
        <dt>running</dt>
        <dd>{count(summary.running)}</dd>
      </div>
      <div>
        <dt>answering</dt>
        <dd>{count(summary.busy)}</dd>
      </div>
      <div>
        <dt>median latency</dt>
        <dd>{summary.medianLatencyMs === null ? '–' : latency(summary.medianLatencyMs)}</dd>
      </div>
      <div>
        <dt>credits so far</dt>
        <dd>{creditsColumn(summary.creditsMicro)}</dd>
      </div>
    </dl>
  )
}
