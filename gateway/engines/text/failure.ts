// Why a part of the cascade did not do its work, in our words. A provider's own message stays out: it may quote the key.

import { z } from 'zod'

/** Thrown by parts, caught by whoever knows another part to ask. */
export class PartFailure extends Error {
  /** One of ours (`timeout`, `unreachable`, `connection_lost`, `malformed`, …), the provider's own, or `http_400` and the like. */
  readonly code: string
  /** Milliseconds the provider asked to wait; null: it did not say. */
  readonly retryAfterMs: number | null

  constructor(code: string, retryAfterMs: number | null = null) {
    super(`a part of the cascade failed: ${code}`)
    this.name = 'PartFailure'
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

const providerCode = z.string().regex(/^[a-z][a-z0-9_.]{1,63}$/)
const errorBody = z.object({
  error: z.object({
    code: z.union([providerCode, z.int()]).nullish().catch(undefined),
    type: providerCode.nullish().catch(undefined),
    status: z.string().nullish().catch(undefined),
  }),
})
/** What AI SDK providers throw for an answer that is not 2xx. */
const callError = z.object({
  /** Of a stream that broke off after its 200 the status says nothing. */
  statusCode: z.int().min(300),
  responseHeaders: z.record(z.string(), z.string()).optional().catch(undefined),
  responseBody: z.string().optional().catch(undefined),
})
const causeCode = z.object({ cause: z.object({ code: z.string() }) })
/** The server was never reached, as against: it broke off. */
const neverReached = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
/** Of `429`: waiting does not help. */
const spent = new Set(['insufficient_quota', 'credit_balance_exhausted', 'billing_hard_limit_reached'])

/** Anything a part may throw, as a failure. `signal.reason` is what an abort was given. */
export function failureOf(thrown: unknown): PartFailure {
  if (thrown instanceof PartFailure) return thrown
  const call = callError.safeParse(thrown)
  if (call.success) {
    const { statusCode, responseHeaders, responseBody } = call.data
    return statusFailure(statusCode, responseBody ?? '', responseHeaders?.['retry-after'] ?? null)
  }
  const cause = causeCode.safeParse(thrown).data?.cause.code
  return new PartFailure(cause !== undefined && neverReached.has(cause) ? 'unreachable' : 'connection_lost')
}

/** For an answer that is not 2xx. */
export function statusFailure(status: number, body: string, retryAfter: string | null): PartFailure {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter)
  return new PartFailure(codeOf(status, body), Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null)
}

/** For an error told within a stream: `{"error":{…}}`, whose code may be an HTTP status. */
export function streamFailure(body: unknown): PartFailure {
  const error = errorBody.safeParse(body).data?.error
  if (typeof error?.code === 'number') return new PartFailure(statusCode(error.code))
  return new PartFailure(known(error?.code) ?? known(error?.type) ?? 'server_error')
}

function codeOf(status: number, body: string): string {
  const error = errorBody.safeParse(json(body)).data?.error
  const told = [error?.code, error?.type].find((code) => typeof code === 'string' && spent.has(code))
  if (typeof told === 'string') return told
  if (status === 400 || status === 422) return known(error?.code) ?? `http_${status}`
  return statusCode(status)
}

/** Codes that `steady` knows to be final stay as they are told. */
function known(code: string | number | null | undefined): string | undefined {
  if (typeof code !== 'string' || code === 'invalid_request_error') return undefined
  return code === 'overloaded_error' || code === 'api_error'
    ? 'server_error'
    : code.replace('rate_limit_error', 'rate_limit_exceeded')
}

function statusCode(status: number): string {
  if (status === 401 || status === 403) return 'invalid_api_key'
  if (status === 402) return 'insufficient_quota'
  if (status === 404) return 'model_not_found'
  if (status === 408) return 'timeout'
  if (status === 429) return 'rate_limit_exceeded'
  return status >= 500 ? 'server_error' : `http_${status}`
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
