// The one envelope of everything that went wrong. It never closes a session that has started.

import type { Problem } from '../../platform/problem.ts'
import type { Refusal } from '../realtime/refusal.ts'

export interface LiveError {
  readonly type: 'invalid_request_error' | 'server_error'
  readonly code: string
  readonly message: string
  readonly param?: string
}

export function liveError(code: string, message: string, param?: string): LiveError {
  return { type: 'invalid_request_error', code, message, ...(param === undefined ? {} : { param }) }
}

export function errorOf({ code, message, param }: Refusal): LiveError {
  return liveError(code, message, param ?? undefined)
}

export function errorOfProblem(problem: Problem): LiveError {
  const isOurs = problem.kind.http >= 500
  return { type: isOurs ? 'server_error' : 'invalid_request_error', code: problem.code, message: problem.message }
}

export type LiveEvent = Readonly<Record<string, unknown>> & { readonly type: string }

export function errorEvent(error: LiveError, clientEventId: string | null | undefined): LiveEvent {
  const from = clientEventId == null ? {} : { client_event_id: clientEventId }
  return { type: 'error', error: { ...error, ...from }, ...from }
}
