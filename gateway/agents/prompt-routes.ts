// The prompt library over HTTP.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import { pageOf } from '../platform/page.ts'
import { found } from '../platform/problem.ts'
import type { Agents } from './agents.ts'
import { libraryPrompt } from './views.ts'

const atPosition = z.strictObject({ position: z.coerce.number().int().min(0).max(99) })

export function promptRoutes(agents: Agents): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/prompts',
      access: 'agents.read',
      reply: pageOf(libraryPrompt),
      summary:
        'The tenant’s prompts in order, then the shared ones; `selected` is the one that agents with `library` get.',
      run: async ({ tenantId }) => ({ json: { items: await agents.of(tenantId).prompts(), next: null } }),
    }),
    route({
      method: 'PUT',
      path: '/v1/prompts/:position',
      access: 'agents.deploy',
      reply: libraryPrompt,
      summary:
        'A prompt of the tenant’s own. The first of them stands before what agents with `library` are told, at once.',
      params: atPosition,
      body: z.strictObject({ name: z.string().trim().min(1).max(120), base: z.string().trim().min(1).max(32_000) }),
      async run({ tenantId, params, body }) {
        await agents.of(tenantId).putPrompt(params.position, body)
        const own = (await agents.of(tenantId).prompts()).find(
          (each) => !each.shared && each.position === params.position,
        )
        return { json: found(own) }
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/prompts/:position',
      access: 'agents.deploy',
      summary: 'Takes one of the tenant’s own prompts out; without any, the first shared one is selected.',
      params: atPosition,
      async run({ tenantId, params }) {
        await agents.of(tenantId).removePrompt(params.position)
        return {}
      },
    }),
  ]
}
