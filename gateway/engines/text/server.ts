// Where the parts of a cascade are served, and one endpoint of a server that speaks OpenAI's HTTP. A field that a server
// refuses is left out from then on: many are compatible but for one.

import { z } from 'zod'
import { failureOf, statusFailure } from './failure.ts'
import { reach } from './reach.ts'

/** `http`: OpenAI-compatible, all three parts. The others are language models behind their provider's own protocol. */
export type ServerKind = 'http' | 'anthropic' | 'google' | 'openai-responses' | 'builtin'

export interface Server {
  readonly name: string
  readonly kind: ServerKind
  /** With the version, without a final slash: `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly apiKey: string | undefined
}

/** One part as the operator wrote it: `server:model?option=value`. */
export interface PartPlan {
  /** As written, without options: names the part in logs and `ready`. */
  readonly name: string
  readonly server: Server
  readonly model: string
  readonly options: Readonly<Record<string, string | number | boolean>>
}

/** Refusals are short; the rest of a proxy's page is not read. */
const refusalChars = 16_384

export function headersFor({ apiKey, baseUrl }: Server): Readonly<Record<string, string>> {
  if (apiKey === undefined || apiKey === '') return {}
  return /\.(openai|cognitiveservices)\.azure\.com$/.test(new URL(baseUrl).hostname)
    ? { 'api-key': apiKey }
    : { authorization: `Bearer ${apiKey}` }
}

/** How far a field was given up: 0 is what we want, each further step is another value or none. */
export type LevelOf = (field: string) => number

const refusal = z.object({ error: z.object({ param: z.string().nullish().catch(undefined) }) })

export class Endpoint {
  readonly #server: Server
  readonly #path: string
  /** Per field how many times it can be given up. A name ends at a colon: `voice:marin` is refused as `voice`. */
  readonly #most: Readonly<Record<string, number>>
  /** For the life of the process. */
  readonly #levels = new Map<string, number>()

  constructor(server: Server, path: string, most: Readonly<Record<string, number>>) {
    this.#server = server
    this.#path = path
    this.#most = most
  }

  /**
   * Resolves with an answer that is 2xx. `body` is built again for each try; it must name every field it may give up.
   * Throws PartFailure; an abort throws its reason.
   */
  async post(body: (level: LevelOf) => string | FormData, signal: AbortSignal): Promise<Response> {
    const before = new Map(this.#levels)
    for (;;) {
      const asked = new Set<string>()
      const built = body((field) => {
        asked.add(field)
        return this.#levels.get(field) ?? 0
      })
      const response = await this.#send(built, signal)
      if (response.ok) return response
      const text = (await response.text().catch(() => '')).slice(0, refusalChars)
      const field = response.status === 400 || response.status === 422 ? this.#refused(text, asked) : undefined
      if (field === undefined) {
        // It was not the fields that were wrong.
        for (const each of asked) this.#levels.set(each, before.get(each) ?? 0)
        throw statusFailure(response.status, text, response.headers.get('retry-after'))
      }
      this.#levels.set(field, (this.#levels.get(field) ?? 0) + 1)
    }
  }

  async #send(body: string | FormData, signal: AbortSignal): Promise<Response> {
    const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
    const headers = { ...headersFor(this.#server), ...type }
    try {
      return await reach(`${this.#server.baseUrl}${this.#path}`, { method: 'POST', headers, body, signal })
    } catch (thrown) {
      throw signal.aborted ? signal.reason : failureOf(thrown)
    }
  }

  /** The field an error is about: the one its `param` names, or the only kind of field its words contain. */
  #refused(text: string, asked: ReadonlySet<string>): string | undefined {
    const param = refusal.safeParse(json(text)).data?.error.param
    return [...asked].find((field) => {
      const [name = ''] = field.split(':')
      const left = (this.#most[name] ?? 0) - (this.#levels.get(field) ?? 0)
      const isMeant = typeof param === 'string' ? param.split('.').includes(name) : text.includes(name)
      return left > 0 && isMeant
    })
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
