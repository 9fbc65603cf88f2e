// MCP servers over HTTP: named, listed again, their tools looked at and accepted, taken away.

import { z } from 'zod'
import { type Route, route } from '../../platform/http.ts'
import type { TenantId } from '../../platform/ids.ts'
import { pageOf, pageQuery } from '../../platform/page.ts'
import type { Mcp } from './mcp.ts'
import { mcpServerView, presentServer, processesReply } from './views.ts'

const name = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'lower-case letters, digits and inner hyphens')
  .max(24)
const header = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'the name of a header')
/** What the protocol and the connection say themselves. */
const notThese = /^(host|connection|content-.*|accept.*|transfer-encoding|mcp-.*|cookie|parley-.*)$/i
const auth = z.strictObject({
  header: header.refine((text) => !notThese.test(text), 'not a header for credentials').default('authorization'),
  prefix: z
    .string()
    .regex(/^[\x20-\x7e]{0,32}$/)
    .default('Bearer '),
  secret: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'the name of a secret'),
})
const remoteNames = z.array(z.string().min(1).max(200)).max(100)
const settings = {
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullable(),
  process: z.string().min(1).max(40).nullable().describe('One of those that this gateway offers.'),
  auth: auth.nullable(),
  isOn: z.boolean(),
  only: remoteNames.nullable().describe('The server’s names of the tools that are wanted.'),
  not: remoteNames.nullable(),
}
const change = z.strictObject(settings).partial()
const byId = z.strictObject({ id: z.string().min(1).max(64) })
const page = z.strictObject({ ...pageQuery, cursor: name.optional() })

export function mcpRoutes({ mcp }: { readonly mcp: Mcp }): Route[] {
  const of = (tenantId: TenantId) => mcp.of(tenantId)
  return [
    route({
      method: 'GET',
      path: '/v1/mcp-servers',
      access: 'tools.read',
      summary: 'MCP servers whose tools the tenant uses, by name.',
      query: page,
      reply: pageOf(mcpServerView),
      async run({ tenantId, query }) {
        const { items, next } = await of(tenantId).list(query)
        return { json: { items: items.map(presentServer), next } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/mcp-processes',
      access: 'tools.read',
      summary: 'MCP servers that run beside this gateway and that the tenant may use.',
      reply: processesReply,
      run: async ({ tenantId }) => ({
        json: { items: (await mcp.processes(tenantId)).map((each) => ({ name: each })) },
      }),
    }),
    route({
      method: 'POST',
      path: '/v1/mcp-servers',
      access: 'tools.write',
      status: 201,
      summary: 'Adds an MCP server and lists its tools; each becomes a tool `<name>__<tool>` of the tenant.',
      body: change.extend({ name }),
      reply: mcpServerView,
      run: async ({ tenantId, body }) => ({ json: presentServer(await of(tenantId).create(body)) }),
    }),
    route({
      method: 'GET',
      path: '/v1/mcp-servers/:id',
      access: 'tools.read',
      summary: 'One MCP server with what it lists.',
      params: byId,
      reply: mcpServerView,
      run: async ({ tenantId, params }) => ({ json: presentServer(await of(tenantId).get(params.id)) }),
    }),
    route({
      method: 'PATCH',
      path: '/v1/mcp-servers/:id',
      access: 'tools.write',
      summary: 'Changes where an MCP server is, what is wanted of it, or whether it is on; lists it again.',
      params: byId,
      body: change,
      reply: mcpServerView,
      run: async ({ tenantId, params, body }) => ({ json: presentServer(await of(tenantId).change(params.id, body)) }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/mcp-servers/:id',
      access: 'tools.write',
      summary: 'Takes an MCP server and its tools away.',
      params: byId,
      async run({ tenantId, params }) {
        await of(tenantId).remove(params.id)
        return {}
      },
    }),
    ...toolRoutes(mcp),
  ]
}

function toolRoutes(mcp: Mcp): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/mcp-servers/:id/refresh',
      access: 'tools.write',
      summary: 'Lists an MCP server again. A tool that it describes differently is off until it is accepted.',
      params: byId,
      reply: mcpServerView,
      run: async ({ tenantId, params }) => ({ json: presentServer(await mcp.of(tenantId).refresh(params.id)) }),
    }),
    route({
      method: 'PATCH',
      path: '/v1/mcp-servers/:id/tools/:tool',
      access: 'tools.write',
      summary: 'Accepts what a server says of a tool, puts the tool on or off, or says that it only reads.',
      params: byId.extend({ tool: z.string().min(1).max(64) }),
      body: z.strictObject({
        accept: z.string().max(64).optional().describe('The hash that was looked at.'),
        state: z.enum(['on', 'off']).optional(),
        readOnly: z.boolean().optional(),
      }),
      reply: mcpServerView,
      run: async ({ tenantId, params, body }) => ({
        json: presentServer(await mcp.of(tenantId).decide(params.id, params.tool, body)),
      }),
    }),
  ]
}
