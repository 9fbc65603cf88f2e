import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { SessionView } from '../../../gateway/protocol/rest.ts'
import { useLive } from '../../api/live.tsx'
import { endedQuery } from '../../api/queries.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { PagedRows } from '../../ui/paged-rows.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { HistoryHead, HistoryRow } from './history-row.tsx'
import './history.css'

export function History() {
  const scope = useScope()
  const pages = useInfiniteQuery(endedQuery(scope))
  const sessions = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data])
  const fresh = useFreshCount(sessions, pages.data !== undefined)
  const refetch = () => void pages.refetch()
  return (
    <Page
      title="History"
      name={`History · ${scope.chosen.name}`}
      actions={fresh > 0 && <Button icon="arrow" onClick={refetch} busy={pages.isRefetching}>{`${fresh} new`}</Button>}
      fill
    >
      {pages.isPending && <Loading rows={12} label="Loading past sessions" />}
      {pages.isError && sessions.length === 0 && <ProblemBox error={pages.error} onRetry={refetch} />}
      {pages.isSuccess && sessions.length === 0 && (
        <Empty icon="history" title="No past sessions">
          <p>A session moves here when it has ended, with its transcript and its receipt.</p>
        </Empty>
      )}
      {sessions.length > 0 && (
        <PagedRows
          label="Past sessions"
          items={sessions}
          pages={pages}
          head={<HistoryHead />}
          row={(session) => <HistoryRow session={session} />}
        />
      )}
    </Page>
  )
}

/** How many sessions ended since the list was read. */
function useFreshCount(sessions: readonly SessionView[], loaded: boolean): number {
  const live = useLive((state) => state.sessions)
  return useMemo(() => {
    if (!loaded) return 0
    const known = new Set(sessions.map((session) => session.id))
    return [...live.values()].filter((session) => session.state === 'ended' && !known.has(session.id)).length
  }, [sessions, live, loaded])
}
