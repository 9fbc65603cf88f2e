// The one error class of the edge. Expected outcomes inside are return unions; a Problem is for whoever must be told.

import { type ProblemBody, type ProblemCode, type ProblemKind, problems } from '../protocol/codes.ts'

export interface ProblemDetails {
  readonly cause?: unknown
  readonly retryAfterMs?: number
  /** The field it is about, for clients of the original's API. */
  readonly param?: string
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
}

export class Problem extends Error {
  readonly code: ProblemCode
  readonly kind: ProblemKind
  readonly details: ProblemDetails

  /** `message` may be shown to the caller: no secrets, no internals. */
  constructor(code: ProblemCode, message?: string, details: ProblemDetails = {}) {
    super(message ?? problems[code].text, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Problem'
    this.code = code
    this.kind = problems[code]
    this.details = details
  }

  /** What goes over the wire. `id` joins it with the log line. */
  body(id?: string): ProblemBody {
    return {
      code: this.code,
      message: this.message,
      retry: this.kind.retry,
      ...(id === undefined ? {} : { id }),
      ...(this.details.retryAfterMs === undefined ? {} : { retryAfterMs: this.details.retryAfterMs }),
      ...(this.details.issues === undefined ? {} : { issues: this.details.issues }),
    }
  }
}

/** `not_found` for what is not there, and for what is another's. */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Problem('not_found')
  return value
}

/** The driver's names for "the store cannot be reached": no defect, and it passes. */
const unreachable =
  /^Mongo(Network|NetworkTimeout|ServerSelection|NotConnected|TopologyClosed|PoolCleared|PoolClosed|ServerClosed|WaitQueueTimeout)/

/** Unknown throwables become `internal`: the caller logs the cause under an id and tells only the id. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  if (thrown instanceof Error && unreachable.test(thrown.name))
    return new Problem('unavailable', undefined, { cause: thrown, retryAfterMs: 5_000 })
  return new Problem('internal', undefined, { cause: thrown })
}
