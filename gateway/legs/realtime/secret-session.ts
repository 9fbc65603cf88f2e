// What a customer's backend has bound to a client secret: each session it opens begins so, and its holder cannot undo it.

import type { Agents } from '../../agents/agents.ts'
import type { Identity } from '../../identity/identity.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { type SessionFields, sessionFields } from './session-fields.ts'
import type { Policy } from './session-part.ts'

export interface Bound {
  readonly session: SessionFields
  /** Of the backend that bound it, as the agent has them now. */
  readonly rights: Policy['brief']
}

interface Deps {
  readonly identity: Pick<Identity, 'boundSession'>
  readonly agents: Pick<Agents, 'resolve'>
}

/** Throws `unauthenticated` when it is not kept any more: the secret has expired. */
export async function boundTo(
  { identity, agents }: Deps,
  secret: { readonly tenantId: TenantId; readonly tokenId: string; readonly agentId: string },
): Promise<Bound> {
  const { tenantId, agentId } = secret
  const [json, rights] = await Promise.all([
    identity.boundSession(secret),
    agents.resolve({ tenantId, agentId, channel: 'api', trusted: true }),
  ])
  if (json === undefined) throw new Problem('unauthenticated')
  if (rights === undefined) throw new Problem('agent_inactive')
  return { session: sessionFields.parse(JSON.parse(json)), rights }
}
