// The catalogue for whoever may read it: also what the tools of the demo shop ask.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import type { Entities } from './entities.ts'
import { callerProductsReply, productStatsReply } from './views.ts'

export const price = z
  .string()
  .regex(/^\d{1,7}(\.\d{1,2})?$/)
  .transform(Number)

const productQuery = z.strictObject({
  query: z.string().max(300).optional().describe('As people say it, e.g. red sofa under 500.'),
  colour: z.string().max(80).optional(),
  category: z.string().max(80).optional(),
  minPrice: price.optional(),
  maxPrice: price.optional(),
})
const limit = z
  .string()
  .regex(/^[1-9]\d?$/)
  .transform(Number)
  .default(8)

export function productRoutes({ entities }: { readonly entities: Entities }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/products/search',
      access: 'entities.read',
      reply: callerProductsReply,
      summary: 'Products that fit every given criterion, cheapest first.',
      query: productQuery.extend({ limit }),
      async run({ auth, query: { limit: most, ...query } }) {
        return { json: { items: await entities.of(auth.tenantId).as(auth).products(query, most) } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/products/stats',
      access: 'entities.read',
      reply: productStatsReply,
      summary: 'How many products fit, and their lowest, highest and average price, also by category.',
      query: productQuery,
      run: async ({ auth, query }) => ({ json: await entities.of(auth.tenantId).as(auth).productStats(query) }),
    }),
  ]
}
