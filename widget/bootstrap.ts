// The panel's first request: who is the agent, how does it look, and a token of 15 minutes to talk to it.

import type { WidgetBootstrap } from '../gateway/protocol/rest.ts'
import type { Ending } from './retry.ts'
import { asProblem, isObject } from './wire.ts'

export interface BootRequest {
  readonly key: string
  readonly agent: string | undefined
  readonly visitorId: string
  /** The page around the panel, as the browser told it: a page cannot forge the origin of its message. */
  readonly hostOrigin: string
}

export type BootAnswer =
  | { readonly is: 'booted'; readonly bootstrap: WidgetBootstrap }
  | { readonly is: 'failed'; readonly ending: Ending }

const lost: BootAnswer = { is: 'failed', ending: { reason: 'lost', retry: 'backoff' } }

export async function bootstrap(request: BootRequest): Promise<BootAnswer> {
  let response: Response
  let body: unknown
  try {
    response = await fetch('/v1/widget/bootstrap', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      credentials: 'omit',
    })
    body = await response.json()
  } catch {
    return lost
  }
  if (response.ok && isBootstrap(body)) return { is: 'booted', bootstrap: body }
  const problem = isObject(body) ? asProblem(body.error) : undefined
  return problem === undefined ? lost : { is: 'failed', ending: { reason: 'refused', ...problem } }
}

function isBootstrap(body: unknown): body is WidgetBootstrap {
  return isObject(body) && typeof body.token === 'string' && isObject(body.brand) && isObject(body.texts)
}

const visitorKey = 'parley.visitor'

/** Random, kept in the panel's own storage, which browsers keep apart per site around it. */
export function visitorId(): string {
  const fresh = randomId('vis_', 24)
  try {
    const known = localStorage.getItem(visitorKey)
    if (known !== null) return known
    localStorage.setItem(visitorKey, fresh)
  } catch {
    // Storage is off: the conversation lasts as long as the page.
  }
  return fresh
}

/** Letters and digits; not `crypto.randomUUID`, which pages without https lack. */
export function randomId(prefix: string, characters: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(characters))
  return prefix + Array.from(bytes, (byte) => (byte % 36).toString(36)).join('')
}
