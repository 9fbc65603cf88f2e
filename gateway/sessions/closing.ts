// The last sentence of a session whose reason to end is decided.

import type { Timer } from '../platform/clock.ts'
import type { EndReason } from '../protocol/realtime.ts'
import type { CallEvent } from './call.ts'
import type { SessionParts } from './session-parts.ts'
import type { Talk } from './talk.ts'
import { closingMs } from './times.ts'

export interface Closing {
  readonly why: EndReason
  readonly text: string
  readonly talk: Talk
  /** Its response is done. */
  readonly isSaid: () => boolean
  readonly dispatch: (event: CallEvent) => void
}

export function sayClosing({ clock, engine, leg, onNotice }: SessionParts, closing: Closing): readonly Timer[] {
  const { why, text, talk, isSaid, dispatch } = closing
  onNotice('wrapping_up', `The session is ending: ${why}.`)
  leg.notice('wrapping_up', text)
  talk.interrupt()
  engine.send({ type: 'cancel' })
  engine.send({ type: 'say', text })
  return [
    clock.after(closingMs, () => dispatch({ is: 'closingTimeout' })),
    // A sentence is over when its response is done and the player is through with it.
    clock.every(200, () => {
      if (isSaid() && !talk.stillPlaying) dispatch({ is: 'closingSaid' })
    }),
  ]
}
