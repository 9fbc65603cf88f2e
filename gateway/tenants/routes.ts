// HTTP of the tenant a credential belongs to.

import { z } from 'zod'
import type { Actor } from '../platform/access.ts'
import { type Route, route } from '../platform/http.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { AgentView, TenantView } from '../protocol/rest.ts'
import { tenantPatch } from './tenant.ts'
import type { Tenant, Tenants } from './tenants.ts'

export interface TenantRoutesDeps {
  readonly tenants: Tenants
  /** The agents stand in a later row: joined where the gateway is composed. */
  readonly agentsOf: (tenantId: TenantId) => Promise<readonly AgentView[]>
  readonly agentView: z.ZodType<AgentView>
  /** Whether the caller runs this gateway: a tenant does not choose its own plan. */
  readonly mayChoosePlan: (actor: Actor) => Promise<boolean>
}

export function tenantRoutes(deps: TenantRoutesDeps): Route[] {
  const present = async (tenant: Tenant): Promise<TenantView> => ({
    id: tenant.id,
    slug: tenant.slug,
    name: tenant.name,
    status: tenant.status,
    plan: tenant.plan,
    origins: tenant.origins,
    brand: tenant.brand,
    texts: tenant.texts,
    timezone: tenant.timezone,
    allowedTools: tenant.allowedTools,
    deniedTools: tenant.deniedTools,
    agents: await deps.agentsOf(tenant.id),
  })
  const reply = tenantView(deps.agentView)
  return [
    route({
      method: 'GET',
      path: '/v1/tenant',
      access: 'tenant.read',
      reply,
      summary: 'The tenant of the credential, with its agents',
      run: async (input) => ({ json: await present(await deps.tenants.of(input.tenantId).get()) }),
    }),
    route({
      method: 'PATCH',
      path: '/v1/tenant',
      access: 'tenant.write',
      reply,
      summary: 'Changes the tenant of the credential; its plan is changed by who runs the gateway',
      body: tenantPatch,
      async run({ tenantId, auth, body }) {
        if (body.plan !== undefined && !(await deps.mayChoosePlan(auth.actor)))
          throw new Problem('forbidden', 'A plan is not changed by the tenant itself.')
        return { json: await present(await deps.tenants.of(tenantId).change(body)) }
      },
    }),
    route({
      method: 'POST',
      path: '/v1/tenant/status',
      access: 'tenant.write',
      reply,
      summary: 'Suspends or reactivates the tenant; live sessions of a suspended tenant end within seconds',
      body: z.strictObject({ status: z.enum(['active', 'suspended']) }),
      run: async (input) => ({
        json: await present(await deps.tenants.of(input.tenantId).setStatus(input.body.status)),
      }),
    }),
  ]
}

const toolRule = z.union([z.literal('all'), z.array(z.string())])

function tenantView(agentView: z.ZodType<AgentView>) {
  return z
    .strictObject({
      id: z.string(),
      slug: z.string(),
      name: z.string(),
      status: z.enum(['active', 'suspended']),
      plan: z.enum(['free', 'pro', 'agency', 'enterprise']),
      origins: z.array(z.string()),
      brand: z.strictObject({ accent: z.string(), title: z.string(), logoUrl: z.string().exactOptional() }),
      texts: z.strictObject({
        greeting: z.string(),
        placeholder: z.string(),
        consent: z.string(),
        suggestions: z.array(z.string()),
      }),
      timezone: z.string(),
      allowedTools: z.strictObject({ widget: toolRule, api: toolRule, console: toolRule }),
      deniedTools: z.array(z.string()),
      agents: z.array(agentView),
    })
    .meta({ id: 'Tenant' }) satisfies z.ZodType<TenantView>
}
