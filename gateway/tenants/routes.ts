// HTTP of the tenant a credential belongs to.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import type { TenantId } from '../platform/ids.ts'
import type { AgentView, TenantView } from '../protocol/rest.ts'
import type { Tenant, Tenants } from './tenants.ts'

export interface TenantRoutesDeps {
  readonly tenants: Tenants
  /** The agents stand in a later row: joined where the gateway is composed. */
  readonly agentsOf: (tenantId: TenantId) => Promise<readonly AgentView[]>
  readonly agentView: z.ZodType<AgentView>
}

export function tenantRoutes(deps: TenantRoutesDeps): Route[] {
  const present = async (tenant: Tenant): Promise<TenantView> => ({
    id: tenant.id,
    slug: tenant.slug,
    name: tenant.name,
    status: tenant.status,
    plan: tenant.plan,
    origins: tenant.origins,
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

function tenantView(agentView: z.ZodType<AgentView>) {
  return z
    .strictObject({
      id: z.string(),
      slug: z.string(),
      name: z.string(),
      status: z.enum(['active', 'suspended']),
      plan: z.enum(['free', 'pro', 'agency', 'enterprise']),
      origins: z.array(z.string()),
      agents: z.array(agentView),
    })
    .meta({ id: 'Tenant' }) satisfies z.ZodType<TenantView>
}
