// From every credential to its AuthContext. Nothing is remembered: a role, an assignment or a key that changed counts from
// the next request on, and a live socket asks again within 3 s.

import type { Actor, AuthContext } from '../platform/access.ts'
import type { TenantId } from '../platform/ids.ts'
import type { ApiKeyActor } from './keys.ts'
import type { Operator } from './operators.ts'
import { authContextOf } from './roles/auth-context.ts'
import { builtinGrant, builtinRoles, grantOf, keyCeiling } from './roles/builtin.ts'
import type { Grant } from './roles/grant.ts'
import { boundTo, narrowed } from './roles/narrow.ts'
import type { TenantRoles } from './roles/roles.ts'
import type { VisitorClaims } from './visitor-token.ts'

export interface AuthFor {
  /** Undefined in a tenant where the operator has no role. */
  operator(operator: Operator, tenantId: TenantId): Promise<AuthContext | undefined>
  key(key: ApiKeyActor): Promise<AuthContext>
  /** May talk to the token's agent and read the own conversations with it. The actor's id is the contact's. */
  visitor(claims: Pick<VisitorClaims, 'tenantId' | 'agentId' | 'contactId'>): AuthContext
  /** An agent that acts by itself: with a role of its own, else as an API key for which nothing was chosen, and without masked fields. */
  agent(
    tenantId: TenantId,
    agent: { readonly id: string; readonly name: string; readonly role?: string },
  ): Promise<AuthContext>
  /** The gateway's own work (jobs, webhooks): everything in this tenant. */
  system(tenantId: TenantId, actor?: Actor): AuthContext
}

const gateway: Actor = { kind: 'system', id: 'system', name: 'Parley' }

export function createAuthFor(roles: { of(tenantId: TenantId): TenantRoles }): AuthFor {
  return {
    async operator(operator, tenantId) {
      const membership = operator.tenants.find((each) => each.id === tenantId)
      if (membership === undefined) return undefined
      const actor: Actor = { kind: 'operator', id: operator.operatorId, name: operator.name }
      const own = roles.of(tenantId)
      const grants = await Promise.all([own.grants(membership.roles), own.scopedGrants(operator.operatorId)])
      return authContextOf(tenantId, { actor, grants: grants.flat() })
    },
    async key({ tenantId, keyId, label, scopes, role, agentIds }) {
      const actor: Actor = { kind: 'key', id: keyId, name: label }
      const given =
        role === null
          ? [grantOf('service', scopes ?? builtinRoles.service)]
          : narrowed(await roles.of(tenantId).grants([role]), scopes ?? keyCeiling)
      return authContextOf(tenantId, { actor, grants: boundTo(given, agentIds) })
    },
    visitor: ({ tenantId, agentId, contactId }) => {
      const actor: Actor = { kind: 'visitor', id: contactId, name: contactId }
      return authContextOf(tenantId, { actor, grants: [visitorGrant(agentId)] })
    },
    async agent(tenantId, { id, name, role }) {
      const own = roles.of(tenantId)
      const actor: Actor = { kind: 'agent', id, name }
      if (role !== undefined) return authContextOf(tenantId, { actor, grants: await own.grants([role]) })
      // Nobody chose what it may tell to whom: what is masked from anybody is masked from it.
      const all = await own.grants((await own.list()).map((each) => each.name))
      const masks = all.flatMap((each) => each.masks)
      const grants = (await own.grants(['service'])).map((each) => ({ ...each, masks }))
      return authContextOf(tenantId, { actor, grants })
    },
    system: (tenantId, actor = gateway) => authContextOf(tenantId, { actor, grants: [builtinGrant('owner')] }),
  }
}

function visitorGrant(agentId: string): Grant {
  return {
    ...grantOf('visitor', ['chat.create', 'conversations.read', 'realtime.create']),
    scope: { of: 'agent', id: agentId },
    rules: [
      {
        resource: 'conversations',
        conditions: [{ is: 'field', field: 'contactId', op: 'eq', values: ['actor.id'] }],
      },
    ],
  }
}
