// What answers. Owns agents – objects whose configs are versions of their own – and the prompt library; resolves a deployed
// config into the brief of one session or message. Never opens an engine and never runs a tool.

import type { Db } from 'mongodb'
import type { TextWish } from '../engines/engines.ts'
import type { Objects } from '../objects/objects.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { found } from '../platform/problem.ts'
import type { AgentView } from '../protocol/agents.ts'
import type { Channel } from '../protocol/turn.ts'
import type { Tenant, Tenants } from '../tenants/tenants.ts'
import { type Agent, type Prompt, usesSystemKnowledge } from './agent.ts'
import { answersOn, type Brief, briefOf, promptFor } from './brief.ts'
import { versionFor } from './choice.ts'
import type { AgentConfig } from './config.ts'
import { type Library, libraryOf } from './library.ts'
import { moveStoredAgents } from './move-stored.ts'
import { viewOf } from './present.ts'
import type { BuiltPrompt } from './prompt.ts'
import { promptStore } from './prompt-store.ts'
import { agentById } from './records.ts'
import { type TenantAgents as Records, tenantAgents, type Which } from './tenant-agents.ts'
import { toolsFor } from './tool-filter.ts'
import { versionStore } from './version-store.ts'

export type { Agent, AgentSubtype, Prompt } from './agent.ts'
export type { Brief } from './brief.ts'
export type { AgentConfig, AgentConfigInput } from './config.ts'

export interface TenantAgents extends Records, Library {
  views(): Promise<readonly AgentView[]>
  /** The prompt as a version of the agent would give it to a model. */
  promptOf(id: string, which: Which): Promise<BuiltPrompt>
}

export interface BriefRequest {
  readonly tenantId: TenantId
  readonly agentId: string
  readonly channel: Channel
  /** The tenant's own API key asks, not a token that a visitor holds. */
  readonly trusted?: boolean
  /** The person, or whatever else stays the same for them: where a version is on trial, they keep theirs. */
  readonly contactId?: string | undefined
  /** `Brief.version` of the conversation in progress: it stays with what it was begun with, unless that was taken back. */
  readonly keep?: number | undefined
  /** `draft`: what is being worked on, whatever the agent's status. For the tenant's own people only. */
  readonly environment?: 'draft' | 'live'
}

export interface Agents {
  of(tenantId: TenantId): TenantAgents
  /** Undefined unless the tenant and the agent are active, a config is live and it answers on this channel. */
  resolve(request: BriefRequest): Promise<Brief | undefined>
  /** Of these agents, those that answer nobody: `tenantId:agentId`. */
  notAnswering(
    pairs: readonly { readonly tenantId: TenantId; readonly agentId: string }[],
  ): Promise<ReadonlySet<string>>
  /** A prompt of the library that any tenant may fall back to. */
  putSharedPrompt(position: number, prompt: Prompt): Promise<void>
  /** Brings agents of the first shape to where they are kept now; how many. Once at every start. */
  moveStored(): Promise<number>
}

export const agentCollections: readonly CollectionSpec[] = [versionStore.spec, promptStore.spec]

/** The tool by which a voice looks into our own papers. */
export const systemKnowledgeTool = 'search_system_knowledge'

export interface AgentsDeps {
  readonly db: Db
  readonly tenants: Tenants
  readonly objects: Objects
  /** Why this gateway cannot ask a model: told to whoever saves a config that names it. */
  readonly modelProblem?: (named: Pick<TextWish, 'provider' | 'model'>) => string | undefined
  /** Of these tools, which only read; what nobody described is missing. The tools stand in a later row: joined in slices.ts. */
  readonly readOnly?: (tenantId: TenantId, names: readonly string[]) => Promise<ReadonlyMap<string, boolean>>
}

export function createAgents(deps: AgentsDeps): Agents {
  const versions = versionStore.open(deps.db)
  const prompts = promptStore.open(deps.db)
  const { modelProblem } = deps
  const recordsOf = (tenantId: TenantId) => ({ tenantId, objects: deps.objects.of(tenantId), versions, modelProblem })
  const libraryText = async (tenantId: TenantId, { library }: Pick<AgentConfig, 'library'>): Promise<string> =>
    library ? (await libraryOf(prompts, tenantId).prompt()).base : ''
  return {
    of: (tenantId) => {
      const records = tenantAgents(recordsOf(tenantId))
      return {
        ...records,
        ...libraryOf(prompts, tenantId),
        views: async () => (await records.list()).map(viewOf),
        async promptOf(id, which) {
          const [tenant, agent] = await Promise.all([deps.tenants.byId(tenantId), records.byId(id)])
          const { config } = await records.version(id, which)
          const library = await libraryText(tenantId, config)
          return promptFor({ agent: found(agent), config, tenantName: found(tenant).name, library })
        },
      }
    },
    async resolve(request) {
      const { tenantId, channel } = request
      const records = recordsOf(tenantId)
      const [tenant, agent] = await Promise.all([deps.tenants.byId(tenantId), agentById(records, request.agentId)])
      if (tenant?.status !== 'active' || agent === undefined) return undefined
      const version = chosen(agent, request)
      if (version === undefined) return undefined
      const config = (await versions.configs(tenantId, [{ agentId: agent.id, number: version }]))({
        ...{ agentId: agent.id, number: version },
      })
      if (config === undefined || !answersOn(config, channel)) return undefined
      return briefOf({
        ...{ agent, config, version, channel, tenantName: tenant.name, trusted: request.trusted === true },
        library: await libraryText(tenantId, config),
        tools: await toolsOf(deps, { tenant, agent, config, request }),
      })
    },
    async notAnswering(pairs) {
      const keys = new Set(pairs.map(({ tenantId, agentId }) => `${tenantId}:${agentId}`))
      const statuses = await deps.objects.statuses(pairs.map(({ tenantId, agentId: id }) => ({ tenantId, id })))
      return new Set([...keys].filter((key) => statuses.get(key) !== 'active'))
    },
    putSharedPrompt: (position, prompt) => prompts.put(undefined, position, prompt),
    moveStored: () => moveStoredAgents({ db: deps.db, objects: deps.objects, versions }),
  }
}

function chosen(agent: Agent, { environment, contactId, keep }: BriefRequest): number | undefined {
  if (environment === 'draft') return agent.status === 'archived' ? undefined : agent.draftVersion
  return agent.status === 'active' ? versionFor(agent, { person: contactId, keep }) : undefined
}

async function toolsOf(
  deps: AgentsDeps,
  made: {
    readonly tenant: Tenant
    readonly agent: Agent
    readonly config: AgentConfig
    readonly request: BriefRequest
  },
): Promise<readonly string[]> {
  const { tenant, agent, request } = made
  const extra = usesSystemKnowledge(agent, made.config) ? [systemKnowledgeTool] : []
  const config = { ...made.config, enabledTools: [...made.config.enabledTools, ...extra] }
  const facts =
    config.autonomyLevel === 'draft_only' ? await deps.readOnly?.(tenant.id, config.enabledTools) : undefined
  return toolsFor({
    tenant,
    // A client secret lives in a browser: its channel is `api`, but who holds it is a stranger.
    channel: request.channel === 'api' && request.trusted !== true ? 'widget' : request.channel,
    config,
    isReadOnly: (name) => facts?.get(name),
  })
}

/** Who writes for the agent, as the text models take it. */
export function wishOf({ text }: Pick<Brief, 'text'>): TextWish {
  const { modelProvider: provider, modelId: model, fallbackModels: fallbacks, temperature, maxTokens } = text
  return { provider, model, fallbacks, temperature, maxTokens }
}
