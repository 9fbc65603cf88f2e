import { useQuery } from '@tanstack/react-query'
import type { AgentDetail } from '../../../../gateway/protocol/agents.ts'
import type { VersionName } from '../../../api/agent-calls.ts'
import { diffQuery } from '../../../api/agent-queries.ts'
import { useScope } from '../../../api/scope.tsx'
import { Changed } from '../../../ui/changed.tsx'
import { Loading, ProblemBox } from '../../../ui/states.tsx'

/** Field by field, what differs between two versions. */
export function Changes({ agent, from, to }: { agent: AgentDetail; from: VersionName; to: VersionName }) {
  const diff = useQuery({ ...diffQuery(useScope(), agent.id, { from, to }), staleTime: 0 })
  if (diff.isPending) return <Loading rows={2} label="Comparing" />
  if (diff.isError) return <ProblemBox error={diff.error} onRetry={() => void diff.refetch()} />
  if (diff.data.changes.length === 0) return <p className="quiet changes-none">Nothing differs.</p>
  return <Changed changes={diff.data.changes} />
}
