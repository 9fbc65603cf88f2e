// What an agent can do. Owns the tenants' tool descriptors and the one result of every call. A call answers always:
// with a result, or with an error the model can read; it never throws into a session and never outlasts ten seconds.

import type { Db } from 'mongodb'
import type { Brief } from '../agents/agents.ts'
import type { EngineTool } from '../engines/engines.ts'
import type { Entities } from '../entities/entities.ts'
import type { Events } from '../events/events.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import { createKinds, type Kinds, toolKinds } from './kinds.ts'
import { failure, type ToolOutput } from './output.ts'
import { type AgentAuth, createRunner, type ToolRun } from './runner.ts'
import { resultStore, type ToolDescriptor, toolStore } from './store.ts'

export type { ToolOutput } from './output.ts'
export type { ToolRun } from './runner.ts'
export type { ToolDescriptor } from './store.ts'

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
  /** Which of these only read; names nobody described are missing. */
  readOnly(tenantId: TenantId, names: readonly string[]): Promise<ReadonlyMap<string, boolean>>
  /** One result per session and call id: asking again gives the same. Never throws. */
  run(call: ToolRun): Promise<ToolOutput>
}

/**
 * Whether a person has to approve the call first: all of a supervised agent's, and those that its config names. There is
 * nobody to ask yet: such a call is answered with `needsPerson` and does not run.
 */
export function needsApproval(brief: Pick<Brief, 'autonomyLevel' | 'requireApprovalFor'>, name: string): boolean {
  return brief.autonomyLevel === 'supervised' || brief.requireApprovalFor.includes(name)
}

/** What a call is answered with that does not run. */
export function refusedCall(code: string, message: string): ToolOutput {
  return failure(code, message)
}

export const needsPerson: ToolOutput = refusedCall(
  'needs_approval',
  'A person has to approve this first. Say that somebody will see to it.',
)

export const toolCollections: readonly CollectionSpec[] = [toolStore.spec, resultStore.spec]

export interface ToolsDeps {
  readonly db: Db
  readonly entities: Entities
  readonly events: Events
  readonly agentAuth: AgentAuth
  readonly knowledge: Knowledge
  readonly log: Log
  readonly clock?: Clock
}

export function createTools(deps: ToolsDeps): Tools {
  const stored = toolStore.open(deps.db)
  const kinds = createKinds(deps)
  const builtins = builtinTools.map((each) => descriptorOf(kinds, each))
  const store: typeof stored = {
    ...stored,
    /** A tenant's own tool of the same name goes before ours. */
    async named(tenantId, names) {
      const own = await stored.named(tenantId, names)
      const has = new Set(own.map((each) => each.name))
      return [...own, ...builtins.filter((each) => names.includes(each.name) && !has.has(each.name))]
    },
  }
  const runner = createRunner({
    tools: store,
    results: resultStore.open(deps.db),
    kinds,
    log: deps.log,
    agentAuth: deps.agentAuth,
    clock: deps.clock ?? systemClock,
  })
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
    async readOnly(tenantId, names) {
      return new Map((await store.named(tenantId, names)).map((each) => [each.name, each.readOnly]))
    },
    run: (call) => runner.run(call),
  }
}

/** What every tenant's agents may be given, without anybody having described it. */
const builtinTools: readonly NewTool[] = [
  {
    name: 'search_system_knowledge',
    kind: 'system.search',
    description:
      'Looks up general methods of marketing, sales and strategy (positioning, funnels, discovery, objections, negotiation, pricing, goals). Knows nothing about this business.',
  },
]

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
