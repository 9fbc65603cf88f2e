// Environment → Config. The only reader of process.env. `.env.example` and the README's table are generated from
// `settings`, so each field says in one sentence what it is.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type CascadePlan, readPlan } from './engines/cascade/plan.ts'
import { forcedProblems } from './engines/forced.ts'
import { readTextPlan, type TextPlan } from './engines/text/choice.ts'
import type { OutsideSettings } from './identity/identity.ts'
import { readOutside } from './identity/outside/settings.ts'
import { embeddingSettings } from './knowledge/embeddings/settings.ts'
import type { LiveKitSettings, WebRtcConfig } from './legs/legs.ts'
import { portsOf, webRtcOf } from './legs/webrtc/settings.ts'
import { allowList } from './platform/fetch-guard/allow.ts'
import type { OwnProcess } from './tools/mcp/mcp.ts'
import { readProcesses } from './tools/mcp/own-processes.ts'
import { providerProblems, providerVariables } from './tools/providers/settings.ts'

const flag = z.stringbool()
const url = z.url({ protocol: /^(https?|wss?)$/ })

export const settings = {
  PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8787)
    .describe('Port of the HTTP server; 0 takes any free one.'),
  HOST: z.string().default('0.0.0.0').describe('Address to listen on.'),
  PUBLIC_URL: url
    .optional()
    .describe(
      'Address by which browsers reach the gateway, e.g. https://talk.example.com. Default: http://localhost:PORT.',
    ),
  PARLEY_DATA_DIR: z.string().default('./data').describe('Folder of the embedded stores and generated keys.'),
  PARLEY_SECRET: z
    .string()
    .min(32)
    .optional()
    .describe('Encrypts signing keys at rest (32 characters or more). Default: generated once in the data folder.'),
  PARLEY_MASTER_KEY: z
    .string()
    .min(32)
    .optional()
    .describe('Wraps the keys of tenants’ secrets (32 characters or more). Default: derived from PARLEY_SECRET.'),
  PARLEY_MASTER_KEY_FILE: z
    .string()
    .optional()
    .describe('File with that key instead, e.g. one that a key manager mounts.'),
  PARLEY_MASTER_KEY_PREVIOUS: z
    .string()
    .optional()
    .describe('Earlier master keys, with commas: they only read, until npm run secrets:rotate has run.'),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'starts with mongodb:// or mongodb+srv://')
    .optional()
    .describe('MongoDB replica set or Atlas. Default: the embedded store in the data folder.'),
  MONGODB_DATABASE: z
    .string()
    .regex(/^[\w-]{1,38}$/)
    .default('parley')
    .describe('Database name.'),
  UPSTASH_REDIS_REST_URL: url.optional().describe('Upstash Redis; needs the token too.'),
  UPSTASH_REDIS_REST_TOKEN: z.string().optional().describe('Token of UPSTASH_REDIS_REST_URL.'),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'starts with redis:// or rediss://')
    .optional()
    .describe('Any other Redis. Default: in-process, which is right for one gateway.'),
  OPENAI_API_KEY: z
    .string()
    .optional()
    .describe('Key of the OpenAI Realtime engine. Unset: the built-in demo engine answers.'),
  OPENAI_BASE_URL: url
    .default('https://api.openai.com/v1')
    .describe('Base URL of a Realtime-compatible provider (Azure, LocalAI, speaches, …).'),
  OPENAI_REALTIME_MODEL: z.string().default('gpt-realtime-2.1').describe('Model of agents that name none.'),
  OPENAI_TRANSCRIPTION_MODEL: z
    .string()
    .regex(/^(?!gpt-realtime-whisper)/, 'works without turn detection only')
    .default('gpt-transcribe')
    .describe('Writes down what people say to the Realtime engine, e.g. whisper-1 of a local server.'),
  ...embeddingSettings,
  OPENAI_LIVE_MODEL: z.string().default('gpt-live-1').describe('Model of agents on GPT-Live that name none.'),
  OPENAI_LIVE_BASE_URL: url
    .optional()
    .describe(
      'Base URL of GPT-Live. Default: OPENAI_BASE_URL where that is OpenAI or Azure; elsewhere GPT-Live is off.',
    ),
  OPENAI_LIVE_RESPONSES_MODEL: z
    .string()
    .optional()
    .describe(
      'Responses model that works behind GPT-Live at OpenAI. Unset: a text engine of the gateway does. Tools run here in both cases.',
    ),
  GEMINI_API_KEY: z
    .string()
    .optional()
    .describe('Key of the Gemini Live engine, and of the server google of CASCADE_LLM.'),
  GEMINI_BASE_URL: url
    .default('https://generativelanguage.googleapis.com')
    .describe('Address of the Gemini API, or of a relay that speaks it; without the path.'),
  GEMINI_LIVE_MODEL: z
    .string()
    .regex(/^(models\/)?[\w.-]+$/, 'is a model code such as gemini-3.8-live')
    .default('gemini-3.8-live')
    .describe('Gemini model of agents that name none.'),
  CASCADE_LLM: z
    .string()
    .optional()
    .describe(
      'Language models of the cascade engine, in the order they are asked: `server:model, …`, e.g. anthropic:claude-haiku-4-5. Servers: openai, openai-responses, anthropic, google, openrouter, deepseek, ollama and those of CASCADE_SERVERS. `?name=value` sends a field more. Unset: no cascade.',
    ),
  CASCADE_STT: z
    .string()
    .optional()
    .describe('Speech recognition of the cascade, as CASCADE_LLM, e.g. openai:gpt-transcribe. Unset: it only reads.'),
  CASCADE_TTS: z
    .string()
    .optional()
    .describe(
      'Voices of the cascade, as CASCADE_LLM, e.g. local:kokoro?voice=af_heart; `builtin` is the demo voice, English only. Unset: it only writes.',
    ),
  CASCADE_SERVERS: z
    .string()
    .optional()
    .describe('Further OpenAI-compatible servers: `name=https://host/v1 key, …`; the key may be missing.'),
  TEXT_MODELS: z
    .string()
    .optional()
    .describe(
      'Language models that answer in writing (messages, channels, the OpenAI-compatible doors) for agents that name none, in the order they are asked, as CASCADE_LLM. Default: CASCADE_LLM, else a good and a cheap model of each provider whose key is set; without any the built-in demo brain answers.',
    ),
  ANTHROPIC_API_KEY: z.string().optional().describe('Key of the server anthropic.'),
  ANTHROPIC_BASE_URL: url
    .default('https://api.anthropic.com/v1')
    .describe('Address of the server anthropic, or of a relay.'),
  OPENROUTER_API_KEY: z.string().optional().describe('Key of the server openrouter.'),
  OPENROUTER_BASE_URL: url.default('https://openrouter.ai/api/v1').describe('Address of the server openrouter.'),
  DEEPSEEK_API_KEY: z.string().optional().describe('Key of the server deepseek.'),
  DEEPSEEK_BASE_URL: url.default('https://api.deepseek.com/v1').describe('Address of the server deepseek.'),
  OLLAMA_BASE_URL: url
    .default('http://127.0.0.1:11434/v1')
    .describe('Address of the server ollama, which needs no key.'),
  CLERK_JWT_ISSUER_DOMAIN: z
    .string()
    .optional()
    .describe(
      'Clerk instance whose session tokens are taken as operators, e.g. clerk.example.com. Unset: nobody comes in by Clerk.',
    ),
  CLERK_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/=]{16,}$/, 'begins with whsec_, as Clerk shows it')
    .optional()
    .describe('Signing secret of Clerk’s webhooks to /webhook/clerk. Unset: that door is closed.'),
  OIDC_ISSUER: url
    .optional()
    .describe(
      'Any other OpenID Connect provider whose tokens are taken as operators; its keys are found by discovery.',
    ),
  OIDC_AUDIENCE: z.string().optional().describe('What the tokens of OIDC_ISSUER must be meant for.'),
  OIDC_AUTHORIZED_PARTIES: z
    .string()
    .optional()
    .describe('Origins that Clerk’s tokens may have been made for (`azp`), with commas. Unset: any of the instance.'),
  PARLEY_VISUAL_HOSTS: z
    .string()
    .regex(/^[a-z0-9.-]+( *, *[a-z0-9.-]+)*$/i)
    .transform((hosts) => hosts.toLowerCase().split(/ *, */))
    .optional()
    .describe('Hosts, with commas, that links and pictures of visuals may lead to, with all below them. Default: any.'),
  TOOL_EXECUTOR_URL: url
    .optional()
    .describe('Service that runs tools of a tenant’s own code; needs the secret too. Unset: no such tools.'),
  TOOL_EXECUTOR_SECRET: z
    .string()
    .min(16)
    .optional()
    .describe('Secret shared with TOOL_EXECUTOR_URL: signs what it is asked.'),
  ...providerVariables,
  PARLEY_FETCH_ALLOW: allowList.describe(
    'Hosts that tenants’ tools, pages and webhooks may reach although they are not on the internet or speak plain http: host, host:port or a range such as 10.1.0.0/16, with commas.',
  ),
  MCP_SERVERS: z
    .string()
    .optional()
    .describe(
      'MCP servers that run beside the gateway, started when first used, one process per tenant: JSON `[{"name", "command", "args", "env", "tenants"}]`; `{tenantId}` in args and env is the tenant, `tenants` lists slugs (unset: all). They get no other environment.',
    ),
  LIVEKIT_URL: url
    .optional()
    .describe(
      'LiveKit server, e.g. wss://project.livekit.cloud: agents join its rooms. Needs the key and the secret. Unset: no rooms.',
    ),
  LIVEKIT_PUBLIC_URL: url
    .optional()
    .describe('Address by which browsers reach that server, where it is another one. Default: LIVEKIT_URL.'),
  LIVEKIT_API_KEY: z.string().optional().describe('API key of LIVEKIT_URL; its webhooks must be signed with the same.'),
  LIVEKIT_API_SECRET: z.string().optional().describe('Secret of LIVEKIT_API_KEY.'),
  PARLEY_ENGINE: z
    .enum(['cascade', 'demo', 'gemini-live', 'openai-live', 'openai-realtime'])
    .optional()
    .describe('Forces one engine for all agents.'),
  WEBRTC: flag.default(true).describe('Takes calls over WebRTC; false: only WebSockets.'),
  WEBRTC_MAX_CALLS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(100)
    .describe(
      'Calls over WebRTC at once in this process; each keeps some 4 % of a core busy, most of it the voice codec.',
    ),
  WEBRTC_PUBLIC_IP: z
    .ipv4()
    .optional()
    .describe('Address that browsers reach, where this machine only knows an inner one (one-to-one NAT, most clouds).'),
  WEBRTC_PORTS: z
    .string()
    .regex(/^\d{1,5}-\d{1,5}$/, 'looks like 40000-40100')
    .optional()
    .describe('UDP ports of calls, e.g. 40000-40100; a call takes one or two. Default: any.'),
  WEBRTC_ICE_URLS: z
    .string()
    .regex(/^\s*(stuns?|turns?):[^\s,]+(\s*,\s*(stuns?|turns?):[^\s,]+)*\s*$/, 'lists stun:, turn: or turns: addresses')
    .optional()
    .describe('STUN and TURN servers for the gateway and browsers: `stun:host:3478, turns:host:5349?transport=tcp`.'),
  WEBRTC_TURN_SECRET: z
    .string()
    .min(16)
    .optional()
    .describe('Secret shared with the TURN servers (coturn: use-auth-secret); browsers get credentials that run out.'),
  WEBRTC_TURN_SECONDS: z.coerce
    .number()
    .int()
    .min(60)
    .max(86_400)
    .default(3_600)
    .describe('Life of those credentials.'),
  PARLEY_DEMO: flag.default(true).describe('Seeds the demo tenants and serves /demo.'),
  PARLEY_DEMO_API_KEY: z
    .string()
    .regex(/^af_live_[A-Za-z0-9]{8}_[A-Za-z0-9]{32}$/, 'looks like af_live_{8}_{32}')
    .optional()
    .describe('API key of the demo tenant ProductCo. Default: generated at the first start and printed once.'),
  PARLEY_TRUSTED_PROXIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe('Number of proxies in front whose X-Forwarded-For is believed.'),
  PARLEY_DRAIN_SECONDS: z.coerce
    .number()
    .min(0)
    .max(7_200)
    .default(25)
    .describe(
      'After SIGTERM, how long clients may take to move to another gateway and sentences to end. Phone calls want 1800.',
    ),
  PARLEY_RATE_FACTOR: z.coerce
    .number()
    .positive()
    .max(100_000)
    .default(1)
    .describe(
      'Multiplies how often one network address may ask over HTTP (20 requests a second with a credential, 2 without): more where many people share one.',
    ),
  PARLEY_CHECK_REPLIES: flag
    .default(false)
    .describe('For developers: an answer that is not what the API document says becomes an internal error.'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least level that is logged.'),
} as const

const schema = z.object(settings)

export interface Config extends z.output<typeof schema> {
  readonly dataDir: string
  /** What the variables CASCADE_… ask for. */
  readonly cascade: CascadePlan
  /** What the variable TEXT_MODELS and the keys come to. */
  readonly text: TextPlan
  readonly webrtc: WebRtcConfig
  /** Providers of identity: Clerk and others. */
  readonly outside: OutsideSettings
  /** Undefined: no LiveKit server. */
  readonly livekit: LiveKitSettings | undefined
  /** What the variable MCP_SERVERS names. */
  readonly mcpProcesses: readonly OwnProcess[]
}

export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((each) => `  - ${each}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Reads `.env` of the working folder, if there is one. Variables that are set already win. */
export function loadEnvFile(): void {
  if (existsSync('.env')) process.loadEnvFile('.env')
}

/** Empty values count as unset. Throws ConfigError listing every problem. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.keys(settings).flatMap((name) => (env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]])),
  )
  const parsed = schema.safeParse(given)
  const problems = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  if ((given.UPSTASH_REDIS_REST_URL === undefined) !== (given.UPSTASH_REDIS_REST_TOKEN === undefined)) {
    problems.push('UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN: set both or neither')
  }
  if ((given.TOOL_EXECUTOR_URL === undefined) !== (given.TOOL_EXECUTOR_SECRET === undefined))
    problems.push('TOOL_EXECUTOR_URL and TOOL_EXECUTOR_SECRET: set both or neither')
  if (given.PARLEY_MASTER_KEY !== undefined && given.PARLEY_MASTER_KEY_FILE !== undefined)
    problems.push('PARLEY_MASTER_KEY and PARLEY_MASTER_KEY_FILE: set one of them')
  const outside = readOutside(given)
  problems.push(...outside.problems)
  const livekit = [given.LIVEKIT_URL, given.LIVEKIT_API_KEY, given.LIVEKIT_API_SECRET]
  if (livekit.some((each) => each === undefined) && livekit.some((each) => each !== undefined))
    problems.push('LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET: set all or none')
  const ports = portsOf(given.WEBRTC_PORTS)
  if (ports !== undefined && !(ports.min >= 1024 && ports.max <= 65_535 && ports.min <= ports.max))
    problems.push('WEBRTC_PORTS: from 1024 to 65535, the lower one first')
  const cascade = readPlan(cascadeSettings(given))
  const text = readTextPlan(given.TEXT_MODELS, cascade.plan.servers, cascade.plan.llm)
  const mcp = readProcesses(given.MCP_SERVERS)
  problems.push(...forcedProblems(given), ...providerProblems(given))
  problems.push(...cascade.problems, ...text.problems, ...mcp.problems)
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  const { data } = parsed
  const parts = {
    cascade: cascade.plan,
    text: text.plan,
    webrtc: webRtcOf(data, ports),
    livekit: liveKitOf(data),
    outside: outside.settings,
    mcpProcesses: mcp.processes,
  }
  return { ...data, dataDir: resolve(data.PARLEY_DATA_DIR), ...parts }
}

/** All is there or nothing. */
function liveKitOf(data: z.output<typeof schema>): LiveKitSettings | undefined {
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = data
  if (url === undefined || apiKey === undefined || apiSecret === undefined) return undefined
  return { url, publicUrl: data.LIVEKIT_PUBLIC_URL ?? url, apiKey, apiSecret }
}

function cascadeSettings(given: Readonly<Record<string, string | undefined>>): Parameters<typeof readPlan>[0] {
  // A base URL that is none has its own problem in the list.
  const address = (name: keyof typeof settings): string | undefined =>
    url.safeParse(given[name]).success ? given[name] : undefined
  const gemini = address('GEMINI_BASE_URL')
  return {
    llm: given.CASCADE_LLM,
    stt: given.CASCADE_STT,
    tts: given.CASCADE_TTS,
    servers: given.CASCADE_SERVERS,
    openAiBaseUrl: address('OPENAI_BASE_URL') ?? 'https://api.openai.com/v1',
    baseUrls: {
      anthropic: address('ANTHROPIC_BASE_URL'),
      openrouter: address('OPENROUTER_BASE_URL'),
      deepseek: address('DEEPSEEK_BASE_URL'),
      ollama: address('OLLAMA_BASE_URL'),
      google: gemini === undefined ? undefined : `${gemini.replace(/\/+$/, '')}/v1beta`,
    },
    keys: {
      openai: given.OPENAI_API_KEY,
      anthropic: given.ANTHROPIC_API_KEY,
      google: given.GEMINI_API_KEY,
      openrouter: given.OPENROUTER_API_KEY,
      deepseek: given.DEEPSEEK_API_KEY,
    },
  }
}
