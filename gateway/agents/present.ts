// Agents as the API tells them.

import { agentMoves } from '../objects/objects.ts'
import type {
  AgentDeploymentView,
  AgentDetail,
  AgentVersionDetail,
  AgentVersionView,
  AgentView,
} from '../protocol/agents.ts'
import type { Agent } from './agent.ts'
import type { AgentVersion } from './version-store.ts'

/** Its live behaviour, or the draft before there is any. */
export function viewOf(agent: Agent): AgentView {
  const { engine, voice, enabledTools, displayName } = agent.live ?? agent.draft
  const { id, slug, name, subtype, status, version, draftVersion } = agent
  return {
    ...{ id, slug, name, subtype, status, engine, voice, tools: enabledTools, displayName, version, draftVersion },
    updatedAt: agent.updatedAt.toISOString(),
  }
}

export function detailOf(agent: Agent): AgentDetail {
  const { draft, live, rollout, status } = agent
  return {
    ...viewOf(agent),
    ...{ draft, live: live ?? null, rollout, moves: agentMoves[status] },
    deployments: agent.deployments.toReversed().map(deploymentOf),
  }
}

function deploymentOf({ at, ...rest }: Agent['deployments'][number]): AgentDeploymentView {
  return { ...rest, at: at.toISOString() }
}

/** `agent` undefined: it was deleted, its versions stay. */
export function versionViewOf(version: AgentVersion, agent: Agent | undefined): AgentVersionView {
  const { number, hash, author, note, at } = version
  const { kind, id, name } = author
  return {
    ...{ number, hash, author: { kind, id, name }, note, at: at.toISOString() },
    ...{ isDraft: agent?.draftVersion === number, isLive: agent?.version === number },
  }
}

export function versionDetailOf(version: AgentVersion, agent: Agent | undefined): AgentVersionDetail {
  return { ...versionViewOf(version, agent), config: version.config }
}
