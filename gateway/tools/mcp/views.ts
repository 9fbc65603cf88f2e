// What the routes of MCP servers answer with.

import { z } from 'zod'
import { type McpServer, toolStates } from './store.ts'

const serverTool = z.strictObject({
  name: z.string().describe('As models call it.'),
  remote: z.string().describe('As the server calls it.'),
  description: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  readOnlyHint: z.boolean().describe('The server’s own word: nothing is decided by it.'),
  hash: z.string().describe('Of description and parameters. To be named when a change is accepted.'),
  state: z
    .enum(toolStates)
    .describe('`changed`: described differently than was accepted; `gone`: not listed any more. Both are off.'),
  accepted: z
    .strictObject({ description: z.string(), parameters: z.record(z.string(), z.unknown()) })
    .nullable()
    .describe('What was accepted, of a tool that has changed.'),
})

export const mcpServerView = z
  .strictObject({
    ...{ id: z.string(), name: z.string(), url: z.string().nullable(), process: z.string().nullable() },
    auth: z.strictObject({ header: z.string(), prefix: z.string(), secret: z.string() }).nullable(),
    isOn: z.boolean(),
    ...{ only: z.array(z.string()).nullable(), not: z.array(z.string()).nullable() },
    version: z.string().nullable().describe('Of the protocol, at the last listing.'),
    listedAt: z.iso.datetime().nullable(),
    error: z.string().nullable().describe('Why the last listing failed.'),
    tools: z.array(serverTool),
    leftOut: z.array(z.strictObject({ tool: z.string(), why: z.string() })),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'McpServer' })
export type McpServerView = z.output<typeof mcpServerView>

export const processesReply = z.strictObject({ items: z.array(z.strictObject({ name: z.string() })) })

export function presentServer({ revision: _, listedAt, createdAt, tools, ...rest }: McpServer): McpServerView {
  return {
    ...rest,
    ...{ only: rest.only === null ? null : [...rest.only], not: rest.not === null ? null : [...rest.not] },
    leftOut: [...rest.leftOut],
    listedAt: listedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    tools: tools.map(({ held, ...tool }) => ({
      ...tool,
      accepted:
        held === undefined || tool.state !== 'changed'
          ? null
          : { description: held.description, parameters: { ...held.parameters } },
    })),
  }
}
