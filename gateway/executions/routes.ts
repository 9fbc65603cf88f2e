// Executions over HTTP, read only.

import { z } from 'zod'
import type { AuthContext } from '../platform/access.ts'
import { type Route, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { found, Problem } from '../platform/problem.ts'
import type { ExecutionFilter, Executions } from './executions.ts'
import { executionStats, executionView } from './views.ts'

const filter = {
  agentId: z.string().min(1).max(80).optional(),
  conversationId: z.string().min(1).max(80).optional(),
  status: z.enum(['completed', 'failed', 'cancelled']).optional(),
  model: z.string().min(1).max(120).optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
}
type Asked = z.output<z.ZodObject<typeof filter>>

export function executionRoutes({ executions }: { readonly executions: Executions }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/executions',
      access: 'executions.read',
      reply: pageOf(executionView),
      summary: 'Runs of agents with their tokens, time and cost, newest first.',
      query: z.strictObject({ ...pageQuery, ...filter }),
      run: async ({ auth, query: { limit, cursor, ...asked } }) => ({
        json: await executions
          .of(auth.tenantId)
          .as(auth)
          .list({ limit, cursor, ...allowed(auth, asked) }),
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/executions/stats',
      access: 'executions.read',
      reply: executionStats,
      summary: 'Sums over the runs, in all and by agent, model and day.',
      query: z.strictObject(filter),
      run: async ({ auth, query }) => ({
        json: await executions.of(auth.tenantId).as(auth).getStats(allowed(auth, query)),
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/executions/:id',
      access: 'executions.read',
      reply: executionView,
      summary: 'One run.',
      params: z.strictObject({ id: z.string().max(80) }),
      run: async ({ auth, params }) => ({
        json: found(await executions.of(auth.tenantId).as(auth).get(params.id)),
      }),
    }),
  ]
}

/** A masked field cannot be asked about. */
function allowed(auth: AuthContext, { from, to, ...rest }: Asked): ExecutionFilter {
  for (const name of [...Object.keys(rest), ...(from === undefined && to === undefined ? [] : ['at'])])
    if (!auth.sees('executions', name)) throw new Problem('forbidden', `Runs cannot be filtered by ${name} here.`)
  return {
    ...rest,
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
  }
}
