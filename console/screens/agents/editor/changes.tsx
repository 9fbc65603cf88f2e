import { useQuery } from '@tanstack/react-query'
import type { AgentChange, AgentDetail } from '../../../../gateway/protocol/agents.ts'
import type { VersionName } from '../../../api/agent-calls.ts'
import { diffQuery } from '../../../api/agent-queries.ts'
import { useScope } from '../../../api/scope.tsx'
import { Loading, ProblemBox } from '../../../ui/states.tsx'

/** Field by field, what differs between two versions. */
export function Changes({ agent, from, to }: { agent: AgentDetail; from: VersionName; to: VersionName }) {
  const diff = useQuery({ ...diffQuery(useScope(), agent.id, { from, to }), staleTime: 0 })
  if (diff.isPending) return <Loading rows={2} label="Comparing" />
  if (diff.isError) return <ProblemBox error={diff.error} onRetry={() => void diff.refetch()} />
  if (diff.data.changes.length === 0) return <p className="quiet changes-none">Nothing differs.</p>
  return (
    <ul className="changes" aria-label="What differs">
      {diff.data.changes.map((change) => (
        <Change key={change.field} change={change} />
      ))}
    </ul>
  )
}

function Change({ change }: { change: AgentChange }) {
  return (
    <li>
      <code>{change.field}</code>
      {change.before !== undefined && (
        <del>
          <span className="sr">before: </span>
          {shown(change.before)}
        </del>
      )}
      {change.after !== undefined && (
        <ins>
          <span className="sr">after: </span>
          {shown(change.after)}
        </ins>
      )}
    </li>
  )
}

function shown(value: unknown): string {
  if (value === '') return '(empty)'
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1)
}
