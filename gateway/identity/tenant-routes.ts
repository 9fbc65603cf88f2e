// HTTP of an operator's own tenants: making one, and finding those one works in.

import { z } from 'zod'
import type { Actor } from '../platform/access.ts'
import { type RequestFacts, type Route, route } from '../platform/http.ts'
import { pageOf } from '../platform/page.ts'
import { found, Problem } from '../platform/problem.ts'
import { maxSlugChars } from '../platform/slug.ts'
import type { OwnTenantView } from '../protocol/access.ts'
import type { Tenant, Tenants } from '../tenants/tenants.ts'
import type { Identity, Operator } from './identity.ts'

export interface OwnTenantRoutesDeps {
  readonly identity: Identity
  readonly tenants: Tenants
  readonly signedIn: (facts: RequestFacts) => Promise<Operator>
}

/** Each has free credit of its own. */
const maxOwned = 10

const view = z
  .strictObject({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    plan: z.enum(['free', 'pro', 'agency', 'enterprise']),
    status: z.enum(['active', 'suspended']),
    roles: z.array(z.string()),
  })
  .meta({ id: 'OwnTenant' }) satisfies z.ZodType<OwnTenantView>

export function ownTenantRoutes(deps: OwnTenantRoutesDeps): Route[] {
  const { tenants, signedIn } = deps
  const own = async (facts: RequestFacts, is: (tenant: Operator['tenants'][number]) => boolean) => {
    const membership = found((await signedIn(facts)).tenants.find(is))
    return { json: present(found(await tenants.byId(membership.id)), membership.roles) }
  }
  return [
    createRoute(deps),
    route({
      method: 'GET',
      path: '/v1/tenants',
      access: 'operator',
      summary: 'The tenants in which the operator has a role',
      reply: pageOf(view),
      async run({ facts }) {
        const { tenants: mine } = await signedIn(facts)
        const known = await Promise.all(mine.map((each) => tenants.byId(each.id)))
        const items = mine.flatMap(({ roles }, i) => {
          const tenant = known[i]
          return tenant === undefined ? [] : [present(tenant, roles)]
        })
        return { json: { items, next: null } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/tenants/by-slug/:slug',
      access: 'operator',
      summary: 'One of the operator’s tenants by its slug',
      params: z.strictObject({ slug: z.string().min(1).max(maxSlugChars) }),
      reply: view,
      run: ({ facts, params }) => own(facts, (each) => each.slug === params.slug),
    }),
    route({
      method: 'GET',
      path: '/v1/tenants/:id',
      access: 'operator',
      summary: 'One of the operator’s tenants',
      params: z.strictObject({ id: z.string().min(1).max(64) }),
      reply: view,
      run: ({ facts, params }) => own(facts, (each) => each.id === params.id),
    }),
  ]
}

function createRoute({ identity, tenants, signedIn }: OwnTenantRoutesDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/tenants',
    access: 'operator',
    summary: 'Makes a tenant on the free plan; the operator is its owner, its slug is made of its name',
    body: z.strictObject({
      name: z.string().trim().min(1).max(120),
      timezone: z.string().max(64).optional().describe('An IANA time zone such as Europe/Zurich.'),
    }),
    status: 201,
    reply: view,
    async run({ body, facts }) {
      const { operatorId, name, tenants: mine } = await signedIn(facts)
      const isRunner = await identity.runsGateway(operatorId)
      if (!isRunner && mine.filter((each) => each.roles.includes('owner')).length >= maxOwned)
        throw new Problem('conflict', `One person owns at most ${maxOwned} tenants.`)
      const { timezone } = body
      const tenant = await tenants.createNamed({ name: body.name, ...(timezone === undefined ? {} : { timezone }) })
      await identity.team.of(tenant.id).assign(operatorId, ['owner'])
      const actor: Actor = { kind: 'operator', id: operatorId, name }
      await identity.audit.of(tenant.id).record({
        ...{ actor, ability: 'tenant.create', method: 'POST', route: '/v1/tenants', target: tenant.id, ip: facts.ip },
        ...{ outcome: 'done', status: 201, code: null },
      })
      return { json: present(tenant, ['owner']) }
    },
  })
}

function present({ id, slug, name, plan, status }: Tenant, roles: readonly string[]): OwnTenantView {
  return { id, slug, name, plan, status, roles }
}
