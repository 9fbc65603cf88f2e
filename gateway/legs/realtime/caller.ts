// Who asks for a session, and for which agent: the same answer whatever the connection is made of.

import type { Agents } from '../../agents/agents.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Actor } from '../../platform/access.ts'
import { isOwnOrigin } from '../../platform/http.ts'
import { newId, type TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { Channel } from '../../protocol/turn.ts'
import type { Leg, OpenRequest } from '../../sessions/sessions.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import { type Bound, boundTo } from './secret-session.ts'

export interface CallerDeps {
  readonly tenants: Tenants
  readonly identity: Identity
  readonly agents: Agents
}

export interface Caller {
  readonly tenantId: TenantId
  readonly agentId: string
  readonly contactId: string
  /** Missing: the contact. */
  readonly actor?: Actor
  readonly keyId: string
  readonly signingKeyId?: string
  readonly channel: Channel
  /** A tenant's own backend may do more than a visitor. */
  readonly trusted: boolean
  /** What came with the client secret. */
  readonly bound?: Bound
}

export interface Asked {
  /** An API key or a visitor's token. */
  readonly token: string | undefined
  readonly agent: string | undefined
  readonly model: string | undefined
  readonly origin: string | undefined
  readonly host: string | undefined
  /** With an API key: the person its backend asks for. Missing: somebody new. */
  readonly visitor?: { readonly id?: string | undefined; readonly email?: string | undefined } | undefined
}

export async function authenticate(deps: CallerDeps, asked: Asked): Promise<Caller> {
  const { token, agent: named, origin } = asked
  if (token === undefined || token === '') throw new Problem('unauthenticated')
  if (token.startsWith('af_')) return byApiKey(deps, token, asked)
  const answer = await deps.identity.verifyVisitor(token, { origin, ownPage: isOwnOrigin(origin, asked.host) })
  if (answer.is === 'refused') throw new Problem(answer.code)
  const { claims } = answer
  const agent = await deps.agents.of(claims.tenantId).byId(claims.agentId)
  // Stock clients always name a model; only our own parameter must match.
  if (agent === undefined || (named !== undefined && named !== agent.slug)) throw new Problem('unknown_agent')
  return {
    ...(claims.bound === true ? { bound: await boundTo(deps, claims) } : {}),
    tenantId: claims.tenantId,
    agentId: claims.agentId,
    contactId: claims.contactId,
    keyId: claims.keyId,
    signingKeyId: claims.signingKeyId,
    channel: claims.channel,
    // A client secret is held by a visitor's browser, whoever asked for it.
    trusted: false,
  }
}

async function byApiKey(deps: CallerDeps, key: string, asked: Asked): Promise<Caller> {
  const slug = asked.agent ?? asked.model
  const found = await deps.identity.verifyApiKey(key)
  if (found === undefined) throw new Problem('unauthenticated')
  const auth = await deps.identity.authFor.key(found)
  if (!auth.may('realtime.create')) throw new Problem('forbidden')
  const agent = slug === undefined ? undefined : await deps.agents.of(found.tenantId).bySlug(slug)
  if (agent === undefined)
    throw new Problem('unknown_agent', 'Name one of your agents by ?agent=<slug> or ?model=<slug>.')
  if (!auth.may('realtime.create', agent.id)) throw new Problem('forbidden')
  const { id, email } = asked.visitor ?? {}
  const contactId = await deps.identity.contact({
    tenantId: found.tenantId,
    // An e-mail alone is identity enough.
    visitorId: id ?? (email === undefined ? newId('vis') : undefined),
    email,
    vouched: true,
  })
  const { tenantId, keyId } = found
  return { tenantId, agentId: agent.id, contactId, actor: auth.actor, keyId, channel: 'api', trusted: true }
}

/** What the session is opened with. Throws where tenant or agent may not talk. */
export async function requestOf<L extends Leg>(
  deps: CallerDeps,
  caller: Caller,
  { ip, leg }: { readonly ip: string; readonly leg: L },
): Promise<OpenRequest & { readonly leg: L }> {
  const [tenant, brief] = await Promise.all([deps.tenants.byId(caller.tenantId), deps.agents.resolve(caller)])
  if (tenant === undefined || tenant.status !== 'active') throw new Problem('revoked')
  if (brief === undefined) throw new Problem('agent_inactive')
  return {
    tenantId: caller.tenantId,
    plan: tenant.plan,
    brief,
    briefAt: (keep) => deps.agents.resolve({ ...caller, keep }),
    contactId: caller.contactId,
    ...(caller.actor === undefined ? {} : { caller: caller.actor }),
    channel: caller.channel,
    keyId: caller.keyId,
    ...(caller.signingKeyId === undefined ? {} : { signingKeyId: caller.signingKeyId }),
    ip,
    leg,
    outputModality: leg.isStock ? 'audio' : 'text',
  }
}
