// The life of a session as a pure function: states, events, effects. No clock, no I/O.

import type { ProblemCode } from '../protocol/codes.ts'
import type { EndReason } from '../protocol/realtime.ts'

export type Call =
  | { readonly at: 'opening' }
  | { readonly at: 'live'; readonly warned: boolean }
  /** The closing sentence is being said; the reason is decided. */
  | { readonly at: 'ending'; readonly why: EndReason }
  | { readonly at: 'ended'; readonly why: EndReason }

export type CallEvent =
  | { readonly is: 'engineReady' }
  | { readonly is: 'engineClosed'; readonly cause: 'asked' | 'refused' | 'lost' | 'expired' }
  | { readonly is: 'openTimeout' }
  | { readonly is: 'bye' }
  | { readonly is: 'legLost' }
  | { readonly is: 'operatorEnd' }
  | { readonly is: 'revoked' }
  | { readonly is: 'idle' }
  | { readonly is: 'durationCap' }
  /** Less than 60 s of credit left. */
  | { readonly is: 'creditLow' }
  /** No further hold to be had: 20 s of grace are left inside the present one. */
  | { readonly is: 'creditOut' }
  /** Another process owns the session now, or its hold was settled. */
  | { readonly is: 'fenced' }
  | { readonly is: 'drain' }
  | { readonly is: 'closingSaid' }
  | { readonly is: 'closingTimeout' }
  | { readonly is: 'broken' }

export type CallEffect =
  | { readonly do: 'goLive' }
  | { readonly do: 'warnCredit' }
  | { readonly do: 'sayClosing'; readonly why: EndReason }
  /** Closes engine and leg, stores what is pending, settles (unless fenced), frees the slot. */
  | { readonly do: 'finish'; readonly why: EndReason; readonly problem?: ProblemCode; readonly settle: boolean }

const none: readonly CallEffect[] = []

function finish(why: EndReason, problem?: ProblemCode, settle = true): readonly [Call, readonly CallEffect[]] {
  return [{ at: 'ended', why }, [{ do: 'finish', why, settle, ...(problem === undefined ? {} : { problem }) }]]
}

/** Ends that wait for one last sentence. */
function closing(call: Call, why: EndReason, problem: ProblemCode): readonly [Call, readonly CallEffect[]] {
  if (call.at === 'live') return [{ at: 'ending', why }, [{ do: 'sayClosing', why }]]
  if (call.at === 'ending') return [call, none]
  return finish(why, problem)
}

const problemOf: Partial<Record<EndReason, ProblemCode>> = {
  out_of_credit: 'out_of_credit',
  duration_cap: 'duration_cap',
  idle: 'timeout',
  drain: 'draining',
}

/** Rules S1–S9 of SPEC.md. */
export function step(call: Call, event: CallEvent): readonly [Call, readonly CallEffect[]] {
  if (call.at === 'ended') return [call, none]
  switch (event.is) {
    case 'engineReady':
      return call.at === 'opening' ? [{ at: 'live', warned: false }, [{ do: 'goLive' }]] : [call, none]
    case 'engineClosed':
      if (call.at === 'ending') return finish(call.why, problemOf[call.why])
      if (event.cause === 'asked') return finish('engine_ended')
      if (event.cause === 'expired') return finish('engine_ended', 'duration_cap')
      return finish(
        'engine_failed',
        call.at === 'opening' || event.cause === 'refused' ? 'engine_refused' : 'engine_lost',
      )
    case 'openTimeout':
      return call.at === 'opening' ? finish('engine_failed', 'engine_refused') : [call, none]
    case 'bye':
      return finish(call.at === 'ending' ? call.why : 'client_ended')
    case 'legLost':
      return finish(call.at === 'ending' ? call.why : 'client_gone')
    case 'operatorEnd':
      return finish('operator', 'ended_by_operator')
    case 'revoked':
      return finish('revoked', 'revoked')
    case 'idle':
      return closing(call, 'idle', 'timeout')
    case 'durationCap':
      return closing(call, 'duration_cap', 'duration_cap')
    case 'creditLow':
      if (call.at !== 'live' || call.warned) return [call, none]
      return [{ ...call, warned: true }, [{ do: 'warnCredit' }]]
    case 'creditOut':
      return closing(call, 'out_of_credit', 'out_of_credit')
    case 'fenced':
      return finish('janitor', 'ended_by_janitor', false)
    case 'drain':
      return finish('drain', 'draining')
    case 'closingSaid':
    case 'closingTimeout':
      return call.at === 'ending' ? finish(call.why, problemOf[call.why]) : [call, none]
    case 'broken':
      return finish('internal', 'internal')
  }
}
