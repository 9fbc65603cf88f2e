// What an agent can do. Owns the tenants' tool descriptors and the one result of every call. A call answers always:
// with a result, or with an error the model can read; it never throws into a session and never outlasts ten seconds.

import type { Db } from 'mongodb'
import type { EngineTool } from '../engines/engines.ts'
import type { Entities } from '../entities/entities.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import type { Channel } from '../protocol/turn.ts'
import { createKinds, type Kinds, type Prepared, toolKinds } from './kinds.ts'
import { failure, success, type ToolOutput } from './output.ts'
import { resultStore, type ToolDescriptor, toolStore } from './store.ts'

export type { ToolKind } from './kinds.ts'
export type { ToolOutput } from './output.ts'
export type { ToolDescriptor } from './store.ts'

export interface ToolRun {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly callId: string
  readonly name: string
  /** JSON text, as the model wrote it. */
  readonly arguments: string
  /** The brief's tools: anything else is refused. */
  readonly allowed: readonly string[]
  readonly channel?: Channel
}

export type NewTool = Pick<ToolDescriptor, 'name' | 'description' | 'kind'> & Partial<ToolDescriptor>

export interface TenantTools {
  /** Inserts or replaces by name. `parameters` default to the kind's own, cost to none. */
  put(tools: readonly NewTool[]): Promise<void>
  list(): Promise<readonly ToolDescriptor[]>
}

export interface Tools {
  of(tenantId: TenantId): TenantTools
  /** Descriptors for the engine, in the order of the names; names nobody described are left out. */
  brief(tenantId: TenantId, names: readonly string[]): Promise<readonly EngineTool[]>
  /** One result per session and call id: asking again gives the same. Never throws. */
  run(call: ToolRun): Promise<ToolOutput>
}

export const toolCollections: readonly CollectionSpec[] = [toolStore.spec, resultStore.spec]

/** Beyond it the person has long stopped waiting. */
export const toolTimeoutMs = 10_000
const argumentChars = 16 * 1024

export interface ToolsDeps {
  readonly db: Db
  readonly entities: Entities
  readonly knowledge: Knowledge
  readonly log: Log
  readonly clock?: Clock
}

export function createTools(deps: ToolsDeps): Tools {
  const store = toolStore.open(deps.db)
  const results = resultStore.open(deps.db)
  const kinds = createKinds(deps)
  const clock = deps.clock ?? systemClock
  const running = new Map<string, Promise<ToolOutput>>()

  const keep = (call: ToolRun, result: ToolOutput) =>
    results.keep(keyOf(call), {
      name: call.name,
      ...(call.channel === undefined ? {} : { channel: call.channel }),
      ...result,
    })

  async function execute(call: ToolRun): Promise<ToolOutput> {
    const [known, [tool]] = await Promise.all([results.find(keyOf(call)), store.named(call.tenantId, [call.name])])
    if (known !== undefined) return known
    // The same words for a tool that is not there and one that is not allowed: nothing to find out.
    if (tool === undefined || !call.allowed.includes(call.name)) {
      return failure('unknown_tool', 'There is no such tool here.')
    }
    const args = parseArguments(call.arguments)
    const prepared: Prepared =
      args === undefined
        ? { is: 'invalid', issues: [{ path: '', message: 'not a JSON object' }] }
        : kinds[tool.kind].prepare(args)
    const result =
      prepared.is === 'invalid'
        ? failure('invalid_arguments', 'The arguments do not fit the tool.', prepared.issues)
        : success(await prepared.run(call.tenantId))
    return keep(call, result)
  }

  async function guarded(call: ToolRun): Promise<ToolOutput> {
    const tell = (error: unknown, what: string) =>
      deps.log.warn({ err: error, tenantId: call.tenantId, sessionId: call.sessionId, tool: call.name }, what)
    const late = Promise.withResolvers<ToolOutput>()
    const timer = clock.after(toolTimeoutMs, () => {
      const result = failure('timeout', 'The tool took too long.')
      late.resolve(result)
      // The model was told: a result that comes after all must not become a second answer.
      keep(call, result).catch((error: unknown) => tell(error, 'tool result not kept'))
    })
    try {
      return await Promise.race([execute(call), late.promise])
    } catch (error) {
      tell(error, 'tool failed')
      return failure('failed', 'The tool does not work right now.')
    } finally {
      timer.cancel()
    }
  }

  return {
    of: (tenantId) => ({
      put: (tools) =>
        store.put(
          tenantId,
          tools.map((each) => descriptorOf(kinds, each)),
        ),
      list: () => store.list(tenantId),
    }),
    async brief(tenantId, names) {
      const known = new Map((await store.named(tenantId, names)).map((each) => [each.name, each]))
      return names.flatMap((name) => {
        const tool = known.get(name)
        return tool === undefined ? [] : [{ name, description: tool.description, parameters: tool.parameters }]
      })
    },
    run(call) {
      const key = JSON.stringify([call.tenantId, call.sessionId, call.callId])
      const same = running.get(key)
      if (same !== undefined) return same
      const result = guarded(call).finally(() => running.delete(key))
      running.set(key, result)
      return result
    },
  }
}

function descriptorOf(kinds: Kinds, tool: NewTool): ToolDescriptor {
  const known: readonly string[] = toolKinds
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(tool.name) || !known.includes(tool.kind)) {
    throw new Problem('invalid', `The tool ${tool.name.slice(0, 64)} has a wrong name or kind.`)
  }
  return {
    name: tool.name,
    description: tool.description,
    kind: tool.kind,
    parameters: tool.parameters ?? kinds[tool.kind].parameters,
    creditCostMicro: tool.creditCostMicro ?? 0,
    readOnly: tool.readOnly ?? true,
  }
}

const keyOf = ({ tenantId, sessionId, callId }: ToolRun) => ({ tenantId, sessionId, callId })

/** No text at all means no arguments. Undefined: not a JSON object. */
function parseArguments(text: string): object | undefined {
  if (text.trim() === '') return {}
  if (text.length > argumentChars) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
