// Refusals of the gateway, as the console shows them.

import { isProblemCode, type ProblemBody, type ProblemCode, problems } from '../../gateway/protocol/codes.ts'
import { issueText } from './issue-text.ts'

/** Every failed call ends as one of these; `status` 0 means the gateway could not be reached. */
export class ApiProblem extends Error {
  readonly status: number
  readonly body: ProblemBody

  constructor(status: number, body: ProblemBody) {
    super(body.message)
    this.status = status
    this.body = body
  }
}

/** The visitor's words in `protocol/codes.ts` are too general for an operator. */
const operatorWords: Partial<Record<ProblemCode, string>> = {
  unauthenticated: 'You are signed out.',
  forbidden: 'Your role in this tenant does not allow this.',
  not_found: 'There is nothing here for this tenant.',
  conflict: 'Somebody else changed this first. Reload and try again.',
  out_of_credit: 'This tenant has no credit left.',
  too_many: 'Too many requests. Wait a moment and try again.',
  no_slot: 'All of the plan’s sessions are in use.',
  rate_visitor: 'This address asked too often. Wait a moment and try again.',
  rate_key: 'This key reached the rate of its plan. Wait a moment and try again.',
  rate_tenant: 'This tenant reached the rate of its plan. Wait a moment and try again.',
  rate_day: 'This tenant reached the daily limit of its plan.',
  agent_day_messages: 'This agent reached its daily limit of messages.',
  agent_day_cost: 'This agent reached its daily limit of credits.',
  unavailable: 'The gateway is not available right now.',
  draining: 'The gateway is restarting.',
}

export function problemOf(status: number, body: unknown): ApiProblem {
  const problem = unwrapped(body)
  if (isProblemBody(problem)) return new ApiProblem(status, problem)
  const code = codeOfStatus(status)
  return new ApiProblem(status, { code, message: problems[code].text, retry: problems[code].retry })
}

/** From an `error` event of a stream, which has no status of its own. */
export function problemFrom(body: unknown): ApiProblem {
  const problem = unwrapped(body)
  return problemOf(isProblemBody(problem) ? problems[problem.code].http : 500, problem)
}

export function unreachable(): ApiProblem {
  return new ApiProblem(0, { code: 'unavailable', message: 'The gateway cannot be reached.', retry: 'backoff' })
}

/** One sentence an operator can act on; field issues and the log id are appended. */
export function inWords(error: unknown): string {
  if (!(error instanceof ApiProblem)) return 'Something went wrong in the console. Reload the page.'
  const { code, message, id } = error.body
  const issues = issuesOf(error)
  // “Invalid body: …” only says the fields once more.
  const generic = message === '' || message === problems[code].text || /^Invalid (body|query)/.test(message)
  const base = generic ? (operatorWords[code] ?? problems[code].text) : message
  const fields = issues
    .filter((issue) => issue.message !== message)
    .map((issue) => (issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`))
  const told = generic && fields.length > 0 ? fields : [base, ...fields]
  return told.join(' · ') + (id === undefined ? '' : ` (reference ${id})`)
}

export interface FieldIssue {
  readonly path: string
  readonly message: string
}

/** What the gateway says about single fields of the body; empty for every other failure. */
export function issuesOf(error: unknown): readonly FieldIssue[] {
  if (!(error instanceof ApiProblem)) return []
  return (error.body.issues ?? []).map(({ path, message }) => ({
    path: path.replace(/^body\.?/, ''),
    message: issueText(message),
  }))
}

export function isConflict(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 409
}

export function isMissing(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 401
}

/** Worth asking again without a person's help. */
export function mayRetry(error: unknown): boolean {
  return error instanceof ApiProblem && (error.body.retry === 'backoff' || error.body.retry === 'now')
}

/** Every answer that is no success says `{ error }`; streams say the same in their `error` event. */
function unwrapped(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'error' in body ? body.error : body
}

function codeOfStatus(status: number): ProblemCode {
  if (status >= 500) return 'internal'
  const known: Partial<Record<number, ProblemCode>> = {
    400: 'invalid',
    401: 'unauthenticated',
    403: 'forbidden',
    404: 'not_found',
    409: 'conflict',
    413: 'too_large',
    429: 'too_many',
  }
  return known[status] ?? 'internal'
}

function isProblemBody(value: unknown): value is ProblemBody {
  if (typeof value !== 'object' || value === null) return false
  if (!('code' in value && 'message' in value)) return false
  return typeof value.code === 'string' && isProblemCode(value.code) && typeof value.message === 'string'
}
