// When to come back after a connection ended, and when not to. Pure.

import { isProblemCode, type ProblemBody, type ProblemCode, problems } from '../gateway/protocol/codes.ts'
import type { EndReason, ParleyEnd } from '../gateway/protocol/realtime.ts'
import { parseObject } from './wire.ts'

export interface Ending {
  readonly reason: EndReason | 'lost' | 'refused'
  readonly code?: ProblemCode
  /** What the gateway says to a visitor, in its own language. */
  readonly message?: string
  readonly retry: ProblemBody['retry']
  readonly retryAfterMs?: number
}

/** Ends that somebody or something decided: coming back by itself would be rude, whatever the code advises. */
const decided: ReadonlySet<EndReason> = new Set<EndReason>([
  'client_ended',
  'idle',
  'duration_cap',
  'out_of_credit',
  'operator',
  'revoked',
  'engine_ended',
  'janitor',
])

/** `end` and `refused`: what the gateway said before it closed, if it still could. */
export function endingOf(
  close: { readonly code: number; readonly reason: string },
  said: { readonly end?: ParleyEnd; readonly refused?: ProblemBody },
): Ending {
  if (said.end !== undefined) {
    const { reason, problem } = said.end
    const retry = decided.has(reason) ? 'never' : (problem?.retry ?? 'backoff')
    return { reason, ...facts(problem), retry }
  }
  if (said.refused !== undefined) return { reason: 'refused', retry: said.refused.retry, ...facts(said.refused) }
  const code = codeOf(close)
  if (code !== undefined) return { reason: 'refused', code, message: problems[code].text, retry: problems[code].retry }
  return { reason: 'lost', retry: close.code === 1000 ? 'never' : 'now' }
}

function facts(problem: ProblemBody | undefined): Pick<Ending, 'code' | 'message' | 'retryAfterMs'> {
  if (problem === undefined) return {}
  const { code, message, retryAfterMs } = problem
  return { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** The close reason names the problem; a proxy may leave only the number. */
function codeOf(close: { readonly code: number; readonly reason: string }): ProblemCode | undefined {
  const named = parseObject(close.reason)?.code
  if (typeof named === 'string' && isProblemCode(named)) return named
  if (close.code < 1009) return undefined
  return Object.keys(problems)
    .filter(isProblemCode)
    .find((code) => problems[code].ws === close.code)
}

/** Seconds before the n-th try; the first is spread over 0 to 1 s so that a restart is not a stampede. */
const pauses = [0, 1, 2, 4, 7, 7] as const
/** After these the panel says so and leaves the next try to the person. */
export const maxTries = pauses.length

/** Milliseconds until try number `tries` (from 0), or undefined when it is time to give up. `random` from 0 to 1. */
export function pauseMs(ending: Ending, tries: number, random: number): number | undefined {
  const seconds = pauses[tries]
  if (ending.retry === 'never' || seconds === undefined) return undefined
  const spread = seconds === 0 ? random * 1000 : seconds * 1000 * (0.75 + random / 2)
  return Math.max(spread, ending.retryAfterMs ?? 0)
}
