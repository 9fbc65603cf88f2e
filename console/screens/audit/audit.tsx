import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { AuditEntryView } from '../../../gateway/protocol/access.ts'
import type { AuditFilter } from '../../api/audit-calls.ts'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { auditQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { phone, useMedia } from '../../ui/media.ts'
import { notifyFailed } from '../../ui/notify.ts'
import { Page } from '../../ui/page.tsx'
import { saveFile } from '../../ui/save-file.ts'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { VirtualRows } from '../../ui/virtual-rows.tsx'
import { AuditDetails } from './audit-details.tsx'
import { AuditFilters } from './audit-filters.tsx'
import { AuditHead, AuditRow } from './audit-row.tsx'
import { isDay, nextDay } from './day.ts'
import './audit.css'

const route = getRouteApi('/inside/audit')

export function Audit() {
  const scope = useScope()
  const search = route.useSearch()
  const navigate = useNavigate()
  const filter = filterOf(search)
  const pages = useInfiniteQuery(auditQuery(scope, filter))
  const entries = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data])
  const filtered = Object.keys(filter).length > 0
  const shown = entries.find((entry) => entry.id === search.entry)
  const close = () => void navigate({ to: '/audit', search: ({ entry: _, ...rest }) => rest, replace: true })
  return (
    <Page title="Audit log" name={`Audit log · ${scope.chosen.name}`} actions={<Export filter={filter} />} fill>
      <div className="audit">
        <AuditFilters search={search} />
        {pages.isPending && <Loading rows={12} label="Loading the audit log" />}
        {pages.isError && entries.length === 0 && (
          <ProblemBox error={pages.error} onRetry={() => void pages.refetch()} />
        )}
        {pages.isSuccess && entries.length === 0 && <Nothing filtered={filtered} />}
        {entries.length > 0 && <AuditList entries={entries} pages={pages} />}
      </div>
      {shown !== undefined && <AuditDetails entry={shown} onClose={close} />}
    </Page>
  )
}

type Pages = Pick<
  ReturnType<typeof useInfiniteQuery>,
  'hasNextPage' | 'isFetchingNextPage' | 'isFetchNextPageError' | 'error'
> & {
  readonly fetchNextPage: () => Promise<unknown>
}

function AuditList({ entries, pages }: { entries: readonly AuditEntryView[]; pages: Pages }) {
  const small = useMedia(phone)
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = pages
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage])
  return (
    <VirtualRows
      label="Audit log, newest first"
      count={entries.length}
      rowPx={small ? 64 : 42}
      keyOf={(index) => entries[index]?.id ?? String(index)}
      row={(index) => {
        const entry = entries[index]
        return entry && <AuditRow entry={entry} />
      }}
      head={<AuditHead />}
      foot={
        <div className="rows-foot">
          {isFetchNextPageError && <ProblemBox error={pages.error} onRetry={() => void fetchNextPage()} />}
          {isFetchingNextPage && <span className="quiet">Loading more…</span>}
          {!hasNextPage && <span className="quiet">That is everything.</span>}
        </div>
      }
      onEnd={more}
    />
  )
}

function Nothing({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <Empty icon="search" title="Nothing fits">
      <p>No entry of this tenant’s audit log fits the filter.</p>
    </Empty>
  ) : (
    <Empty icon="audit" title="Nothing written yet">
      <p>Every change, and every attempt that was refused, is written here with who made it and from where.</p>
    </Empty>
  )
}

function Export({ filter }: { filter: AuditFilter }) {
  const { api, tenant } = useScope()
  const run = useMutation({
    mutationFn: () => api.audit.exported(filter),
    onSuccess: (blob) => saveFile(blob, `audit-${tenant}.jsonl`),
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <Button
      icon="download"
      busy={run.isPending}
      onClick={() => run.mutate()}
      title="One JSON object a line, as filtered"
    >
      Export JSONL
    </Button>
  )
}

function filterOf({ actor, ability, from, to }: ReturnType<typeof route.useSearch>): AuditFilter {
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(ability === undefined ? {} : { ability }),
    ...(from !== undefined && isDay(from) ? { from } : {}),
    ...(to !== undefined && isDay(to) ? { to: nextDay(to) } : {}),
  }
}
