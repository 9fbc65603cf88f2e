import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import type { SessionView } from '../../../gateway/protocol/rest.ts'
import type { Turn } from '../../../gateway/protocol/turn.ts'
import { useLive, useWatch } from '../../api/live.tsx'
import { mergeTurns, newerSession } from '../../api/live-state.ts'
import { sessionQuery, transcriptQuery } from '../../api/queries.ts'
import { useScope } from '../../api/scope.tsx'

const noTurns: readonly Turn[] = []
/** How often a running session is read again while the socket does not speak of it. */
const deafRefreshMs = 5_000

export interface SessionData {
  readonly session: SessionView | undefined
  readonly turns: readonly Turn[]
  readonly loading: boolean
  readonly error: unknown
  readonly retry: () => void
}

/** One view of a session, live or past: the stored record, with what the socket tells since. */
export function useSession(id: string): SessionData {
  const scope = useScope()
  const queries = useQueryClient()
  const seen = useLive((state) => state.sessions.get(id))
  const heard = useLive((state) => state.turns.get(id))
  const deaf = (over: boolean) => (seen === undefined && !over ? deafRefreshMs : false)
  const stored = useQuery({
    ...sessionQuery(scope, id),
    refetchInterval: (query) => deaf(query.state.data === undefined || query.state.data.state === 'ended'),
  })
  const session = newerSession(stored.data, seen)
  const running = session !== undefined && session.state !== 'ended'
  const transcript = useQuery({ ...transcriptQuery(scope, id), refetchInterval: deaf(!running) })
  // Watching goes on after the end: letting go would forget turns that the stored transcript may not have yet.
  useWatch(id, running || heard !== undefined)
  const endedHere = seen?.state === 'ended'
  useEffect(() => {
    if (endedHere) void queries.invalidateQueries({ queryKey: [scope.tenant, 'session', id] })
  }, [endedHere, queries, scope.tenant, id])
  const turns = useMemo(() => mergeTurns(transcript.data?.turns ?? noTurns, heard ?? noTurns), [transcript.data, heard])
  const retry = () => {
    void stored.refetch()
    void transcript.refetch()
  }
  const error = session === undefined ? stored.error : turns.length === 0 ? transcript.error : null
  return { session, turns, loading: transcript.isPending && heard === undefined, error, retry }
}
