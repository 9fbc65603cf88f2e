// One request to the provider's HTTP side: bounded in time and size, never repeated, its refusal in our words.

import type { Clock } from '../../platform/clock.ts'
import type { Address } from './address.ts'
import { type Refusal, refusalOf } from './refusal.ts'

/** An answer in SDP has some 2 kB; a session with its whole configuration less than this. */
const answerBytes = 256 * 1024

export interface Post {
  readonly contentType?: string
  readonly body?: string
  readonly timeoutMs: number
}

export type Posted =
  | { readonly is: 'done'; readonly status: number; readonly body: string; readonly location: string | null }
  | { readonly is: 'refused'; readonly refusal: Refusal }
  /** Nobody knows what became of it. */
  | { readonly is: 'unknown'; readonly code: string }

export async function post(clock: Clock, address: Address, { contentType, body, timeoutMs }: Post): Promise<Posted> {
  const aborted = new AbortController()
  const timer = clock.after(timeoutMs, () => aborted.abort())
  try {
    const response = await fetch(address.url, {
      method: 'POST',
      headers: { ...address.headers, ...(contentType === undefined ? {} : { 'content-type': contentType }) },
      // The key goes to nobody else.
      redirect: 'error',
      signal: aborted.signal,
      ...(body === undefined ? {} : { body }),
    })
    const text = await textOf(response)
    if (text === undefined) return { is: 'unknown', code: 'answer_too_large' }
    if (!response.ok) {
      return { is: 'refused', refusal: refusalOf(response.status, text, response.headers.get('retry-after')) }
    }
    return { is: 'done', status: response.status, body: text, location: response.headers.get('location') }
  } catch (error) {
    return { is: 'unknown', code: aborted.signal.aborted ? 'timeout' : codeOf(error) }
  } finally {
    timer.cancel()
  }
}

async function textOf({ body }: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body ?? []) {
    bytes += piece.length
    if (bytes > answerBytes) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code.toLowerCase() : 'request_failed'
}
