// Which version a person gets. Pure.

import { createHash } from 'node:crypto'
import type { Agent } from './agent.ts'

/** 0 to 99.99, evenly spread over people; the same for the same person and the same trial. */
export function shareOf(agentId: string, version: number, person: string): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([agentId, version, person]))
    .digest()
  return (digest.readUInt32BE(0) % 10_000) / 100
}

/**
 * Undefined: nothing is live. `keep`: what a conversation in progress was begun with; it stays, unless it was taken back.
 * Nobody known: what is live for all.
 */
export function versionFor(
  agent: Pick<Agent, 'id' | 'version' | 'draftVersion' | 'rollout' | 'recalled'>,
  { person, keep }: { readonly person?: string | undefined; readonly keep?: number | undefined },
): number | undefined {
  if (agent.version === 0) return undefined
  if (keep !== undefined && keep >= 1 && keep <= agent.draftVersion && !agent.recalled.includes(keep)) return keep
  const { rollout } = agent
  if (rollout === null || person === undefined) return agent.version
  return shareOf(agent.id, rollout.version, person) < rollout.percent ? rollout.version : agent.version
}
