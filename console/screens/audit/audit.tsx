import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { AuditFilter } from '../../api/audit-calls.ts'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { auditQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { Page } from '../../ui/page.tsx'
import { PagedRows } from '../../ui/paged-rows.tsx'
import { saveFile } from '../../ui/save-file.ts'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
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
        {entries.length > 0 && (
          <PagedRows
            label="Audit log, newest first"
            items={entries}
            pages={pages}
            head={<AuditHead />}
            row={(entry) => <AuditRow entry={entry} />}
          />
        )}
      </div>
      {shown !== undefined && <AuditDetails entry={shown} onClose={close} />}
    </Page>
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
