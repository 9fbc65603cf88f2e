// Tools over HTTP: what an agent may be given, and the tenant's own descriptors.

import { z } from 'zod'
import { type Route, route } from '../platform/http.ts'
import { found, Problem } from '../platform/problem.ts'
import { retryRules, toolCategories } from './tool.ts'
import type { Tools } from './tools.ts'
import { presentTool, toolView } from './views.ts'

const name = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'letters, digits, dashes and underscores, 64 at most')
const byName = z.strictObject({ name })
const anyObject = z.record(z.string(), z.unknown())

/** A descriptor as somebody writes it. What is built in may be given another name, other words and a price. */
export const newTool = z.strictObject({
  kind: z.string().min(1).max(64).describe('Of a built-in tool, or `http`, `mcp`, `client`, `code`.'),
  description: z.string().trim().min(1).max(1_000),
  instructions: z.string().max(4_000).exactOptional(),
  parameters: anyObject.exactOptional(),
  spec: anyObject.exactOptional(),
  category: z.enum(toolCategories).exactOptional(),
  readOnly: z.boolean().exactOptional(),
  retry: z.enum(retryRules).exactOptional(),
  creditCostMicro: z.int().min(0).max(1_000_000_000_000).nullable().exactOptional(),
  timeoutMs: z.int().min(500).max(60_000).exactOptional(),
})

export function toolRoutes({ tools }: { readonly tools: Tools }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/tools',
      access: 'tools.read',
      reply: z.strictObject({ items: z.array(toolView), next: z.null() }),
      summary: 'Every tool that an agent of the tenant may be given: its own, then what comes with the gateway.',
      run: async ({ tenantId }) => ({
        json: { items: (await tools.of(tenantId).all()).map(presentTool), next: null },
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/tools/:name',
      access: 'tools.read',
      reply: toolView,
      summary: 'One tool.',
      params: byName,
      run: async ({ tenantId, params }) => ({ json: presentTool(found(await tools.of(tenantId).get(params.name))) }),
    }),
    route({
      method: 'PUT',
      path: '/v1/tools/:name',
      access: 'tools.write',
      reply: toolView,
      summary:
        'Makes a tool of the tenant’s own, or replaces it. Agents that have its name get it with their next call.',
      params: byName,
      body: newTool,
      async run({ tenantId, params, body }) {
        const mine = tools.of(tenantId)
        await mine.put([{ ...body, name: params.name }])
        return { json: presentTool(found(await mine.get(params.name))) }
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/tools/:name',
      access: 'tools.write',
      summary: 'Removes a tool of the tenant’s own. Agents that name it go on without it.',
      params: byName,
      async run({ tenantId, params }) {
        if (!(await tools.of(tenantId).remove(params.name))) throw new Problem('not_found')
        return {}
      },
    }),
  ]
}
