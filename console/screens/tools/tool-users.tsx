import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { AgentView } from '../../../gateway/protocol/agents.ts'
import type { ToolView } from '../../../gateway/protocol/tools.ts'
import { agentQuery, agentsQuery } from '../../api/agent-queries.ts'
import { useMay, useScope } from '../../api/scope.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { verdictOn, verdictWords } from './verdict.ts'

/** The agents whose live configuration names the tool. */
export function ToolUsers({ tool }: { tool: ToolView }) {
  const may = useMay()('agents.read')
  const agents = useQuery({ ...agentsQuery(useScope()), enabled: may })
  if (!may) return <p className="quiet">Your role may not read agents.</p>
  if (agents.isPending) return <Loading rows={2} label="Loading agents" />
  if (agents.isError) return <ProblemBox error={agents.error} onRetry={() => void agents.refetch()} />
  const users = agents.data.filter((agent) => agent.tools.includes(tool.name))
  if (users.length === 0)
    return <p className="quiet">No agent uses it. Name it under “Guardrails” in the form of an agent.</p>
  return (
    <ul className="tool-agents">
      {users.map((agent) => (
        <User key={agent.id} agent={agent} tool={tool} />
      ))}
    </ul>
  )
}

function User({ agent, tool }: { agent: AgentView; tool: ToolView }) {
  const detail = useQuery(agentQuery(useScope(), agent.id)).data
  const config = detail?.live ?? detail?.draft
  const verdict = config && verdictWords[verdictOn(config, tool)]
  return (
    <li>
      <Link to="/agents/$agentId" params={{ agentId: agent.id }}>
        {agent.name}
      </Link>
      {verdict !== undefined && <Pill tone={verdict.tone}>{verdict.text}</Pill>}
    </li>
  )
}
