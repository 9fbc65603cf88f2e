// From a request's credential to the tenant and actor of a route.

import { timingSafeEqual } from 'node:crypto'
import { type Identity, type Operator, outsideToken } from '../identity/identity.ts'
import type { Actor, AuthContext } from '../platform/access.ts'
import { isOwnOrigin, type RequestFacts, type Route, type VisitorScope } from '../platform/http.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { Tenants } from '../tenants/tenants.ts'

export interface Caller {
  readonly tenantId: TenantId | undefined
  readonly actor: Actor | undefined
  /** Of a caller in a tenant. */
  readonly auth: AuthContext | undefined
  /** Known, and not allowed to: for the audit log, before it is thrown. */
  readonly refused?: Problem
  readonly visitor?: VisitorScope
}

const nobody: Caller = { tenantId: undefined, actor: undefined, auth: undefined }

export interface RequestOf {
  readonly route: Route
  readonly facts: RequestFacts
  readonly params: Readonly<Record<string, string>>
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
  const visitor = await byVisitor(deps, request)
  if (visitor !== undefined) return visitor
  const isOutside = outsideToken(bearer) !== undefined
  if (bearer?.startsWith('Bearer ') === true && !isOutside) {
    if (route.access === 'operator') throw new Problem('forbidden')
    return allowed(request, await byKey(deps, bearer.slice(7).trim(), tenantSlug))
  }
  const operator = await deps.identity.operatorBehind(facts)
  if (operator === undefined) throw new Problem('unauthenticated')
  // A token that a provider outside has signed is put in by a program, never by a browser of itself: nothing to forge.
  const forged = isOutside || route.method === 'GET' ? undefined : csrfProblem(facts, operator.csrf)
  return byOperator(deps, request, { operator, forged })
}

async function byOperator(
  deps: { readonly identity: Identity },
  request: RequestOf,
  { operator, forged }: { readonly operator: Operator; readonly forged?: Problem | undefined },
): Promise<Caller> {
  const { route, tenantSlug } = request
  const actor: Actor = { kind: 'operator', id: operator.operatorId, name: operator.name }
  if (route.access === 'operator') {
    if (forged !== undefined) throw forged
    return { tenantId: undefined, actor, auth: undefined }
  }
  const tenant = operator.tenants.find((each) => each.slug === tenantSlug)
  // A tenant that is not the operator's does not exist for them.
  if (tenant === undefined) throw new Problem('not_found')
  const caller = allowed(request, await deps.identity.authFor.operator(operator, tenant.id))
  return forged === undefined ? caller : { ...caller, refused: forged }
}

/** Every route of a tenant is decided here, before it runs. */
function allowed({ route, params }: RequestOf, auth: AuthContext | undefined): Caller {
  if (auth === undefined) throw new Problem('not_found')
  const caller = { tenantId: auth.tenantId, actor: auth.actor, auth }
  const { access, kind } = route
  if (access === 'public' || access === 'operator') return caller
  const isAllowed = auth.may(access, kind === undefined ? undefined : params[kind])
  return isAllowed ? caller : { ...caller, refused: new Problem('forbidden') }
}

/** Undefined: the route is not for visitors, or the token is none of theirs. */
async function byVisitor(
  { identity }: { readonly identity: Identity },
  request: RequestOf,
): Promise<Caller | undefined> {
  const { facts, route } = request
  const { origin } = facts
  const token = /^Bearer +(?!af_)(\S+)$/.exec(facts.header('authorization') ?? '')?.[1]
  if (route.visitors !== true || token === undefined) return undefined
  const answer = await identity.verifyVisitor(token, { origin, ownPage: isOwnOrigin(origin, facts.header('host')) })
  if (answer.is === 'refused') {
    if (answer.code === 'unauthenticated') return undefined
    throw new Problem(answer.code)
  }
  const { agentId, contactId, channel, keyId } = answer.claims
  return {
    ...allowed(request, identity.authFor.visitor(answer.claims)),
    visitor: { agentId, contactId, channel, keyId },
  }
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

function csrfProblem(facts: RequestFacts, expected: string): Problem | undefined {
  const given = Buffer.from(facts.header('x-parley-csrf') ?? '')
  const wanted = Buffer.from(expected)
  const isSame = given.length === wanted.length && timingSafeEqual(given, wanted)
  return isSame ? undefined : new Problem('forbidden', 'The CSRF token is missing or wrong.')
}
