// What is wrong with what a client sent, in the words of the original.

import type { z } from 'zod'

export interface Fault {
  readonly code: string
  readonly message: string
  readonly param: string | null
}

export function faultOf(error: z.ZodError): Fault {
  const issue = deepest(error.issues[0])
  const param = issue === undefined || issue.path.length === 0 ? null : issue.path.join('.')
  if (issue?.code === 'unrecognized_keys') {
    const key = [...issue.path, ...issue.keys.slice(0, 1)].join('.').slice(0, 200)
    return { code: 'unknown_parameter', message: `Unknown parameter: '${key}'.`, param: key }
  }
  if (issue?.code === 'invalid_type' && issue.message.includes('received undefined'))
    return { code: 'missing_required_parameter', message: `Missing required parameter: '${param}'.`, param }
  if (issue?.code === 'too_big' && issue.origin === 'string')
    return { code: 'string_above_max_length', message: `Invalid '${param}': string too long.`, param }
  const code = issue?.code === 'invalid_type' ? 'invalid_type' : 'invalid_value'
  return { code, message: `Invalid value for '${param}': ${issue?.message ?? 'unknown'}`, param }
}

/** A union hides what was wrong with the branch that nearly fitted: the issue that lies deepest is about it. */
function deepest(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union' || issue.errors.length === 0) return issue
  const [inner] = issue.errors.flatMap((branch) => branch.slice(0, 1)).toSorted((a, b) => weight(b) - weight(a))
  return inner === undefined ? issue : deepest({ ...inner, path: [...issue.path, ...inner.path] })
}

/** A branch whose `type` differs was never meant. */
function weight(issue: z.core.$ZodIssue): number {
  const isOther = issue.path.at(-1) === 'type' || (issue.code === 'invalid_type' && issue.path.length === 0)
  return isOther ? -1 : issue.path.length
}
