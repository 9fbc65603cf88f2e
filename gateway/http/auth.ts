// From a request's credential to the tenant and actor of a route.

import { timingSafeEqual } from 'node:crypto'
import type { Identity } from '../identity/identity.ts'
import type { Ability, Actor, AuthContext } from '../platform/access.ts'
import type { RequestFacts, Route } from '../platform/http.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { Tenants } from '../tenants/tenants.ts'

export interface Caller {
  readonly tenantId: TenantId | undefined
  readonly actor: Actor | undefined
  /** Of a caller in a tenant. */
  readonly auth: AuthContext | undefined
}

const nobody: Caller = { tenantId: undefined, actor: undefined, auth: undefined }

export interface RequestOf {
  readonly route: Route
  readonly facts: RequestFacts
  /** The `tenant` query parameter: for a key it must match, for an operator it chooses. */
  readonly tenantSlug: string | undefined
}

export async function authenticate(
  deps: { readonly identity: Identity; readonly tenants: Tenants },
  request: RequestOf,
): Promise<Caller> {
  const { route, facts, tenantSlug } = request
  if (route.access === 'public') return nobody
  const bearer = facts.header('authorization')
  if (bearer?.startsWith('Bearer ') === true) {
    if (route.access === 'operator') throw new Problem('forbidden')
    return allowed(route.access, await byKey(deps, bearer.slice(7).trim(), tenantSlug))
  }
  const operator = await deps.identity.signedIn(facts.header('cookie'))
  if (operator === undefined) throw new Problem('unauthenticated')
  if (route.method !== 'GET') checkCsrf(facts, operator.csrf)
  const actor: Actor = { kind: 'operator', id: operator.operatorId, name: operator.name }
  if (route.access === 'operator') return { tenantId: undefined, actor, auth: undefined }
  const tenant = operator.tenants.find((each) => each.slug === tenantSlug)
  // A tenant that is not the operator's does not exist for them.
  if (tenant === undefined) throw new Problem('not_found')
  return allowed(route.access, await deps.identity.authFor.operator(operator, tenant.id))
}

function allowed(access: Ability, auth: AuthContext | undefined): Caller {
  if (auth === undefined) throw new Problem('not_found')
  if (!auth.may(access)) throw new Problem('forbidden')
  return { tenantId: auth.tenantId, actor: auth.actor, auth }
}

async function byKey(
  deps: { readonly identity: Identity; readonly tenants: Tenants },
  raw: string,
  tenantSlug: string | undefined,
): Promise<AuthContext> {
  const key = await deps.identity.verifyApiKey(raw)
  if (key === undefined) throw new Problem('unauthenticated')
  if (tenantSlug !== undefined && (await deps.tenants.bySlug(tenantSlug))?.id !== key.tenantId)
    throw new Problem('not_found')
  return deps.identity.authFor.key(key)
}

function checkCsrf(facts: RequestFacts, expected: string): void {
  const given = Buffer.from(facts.header('x-parley-csrf') ?? '')
  const wanted = Buffer.from(expected)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new Problem('forbidden', 'The CSRF token is missing or wrong.')
}
