import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { allPages } from './all-pages.ts'
import type { ApprovalFilter } from './approval-calls.ts'
import type { Scope } from './queries.ts'

/** The socket tells of changes; this is for the time in which it does not. */
const pollMs = 15_000

/** What waits for somebody, by deadline. */
export const waitingQuery = ({ tenant, api }: Scope) =>
  queryOptions({
    queryKey: [tenant, 'approvals', 'waiting'],
    queryFn: async () => {
      const all = await allPages((cursor) => api.approvals.list({ state: 'pending' }, cursor))
      return all.toSorted((a, b) => a.expiresAt.localeCompare(b.expiresAt))
    },
    refetchInterval: pollMs,
  })

export const decidedQuery = ({ tenant, api }: Scope, filter: ApprovalFilter) =>
  infiniteQueryOptions({
    queryKey: [tenant, 'approvals', 'decided', filter],
    queryFn: ({ pageParam }) => api.approvals.list({ state: 'decided', ...filter }, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: pollMs,
  })

export const approvalQuery = ({ tenant, api }: Scope, id: string) =>
  queryOptions({
    queryKey: [tenant, 'approvals', 'one', id],
    queryFn: () => api.approvals.detail(id),
    // What is under way is looked at until it has come to its end.
    refetchInterval: ({ state }) => {
      const now = state.data?.state
      return now === 'approved' || now === 'running' ? 1_000 : pollMs
    },
  })
