// HTTP of credentials: the widget's bootstrap, operators' sign-in, site keys and API keys.

import { z } from 'zod'
import { abilities } from '../platform/access.ts'
import { exactOrigin, isOwnOrigin, type RequestFacts, type Route, type RouteReply, route } from '../platform/http.ts'
import { pageOf } from '../platform/page.ts'
import { Problem } from '../platform/problem.ts'
import { maxSlugChars } from '../platform/slug.ts'
import type { OperatorView } from '../protocol/rest.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { apiKeyRoutes } from './api-key-routes.ts'
import { auditRoutes } from './audit/audit-routes.ts'
import type { Identity, Operator } from './identity.ts'
import { clerkRoutes } from './outside/clerk-routes.ts'
import { sessionCookieName } from './people.ts'
import { roleRoutes } from './roles/role-routes.ts'
import { secretRoutes } from './secrets/secret-routes.ts'
import { signInRoutes } from './sign-in/sign-in-routes.ts'
import { teamRoutes } from './team/team-routes.ts'
import { ownTenantRoutes } from './tenant-routes.ts'
import { bootstrapReply, operatorView, siteKeyView } from './views.ts'

export interface IdentityRoutesDeps {
  readonly identity: Identity
  readonly tenants: Tenants
  /** The cookie is Secure when people reach the gateway over https. */
  readonly publicUrl: string
}

const slug = z.string().min(1).max(maxSlugChars)
const email = z.email().max(254)
const noStore = { 'cache-control': 'no-store' }

export function identityRoutes(deps: IdentityRoutesDeps): Route[] {
  const signedInReply = async (session: { cookie: string; maxAgeSeconds: number }): Promise<RouteReply> => ({
    json: await presentOperator(deps.identity, await operatorOf(deps.identity, session.cookie)),
    headers: sessionCookie(deps.publicUrl, session.cookie, session.maxAgeSeconds),
  })
  return [
    ...visitorRoutes(deps.identity),
    ...consoleRoutes(deps),
    ...teamRoutes({ identity: deps.identity, signedInReply }),
    ...clerkRoutes(deps.identity),
    ...secretRoutes(deps.identity),
    ...siteKeyRoutes(deps.identity),
    ...apiKeyRoutes(deps.identity),
    ...roleRoutes(deps.identity),
    ...ownTenantRoutes({ ...deps, signedIn: (facts) => signedIn(deps.identity, facts) }),
    ...auditRoutes(deps.identity),
    ...signInRoutes({
      identity: deps.identity,
      operatorReply: async (operator) => ({ json: await presentOperator(deps.identity, operator), headers: noStore }),
    }),
  ]
}

function visitorRoutes(identity: Identity): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/widget/bootstrap',
      access: 'public',
      reply: bootstrapReply,
      summary: 'A page shows its site key and gets a visitor token of 15 minutes, with the looks of the widget',
      body: z.strictObject({
        key: z.string().max(80),
        agent: slug.optional(),
        /** Made by the page and kept there: whoever has it sees the visitor's conversation, so it must not be guessable. */
        visitorId: z
          .string()
          .regex(/^[A-Za-z0-9_-]{16,64}$/, '16 to 64 letters, digits, - or _')
          .optional(),
        email: email.optional(),
        /** Sent by the panel: the page that frames it, as the browser told it. Counts only from our own origin. */
        hostOrigin: exactOrigin.optional(),
      }),
      async run({ body: { hostOrigin, ...body }, facts }) {
        const ownPage = isOwnOrigin(facts.origin, facts.header('host'))
        const json = await identity.bootstrap({
          ...body,
          origin: ownPage ? (hostOrigin ?? facts.origin) : facts.origin,
        })
        return { json, headers: noStore }
      },
    }),
  ]
}

function sessionCookie(publicUrl: string, value: string, maxAgeSeconds: number): Record<string, string> {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : ''
  return {
    ...noStore,
    'set-cookie': `${sessionCookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure}`,
  }
}

const links = {
  in: { method: 'POST', path: '/v1/console/sign-in' },
  out: { method: 'POST', path: '/v1/console/sign-out' },
} as const

function consoleRoutes({ identity, publicUrl }: IdentityRoutesDeps): Route[] {
  const cookie = (value: string, maxAgeSeconds: number) => sessionCookie(publicUrl, value, maxAgeSeconds)
  return [
    route({
      ...links.in,
      access: 'public',
      reply: operatorView,
      summary: 'Exchanges a one-time sign-in token for a session cookie',
      body: z.strictObject({ token: z.string().max(100) }),
      async run({ body, facts }): Promise<RouteReply> {
        const session = await identity.signIn(body.token, facts)
        const act = { ability: 'auth.sign-in', door: links.in, ip: facts.ip } as const
        if (session === undefined) {
          const problem = new Problem('unauthenticated', 'This sign-in link was used already or has expired.')
          const owner = await identity.linkOf(body.token)
          if (owner !== undefined) await identity.notes.note(owner, { ...act, problem })
          throw problem
        }
        const operator = await operatorOf(identity, session.cookie)
        await identity.notes.note(operator, act)
        return {
          json: await presentOperator(identity, operator),
          headers: cookie(session.cookie, session.maxAgeSeconds),
        }
      },
    }),
    route({
      ...links.out,
      access: 'operator',
      summary: 'Ends the operator’s session',
      async run({ facts }) {
        const session = identity.sessionCookie(facts.header('cookie'))
        const act = { ability: 'auth.sign-out', door: links.out, ip: facts.ip } as const
        await identity.notes.note(await signedIn(identity, facts), act)
        if (session !== undefined) await identity.signOut(session)
        return { status: 204, headers: cookie('', 0) }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/console/me',
      access: 'operator',
      reply: operatorView,
      summary: 'The signed-in operator, the tenants to choose from and the CSRF token',
      run: async ({ facts }) => ({
        json: await presentOperator(identity, await signedIn(identity, facts)),
        headers: noStore,
      }),
    }),
    route({
      method: 'PATCH',
      path: '/v1/console/me',
      access: 'operator',
      summary: 'Changes the name of the signed-in operator',
      body: z.strictObject({ name: z.string().trim().min(1).max(120) }),
      reply: operatorView,
      async run({ body, facts }) {
        await identity.rename((await signedIn(identity, facts)).operatorId, body.name)
        return { json: await presentOperator(identity, await signedIn(identity, facts)), headers: noStore }
      },
    }),
  ]
}

async function operatorOf(identity: Identity, cookie: string): Promise<Operator> {
  const operator = await identity.operatorOf(cookie)
  if (operator === undefined) throw new Problem('unauthenticated')
  return operator
}

async function signedIn(identity: Identity, facts: RequestFacts): Promise<Operator> {
  const operator = await identity.operatorBehind(facts)
  if (operator === undefined) throw new Problem('unauthenticated')
  return operator
}

async function presentOperator({ authFor }: Identity, operator: Operator): Promise<OperatorView> {
  const { operatorId: id, name, csrf } = operator
  const tenants = operator.tenants.map(async ({ roles, ...tenant }) => {
    // Nothing in a tenant takes anything from its owner: of the many tenants of who runs the gateway none is asked.
    if (roles.includes('owner')) return { ...tenant, abilities }
    const auth = await authFor.operator(operator, tenant.id)
    return { ...tenant, abilities: abilities.filter((each) => auth?.may(each) === true) }
  })
  return { id, name, tenants: await Promise.all(tenants), csrf }
}

const keyParams = z.object({ id: z.string().min(1).max(64) })
const label = z.string().trim().min(1).max(80)

function siteKeyRoutes(identity: Identity): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/site-keys',
      access: 'keys.read',
      reply: pageOf(siteKeyView),
      summary: 'The tenant’s site keys, newest first',
      run: async ({ tenantId }) => ({ json: { items: await identity.siteKeys(tenantId), next: null } }),
    }),
    route({
      method: 'POST',
      path: '/v1/site-keys',
      access: 'keys.write',
      reply: siteKeyView,
      status: 201,
      summary: 'Makes a site key for one agent',
      body: z.strictObject({ label, agentSlug: slug, origins: z.array(exactOrigin).max(20).optional() }),
      run: async ({ tenantId, body }) => ({ status: 201, json: await identity.createSiteKey(tenantId, body) }),
    }),
    route({
      method: 'POST',
      path: '/v1/site-keys/:id/revoke',
      access: 'keys.write',
      reply: siteKeyView,
      summary: 'Revokes a site key; its live sessions end within seconds',
      params: keyParams,
      run: async ({ tenantId, params }) => ({ json: await identity.revokeSiteKey(tenantId, params.id) }),
    }),
  ]
}
