// From a key to a visitor's token, and from the token back to who may talk to which agent.

import type { Clock } from '../platform/clock.ts'
import { newId, type TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { ProblemCode } from '../protocol/codes.ts'
import type { WidgetBootstrap } from '../protocol/rest.ts'
import type { Tenant, Tenants } from '../tenants/tenants.ts'
import type { clientSessionStore } from './client-session-store.ts'
import type { ContactRequest } from './contacts.ts'
import type { SiteKeyRecord } from './key-store.ts'
import type { SigningKeys } from './signing-keys.ts'
import { readVisitorToken, signVisitorToken, tokenLifeSeconds, type VisitorClaims } from './visitor-token.ts'

/** What identity must know of an agent. `agents` fits; it stands beside this slice and is joined in app.ts. */
export interface AgentEntry {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly status: 'draft' | 'active' | 'paused' | 'archived'
  readonly live?: { readonly speaks: boolean; readonly model: string; readonly voice: string }
}
export interface AgentBook {
  of(tenantId: TenantId): {
    bySlug(slug: string): Promise<AgentEntry | undefined>
    list(): Promise<readonly AgentEntry[]>
  }
}

/** By this the original's browser code knows that it is not being given a key. */
const secretPrefix = 'ek_'

export type VisitorAnswer =
  | { readonly is: 'visitor'; readonly claims: VisitorClaims }
  | { readonly is: 'refused'; readonly code: ProblemCode }

export interface BootstrapRequest {
  /** The site key of the page. */
  readonly key: string
  /** Must be the agent of the key when given. */
  readonly agent?: string | undefined
  readonly visitorId?: string | undefined
  readonly email?: string | undefined
  /** The browser's Origin header; for our own panel, the page that frames it (its frame-ancestors let no other). */
  readonly origin: string | undefined
}

export interface ClientSecretRequest {
  readonly tenantId: TenantId
  readonly keyId: string
  /** May be left out by a tenant with one active agent. */
  readonly agent?: string | undefined
  /** Stock clients have no other field for it: the slug of an agent, or a model's name, which decides nothing. */
  readonly model?: string | undefined
  /** 10 s and more; what is longer than 15 min is cut to it. */
  readonly lifeSeconds?: number | undefined
  /** Binds the token to the pages of one origin. */
  readonly origin?: string | undefined
  readonly visitor?: { readonly id?: string | undefined; readonly email?: string | undefined } | undefined
  /** JSON of the settings that its sessions begin with. Already checked: whoever holds the token cannot change it. */
  readonly session?: string | undefined
}

/** As OpenAI's: `value` is the token, `expires_at` seconds since epoch. */
export interface ClientSecret {
  readonly value: string
  readonly expires_at: number
  readonly session: {
    /** Of the secret: each session it opens has an id of its own. */
    readonly id: string
    readonly type: 'realtime'
    readonly object: 'realtime.session'
    readonly model: string
    readonly agent: string
    readonly audio: { readonly output: { readonly voice: string } }
  }
}

export interface Visitors {
  /** Undefined problems are thrown: `forbidden`, `origin_refused`, `unknown_agent`, `agent_inactive`. */
  bootstrap(request: BootstrapRequest): Promise<WidgetBootstrap>
  mintClientSecret(request: ClientSecretRequest): Promise<ClientSecret>
  /** The agent that a client secret would be for. Throws `unknown_agent`, `agent_inactive`, `invalid` when there is a choice. */
  agentForSecret(tenantId: TenantId, named: Pick<ClientSecretRequest, 'agent' | 'model'>): Promise<AgentEntry>
  /** JSON of what was bound to a token; undefined: nothing, or not any more. */
  boundSession(claims: Pick<VisitorClaims, 'tenantId' | 'tokenId'>): Promise<string | undefined>
  /** Origins of the pages that may carry this site key's widget; undefined for a key nobody has. */
  pagesOf(siteKey: string): Promise<readonly string[] | undefined>
  /** `ownPage`: the request comes from our own panel, whose token is bound to the page around it. */
  verifyVisitor(
    token: string,
    facts: { readonly origin?: string | undefined; readonly ownPage?: boolean },
  ): Promise<VisitorAnswer>
}

interface Deps {
  readonly issuer: string
  readonly tenants: Tenants
  readonly agents: AgentBook
  readonly signingKeys: SigningKeys
  readonly clock: Clock
  readonly siteKey: (key: string) => Promise<SiteKeyRecord | undefined>
  readonly activeKeys: (pairs: readonly { tenantId: string; keyId: string }[]) => Promise<ReadonlySet<string>>
  readonly contact: (request: ContactRequest) => Promise<string>
  readonly sessions: ReturnType<typeof clientSessionStore.open>
}

/** The token itself is taken for half a minute longer. */
const keptMs = 60_000

export function createVisitors(deps: Deps): Visitors {
  return {
    bootstrap: (request) => bootstrap(deps, request),
    mintClientSecret: (request) => mintClientSecret(deps, request),
    agentForSecret: async (tenantId, named) => reachable(await namedAgent(deps, tenantId, named)),
    boundSession: ({ tenantId, tokenId }) => deps.sessions.find(tenantId, tokenId),
    async pagesOf(siteKey) {
      const key = await deps.siteKey(siteKey)
      const tenant = key === undefined ? undefined : await deps.tenants.byId(key.tenantId)
      return key === undefined || tenant === undefined ? undefined : pagesOf(tenant, key)
    },
    async verifyVisitor(raw, facts) {
      const token = raw.startsWith(secretPrefix) ? raw.slice(secretPrefix.length) : raw
      const claims = await readVisitorToken(token, {
        issuer: deps.issuer,
        nowMs: deps.clock.now(),
        keyOf: (kid) => deps.signingKeys.forVerifying(kid),
      })
      if (claims === undefined) return { is: 'refused', code: 'unauthenticated' }
      const bound = claims.origin !== null && facts.ownPage !== true
      if (bound && claims.origin !== facts.origin) return { is: 'refused', code: 'origin_refused' }
      const { tenantId, keyId } = claims
      const [tenant, active] = await Promise.all([deps.tenants.byId(tenantId), deps.activeKeys([{ tenantId, keyId }])])
      if (tenant?.status !== 'active' || active.size === 0) return { is: 'refused', code: 'revoked' }
      return { is: 'visitor', claims }
    },
  }
}

async function bootstrap(deps: Deps, request: BootstrapRequest): Promise<WidgetBootstrap> {
  const key = await deps.siteKey(request.key)
  const tenant = key?.status === 'active' ? await deps.tenants.byId(key.tenantId) : undefined
  // One answer for a key unknown, revoked or of a suspended tenant: a page learns nothing from it.
  if (key === undefined || tenant?.status !== 'active') throw new Problem('forbidden')
  const origin = allowedOrigin(tenant, key, request.origin)
  if (request.agent !== undefined && request.agent !== key.agentSlug) throw new Problem('unknown_agent')
  const agent = reachable(await deps.agents.of(tenant.id).bySlug(key.agentSlug))
  const visitorId = request.visitorId ?? newId('vis')
  const { tenantId, keyId } = key
  const contactId = await deps.contact({ tenantId, visitorId, email: request.email, vouched: false })
  const { token, expiresAt } = await sign(deps, {
    lifeSeconds: tokenLifeSeconds,
    claims: { tenantId, keyId, agentId: agent.id, channel: 'widget', origin, visitorId, contactId },
  })
  return {
    token,
    expiresAt,
    agent: { slug: agent.slug, name: agent.name },
    brand: tenant.brand,
    texts: tenant.texts,
    voice: agent.live.speaks,
  }
}

async function mintClientSecret(deps: Deps, request: ClientSecretRequest): Promise<ClientSecret> {
  const { tenantId, keyId } = request
  const agent = reachable(await namedAgent(deps, tenantId, request))
  const visitorId = request.visitor?.id ?? newId('vis')
  const email = request.visitor?.email
  // An e-mail alone is identity enough: a made-up visitor id would only pile up on the contact.
  const known = email === undefined ? visitorId : request.visitor?.id
  const contactId = await deps.contact({ tenantId, visitorId: known, email, vouched: true })
  const origin = request.origin ?? null
  const { session } = request
  const { token, tokenId, expiresAt } = await sign(deps, {
    lifeSeconds: request.lifeSeconds ?? tokenLifeSeconds,
    claims: {
      ...{ tenantId, keyId, agentId: agent.id, channel: 'api', origin, visitorId, contactId },
      ...(session === undefined ? {} : { bound: true }),
    },
  })
  if (session !== undefined)
    await deps.sessions.add(tenantId, tokenId, { session, expiresAt: new Date(expiresAt * 1000 + keptMs) })
  return {
    value: secretPrefix + token,
    expires_at: expiresAt,
    session: {
      id: tokenId,
      type: 'realtime',
      object: 'realtime.session',
      model: agent.live.model,
      agent: agent.slug,
      audio: { output: { voice: agent.live.voice } },
    },
  }
}

async function namedAgent(
  deps: Deps,
  tenantId: TenantId,
  { agent: slug, model }: Pick<ClientSecretRequest, 'agent' | 'model'>,
): Promise<AgentEntry | undefined> {
  if (slug !== undefined) return deps.agents.of(tenantId).bySlug(slug)
  const byModel = model === undefined ? undefined : await deps.agents.of(tenantId).bySlug(model)
  if (byModel !== undefined) return byModel
  const active = (await deps.agents.of(tenantId).list()).filter((each) => each.status === 'active')
  if (active.length > 1) throw new Problem('invalid', 'This tenant has several agents: name one as `agent`.')
  return active[0]
}

function reachable(agent: AgentEntry | undefined): AgentEntry & Required<Pick<AgentEntry, 'live'>> {
  if (agent === undefined) throw new Problem('unknown_agent')
  const { live, ...rest } = agent
  if (agent.status !== 'active' || live === undefined) throw new Problem('agent_inactive')
  return { ...rest, live }
}

/** The key's own list replaces the tenant's. */
function pagesOf(tenant: Tenant, key: SiteKeyRecord): readonly string[] {
  return key.origins.length > 0 ? key.origins : tenant.origins
}

/** A request without Origin is no page: the token would be bound to nothing. */
function allowedOrigin(tenant: Tenant, key: SiteKeyRecord, origin: string | undefined): string {
  if (origin === undefined || !pagesOf(tenant, key).includes(origin)) throw new Problem('origin_refused')
  return origin
}

async function sign(
  deps: Deps,
  request: {
    readonly claims: Omit<VisitorClaims, 'signingKeyId' | 'expiresAt' | 'tokenId' | 'scopes'>
    readonly lifeSeconds: number
  },
): Promise<{ token: string; tokenId: string; expiresAt: number }> {
  const tokenId = newId('tok')
  const signed = await signVisitorToken({
    claims: { ...request.claims, tokenId, scopes: ['talk'] },
    lifeSeconds: request.lifeSeconds,
    issuer: deps.issuer,
    nowMs: deps.clock.now(),
    key: await deps.signingKeys.forSigning(),
  })
  return { ...signed, tokenId }
}
