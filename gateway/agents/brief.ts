// An agent config as one session or one message gets it. Pure.

import type { EngineBrief, EngineKind, EngineSettings } from '../engines/engines.ts'
import type { Channel } from '../protocol/turn.ts'
import { type Agent, roles, usesSystemKnowledge } from './agent.ts'
import { type AgentConfig, hearingOf, type MutableField } from './config.ts'
import { buildPrompt } from './prompt.ts'

export interface Brief {
  readonly agentId: string
  readonly slug: string
  readonly name: string
  /** Of the config: a conversation in progress asks for it again. */
  readonly version: number
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
  /** Agents that it may pass a message on to, by slug. Empty: it answers by itself. */
  readonly delegates: AgentConfig['delegates']
  /** False: it is written to, and answers in writing. */
  readonly speaks: boolean
  readonly autonomyLevel: AgentConfig['autonomyLevel']
  /** Names of tools that wait for a person, whatever the level. */
  readonly requireApprovalFor: AgentConfig['requireApprovalFor']
  /** Who may have which tool called, with whose rights. */
  readonly toolPermissions: AgentConfig['toolPermissions']
  readonly blockedTopics: readonly string[]
  /** In writing: `knowledge.systemFor(text)` gives what belongs to a message. */
  readonly systemKnowledge: boolean
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

export interface BriefFor {
  readonly agent: Pick<Agent, 'id' | 'slug' | 'name' | 'subtype'>
  readonly config: AgentConfig
  readonly version: number
  readonly tenantName: string
  /** Of the library; empty: none. */
  readonly library: string
  readonly channel: Channel
  /** The tenant's own backend asks. */
  readonly trusted: boolean
  readonly tools: readonly string[]
}

export function briefOf(made: BriefFor): Brief {
  const { agent, config, trusted } = made
  const { modelProvider, modelId, fallbackModels, temperature, maxTokens } = config
  return {
    ...{ agentId: agent.id, slug: agent.slug, name: agent.name, version: made.version },
    engine: config.engine,
    fallbackEngines: config.fallbackEngines,
    media: config.media,
    model: config.model,
    voice: config.voice,
    language: config.language,
    instructions: promptFor(made).text,
    text: { modelProvider, modelId, fallbackModels, temperature, maxTokens },
    delegates: config.delegates,
    speaks: config.speaks,
    autonomyLevel: config.autonomyLevel,
    requireApprovalFor: config.requireApprovalFor,
    toolPermissions: config.toolPermissions,
    blockedTopics: config.blockedTopics,
    systemKnowledge: usesSystemKnowledge(agent, config),
    greeting: config.greeting,
    closing: config.closing,
    tools: made.tools,
    limits: { ...config.limits, dailyMessages: config.maxMessagesPerDay, dailyCreditsMicro: config.maxCostPerDay },
    clientTools: config.clientTools && trusted,
    mutable: trusted || made.channel === 'console' ? config.mutable.api : config.mutable.visitor,
    ...hearingOf(config),
    bargeIn: config.hearing.bargeIn,
  }
}

export function promptFor({
  agent,
  config,
  tenantName,
  library,
}: Pick<BriefFor, 'agent' | 'config' | 'tenantName' | 'library'>) {
  return buildPrompt({ name: agent.name, role: roles[agent.subtype], tenantName, library, config })
}

/** A channel that the config does not name is answered. */
export function answersOn({ channelBindings }: AgentConfig, channel: Channel): boolean {
  return channelBindings.every((each) => each.channel !== channel || each.enabled)
}
