import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { AgentView } from '../../../gateway/protocol/agents.ts'
import { useMay } from '../../api/scope.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Time } from '../../ui/time.tsx'
import { AgentMenu } from './agent-menu.tsx'
import { StatusMark } from './status-mark.tsx'
import { useMove } from './use-agent-moves.ts'
import { engineNames, subtypeName } from './words.ts'

export function AgentHead() {
  return (
    <div className="rows-head agent-grid" aria-hidden="true">
      <span>Agent</span>
      <span>Status</span>
      <span>Kind</span>
      <span>Version</span>
      <span>Voice engine</span>
      <span className="end">Tools</span>
      <span className="end">Changed</span>
      <span />
    </div>
  )
}

export const AgentRow = memo(function AgentRow({ agent }: { agent: AgentView }) {
  return (
    <div className="agent-row agent-grid" data-agent={agent.slug}>
      <span className="agent-who">
        <Link to="/agents/$agentId" params={{ agentId: agent.id }}>
          {agent.name}
        </Link>
        <code title={agent.id}>{agent.slug}</code>
      </span>
      <StatusMark status={agent.status} />
      <span className="agent-kind">{subtypeName(agent.subtype)}</span>
      <VersionCell agent={agent} />
      <span className="agent-engine">{agent.engine === 'auto' ? 'Best there is' : engineName(agent.engine)}</span>
      <span className="agent-tools end number">
        <span title={agent.tools.join(', ')}>{agent.tools.length}</span> <span className="sr">tools</span>
      </span>
      <span className="agent-when end quiet">
        <Time at={agent.updatedAt} />
      </span>
      <span className="agent-do">
        <PlayPause agent={agent} />
        <Link
          to="/agents/$agentId"
          params={{ agentId: agent.id }}
          className="icon-button"
          title={`Edit ${agent.name}`}
          aria-label={`Edit ${agent.name}`}
        >
          <Icon name="edit" />
        </Link>
        <AgentMenu agent={agent} />
      </span>
    </div>
  )
})

function engineName(engine: string): string {
  return engineNames.find((one) => one.value === engine)?.name.split(':')[0] ?? engine
}

function VersionCell({ agent }: { agent: AgentView }) {
  return (
    <span className="agent-version number">
      {agent.version === 0 ? 'not deployed' : `v${agent.version} live`}
      {agent.draftVersion > agent.version && <small>draft v{agent.draftVersion}</small>}
    </span>
  )
}

export function PlayPause({ agent }: { agent: AgentView }) {
  const move = useMove(agent)
  const may = useMay()
  if (!may('agents.write')) return null
  if (agent.status === 'active')
    return <IconButton icon="pause" label={`Pause ${agent.name}`} onClick={() => move.mutate('pause')} />
  const why =
    agent.status === 'archived'
      ? `${agent.name} is archived`
      : agent.version === 0
        ? `Deploy ${agent.name} first`
        : undefined
  return (
    <IconButton
      icon="play"
      label={why ?? `Activate ${agent.name}`}
      disabled={why !== undefined}
      onClick={() => move.mutate('activate')}
    />
  )
}
