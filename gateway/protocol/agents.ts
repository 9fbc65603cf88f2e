// Bodies of /v1/agents, /v1/prompts, /v1/objects and /v1/system-knowledge, as sent.

import type { Channel } from './turn.ts'

export type AgentSubtype = 'customer_support' | 'sales_assistant' | 'booking_agent' | 'general'
export type AgentStatus = 'draft' | 'active' | 'paused' | 'archived'
export type AutonomyLevel = 'draft_only' | 'supervised' | 'autonomous'

/** What every agent has to say about itself; beside it stand the fields of a voice. */
export interface AgentConfigFields {
  displayName: string
  personality: string
  language: string
  brandVoiceInstructions: string
  systemPrompt: string
  faqEntries: { question: string; answer: string }[]
  enabledTools: string[]
  disabledTools: string[]
  autonomyLevel: AutonomyLevel
  maxMessagesPerDay: number | null
  /** Micro-credits. */
  maxCostPerDay: number | null
  requireApprovalFor: string[]
  blockedTopics: string[]
  modelProvider: string
  modelId: string
  temperature: number | null
  maxTokens: number | null
  /** A channel that is not named is answered. */
  channelBindings: { channel: Channel; enabled: boolean }[]
}

type VoiceEngine = 'cascade' | 'demo' | 'gemini-live' | 'openai-live' | 'openai-realtime'
type MutableField = 'instructions' | 'tools' | 'voice' | 'turnDetection' | 'outputModality'

/** Who may have a tool called, and with whose rights it acts. */
export interface ToolPermissionView {
  /** `*`: every tool that has no permission of its own. */
  tool: string
  /** None named: whoever talks to the agent. */
  roles: string[]
  identity: 'inherit' | 'system' | 'configured'
  /** Of `configured`; null: an agent's own rights. */
  role: string | null
  /** Abilities; null: all that the rights hold. */
  actions: string[] | null
  deniedFields: string[]
}

/** A config as the API gives it: complete, defaults filled in. */
export interface AgentConfigView extends AgentConfigFields {
  toolPermissions: ToolPermissionView[]
  fallbackModels: string[]
  /** Slugs of agents that it may pass a message on to. */
  delegates: 'all' | string[]
  /** Null: as the agent's subtype has it. */
  useSystemKnowledge: boolean | null
  engine: VoiceEngine | 'auto'
  fallbackEngines: VoiceEngine[]
  media: 'relayed' | 'direct'
  model: string
  voice: string
  library: boolean
  greeting: string | null
  closing: string
  limits: { idleMs: number; maxDurationMs: number; sessionCreditsMicro: number | null }
  clientTools: boolean
  mutable: { visitor: MutableField[]; api: MutableField[] }
  speaks: boolean
  hearing: {
    turnDetection: 'server_vad' | 'semantic_vad'
    silenceMs: number | null
    eagerness: 'low' | 'medium' | 'high' | 'auto'
    threshold: number | null
    noiseReduction: 'near_field' | 'far_field' | null
    transcription: { model: string; prompt: string }
    bargeIn?:
      | {
          decidedBy: 'gateway' | 'engine'
          afterMs: number | null
          backchannels: string[]
          echoFilter: boolean
          greeting: boolean
        }
      | undefined
  }
}
/** As it is sent: what is missing takes its default. */
export type AgentConfigBody = Partial<AgentConfigView>

export interface AgentView {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly subtype: AgentSubtype
  readonly status: AgentStatus
  readonly engine: string
  readonly voice: string
  readonly tools: readonly string[]
  readonly displayName: string
  /** Of what people get; 0 before the first deploy. */
  readonly version: number
  /** Of what is being worked on: the newest. */
  readonly draftVersion: number
  readonly updatedAt: string
}

export interface AgentRollout {
  readonly version: number
  /** 1 to 99: of the people, always the same ones. */
  readonly percent: number
}

export interface AgentDetail extends AgentView {
  readonly draft: AgentConfigView
  readonly live: AgentConfigView | null
  readonly rollout: AgentRollout | null
  /** Where its status may go from here. */
  readonly moves: readonly AgentStatus[]
  /** The latest 50 changes of what people get, newest first. */
  readonly deployments: readonly AgentDeploymentView[]
}

export interface AgentVersionView {
  readonly number: number
  readonly hash: string
  readonly author: { readonly kind: string; readonly id: string; readonly name: string }
  readonly note: string
  readonly at: string
  readonly isDraft: boolean
  readonly isLive: boolean
}
export interface AgentVersionDetail extends AgentVersionView {
  readonly config: AgentConfigView
}

/** One change of what people get. */
export interface AgentDeploymentView {
  readonly kind: 'deploy' | 'rollback' | 'rollout'
  readonly version: number
  /** What was live before; 0: nothing. */
  readonly from: number
  readonly percent: number
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string }
  readonly note: string
  readonly at: string
}

export interface AgentDiff {
  readonly from: number
  readonly to: number
  readonly changes: readonly AgentChange[]
}
export interface AgentChange {
  /** `limits.idleMs`, `faqEntries` */
  readonly field: string
  readonly kind: 'added' | 'removed' | 'changed'
  readonly before?: unknown
  readonly after?: unknown
}

export interface AgentPrompt {
  readonly sections: readonly { readonly name: string; readonly text: string }[]
  readonly text: string
}

/** One agent as a file: written by export, read by import. */
export interface AgentFile {
  readonly format: 'parley.agent'
  readonly schemaVersion: number
  readonly agent: { readonly slug: string; readonly name: string; readonly subtype: AgentSubtype }
  /** The version it was taken from: what a push is based on. */
  readonly version: number
  readonly config: AgentConfigBody
}

export interface PromptView {
  readonly position: number
  readonly name: string
  readonly base: string
  /** One of all tenants' prompts, set by the operator of the gateway. */
  readonly shared: boolean
  /** The one that agents with `library` get. */
  readonly selected: boolean
}

export interface ObjectView {
  readonly id: string
  readonly type: string
  readonly subtype: string
  readonly name: string
  readonly slug: string
  readonly status: string
  readonly data: Readonly<Record<string, unknown>>
  /** Counts its changes. */
  readonly revision: number
  readonly createdAt: string
  readonly updatedAt: string
}

export interface SystemDocumentView {
  readonly slug: string
  readonly title: string
  readonly category: 'marketing' | 'sales' | 'strategy'
  readonly summary: string
  readonly keywords: readonly string[]
}
export interface SystemDocumentDetail extends SystemDocumentView {
  /** Markdown. */
  readonly text: string
}
