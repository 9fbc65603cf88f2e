// What an agent can do. Owns the tenants' tool descriptors and the one result of every call. A call answers always:
// with a result, or with an error the model can read; it never throws into a session and never outlasts its tool's time.

import type { Db } from 'mongodb'
import type { Brief } from '../agents/agents.ts'
import type { EngineTool } from '../engines/engines.ts'
import type { Actor } from '../platform/access.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { found } from '../platform/problem.ts'
import { approvalSpec } from './approvals/store.ts'
import { type BuiltinDeps, type BuiltinMaking, builtinCollections, createBuiltins } from './builtin/builtin.ts'
import { jobHandlers } from './builtin/jobs.ts'
import { citedIn, renumbered } from './citations.ts'
import { clientCollections, clientTools } from './client/client.ts'
import { type PageActions, pageExecutor } from './client/page-actions.ts'
import { instructionsOf, resultsAreData } from './instructions.ts'
import { failure, hasRun, stateInTurn, type ToolOutput } from './output.ts'
import type { CallPolicy } from './permission.ts'
import { createQueue } from './queue/queue.ts'
import { createRegistry, type NewTool, type Tool } from './registry.ts'
import { type ApprovedRun, createRunner, type Park, type Rights, type ToolRun } from './runner.ts'
import { callStore, type ToolDescriptor, toolStore } from './store.ts'
import type { Executor } from './tool.ts'

export type { Approvals, Outcome } from './approvals/approvals.ts'
export type { ActionAnswer, PageAction, PageActions } from './client/page-actions.ts'
export type { ToolOutput } from './output.ts'
export type { CallPolicy } from './permission.ts'
export type { NewTool, Tool } from './registry.ts'
export type { Park, Rights, ToolRun } from './runner.ts'
export type { Sequences } from './sequences/sequences.ts'
export type { ToolDescriptor } from './store.ts'
export type { Executor } from './tool.ts'

export interface TenantTools {
  /** Inserts or replaces by name. Throws `invalid`. */
  put(tools: readonly NewTool[]): Promise<void>
  /** The tenant's own, by name. */
  list(): Promise<readonly ToolDescriptor[]>
  /** Every tool that an agent of the tenant may be given: its own, then what is built in. */
  all(): Promise<readonly Tool[]>
  get(name: string): Promise<Tool | undefined>
  /** As `put` would store it, ready to be called; nothing is stored. Throws `invalid`. */
  checked(tool: NewTool): Promise<Tool>
  /** False: there was none of the tenant's own. */
  remove(name: string): Promise<boolean>
}

export interface Tools {
  of(tenantId: TenantId): TenantTools
  /** What an agent is offered; names nobody described are left out. */
  brief(tenantId: TenantId, brief: Pick<Brief, 'tools'> & CallPolicy): Promise<OfferedTools>
  /** Which of these only read; names nobody described are missing. */
  readOnly(tenantId: TenantId, names: readonly string[]): Promise<ReadonlyMap<string, boolean>>
  /** One result per session and call id: asking again gives the same. Never throws. */
  run(call: ToolRun): Promise<ToolOutput>
  /** The same of a call that a person approved: for approvals. */
  runApproved(call: ApprovedRun): Promise<ToolOutput>
  /** Does the tenants' jobs that are due. Returns how many. */
  sweepJobs(): Promise<number>
}

/** See citations.ts. */
export const citationsOf = citedIn
export const numberedFrom = renumbered

export interface OfferedTools {
  /** In the order of the brief's names, as engines want them. */
  readonly tools: readonly EngineTool[]
  /** What the prompt says of them: made of their descriptors and of who is asked first. Empty without tools. */
  readonly instructions: string
}

/** For tools that are not ours: a caller's own. */
export const toolsAreData = resultsAreData

export const didRun = hasRun
export const stateOf = stateInTurn

/** What a call is answered with that does not run. */
export function refusedCall(code: string, message: string): ToolOutput {
  return failure(code, message)
}

export const toolCollections: readonly CollectionSpec[] = [
  toolStore.spec,
  callStore.spec,
  approvalSpec,
  ...builtinCollections,
  ...clientCollections,
]

export interface ToolsDeps extends BuiltinDeps, Pick<BuiltinMaking, 'models' | 'outside'> {
  readonly rights: Rights
  readonly db: Db
  readonly log: Log
  readonly clock?: Clock
  readonly executors?: readonly Executor[]
  /** Where calls wait for a person. Left out: nobody is asked, and what needs a person does not run. */
  readonly park?: Park
  /** Hosts that what an agent shows may link to, with all below them. Empty: any. */
  readonly visualHosts?: readonly string[]
  /** Whoever holds the sessions. Left out: no page is there. */
  readonly pageActions?: PageActions
}

const gateway: Actor = { kind: 'system', id: 'system', name: 'Parley' }

const noPark: Park = async () =>
  refusedCall('needs_approval', 'A person has to approve this first. Say that somebody will see to it.')

export function createTools(deps: ToolsDeps): Tools {
  const store = toolStore.open(deps.db)
  const clock = deps.clock ?? systemClock
  const everything = (tenantId: TenantId) => deps.rights.system(tenantId, gateway)
  const queue = createQueue({ ...deps, clock, handlers: jobHandlers({ ...deps, everything }) })
  const builtins = createBuiltins({ ...deps, clock, queue, everything })
  const noPage: PageActions = async () => ({ is: 'no_page' })
  const registry = createRegistry({
    store,
    builtins: [...builtins, ...clientTools({ ...deps, visualHosts: deps.visualHosts ?? [] })],
    executors: [pageExecutor(deps.pageActions ?? noPage), ...(deps.executors ?? [])],
  })
  const runner = createRunner({
    ...deps,
    ...{ registry, calls: callStore.open(deps.db), clock, park: deps.park ?? noPark },
  })
  /** In the order of the names. */
  const named = async (tenantId: TenantId, names: readonly string[]): Promise<readonly Tool[]> => {
    const known = new Map((await registry.named(tenantId, names)).map((each) => [each.name, each]))
    return names.flatMap((name) => known.get(name) ?? [])
  }
  return {
    of: (tenantId) => ({
      async put(tools) {
        const checked = await Promise.all(tools.map((each) => registry.check(tenantId, each)))
        await store.put(tenantId, checked)
      },
      list: () => store.list(tenantId),
      checked: async (tool) => found(registry.own(await registry.check(tenantId, tool))),
      all: () => registry.list(tenantId),
      get: async (name) => (await registry.named(tenantId, [name]))[0],
      remove: (name) => store.remove(tenantId, name),
    }),
    async brief(tenantId, brief) {
      const offered = await named(tenantId, brief.tools)
      const tools = offered.map(({ name, description, parameters }) => ({ name, description, parameters }))
      return { tools, instructions: instructionsOf(offered, brief) }
    },
    async readOnly(tenantId, names) {
      return new Map((await registry.named(tenantId, names)).map((each) => [each.name, each.readOnly]))
    },
    run: (call) => runner.run(call),
    runApproved: (call) => runner.runApproved(call),
    sweepJobs: () => queue.sweep(),
  }
}
