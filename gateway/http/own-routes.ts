// Routes that belong to no slice: health, the demo page's tenants, and the document of all.

import { z } from 'zod'
import { type Door, type Route, route } from '../platform/http.ts'
import { openApiRoutes } from './openapi/openapi.ts'
import type { Site } from './site.ts'

export interface OwnRoutesDeps {
  readonly routes: readonly Route[]
  readonly doors: readonly Door[]
  /** Of the gateway, in the document. */
  readonly version: string
  readonly site: Pick<Site, 'demoTenants'>
  readonly health: () => Promise<{ readonly ready: boolean; readonly checks: Readonly<Record<string, string>> }>
}

/** The whole table: the slices' routes and these. */
export function withOwnRoutes(deps: OwnRoutesDeps): readonly Route[] {
  const routes = [...deps.routes, ...healthRoutes(deps), demoRoute(deps.site)]
  return [...routes, ...openApiRoutes({ ...deps, routes })]
}

const health = z
  .strictObject({ status: z.enum(['ready', 'not_ready']), checks: z.record(z.string(), z.string()) })
  .meta({ id: 'Health' })
const readiness = { reply: health, replies: [{ type: 'application/json', status: 503, schema: health }] } as const

function healthRoutes(deps: Pick<OwnRoutesDeps, 'health'>): Route[] {
  const ready = async () => {
    const { ready: isReady, checks } = await deps.health()
    return { status: isReady ? 200 : 503, json: { status: isReady ? 'ready' : 'not_ready', checks } }
  }
  return [
    route({
      method: 'GET',
      path: '/health/live',
      access: 'public',
      summary: 'The process runs.',
      reply: z.strictObject({ status: z.literal('live') }),
      run: async () => ({ json: { status: 'live' } }),
    }),
    route({
      method: 'GET',
      path: '/health/ready',
      access: 'public',
      summary: 'The process can take sessions.',
      ...readiness,
      run: ready,
    }),
    route({
      method: 'GET',
      path: '/health',
      access: 'public',
      summary: 'State of the gateway and what is on or off.',
      ...readiness,
      run: ready,
    }),
  ]
}

const demoTenant = z.strictObject({
  slug: z.string(),
  name: z.string(),
  agent: z.string(),
  key: z.string(),
  accent: z.string(),
  blurb: z.string(),
})

function demoRoute(site: Pick<Site, 'demoTenants'>): Route {
  return route({
    method: 'GET',
    path: '/v1/demo/tenants',
    access: 'public',
    summary: 'Tenants of the demo page; none when the demo is off',
    reply: z.array(demoTenant),
    run: async () => ({ json: await site.demoTenants() }),
  })
}
