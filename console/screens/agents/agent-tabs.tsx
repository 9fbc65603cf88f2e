import { Link } from '@tanstack/react-router'
import './agents.css'

/** The tabs of the agents screen; `editing` names the agent whose form is open. */
export function AgentTabs({ editing }: { editing?: { readonly id: string; readonly name: string } }) {
  return (
    <nav className="page-tabs" aria-label="Agents">
      <Link to="/agents" activeOptions={{ exact: true, includeSearch: false }}>
        Agents
      </Link>
      {editing !== undefined && (
        <Link to="/agents/$agentId" params={{ agentId: editing.id }} activeOptions={{ includeSearch: false }}>
          Edit
        </Link>
      )}
      <Link to="/agents/activity" activeOptions={{ includeSearch: false }}>
        Activity
      </Link>
      <Link to="/agents/approvals" activeOptions={{ includeSearch: false }}>
        Approvals
      </Link>
    </nav>
  )
}
