// Query keys and options, one per read of the API. Keys start with the tenant, so switching tenants shares nothing.

import { infiniteQueryOptions, MutationCache, QueryCache, QueryClient, queryOptions } from '@tanstack/react-query'
import type { Api, TenantApi } from './client.ts'
import { isSignedOut, mayRetry } from './problem.ts'

const pageSize = 60

export function createQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: unknown) => {
    if (isSignedOut(error)) onSignedOut()
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => failures < 2 && mayRetry(error),
        retryDelay: (failures) => 500 * 2 ** failures,
      },
    },
  })
}

export interface Scope {
  readonly tenant: string
  readonly api: TenantApi
}

export const meQuery = (api: Api) =>
  queryOptions({ queryKey: ['me'], queryFn: () => api.me(), staleTime: Number.POSITIVE_INFINITY })

export const endedQuery = ({ tenant, api }: Scope) =>
  infiniteQueryOptions({
    queryKey: [tenant, 'ended'],
    queryFn: ({ pageParam }) => api.endedSessions(pageParam, pageSize),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  })

export const sessionQuery = ({ tenant, api }: Scope, id: string) =>
  queryOptions({ queryKey: [tenant, 'session', id], queryFn: () => api.session(id) })

export const transcriptQuery = ({ tenant, api }: Scope, id: string) =>
  queryOptions({ queryKey: [tenant, 'session', id, 'transcript'], queryFn: () => api.transcript(id) })

export const receiptQuery = ({ tenant, api }: Scope, id: string) =>
  queryOptions({ queryKey: [tenant, 'session', id, 'receipt'], queryFn: () => api.receipt(id) })

export const creditsQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'credits'], queryFn: () => api.credits(), refetchInterval: 15_000 })

export const entriesQuery = ({ tenant, api }: Scope) =>
  infiniteQueryOptions({
    queryKey: [tenant, 'entries'],
    queryFn: ({ pageParam }) => api.entries(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  })

export const usageQuery = ({ tenant, api }: Scope, from: string, to: string) =>
  queryOptions({ queryKey: [tenant, 'usage', from, to], queryFn: () => api.usageDays(from, to) })

export const tenantQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'tenant'], queryFn: () => api.tenant() })

export const siteKeysQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'site-keys'], queryFn: () => api.siteKeys() })

export const apiKeysQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'api-keys'], queryFn: () => api.apiKeys() })
