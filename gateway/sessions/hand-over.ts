// How a session leaves this process for another one, and goes on there.

import { Problem } from '../platform/problem.ts'
import type { Leg } from './leg.ts'
import type { Recovery, SessionParts } from './session-parts.ts'

/** A handover is waited for by a person: what is not stored by then is in the log on disk. */
const handOverMs = 3_000
/** Clients of a process that stops come back within this, spread evenly, so that the next one is not overrun. */
const spreadMs = 3_000

export function sayGoingAway(leg: Leg, deadlineMs: number): void {
  leg.goingAway(Math.floor(Math.random() * Math.min(spreadMs, deadlineMs / 4)), deadlineMs)
}

/** Stores what is pending, then lets the next owner in and the client go. Never rejects. */
export async function letGo({ leg, recorder, log, budget, onHandOver }: SessionParts): Promise<void> {
  // A client that was away is back at the next owner, or will be within its window: the absence is charged as far as it is due.
  budget.back()
  try {
    if (!(await recorder.settle(handOverMs))) log.error('turns were not stored before the session was handed over')
    await onHandOver()
  } catch (error) {
    log.error({ err: error }, 'the session was not handed over in order; the next owner takes what is stored')
  } finally {
    leg.end('drain', new Problem('draining'))
  }
}

/** What the process before left open. */
export function takeUp({ engine }: Pick<SessionParts, 'engine'>, recovery: Recovery | undefined): void {
  if (recovery === undefined) return
  for (const text of recovery.notes) engine.send({ type: 'note', text })
  if (recovery.goOnAfter !== undefined) engine.send({ type: 'goOn', after: recovery.goOnAfter })
}
