// Credits and usage over HTTP, read only.

import { z } from 'zod'
import type { Ledger } from '../ledger/ledger.ts'
import { type Route, route } from '../platform/http.ts'
import type { Usage } from './usage.ts'

const day = z.iso.date()

export function usageRoutes(deps: { readonly ledger: Ledger; readonly usage: Usage }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/credits',
      access: 'credits.read',
      summary: 'Balance and holds of the tenant.',
      run: async ({ tenantId }) => ({ json: await deps.ledger.of(tenantId).credits() }),
    }),
    route({
      method: 'GET',
      path: '/v1/credits/entries',
      access: 'credits.read',
      summary: 'Ledger entries, newest first.',
      query: z.strictObject({
        cursor: z.string().max(128).optional(),
        limit: z.coerce.number().int().min(1).max(200).default(50),
      }),
      run: async ({ tenantId, query }) => ({
        json: await deps.ledger
          .of(tenantId)
          .entries({ limit: query.limit, ...(query.cursor === undefined ? {} : { cursor: query.cursor }) }),
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/usage/days',
      access: 'usage.read',
      summary: 'Seconds, tokens, cost and credits per day, channel and agent.',
      query: z.strictObject({ from: day, to: day }),
      run: async ({ tenantId, query }) => ({ json: { days: await deps.usage.days(tenantId, query) } }),
    }),
  ]
}
