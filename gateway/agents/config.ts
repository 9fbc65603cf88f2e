// How an agent behaves: the schema of its config. The first eighteen names are a contract with everybody who writes
// configs; beside them stands what a voice needs. Pure.

import { z } from 'zod'
import type { Capabilities, EngineBrief, EngineSettings } from '../engines/engines.ts'
import { abilities } from '../platform/access.ts'
import type { Channel } from '../protocol/turn.ts'

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

export const channels = [
  ...(['widget', 'console', 'voice', 'api', 'whatsapp', 'sms', 'email'] as const),
  ...(['instagram', 'facebook_messenger', 'webchat', 'telegram', 'pushover'] as const),
] as const satisfies readonly Channel[]

const faqEntry = z.strictObject({
  question: z.string().trim().min(1).max(500),
  answer: z.string().trim().min(1).max(4_000),
})

const channelBindings = z
  .array(z.strictObject({ channel: z.enum(channels), enabled: z.boolean() }))
  .max(channels.length)
  .refine(
    (bindings) => new Set(bindings.map((each) => each.channel)).size === bindings.length,
    'each channel once at most',
  )

/** Who may have a tool called, and with whose rights it acts. */
const toolPermission = z
  .strictObject({
    /** `*`: every tool that has no permission of its own. */
    tool: z.string().min(1).max(64),
    /** The caller has one of these; none named: whoever talks to the agent. */
    roles: z.array(z.string().min(1).max(60)).max(20).default([]),
    /** `inherit`: the caller's rights. `system`: all of the tenant's. `configured`: those of `role`, or of an agent by itself. */
    identity: z.enum(['inherit', 'system', 'configured']).default('configured'),
    role: z.string().min(1).max(60).nullable().default(null),
    /** What of these rights counts; null: all. */
    actions: z.array(z.enum(abilities)).max(abilities.length).nullable().default(null),
    /** Taken out of what the tool answers, and not to be asked by: a field's name, or its path. */
    deniedFields: z.array(z.string().min(1).max(120)).max(50).default([]),
  })
  .refine(({ identity, role }) => role === null || identity === 'configured', 'only `configured` names a role')

/** What people know an agent by, how it speaks, what it may do, say and cost, which model writes for it, where it answers. */
const contract = {
  /** What it calls itself. Empty: the agent's name. */
  displayName: z.string().trim().max(120).default(''),
  personality: z.string().max(4_000).default(''),
  /** BCP 47. */
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
    .default('en'),
  brandVoiceInstructions: z.string().max(8_000).default(''),
  systemPrompt: z.string().max(32_000).default(''),
  faqEntries: z.array(faqEntry).max(200).default([]),
  enabledTools: toolNames.default([]),
  /** Wins over every permission. */
  disabledTools: toolNames.default([]),
  /** `draft_only`: tools that read, no others. `supervised`: a person approves each. `autonomous`: all but `requireApprovalFor`. */
  autonomyLevel: z.enum(['draft_only', 'supervised', 'autonomous']).default('autonomous'),
  /** What people may say or write to the agent a day (UTC) before it answers nobody; null: no limit. */
  maxMessagesPerDay: z.int().min(1).max(10_000_000).nullable().default(null),
  /** Micro-credits that the agent may cost its tenant a day (UTC); null: no limit but the tenant's credit. */
  maxCostPerDay: z.int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().default(null),
  requireApprovalFor: toolNames.default([]),
  /** What it declines to speak about. */
  blockedTopics: z.array(z.string().trim().min(1).max(200)).max(100).default([]),
  /** Who answers in writing. Empty: the best model this gateway has. */
  modelProvider: z.string().trim().max(60).default(''),
  /** Empty: the provider's own choice. */
  modelId: z.string().trim().max(120).default(''),
  /** Null: the model's own. */
  temperature: z.number().min(0).max(2).nullable().default(null),
  /** The longest answer in writing; null: the model's own. */
  maxTokens: z.int().min(1).max(200_000).nullable().default(null),
  /** A channel that is not named is answered. */
  channelBindings: channelBindings.default([]),
}

/** The behaviour of an agent: one `draft` that may be edited and one `live` that people get. */
export const agentConfig = z.strictObject({
  ...contract,
  toolPermissions: z.array(toolPermission).max(100).default([]),
  /** Stand in, in this order, for the model that writes: `provider:model`, or a model of the same provider. */
  fallbackModels: z.array(z.string().trim().min(1).max(180)).max(5).default([]),
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
  /** Looks up our own papers on marketing, sales and strategy; null: a sales assistant does, others do not. */
  useSystemKnowledge: z.boolean().nullable().default(null),
  /** Of the voice engine. Empty: the engine's default. */
  model: z.string().max(100).default(''),
  voice: z.string().max(64).default(''),
  /** Puts the tenant's prompt of the library (or the shared first one) before the instructions. */
  library: z.boolean().default(false),
  greeting: z.string().min(1).max(500).nullable().default(null),
  /** Said before the end when credit or time runs out. */
  closing: z.string().min(1).max(500).default('I have to end our conversation now. Thank you, and goodbye.'),
  limits: z
    .strictObject({
      idleMs: z.int().min(5_000).max(3_600_000).default(120_000),
      maxDurationMs: z.int().min(10_000).max(14_400_000).default(3_600_000),
      /** What one session may cost; null: no limit but the tenant's credit. */
      sessionCreditsMicro: z.int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().default(null),
    })
    .default({
      idleMs: 120_000,
      maxDurationMs: 3_600_000,
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
  /**
   * Agents of the tenant that it may pass a message on to, by slug, or `all`: it then finds out what is asked for, and lets the one
   * answer whose matter it is.
   */
  delegates: z.union([z.literal('all'), z.array(z.string().min(1).max(40)).max(50)]).default([]),
  /** The widget shows its microphone. */
  speaks: z.boolean().default(true),
  hearing: hearing.default(hearing.parse({})),
})
export type AgentConfig = z.output<typeof agentConfig>
export type AgentConfigInput = z.input<typeof agentConfig>

/** As the engine port has it. */
export function hearingOf(config: Pick<AgentConfig, 'hearing'>): {
  readonly turnDetection: EngineBrief['turnDetection']
  readonly settings: EngineSettings
} {
  const { turnDetection, silenceMs, threshold, eagerness, noiseReduction, transcription } = config.hearing
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
