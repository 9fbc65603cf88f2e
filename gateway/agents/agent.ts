// What an agent is, and which of its tools a session gets. Pure.

import { z } from 'zod'
import type { Capabilities, EngineBrief, EngineSettings } from '../engines/engines.ts'
import type { Channel } from '../protocol/turn.ts'
import type { Tenant, ToolRule } from '../tenants/tenants.ts'

export type MutableField = Capabilities['mutable'][number]
const mutableField = z.enum(['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'])
const ownFields: MutableField[] = ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality']
const toolNames = z.array(z.string().min(1).max(64)).max(100)

/** What stops the agent while it speaks. */
const bargeIn = z
  .strictObject({
    /** `gateway`: nods, coughs and the agent's own echo do not. `engine`: whatever its detector takes for speech does. */
    decidedBy: z.enum(['gateway', 'engine']).default('gateway'),
    /** Speech of this length does before its words are known; `null`: 900 ms where the player can be held meanwhile, else 700. */
    afterMs: z.int().min(200).max(3_000).nullable().default(null),
    /** What people say while they listen, beside the usual of the agent's language. */
    backchannels: z.array(z.string().trim().min(1).max(40)).max(50).default([]),
    /** The agent's own voice in the person's microphone is taken out. */
    echoFilter: z.boolean().default(true),
    /** False: the greeting is said to its end; what is said meanwhile is answered after it. */
    greeting: z.boolean().default(true),
  })
  .optional()

/** How people are listened to, as far as the engine lets it be chosen. */
const hearing = z.strictObject({
  /** What ends a turn: silence, or that the sentence seems complete. */
  turnDetection: z.enum(['server_vad', 'semantic_vad']).default('server_vad'),
  /** Silence that ends a turn; null: the engine's own. Only with `server_vad`. */
  silenceMs: z.int().min(200).max(5_000).nullable().default(null),
  /** How soon a complete sentence is taken as the end. Only with `semantic_vad`. */
  eagerness: z.enum(['low', 'medium', 'high', 'auto']).default('auto'),
  /** 0 to 1: the higher, the louder speech has to be; null: the engine's own. Only with `server_vad`. */
  threshold: z.number().min(0).max(1).nullable().default(null),
  /** By how far the microphone is from the mouth; null: none. */
  noiseReduction: z.enum(['near_field', 'far_field']).nullable().default(null),
  /** Empty: the engine's own model. The prompt tells names and words to expect. */
  transcription: z
    .strictObject({ model: z.string().max(100).default(''), prompt: z.string().max(4_000).default('') })
    .default({ model: '', prompt: '' }),
  bargeIn,
})

/** The behaviour of an agent: one `draft` that may be edited and one `live` that sessions get. */
export const agentConfig = z.strictObject({
  /** `auto`: the best engine this gateway has. */
  engine: z.enum(['cascade', 'demo', 'gemini-live', 'openai-live', 'openai-realtime', 'auto']).default('auto'),
  /** In this order they serve where the first cannot, and go on with the conversation when it is lost for good. */
  fallbackEngines: z
    .array(z.enum(['cascade', 'demo', 'gemini-live', 'openai-live', 'openai-realtime']))
    .max(4)
    .default([]),
  /**
   * `direct`: a browser that calls over WebRTC talks with the provider itself, where the engine has that, and we hold the
   * control. Sooner heard and cheaper to carry; what is lost: how much of an answer was heard is an estimate, echo and
   * half-words are the provider's affair, nothing can be recorded here, and a browser of ill will can ask its own session
   * for answers (changes of the configuration are put back). `relayed`: all sound passes here.
   */
  media: z.enum(['relayed', 'direct']).default('relayed'),
  /** Empty: the engine's default. */
  model: z.string().max(100).default(''),
  voice: z.string().max(64).default(''),
  /** BCP 47. */
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
    .default('en'),
  instructions: z.string().max(32_000).default(''),
  /** Puts the tenant's prompt of the library (or the shared first one) before the instructions. */
  library: z.boolean().default(false),
  greeting: z.string().min(1).max(500).nullable().default(null),
  /** Said before the end when credit or time runs out. */
  closing: z.string().min(1).max(500).default('I have to end our conversation now. Thank you, and goodbye.'),
  tools: toolNames.default([]),
  deniedTools: toolNames.default([]),
  limits: z
    .strictObject({
      idleMs: z.int().min(5_000).max(3_600_000).default(120_000),
      maxDurationMs: z.int().min(10_000).max(14_400_000).default(3_600_000),
      /** What people may say or write to the agent a day (UTC) before it answers nobody; null: no limit. */
      dailyMessages: z.int().min(1).max(10_000_000).nullable().default(null),
      /** What the agent may cost its tenant a day (UTC); null: no limit but the tenant's credit. */
      dailyCreditsMicro: z.int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().default(null),
      /** What one session may cost; null: no limit but the tenant's credit. */
      sessionCreditsMicro: z.int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().default(null),
    })
    .default({
      idleMs: 120_000,
      maxDurationMs: 3_600_000,
      dailyMessages: null,
      dailyCreditsMicro: null,
      sessionCreditsMicro: null,
    }),
  /** The customer's own backend (its API key, not a client secret) may bring function tools of its own. */
  clientTools: z.boolean().default(true),
  mutable: z
    .strictObject({
      visitor: z.array(mutableField).default(['outputModality']),
      /** What the tenant's own API key may change of its session. */
      api: z.array(mutableField).default(ownFields),
    })
    .default({ visitor: ['outputModality'], api: ownFields }),
  /** The widget shows its microphone. */
  speaks: z.boolean().default(true),
  hearing: hearing.default(hearing.parse({})),
})
export type AgentConfig = z.output<typeof agentConfig>
export type AgentConfigInput = z.input<typeof agentConfig>

/** As the engine port has it. Configs stored before there was a choice lack it. */
export function hearingOf(config: Partial<Pick<AgentConfig, 'hearing'>>): {
  readonly turnDetection: EngineBrief['turnDetection']
  readonly settings: EngineSettings
} {
  const { turnDetection, silenceMs, threshold, eagerness, noiseReduction, transcription } =
    config.hearing ?? hearing.parse({})
  const turns = {
    ...(turnDetection === 'semantic_vad' && eagerness !== 'auto' ? { eagerness } : {}),
    ...(turnDetection === 'server_vad' && silenceMs !== null ? { silenceMs } : {}),
    ...(turnDetection === 'server_vad' && threshold !== null ? { threshold } : {}),
  }
  const named = Object.fromEntries(Object.entries(transcription).filter(([, value]) => value !== ''))
  return {
    turnDetection,
    settings: {
      ...(Object.keys(turns).length === 0 ? {} : { turns }),
      ...(noiseReduction === null ? {} : { noiseReduction }),
      ...(Object.keys(named).length === 0 ? {} : { transcription: named }),
    },
  }
}

export const newAgent = z.strictObject({
  slug: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/),
  name: z.string().trim().min(1).max(120),
})

export type AgentStatus = 'draft' | 'active' | 'paused' | 'archived'

export interface Agent {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly status: AgentStatus
  readonly draft: AgentConfig
  /** Missing until the first publish. */
  readonly live?: AgentConfig
  /** Counts publishes. */
  readonly version: number
}

/** Tenant ∩ channel ∩ agent; a denial anywhere wins. Keeps the agent's order. */
export function toolsFor(
  tenant: Pick<Tenant, 'allowedTools' | 'deniedTools'>,
  channel: Channel,
  config: Pick<AgentConfig, 'tools' | 'deniedTools'>,
): readonly string[] {
  const rule = ruleOf(tenant, channel)
  const denied = new Set([...tenant.deniedTools, ...config.deniedTools])
  return [...new Set(config.tools)].filter((name) => (rule === 'all' || rule.includes(name)) && !denied.has(name))
}

/** Whatever a stranger can reach follows the widget's rule. */
function ruleOf(tenant: Pick<Tenant, 'allowedTools'>, channel: Channel): ToolRule {
  if (channel === 'api') return tenant.allowedTools.api
  if (channel === 'console') return tenant.allowedTools.console
  return tenant.allowedTools.widget
}

export interface Prompt {
  readonly name: string
  readonly base: string
}

/** The tenant's own prompt, else the first of the shared ones. */
export function selectPrompt(
  prompts: readonly (Prompt & { readonly tenantId: string })[],
  tenantId: string,
): Prompt | undefined {
  const chosen = prompts.find((each) => each.tenantId === tenantId) ?? prompts[0]
  return chosen === undefined ? undefined : { name: chosen.name, base: chosen.base }
}
