import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { waitingQuery } from './approval-queries.ts'
import { useLive } from './live.tsx'
import { useScope } from './scope.tsx'

/** How many requests wait for somebody. Reads every list of them again when the socket tells of one, and when it is back. */
export function useWaitingCount(): number {
  const scope = useScope()
  const { tenant } = scope
  const queries = useQueryClient()
  const changes = useLive((state) => state.approvalChanges)
  const isLive = useLive((state) => state.link.state === 'live')
  useEffect(() => {
    if (changes > 0 || isLive) void queries.invalidateQueries({ queryKey: [tenant, 'approvals'] })
  }, [changes, isLive, queries, tenant])
  return useQuery(waitingQuery(scope)).data?.length ?? 0
}
