// What a tenant shows to everyone: its catalogue and its conference. Read only, by the tenant's slug.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { Entities, TenantEntities } from './entities.ts'
import { price } from './product-routes.ts'
import { parseTime } from './program.ts'
import { conferenceReply, productStatsReply, productsReply, programReply, speakersReply } from './views.ts'

export interface EntityRoutesDeps {
  readonly entities: Entities
  /** Undefined for a slug nobody has and for a suspended tenant. Tenants stand beside this slice: joined in app.ts. */
  readonly tenantIdOf: (slug: string) => Promise<TenantId | undefined>
}

const params = z.object({ tenant: z.string().min(1).max(40) })
const productQuery = z.strictObject({
  query: z.string().max(300).optional(),
  color: z.string().max(40).optional(),
  category: z.string().max(60).optional(),
  minPrice: price.optional(),
  maxPrice: price.optional(),
})
const at = z.string().transform((text, context) => {
  const minutes = parseTime(text)
  if (minutes !== undefined) return minutes
  context.addIssue({ code: 'custom', message: 'a time such as 10:00' })
  return z.NEVER
})

export function entityRoutes(deps: EntityRoutesDeps): Route[] {
  const scope = async (slug: string): Promise<TenantEntities> => {
    const tenantId = await deps.tenantIdOf(slug)
    if (tenantId === undefined) throw new Problem('not_found')
    return deps.entities.of(tenantId)
  }
  return [...productRoutes(scope), ...eventRoutes(scope)]
}

type Scope = (slug: string) => Promise<TenantEntities>

function productRoutes(scope: Scope): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/public/:tenant/products',
      access: 'public',
      reply: productsReply,
      summary: 'Products that fit every given criterion, cheapest first',
      params,
      query: productQuery.extend({
        limit: z
          .string()
          .regex(/^[1-9]\d?$/)
          .transform(Number)
          .default(20),
      }),
      async run(input) {
        const { color, limit, ...rest } = input.query
        const tenant = await scope(input.params.tenant)
        return { json: { items: await tenant.products({ ...rest, colour: color }, limit) } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/public/:tenant/products/stats',
      access: 'public',
      reply: productStatsReply,
      summary: 'How many products fit, and their lowest, highest and average price',
      params,
      query: productQuery,
      async run(input) {
        const { color, ...rest } = input.query
        return { json: await (await scope(input.params.tenant)).stats({ ...rest, colour: color }) }
      },
    }),
  ]
}

function eventRoutes(scope: Scope): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/public/:tenant/event',
      access: 'public',
      reply: conferenceReply,
      summary: 'The upcoming conference: name, place, dates, tickets',
      params,
      async run(input) {
        const event = await (await scope(input.params.tenant)).event()
        if (event === undefined) throw new Problem('not_found')
        return { json: event }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/public/:tenant/event/speakers',
      access: 'public',
      reply: speakersReply,
      summary: 'Speakers of the conference',
      params,
      query: z.strictObject({ name: z.string().max(80).optional() }),
      run: async (input) => ({
        json: { items: await (await scope(input.params.tenant)).speakers(input.query.name) },
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/public/:tenant/event/sessions',
      access: 'public',
      reply: programReply,
      summary: 'The program, in order; `at` gives the sessions running at that local time',
      params,
      query: z.strictObject({
        at: at.optional(),
        day: z.iso.date().optional(),
        track: z.string().max(60).optional(),
        speaker: z.string().max(80).optional(),
      }),
      async run(input) {
        const { at: atMinutes, ...rest } = input.query
        return { json: { items: await (await scope(input.params.tenant)).program({ ...rest, atMinutes }) } }
      },
    }),
  ]
}
