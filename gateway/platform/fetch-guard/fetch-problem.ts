// How a request to the outside can fail.

import type { ProblemCode } from '../../protocol/codes.ts'
import { Problem, type ProblemDetails } from '../problem.ts'

/**
 * `address_refused`: may not be asked; `unreachable`: no connection, or it broke; `timeout`, `too_large`: our caps;
 * `too_many`: the tenant has too many requests under way.
 */
export class FetchProblem extends Problem {
  declare readonly code: FetchProblemCode
  /** Whether the other side may have got the request: without it, whoever asked knows that nothing happened. */
  readonly sent: boolean

  constructor(code: FetchProblemCode, message: string, details: ProblemDetails & { readonly sent?: boolean } = {}) {
    super(code, message, details)
    this.sent = details.sent ?? false
  }
}

export type FetchProblemCode = Extract<
  ProblemCode,
  'address_refused' | 'unreachable' | 'timeout' | 'too_large' | 'too_many'
>

export const refused = (message: string): FetchProblem => new FetchProblem('address_refused', message)
