// Approvals over HTTP: the queue, and the decisions.

import { z } from 'zod'
import type { AuthContext } from '../../platform/access.ts'
import { type Route, route } from '../../platform/http.ts'
import { pageOf, pageQuery } from '../../platform/page.ts'
import { found, Problem } from '../../platform/problem.ts'
import { approvalStates } from '../../protocol/approvals.ts'
import type { Approvals } from './approvals.ts'
import { approvalDetail, approvalView } from './views.ts'

const filter = {
  state: z
    .enum([...approvalStates, 'decided'])
    .optional()
    .describe('`decided`: all but what is pending.'),
  agentId: z.string().min(1).max(80).optional(),
  conversationId: z.string().min(1).max(80).optional(),
}
const byId = z.strictObject({ id: z.string().max(80) })
const decides = { method: 'POST', access: 'approvals.decide', reply: approvalDetail, params: byId } as const

export function approvalRoutes({ approvals }: { readonly approvals: Approvals }): Route[] {
  const as = (auth: AuthContext) => approvals.of(auth.tenantId).as(auth)
  return [
    route({
      method: 'GET',
      path: '/v1/approvals',
      access: 'approvals.read',
      reply: pageOf(approvalView),
      summary: 'Calls of tools that wait for a person, and what came of those before, newest first.',
      query: z.strictObject({ ...pageQuery, ...filter }),
      run: async ({ auth, query: { limit, cursor, ...asked } }) => ({
        json: await as(auth).list({ limit, cursor, ...allowed(auth, asked) }),
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/approvals/:id',
      access: 'approvals.read',
      reply: approvalDetail,
      summary: 'One of them, with the schema of its arguments.',
      params: byId,
      run: async ({ auth, params }) => ({ json: found(await as(auth).get(params.id)) }),
    }),
    route({
      ...decides,
      path: '/v1/approvals/:id/approve',
      summary:
        'Lets the call run, five seconds later; with other arguments, if they fit. Again it is the same; after another decision a `conflict`.',
      body: z.strictObject({
        arguments: z.record(z.string().max(200), z.unknown()).optional(),
        note: z.string().trim().min(1).max(1_000).optional(),
      }),
      run: async ({ auth, params, body }) => ({ json: await as(auth).approve(params.id, body) }),
    }),
    route({
      ...decides,
      path: '/v1/approvals/:id/reject',
      summary: 'Refuses the call. The reason is told to the person on the other side.',
      body: z.strictObject({ reason: z.string().trim().min(1).max(1_000).optional() }),
      run: async ({ auth, params, body }) => ({ json: await as(auth).reject(params.id, body) }),
    }),
    route({
      ...decides,
      path: '/v1/approvals/:id/undo',
      summary: 'Takes an approval back, as long as the call has not begun to run.',
      run: async ({ auth, params }) => ({ json: await as(auth).undo(params.id) }),
    }),
  ]
}

/** A masked field cannot be asked about. */
function allowed<F extends object>(auth: AuthContext, asked: F): F {
  for (const [name, value] of Object.entries(asked))
    if (value !== undefined && !auth.sees('approvals', name))
      throw new Problem('forbidden', `Approvals cannot be filtered by ${name} here.`)
  return asked
}
