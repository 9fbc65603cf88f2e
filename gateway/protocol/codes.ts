// Every refusal Parley can give, with all its projections. No other file writes an HTTP status or a WebSocket close code.
// `text` is what a visitor may read or hear; it names no internals.

export interface ProblemKind {
  readonly http: number
  /** WebSocket close code: 4000 + HTTP status unless a standard code says it better. */
  readonly ws: number
  readonly retry: 'never' | 'now' | 'backoff' | 'new_token'
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly text: string
}

export const problems = {
  invalid: { http: 400, ws: 4400, retry: 'never', level: 'info', text: 'That request was not understood.' },
  /** Of a tool, a page, a server that a tenant names: not on the internet, not https, or our own. */
  address_refused: { http: 400, ws: 4400, retry: 'never', level: 'info', text: 'This address may not be used.' },
  unauthenticated: { http: 401, ws: 4401, retry: 'new_token', level: 'info', text: 'Please reload the page.' },
  out_of_credit: { http: 402, ws: 4402, retry: 'never', level: 'info', text: 'The agent is not available right now.' },
  forbidden: { http: 403, ws: 4403, retry: 'never', level: 'info', text: 'This is not allowed here.' },
  origin_refused: { http: 403, ws: 4403, retry: 'never', level: 'info', text: 'This page may not use this agent.' },
  revoked: { http: 403, ws: 4403, retry: 'never', level: 'info', text: 'The conversation was closed.' },
  not_found: { http: 404, ws: 4404, retry: 'never', level: 'info', text: 'Not found.' },
  unknown_agent: { http: 404, ws: 4404, retry: 'never', level: 'info', text: 'This agent is not available.' },
  agent_inactive: { http: 404, ws: 4404, retry: 'never', level: 'info', text: 'This agent is not available.' },
  timeout: {
    http: 408,
    ws: 4408,
    retry: 'backoff',
    level: 'info',
    text: 'The connection was too quiet and was closed.',
  },
  conflict: { http: 409, ws: 4409, retry: 'never', level: 'info', text: 'This was already done differently.' },
  ended_by_operator: { http: 409, ws: 4409, retry: 'never', level: 'info', text: 'The conversation was ended.' },
  ended_by_janitor: { http: 409, ws: 4409, retry: 'never', level: 'info', text: 'The conversation had ended.' },
  gone: { http: 410, ws: 4410, retry: 'now', level: 'info', text: 'The conversation was lost; please start again.' },
  replaced: { http: 409, ws: 4411, retry: 'never', level: 'info', text: 'Continued in another tab.' },
  duration_cap: {
    http: 403,
    ws: 4412,
    retry: 'never',
    level: 'info',
    text: 'The conversation reached its time limit.',
  },
  too_slow: { http: 408, ws: 4413, retry: 'now', level: 'info', text: 'The connection is too slow.' },
  too_large: { http: 413, ws: 1009, retry: 'never', level: 'info', text: 'That message is too large.' },
  unsupported: { http: 422, ws: 4422, retry: 'never', level: 'info', text: 'This agent cannot do that.' },
  too_many: { http: 429, ws: 4429, retry: 'backoff', level: 'info', text: 'The agent is busy, please try again.' },
  no_slot: { http: 429, ws: 4429, retry: 'backoff', level: 'info', text: 'The agent is busy, please try again.' },
  rate_visitor: {
    http: 429,
    ws: 4429,
    retry: 'backoff',
    level: 'info',
    text: 'The agent is busy, please try again in a moment.',
  },
  rate_key: { http: 429, ws: 4429, retry: 'backoff', level: 'info', text: 'The agent is busy, please try again soon.' },
  rate_tenant: {
    http: 429,
    ws: 4429,
    retry: 'backoff',
    level: 'info',
    text: 'The agent is busy, please try again in a minute.',
  },
  /** The caps of a day come back tomorrow: a client that asks again by itself would only be in the way. */
  rate_day: {
    http: 429,
    ws: 4429,
    retry: 'never',
    level: 'info',
    text: 'The agent has no more time today. Please try again tomorrow.',
  },
  agent_day_messages: {
    http: 429,
    ws: 4429,
    retry: 'never',
    level: 'info',
    text: 'The agent has answered all it can today. Please try again tomorrow.',
  },
  agent_day_cost: {
    http: 429,
    ws: 4429,
    retry: 'never',
    level: 'info',
    text: 'The agent is done for today. Please try again tomorrow.',
  },
  internal: { http: 500, ws: 1011, retry: 'backoff', level: 'error', text: 'Something went wrong on our side.' },
  /** No WebRTC here (switched off, or no library for this platform): the WebSocket serves the same sessions. */
  webrtc_unavailable: {
    http: 501,
    ws: 4501,
    retry: 'never',
    level: 'info',
    text: 'Calls over WebRTC are not taken here.',
  },
  engine_refused: {
    http: 502,
    ws: 4502,
    retry: 'backoff',
    level: 'warn',
    text: 'The agent cannot be reached right now.',
  },
  engine_lost: {
    http: 502,
    ws: 4502,
    retry: 'backoff',
    level: 'warn',
    text: 'The agent was cut off, please try again.',
  },
  /** The server of a tenant's tool, page or webhook: not ours to mend. */
  unreachable: {
    http: 502,
    ws: 4502,
    retry: 'backoff',
    level: 'info',
    text: 'The other service cannot be reached right now.',
  },
  unavailable: {
    http: 503,
    ws: 4503,
    retry: 'backoff',
    level: 'warn',
    text: 'The service is not available right now.',
  },
  /** Not configured here, or its server does not answer: other ways to the agent are open. */
  livekit_unavailable: {
    http: 503,
    ws: 4503,
    retry: 'backoff',
    level: 'warn',
    text: 'Rooms are not available here right now.',
  },
  draining: { http: 503, ws: 1012, retry: 'now', level: 'info', text: 'The service is restarting.' },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof problems

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code)
}

/** The body of every HTTP error and of the `error` frame's `parley` field. */
export interface ProblemBody {
  readonly code: ProblemCode
  readonly message: string
  /** Correlates the reply with the log line of an internal error. */
  readonly id?: string
  readonly retry: ProblemKind['retry']
  readonly retryAfterMs?: number
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
}
