// The servers a gateway knows, and how the operator names a model of one: `server:model?option=value`. Pure.

import type { PartPlan, Server, ServerKind } from './server.ts'

export interface ServerSettings {
  /** `name=https://host/v1 key, …` */
  readonly servers: string | undefined
  /** http(s) or ws(s). */
  readonly openAiBaseUrl: string
  /** Addresses of the others, where they are reached another way: through a relay, or in tests. */
  readonly baseUrls?: Readonly<Partial<Record<KnownServer, string | undefined>>>
  readonly keys: Readonly<Partial<Record<KnownServer, string | undefined>>>
}

export type Servers = ReadonlyMap<string, Server>

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

/** Every problem is told without a key. */
export function readServers(settings: ServerSettings): {
  readonly servers: Servers
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  const servers = new Map<string, Server>(knownServers(settings))
  for (const item of itemsOf(settings.servers)) {
    const server = serverOf(item)
    if (typeof server === 'string') problems.push(server)
    else servers.set(server.name, server)
  }
  return { servers, problems }
}

/** A list of the operator's: parts that can be asked, and what is wrong with the others. */
export function readParts(
  list: string | undefined,
  servers: Servers,
  kinds: readonly ServerKind[],
): { readonly parts: readonly PartPlan[]; readonly problems: readonly string[] } {
  const read = itemsOf(list).map((item) => partOf(item, servers, kinds))
  return {
    parts: read.filter((each) => typeof each !== 'string'),
    problems: read.filter((each) => typeof each === 'string'),
  }
}

function* knownServers(settings: ServerSettings): Generator<[string, Server]> {
  const { openAiBaseUrl, baseUrls = {}, keys } = settings
  const openAi = openAiBaseUrl.replace(/^ws/, 'http')
  for (const [name, { kind, baseUrl }] of Object.entries(known)) {
    const key = keys[name === 'openai-responses' ? 'openai' : (name as KnownServer)]
    const address = baseUrls[name as KnownServer] ?? (baseUrl === '' ? openAi : baseUrl)
    yield [name, { name, kind, baseUrl: trimmed(address), apiKey: key }]
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

/** A string says why it cannot be. */
export function partOf(item: string, servers: Servers, kinds: readonly ServerKind[]): PartPlan | string {
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
export function needsKey({ name, baseUrl, apiKey }: Server): boolean {
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
