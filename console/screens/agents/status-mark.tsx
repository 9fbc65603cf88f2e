import type { AgentStatus } from '../../../gateway/protocol/agents.ts'
import { statusNames } from './words.ts'

export function StatusMark({ status }: { status: AgentStatus }) {
  return (
    <span className="agent-status" data-status={status}>
      <span className="agent-dot" aria-hidden="true" />
      {statusNames[status]}
    </span>
  )
}
