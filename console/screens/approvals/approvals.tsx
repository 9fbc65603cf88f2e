import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { waitingQuery } from '../../api/approval-queries.ts'
import { useScope } from '../../api/scope.tsx'
import { Page } from '../../ui/page.tsx'
import { Desk } from './desk.tsx'

const route = getRouteApi('/inside/approvals')

/** What agents ask to be allowed, as it comes in. */
export function Approvals() {
  const scope = useScope()
  const waiting = useQuery(waitingQuery(scope)).data?.length ?? 0
  return (
    <Page title="Approvals" name={`${waiting > 0 ? `(${waiting}) ` : ''}Approvals · ${scope.chosen.name}`} fill>
      <Desk search={route.useSearch()} />
    </Page>
  )
}
