// Runs tools of MCP servers: one call, on a connection that is shared, bounded in time and size.

import { z } from 'zod'
import type { TenantId } from '../../platform/ids.ts'
import { found, Problem } from '../../platform/problem.ts'
import { EffectUnknown, type Executor, type JsonObject, type ToolContext, type ToolResult } from '../tool.ts'
import type { Called, Connection } from './connection.ts'
import type { Pool, Target } from './pool.ts'
import { toolResult } from './result.ts'
import type { McpServer, mcpServerStore } from './store.ts'
import { mcpKind } from './sync.ts'

const spec = z.strictObject({ server: z.string().max(64), tool: z.string().max(200), hash: z.string().max(64) })

export interface McpExecutorDeps {
  readonly store: Pick<ReturnType<typeof mcpServerStore.open>, 'byId'>
  readonly pool: Pool
  readonly targetOf: (tenantId: TenantId, server: McpServer) => Promise<Target>
  /** Values that no answer may hold. */
  readonly secretsOf: (tenantId: TenantId, server: McpServer) => Promise<readonly string[]>
}

export function mcpExecutor(deps: McpExecutorDeps): Executor {
  const listed = async (tenantId: TenantId, given: z.output<typeof spec>): Promise<McpServer> => {
    const server = found(await deps.store.byId(tenantId, given.server))
    const tool = found(server.tools.find((each) => each.remote === given.tool && each.state !== 'gone'))
    if (tool.hash !== given.hash)
      throw new Problem('conflict', 'The server has changed this tool: somebody has to accept that first.')
    return server
  }
  return {
    kind: mcpKind,
    async check(given, tenantId) {
      const parsed = spec.safeParse(given)
      if (!parsed.success) throw new Problem('invalid', 'Tools of MCP servers are made by listing the server.')
      await listed(tenantId, parsed.data)
      return parsed.data
    },
    async run(tool, args, context) {
      const given = spec.parse(tool.spec)
      const server = await listed(context.tenantId, given)
      if (!server.isOn) throw new Problem('unavailable', 'This server is switched off.')
      const target = await deps.targetOf(context.tenantId, server)
      const call = { tool: { name: given.tool, parameters: tool.parameters }, args, context }
      const called = await calledOn(deps.pool, target, call)
      return answerOf(called, await deps.secretsOf(context.tenantId, server))
    },
  }
}

interface Call {
  readonly tool: { readonly name: string; readonly parameters: JsonObject }
  readonly args: JsonObject
  readonly context: ToolContext
}

async function calledOn(pool: Pool, target: Target, { tool, args, context }: Call): Promise<Called> {
  const once = () =>
    pool.use(target, context.signal, async (connection: Connection) => {
      const called = await connection.call(tool, args, context.signal)
      // A connection on which a call was lost is not trusted with the next one.
      if (called.is === 'forgot' || called.is === 'unsent') await connection.end()
      return called
    })
  const first = await once()
  // The server has started anew and knows nothing of our session: the call was not taken.
  return first.is === 'forgot' ? once() : first
}

function answerOf(called: Called, secrets: readonly string[]): ToolResult {
  switch (called.is) {
    case 'answered':
      return toolResult(called.result, secrets)
    case 'refused':
      return { error: { code: 'refused', message: `The server refused the call: ${called.words}.` } }
    case 'unknown':
      throw new EffectUnknown(`The call was sent and its answer lost: ${called.words}.`)
    default:
      throw new Problem('unavailable', `The server could not be asked: ${called.words}.`)
  }
}
