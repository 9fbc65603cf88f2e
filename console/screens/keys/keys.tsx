import { useQuery } from '@tanstack/react-query'
import { tenantQuery } from '../../api/queries.ts'
import { useScope } from '../../api/scope.tsx'
import { Page } from '../../ui/page.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { ApiKeys } from './api-keys.tsx'
import { SiteKeys } from './site-keys.tsx'
import { Agents, TenantCard } from './tenant-card.tsx'
import './keys.css'

export function Keys() {
  const scope = useScope()
  const tenant = useQuery(tenantQuery(scope))
  return (
    <Page title="Tenant & keys" name={`Tenant & keys · ${scope.chosen.name}`}>
      {tenant.isPending && <Loading rows={4} />}
      {tenant.isError && <ProblemBox error={tenant.error} onRetry={() => void tenant.refetch()} />}
      {tenant.isSuccess && (
        <>
          <TenantCard tenant={tenant.data} />
          <Agents agents={tenant.data.agents} />
        </>
      )}
      <SiteKeys agents={tenant.data?.agents ?? []} />
      <ApiKeys />
    </Page>
  )
}
