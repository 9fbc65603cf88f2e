// The life of a session as a pure function: states, events, effects. No clock, no I/O.

import type { CloseCause } from '../engines/engines.ts'
import type { ProblemCode } from '../protocol/codes.ts'
import type { EndReason } from '../protocol/realtime.ts'

/** `away`: the client was lost and may come back within its window. */
export type Call =
  | { readonly at: 'opening'; readonly away: boolean }
  | { readonly at: 'live'; readonly warned: boolean; readonly away: boolean }
  /** The closing sentence is being said; the reason is decided. */
  | { readonly at: 'ending'; readonly why: EndReason }
  | { readonly at: 'ended'; readonly why: EndReason }

export type CallEvent =
  | { readonly is: 'engineReady' }
  | { readonly is: 'engineClosed'; readonly cause: CloseCause }
  | { readonly is: 'openTimeout' }
  | { readonly is: 'bye' }
  | { readonly is: 'legLost'; readonly canReturn: boolean }
  | { readonly is: 'legBack' }
  /** Nobody came back in time. */
  | { readonly is: 'windowOver' }
  | { readonly is: 'operatorEnd' }
  | { readonly is: 'revoked' }
  /** A resume token was used twice: one of the two is a thief, and nobody knows which. */
  | { readonly is: 'stolen' }
  | { readonly is: 'idle' }
  | { readonly is: 'durationCap' }
  /** Less than 60 s of credit left. */
  | { readonly is: 'creditLow' }
  /** No further hold to be had: 20 s of grace are left inside the present one. */
  | { readonly is: 'creditOut' }
  /** Another process owns the session now, or its hold was settled. */
  | { readonly is: 'fenced' }
  /** This process stops: clients that can are asked to come back elsewhere, of the others the session ends. */
  | { readonly is: 'drain'; readonly canReturn: boolean }
  /** Another process is about to go on with this session, or this one cannot wait for that any longer. */
  | { readonly is: 'release' }
  | { readonly is: 'closingSaid' }
  | { readonly is: 'closingTimeout' }
  | { readonly is: 'broken' }

export type CallEffect =
  | { readonly do: 'goLive' }
  | { readonly do: 'warnCredit' }
  | { readonly do: 'sayClosing'; readonly why: EndReason }
  /** Stops the bill, starts the window. */
  | { readonly do: 'awaitReturn' }
  | { readonly do: 'welcomeBack' }
  | { readonly do: 'sayGoingAway' }
  /** Stores what is pending and lets go: hold and session stay open for the next owner. */
  | { readonly do: 'handOver' }
  /** Closes engine and leg, stores what is pending, settles (unless fenced), frees the slot. */
  | { readonly do: 'finish'; readonly why: EndReason; readonly problem?: ProblemCode; readonly settle: boolean }

type Step = readonly [Call, readonly CallEffect[]]

const none: readonly CallEffect[] = []

function finish(why: EndReason, problem?: ProblemCode, settle = true): Step {
  return [{ at: 'ended', why }, [{ do: 'finish', why, settle, ...(problem === undefined ? {} : { problem }) }]]
}

/** Ends that wait for one last sentence, if there is somebody to hear it. */
function closing(call: Call, why: EndReason, problem: ProblemCode): Step {
  if (call.at === 'live' && !call.away) return [{ at: 'ending', why }, [{ do: 'sayClosing', why }]]
  if (call.at === 'ending') return [call, none]
  return finish(why, problem)
}

const problemOf: Partial<Record<EndReason, ProblemCode>> = {
  out_of_credit: 'out_of_credit',
  duration_cap: 'duration_cap',
  idle: 'timeout',
  drain: 'draining',
}

function handOver(call: Call): Step {
  // A closing sentence is nothing to hand over: the end is decided.
  if (call.at === 'ending') return finish(call.why, problemOf[call.why])
  return [{ at: 'ended', why: 'drain' }, [{ do: 'handOver' }]]
}

/** Rules S1–S9 and S16–S18 of SPEC.md. */
export function step(call: Call, event: CallEvent): Step {
  if (call.at === 'ended') return [call, none]
  switch (event.is) {
    case 'engineReady':
      return call.at === 'opening' ? [{ at: 'live', warned: false, away: call.away }, [{ do: 'goLive' }]] : [call, none]
    case 'engineClosed':
      return engineClosed(call, event.cause)
    case 'openTimeout':
      return call.at === 'opening' ? finish('engine_failed', 'engine_refused') : [call, none]
    case 'legLost':
    case 'legBack':
    case 'windowOver':
    case 'drain':
      return connection(call, event)
    case 'release':
      return handOver(call)
    case 'bye':
      return finish(call.at === 'ending' ? call.why : 'client_ended')
    case 'operatorEnd':
      return finish('operator', 'ended_by_operator')
    case 'revoked':
      return finish('revoked', 'revoked')
    case 'stolen':
      return finish('revoked', 'forbidden')
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
    case 'closingSaid':
    case 'closingTimeout':
      return call.at === 'ending' ? finish(call.why, problemOf[call.why]) : [call, none]
    case 'broken':
      return finish('internal', 'internal')
  }
}

function engineClosed(call: Call, cause: (CallEvent & { is: 'engineClosed' })['cause']): Step {
  if (call.at === 'ending') return finish(call.why, problemOf[call.why])
  if (cause === 'asked') return finish('engine_ended')
  if (cause === 'hungUp') return finish('client_ended')
  if (cause === 'expired') return finish('engine_ended', 'duration_cap')
  return finish('engine_failed', call.at === 'opening' || cause === 'refused' ? 'engine_refused' : 'engine_lost')
}

type Connection = Extract<CallEvent, { is: 'legLost' | 'legBack' | 'windowOver' | 'drain' }>

function connection(call: Call, event: Connection): Step {
  if (call.at === 'ending' || call.at === 'ended')
    return event.is === 'legLost' && call.at === 'ending' ? finish(call.why) : [call, none]
  if (event.is === 'legBack') return call.away ? [{ ...call, away: false }, [{ do: 'welcomeBack' }]] : [call, none]
  if (event.is === 'windowOver') return call.away ? finish('client_gone', 'gone') : [call, none]
  if (event.is === 'legLost') {
    if (!event.canReturn) return finish('client_gone')
    return call.away ? [call, none] : [{ ...call, away: true }, [{ do: 'awaitReturn' }]]
  }
  if (!event.canReturn) return finish('drain', 'draining')
  // Who is away anyway comes back to another process by itself.
  return call.away ? handOver(call) : [call, [{ do: 'sayGoingAway' }]]
}
