import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { VersionName } from './agent-calls.ts'
import { allPages } from './all-pages.ts'
import type { Scope } from './queries.ts'

export const agentsQuery = ({ tenant, api }: Scope) =>
  queryOptions({
    queryKey: [tenant, 'agents'],
    queryFn: () => allPages(api.agents.list),
  })

/** What the gateway has keys for does not change while it runs. */
export const textModelsQuery = ({ tenant, api }: Scope) =>
  queryOptions({ queryKey: [tenant, 'text-models'], queryFn: api.agents.textModels, staleTime: 300_000 })

export const agentQuery = ({ tenant, api }: Scope, id: string) =>
  queryOptions({ queryKey: [tenant, 'agents', id], queryFn: () => api.agents.detail(id) })

export const versionsQuery = ({ tenant, api }: Scope, id: string) =>
  queryOptions({ queryKey: [tenant, 'agents', id, 'versions'], queryFn: () => api.agents.versions(id) })

export const diffQuery = ({ tenant, api }: Scope, id: string, span: { from: VersionName; to: VersionName }) =>
  queryOptions({
    queryKey: [tenant, 'agents', id, 'diff', span.from, span.to],
    queryFn: () => api.agents.diff(id, span.from, span.to),
  })

export const promptQuery = ({ tenant, api }: Scope, id: string, environment: 'draft' | 'live') =>
  queryOptions({
    queryKey: [tenant, 'agents', id, 'prompt', environment],
    queryFn: () => api.agents.prompt(id, environment),
  })

export const activityQuery = ({ tenant, api }: Scope, id: string) =>
  infiniteQueryOptions({
    queryKey: [tenant, 'agents', id, 'activity'],
    queryFn: ({ pageParam }) => api.agents.activity(id, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: 5_000,
  })

export const conversationQuery = ({ tenant, api }: Scope, id: string) =>
  queryOptions({
    queryKey: [tenant, 'conversations', id],
    queryFn: () => api.agents.conversation(id),
    refetchInterval: 5_000,
  })
