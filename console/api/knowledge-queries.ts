import { queryOptions } from '@tanstack/react-query'
import type { KnowledgeSourceView } from '../../gateway/protocol/knowledge.ts'
import { allPages } from './all-pages.ts'
import type { Scope } from './queries.ts'

const busyMs = 1_000
const restMs = 15_000

/** A tenant has a thousand at most. Looked at often while one of them is being read. */
export const sourcesQuery = ({ tenant, api }: Scope) =>
  queryOptions({
    queryKey: [tenant, 'knowledge', 'sources'],
    queryFn: () => allPages(api.knowledge.sources),
    refetchInterval: ({ state }) => (state.data?.some(isBusy) === true ? busyMs : restMs),
  })

export const knowledgeSearchQuery = ({ tenant, api }: Scope, q: string) =>
  queryOptions({
    queryKey: [tenant, 'knowledge', 'search', q],
    queryFn: () => api.knowledge.search(q),
    enabled: q !== '',
  })

export function isBusy({ state }: Pick<KnowledgeSourceView, 'state'>): boolean {
  return state === 'queued' || state === 'reading'
}
