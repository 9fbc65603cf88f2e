// The operator's words for a cascade: lists of `server:model?option=value`, and servers of their own. Pure.

import type { PartPlan, ServerKind } from '../text/server.ts'
import { partOf, readParts, readServers, type ServerSettings, type Servers } from '../text/servers.ts'

export interface CascadeSettings extends ServerSettings {
  readonly llm: string | undefined
  readonly stt: string | undefined
  readonly tts: string | undefined
}

export interface CascadePlan {
  readonly llm: readonly PartPlan[]
  readonly stt: readonly PartPlan[]
  readonly tts: readonly PartPlan[]
  readonly servers: Servers
}

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
  const { servers, problems: wrong } = readServers(settings)
  const problems = wrong.map((each) => `CASCADE_SERVERS: ${each}`)
  const list = (part: 'llm' | 'stt' | 'tts') => {
    const read = readParts(settings[part], servers, serves[part])
    problems.push(...read.problems.map((each) => `CASCADE_${part.toUpperCase()}: ${each}`))
    return read.parts
  }
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
