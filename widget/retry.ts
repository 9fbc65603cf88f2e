// When to come back after a connection ended, and when not to. Pure.

import type { ProblemBody, ProblemCode } from '../gateway/protocol/codes.ts'
import type { EndReason, ParleyEnd } from '../gateway/protocol/realtime.ts'
import { asCode, parseObject } from './wire.ts'

export interface Ending {
  readonly reason: EndReason | 'lost' | 'refused'
  readonly code?: ProblemCode
  /** What the gateway says to a visitor, in its own language. */
  readonly message?: string
  readonly retry: ProblemBody['retry']
  readonly retryAfterMs?: number
}

/** Accidents. Other ends somebody or something decided: coming back by itself would be rude, whatever the code advises. */
const accidents: ReadonlySet<EndReason> = new Set<EndReason>(['engine_failed', 'client_gone', 'drain', 'internal'])

/**
 * What a close code alone says, where a proxy swallowed the words. From the gateway's table, which a page need not carry;
 * what is missing here is never tried again.
 */
const byClose: Readonly<Record<number, readonly [ProblemCode, ProblemBody['retry']]>> = {
  1011: ['internal', 'backoff'],
  1012: ['draining', 'now'],
  4401: ['unauthenticated', 'new_token'],
  4402: ['out_of_credit', 'never'],
  4408: ['timeout', 'backoff'],
  4410: ['gone', 'now'],
  4411: ['replaced', 'never'],
  4413: ['too_slow', 'now'],
  4429: ['too_many', 'backoff'],
  4502: ['engine_refused', 'backoff'],
  4503: ['unavailable', 'backoff'],
}

/** `end` and `refused`: what the gateway said before it closed, if it still could. */
export function endingOf(
  close: { readonly code: number; readonly reason: string },
  said: { readonly end?: ParleyEnd; readonly refused?: ProblemBody },
): Ending {
  if (said.end !== undefined) {
    const { reason, problem } = said.end
    const retry = accidents.has(reason) ? (problem?.retry ?? 'backoff') : 'never'
    return { reason, ...facts(problem), retry }
  }
  if (said.refused !== undefined) return { reason: 'refused', retry: said.refused.retry, ...facts(said.refused) }
  const named = asCode(parseObject(close.reason)?.code)
  const isOurs = close.code === 1009 || close.code >= 4000
  const numbered = byClose[close.code] ?? (isOurs ? ['forbidden', 'never'] : undefined)
  if (numbered !== undefined) return { reason: 'refused', code: named ?? numbered[0], retry: numbered[1] }
  return { reason: 'lost', retry: close.code === 1000 ? 'never' : 'now' }
}

function facts(problem: ProblemBody | undefined): Pick<Ending, 'code' | 'message' | 'retryAfterMs'> {
  if (problem === undefined) return {}
  const { code, message, retryAfterMs } = problem
  return { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** What became of the session: it waits for the client (`here`), is lost (`gone`), or its end was told (`over`). */
export function fateOf({ reason, code, retry }: Ending): 'here' | 'gone' | 'over' {
  if (code === 'gone' || code === 'not_found') return 'gone'
  // What refuses a connection for now says nothing about the session itself.
  const passing = reason === 'drain' || reason === 'lost' || reason === 'refused'
  return passing && retry !== 'never' ? 'here' : 'over'
}

/** Seconds before the n-th try; the first is spread over 0 to 1 s so that a restart is not a stampede. */
const pauses = [0, 1, 2, 4, 7, 7] as const
/** After these the panel says so and leaves the next try to the person. */
export const maxTries = pauses.length

/**
 * Milliseconds until try number `tries` (from 0), or undefined when it is time to give up. `random` from 0 to 1. A session
 * that waits is tried for as long as it does (`waits`).
 */
export function pauseMs(ending: Ending, tries: number, random: number, waits = false): number | undefined {
  const seconds = waits ? pauses[Math.min(tries, pauses.length - 1)] : pauses[tries]
  if (ending.retry === 'never' || seconds === undefined) return undefined
  const spread = seconds === 0 ? random * 1000 : seconds * 1000 * (0.5 + random)
  return Math.max(spread, ending.retryAfterMs ?? 0)
}
