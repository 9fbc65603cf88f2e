// The operator's words for a cascade: lists of `server:model?option=value`, and servers of their own. Pure.

import type { PartPlan, Server, ServerKind } from './server.ts'

export interface CascadeSettings {
  readonly llm: string | undefined
  readonly stt: string | undefined
  readonly tts: string | undefined
  /** `name=https://host/v1 key, …` */
  readonly servers: string | undefined
  /** http(s) or ws(s). */
  readonly openAiBaseUrl: string
  readonly keys: Readonly<Partial<Record<KnownServer, string | undefined>>>
}

export interface CascadePlan {
  readonly llm: readonly PartPlan[]
  readonly stt: readonly PartPlan[]
  readonly tts: readonly PartPlan[]
  readonly servers: ReadonlyMap<string, Server>
}

const known = {
  openai: { kind: 'http', baseUrl: '' },
  'openai-responses': { kind: 'openai-responses', baseUrl: '' },
  anthropic: { kind: 'anthropic', baseUrl: 'https://api.anthropic.com/v1' },
  google: { kind: 'google', baseUrl: 'https://generativelanguage.googleapis.com/v1beta' },
  openrouter: { kind: 'http', baseUrl: 'https://openrouter.ai/api/v1' },
  deepseek: { kind: 'http', baseUrl: 'https://api.deepseek.com/v1' },
  ollama: { kind: 'http', baseUrl: 'http://127.0.0.1:11434/v1' },
  builtin: { kind: 'builtin', baseUrl: '' },
} as const satisfies Readonly<Record<string, { readonly kind: ServerKind; readonly baseUrl: string }>>

export type KnownServer = keyof typeof known
const keyless = new Set<string>(['ollama', 'builtin'])

/** Which kinds of server can be which part. */
const serves: Readonly<Record<'llm' | 'stt' | 'tts', readonly ServerKind[]>> = {
  llm: ['http', 'anthropic', 'google', 'openai-responses'],
  stt: ['http'],
  tts: ['http', 'builtin'],
}

/** Every problem names its variable. With problems the lists lack what they are about. */
export function readPlan(settings: CascadeSettings): {
  readonly plan: CascadePlan
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  const servers = new Map<string, Server>(knownServers(settings))
  for (const item of itemsOf(settings.servers)) {
    const server = serverOf(item)
    if (typeof server === 'string') problems.push(`CASCADE_SERVERS: ${server}`)
    else servers.set(server.name, server)
  }
  const list = (part: 'llm' | 'stt' | 'tts') =>
    itemsOf(settings[part]).flatMap((item) => {
      const read = partOf(item, servers, serves[part])
      if (typeof read !== 'string') return [read]
      problems.push(`CASCADE_${part.toUpperCase()}: ${read}`)
      return []
    })
  return { plan: { llm: list('llm'), stt: list('stt'), tts: list('tts'), servers }, problems }
}

/** `model` as an agent names it: `server:model`, or a model of the first server. Undefined: nobody serves it. */
export function partFor(model: string, { llm, servers }: CascadePlan): PartPlan | undefined {
  const own = llm.find(({ name }) => name === model)
  if (own !== undefined) return own
  // Whoever writes an agent's config chooses a model, not what else is sent to its server.
  const read = partOf(model.split('?', 1)[0] ?? '', servers, serves.llm)
  if (typeof read !== 'string') return read
  const server = llm[0]?.server
  return server === undefined ? undefined : { name: `${server.name}:${model}`, server, model, options: {} }
}

function* knownServers({ openAiBaseUrl, keys }: CascadeSettings): Generator<[string, Server]> {
  const openAi = openAiBaseUrl.replace(/^ws/, 'http')
  for (const [name, { kind, baseUrl }] of Object.entries(known)) {
    const key = keys[name === 'openai-responses' ? 'openai' : (name as KnownServer)]
    yield [name, { name, kind, baseUrl: trimmed(baseUrl === '' ? openAi : baseUrl), apiKey: key }]
  }
}

function itemsOf(list: string | undefined): readonly string[] {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** What is wrong is told without the key. */
function serverOf(item: string): Server | string {
  const [, name, address, apiKey] = /^([a-z][a-z0-9-]*)=(\S+)(?:\s+(\S+))?$/.exec(item) ?? []
  if (name === undefined || address === undefined) return 'a server is written `name=https://host/v1 key`'
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) return `${name}: no http(s) address`
  return { name, kind: 'http', baseUrl: trimmed(address), apiKey }
}

function partOf(item: string, servers: ReadonlyMap<string, Server>, kinds: readonly ServerKind[]): PartPlan | string {
  const [whole = '', query] = item.split('?', 2)
  const at = whole.indexOf(':')
  const serverName = at < 0 ? whole : whole.slice(0, at)
  const model = at < 0 ? '' : whole.slice(at + 1).trim()
  const server = servers.get(serverName)
  if (server === undefined) return `no server is called ${serverName}; known are ${[...servers.keys()].join(', ')}`
  if (!kinds.includes(server.kind)) return `${serverName} cannot be this part`
  if (model === '' && server.kind !== 'builtin') return `${serverName} needs a model: \`${serverName}:model\``
  if (needsKey(server)) return `${serverName} needs its key`
  return { name: whole, server, model, options: optionsOf(query) }
}

/** A server of the operator's own, or on this machine, may take anyone. */
function needsKey({ name, baseUrl, apiKey }: Server): boolean {
  if (apiKey !== undefined || keyless.has(name) || !Object.hasOwn(known, name)) return false
  return name !== 'openai' || /openai\.(com|azure\.com)$/.test(new URL(baseUrl).hostname)
}

function optionsOf(query: string | undefined): PartPlan['options'] {
  const options = [...new URLSearchParams(query ?? '')].map(([name, value]) => [name, optionValue(value)] as const)
  return Object.fromEntries(options)
}

function optionValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '')
}
