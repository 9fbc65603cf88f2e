// Steps 1 and 2: whom it is for, and whether the caller may ask so often.

import type { Brief } from '../../agents/agents.ts'
import { Problem } from '../../platform/problem.ts'
import type { Tenant } from '../../tenants/tenants.ts'
import type { ChatDeps } from '../deps.ts'
import type { Asked, Inbound } from '../inbound.ts'

export interface Config {
  readonly tenant: Tenant
  readonly brief: Brief
}

export async function loadConfig(
  deps: Pick<ChatDeps, 'tenants' | 'agents'>,
  { tenantId, agentId, channel, asked }: Pick<Inbound, 'tenantId' | 'agentId' | 'channel' | 'asked'>,
): Promise<Config> {
  const [tenant, brief] = await Promise.all([
    deps.tenants.byId(tenantId),
    deps.agents.resolve({ tenantId, agentId, channel, trusted: asked.trusted, contactId: personOf(asked) }),
  ])
  if (tenant === undefined || tenant.status !== 'active') throw new Problem('revoked')
  if (brief !== undefined) return { tenant, brief }
  const agent = await deps.agents.of(tenantId).byId(agentId)
  throw new Problem(agent === undefined ? 'unknown_agent' : 'agent_inactive')
}

/** Where a version is on trial, the same person gets the same one: by what is known of them before the contact is. */
function personOf({ sender }: Asked): string | undefined {
  return sender.contactId ?? sender.visitorId ?? sender.email ?? sender.phone ?? sender.externalId
}

/** Requests of an API key are counted where they come in; a visitor's and a channel's are counted here. */
export async function rateLimits(
  { usage }: Pick<ChatDeps, 'usage'>,
  { tenant, brief }: Config,
  { actor, keyId, ip }: Asked,
): Promise<void> {
  if (actor.kind === 'visitor' || actor.kind === 'webhook') {
    const ask = { tenantId: tenant.id, plan: tenant.plan, keyId, ip: actor.kind === 'visitor' ? ip : undefined }
    const answer = await usage.allowRequest(ask)
    if (answer.is === 'refused') throw new Problem(answer.code, undefined, { retryAfterMs: answer.retryAfterMs })
  }
  const day = await usage.agentDay({ tenantId: tenant.id, agentId: brief.agentId, agentLimits: brief.limits })
  if (day.is === 'refused') throw new Problem(day.code, undefined, { retryAfterMs: day.retryAfterMs })
}
