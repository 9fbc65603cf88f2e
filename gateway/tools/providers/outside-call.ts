// One request to a provider, and what is known of it afterwards: an answer, surely not sent, or perhaps done. Whoever asks must
// tell the three apart: what was surely not sent may be tried again, what was perhaps done may not.

import { Problem } from '../../platform/problem.ts'

/** The part of `fetch` that providers are asked by. Where a tenant names the address, the guarded one is passed. */
export type Fetch = (url: string, init: OutsideInit) => Promise<Response>

export interface OutsideInit {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
  readonly redirect: 'error' | 'manual'
}

export interface OutsideRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

export type OutsideAnswer =
  | {
      readonly is: 'answered'
      readonly status: number
      readonly headers: Headers
      /** Undefined: no JSON. */
      readonly json: unknown
    }
  /** It never reached the provider. */
  | { readonly is: 'unsent'; readonly why: string }
  /** It was on its way when the line was lost or the time ran out. */
  | { readonly is: 'lost'; readonly why: string }

/** Answers of providers are a few KB; a server that sends without end is not read. */
const maxAnswerBytes = 512 * 1024

/** Before the first byte of the request left. */
const beforeSending: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'SELF_SIGNED_CERT_IN_CHAIN'],
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Never throws. The words of `why` name neither address nor key. */
export async function askOutside(fetch: Fetch, request: OutsideRequest): Promise<OutsideAnswer> {
  const { method, url, headers, body, timeoutMs } = request
  if (request.signal.aborted) return { is: 'unsent', why: 'it was called off' }
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)])
  try {
    const sent = { method, headers, signal, redirect: 'error' as const }
    const response = await fetch(url, body === undefined ? sent : { ...sent, body })
    return { is: 'answered', status: response.status, headers: response.headers, json: await jsonOf(response) }
  } catch (error) {
    if (error instanceof Problem) return { is: wasSent(error) ? 'lost' : 'unsent', why: error.message }
    const code = codeOf(error)
    if (code !== undefined && beforeSending.has(code)) return { is: 'unsent', why: `no connection (${code})` }
    return { is: 'lost', why: signal.aborted ? 'no answer in time' : `the connection was lost (${code ?? 'unknown'})` }
  }
}

/** Asks again, the same in every byte, where the first answer was lost: for providers that know a key again. */
export async function askKeyed(fetch: Fetch, request: OutsideRequest): Promise<OutsideAnswer> {
  const first = await askOutside(fetch, request)
  const again = first.is !== 'answered' || first.status >= 500
  return again && !request.signal.aborted ? askOutside(fetch, request) : first
}

async function jsonOf(response: Response): Promise<unknown> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.byteLength
    if (size > maxAnswerBytes) return undefined
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    return undefined
  }
}

/** The guard tells whether the other side may have got it. */
const wasSent = (problem: Problem): boolean => 'sent' in problem && problem.sent === true

function codeOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string') return each.code
  }
  return undefined
}
