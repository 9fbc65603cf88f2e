// What answers. Owns agents, their draft and live configs and the prompt library; resolves a live config into the
// brief of one session. Never opens an engine and never runs a tool.

import type { Db } from 'mongodb'
import type { z } from 'zod'
import type { EngineBrief, EngineKind, EngineSettings } from '../engines/engines.ts'
import type { TenantId } from '../platform/ids.ts'
import type { CollectionSpec } from '../platform/mongo.ts'
import { Problem } from '../platform/problem.ts'
import type { AgentView } from '../protocol/rest.ts'
import type { Channel } from '../protocol/turn.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { type Agent, type AgentStatus, newAgent, type Prompt, selectPrompt, toolsFor } from './agent.ts'
import { type AgentConfig, type AgentConfigInput, agentConfig, hearingOf, type MutableField } from './config.ts'
import { buildPrompt } from './prompt.ts'
import { agentStore, promptStore } from './store.ts'

export type { Agent, AgentStatus, Prompt } from './agent.ts'
export type { AgentConfig, AgentConfigInput, MutableField } from './config.ts'

/** An agent config as one session gets it. */
export interface Brief {
  readonly agentId: string
  readonly slug: string
  readonly name: string
  readonly engine: EngineKind | 'auto'
  /** In order: who serves where `engine` cannot, and stands in when it is lost for good. */
  readonly fallbackEngines: readonly EngineKind[]
  /** Whether a browser may talk with the provider itself. Missing: it may not. */
  readonly media?: AgentConfig['media']
  /** Of the voice engine. Empty: its default. */
  readonly model: string
  readonly voice: string
  readonly language: string
  /** The built prompt: that of the library, the six sections of the config and its system prompt. */
  readonly instructions: string
  /** Who answers in writing, as `TextModels.chain` takes it. */
  readonly text: {
    readonly modelProvider: string
    readonly modelId: string
    readonly fallbackModels: readonly string[]
    readonly temperature: number | null
    readonly maxTokens: number | null
  }
  readonly autonomyLevel: AgentConfig['autonomyLevel']
  /** Names of tools that wait for a person, whatever the level. */
  readonly requireApprovalFor: readonly string[]
  readonly blockedTopics: readonly string[]
  readonly greeting: string | null
  /** Said before the end when credit or time runs out. */
  readonly closing: string
  /** Tenant ∩ channel ∩ agent, denials taken out. */
  readonly tools: readonly string[]
  readonly limits: AgentConfig['limits'] & {
    readonly dailyMessages: number | null
    readonly dailyCreditsMicro: number | null
  }
  readonly clientTools: boolean
  /** What the client may change by `session.update`. */
  readonly mutable: readonly MutableField[]
  readonly turnDetection: EngineBrief['turnDetection']
  /** What stops the agent while it speaks. Missing: as by default. */
  readonly bargeIn?: AgentConfig['hearing']['bargeIn']
  readonly settings: EngineSettings
}

export interface TenantAgents {
  bySlug(slug: string): Promise<Agent | undefined>
  byId(id: string): Promise<Agent | undefined>
  list(): Promise<readonly Agent[]>
  views(): Promise<readonly AgentView[]>
  /** A draft nobody reaches yet. `conflict` for a slug that is taken. */
  create(agent: {
    readonly slug: string
    readonly name: string
    readonly config?: AgentConfigInput | undefined
  }): Promise<Agent>
  saveDraft(id: string, config: AgentConfigInput): Promise<Agent>
  /** Makes the draft the live config and the agent active; running sessions keep what they have. */
  publish(id: string): Promise<Agent>
  setStatus(id: string, status: AgentStatus): Promise<Agent>
  /** The tenant's prompt of the library, else the first shared one; `not_found` when there is none. */
  prompt(): Promise<Prompt>
  putPrompt(position: number, prompt: Prompt): Promise<void>
}

export interface Agents {
  of(tenantId: TenantId): TenantAgents
  /** Undefined unless the tenant and the agent are active and a config is live. */
  resolve(request: {
    readonly tenantId: TenantId
    readonly agentId: string
    readonly channel: Channel
    /** The tenant's own API key asks, not a token that a visitor holds. */
    readonly trusted?: boolean
  }): Promise<Brief | undefined>
  /** A prompt of the library that any tenant may fall back to. */
  putSharedPrompt(position: number, prompt: Prompt): Promise<void>
}

export const agentCollections: readonly CollectionSpec[] = [agentStore.spec, promptStore.spec]

export function createAgents(deps: { readonly db: Db; readonly tenants: Tenants }): Agents {
  const store = agentStore.open(deps.db)
  const prompts = promptStore.open(deps.db)
  const promptOf = async (tenantId: TenantId): Promise<Prompt> => {
    const prompt = selectPrompt(await prompts.candidates(tenantId), tenantId)
    if (prompt === undefined) throw new Problem('not_found', 'The prompt library is empty.')
    return prompt
  }
  return {
    of: (tenantId) => ({
      bySlug: (slug) => store.bySlug(tenantId, slug),
      byId: (id) => store.byId(tenantId, id),
      list: () => store.list(tenantId),
      views: async () => (await store.list(tenantId)).map(viewOf),
      async create(input) {
        const { slug, name } = valid(newAgent, { slug: input.slug, name: input.name })
        const draft = valid(agentConfig, input.config ?? {})
        const agent = await store.insert(tenantId, { slug, name, draft })
        if (agent === undefined) throw new Problem('conflict', 'This slug is taken.')
        return agent
      },
      saveDraft: async (id, config) => found(await store.setDraft(tenantId, id, valid(agentConfig, config))),
      async publish(id) {
        const published = await store.setLive(tenantId, found(await store.byId(tenantId, id)))
        if (published === undefined) throw new Problem('conflict', 'Someone else published this agent just now.')
        return published
      },
      setStatus: async (id, status) => found(await store.setStatus(tenantId, id, status)),
      prompt: () => promptOf(tenantId),
      putPrompt: (position, prompt) => prompts.put(tenantId, position, prompt),
    }),
    async resolve(request) {
      const [tenant, agent] = await Promise.all([
        deps.tenants.byId(request.tenantId),
        store.byId(request.tenantId, request.agentId),
      ])
      if (tenant?.status !== 'active' || agent?.status !== 'active' || agent.live === undefined) return undefined
      if (!answersOn(agent.live, request.channel)) return undefined
      const library = agent.live.library ? (await promptOf(request.tenantId)).base : ''
      return briefOf(agent, agent.live, {
        tenantName: tenant.name,
        library,
        channel: request.channel,
        trusted: request.trusted === true,
        // A client secret lives in a browser: its channel is `api`, but who holds it is a stranger.
        tools: toolsFor(
          tenant,
          request.channel === 'api' && request.trusted !== true ? 'widget' : request.channel,
          agent.live,
        ),
      })
    },
    putSharedPrompt: (position, prompt) => prompts.put(undefined, position, prompt),
  }
}

function briefOf(
  agent: Agent,
  config: AgentConfig,
  session: {
    readonly tenantName: string
    readonly library: string
    readonly channel: Channel
    readonly trusted: boolean
    readonly tools: readonly string[]
  },
): Brief {
  const ofOwner = session.trusted || session.channel === 'console'
  return {
    agentId: agent.id,
    slug: agent.slug,
    name: agent.name,
    engine: config.engine,
    fallbackEngines: config.fallbackEngines,
    media: config.media,
    model: config.model,
    voice: config.voice,
    language: config.language,
    instructions: buildPrompt({ name: agent.name, role: 'the agent', config, ...session }).text,
    text: textOf(config),
    autonomyLevel: config.autonomyLevel,
    requireApprovalFor: config.requireApprovalFor,
    blockedTopics: config.blockedTopics,
    greeting: config.greeting,
    closing: config.closing,
    tools: session.tools,
    limits: { ...config.limits, dailyMessages: config.maxMessagesPerDay, dailyCreditsMicro: config.maxCostPerDay },
    clientTools: config.clientTools && session.trusted,
    mutable: ofOwner ? config.mutable.api : config.mutable.visitor,
    ...hearingOf(config),
    bargeIn: config.hearing.bargeIn,
  }
}

function textOf({ modelProvider, modelId, fallbackModels, temperature, maxTokens }: AgentConfig): Brief['text'] {
  return { modelProvider, modelId, fallbackModels, temperature, maxTokens }
}

/** A channel that the config does not name is answered. */
function answersOn({ channelBindings }: AgentConfig, channel: Channel): boolean {
  return channelBindings.every((each) => each.channel !== channel || each.enabled)
}

/** What people see of an agent: its live behaviour, or the draft before there is any. */
function viewOf(agent: Agent): AgentView {
  const config = agent.live ?? agent.draft
  const { id, slug, name, status } = agent
  return { id, slug, name, status, engine: config.engine, voice: config.voice, tools: config.enabledTools }
}

function found(agent: Agent | undefined): Agent {
  if (agent === undefined) throw new Problem('not_found')
  return agent
}

function valid<S extends z.ZodType>(schema: S, input: z.input<S>): z.output<S> {
  const parse = schema.safeParse(input)
  if (parse.success) return parse.data
  const issues = parse.error.issues.map((each) => ({ path: each.path.map(String).join('.'), message: each.message }))
  throw new Problem('invalid', 'The agent has a wrong value.', { issues })
}
