// What a process that died had told and not stored: words older than a moment are on its disk by then, and the next
// process has to write them. Rules T7 and T9 of the transcript.

import { num } from '../../gateway/embedded/value.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'
import type { Breach } from './books.ts'
import type { Gateway } from './gateway.ts'
import type { SimStore } from './sim-store.ts'

/** A second until it counts as waiting, another until that is looked at, and a busy disk. */
const onDiskMs = 2_500

interface Left {
  readonly by: string
  readonly turn: Turn
  readonly epoch: number
}

export class LeftBehind {
  readonly #left: Left[] = []

  /** `gateway` has just died. */
  died({ name, life, told }: Gateway, { store, nowMs }: { store: SimStore; nowMs: number }): void {
    for (const { turn, leg, atMs } of told.values()) {
      const { epoch } = leg
      if (turn.state === 'partial' || epoch === undefined) continue
      // While it stood still it wrote nothing down.
      if (nowMs - Math.max(atMs, life.frozenUntilMs) < onDiskMs) continue
      const session = store.collection('sessions').get(turn.sessionId)
      // What an owner before has to say is nobody's any more.
      if (session?.owner !== name || num(session.epoch) !== epoch || session.endReason === 'janitor') continue
      if (!isFenced(store, turn.sessionId, epoch)) this.#left.push({ by: name, turn, epoch })
    }
  }

  /** Once all is quiet: a later owner may have said it in other words, nobody may have lost it. */
  check(store: SimStore, breach: Breach): void {
    for (const { by, turn, epoch } of this.#left) {
      const doc = store.collection('turns').get(turn.id)
      if (doc === undefined || doc.state === 'partial' || num(doc.epoch) < epoch)
        breach('T9', `${turn.itemId} was on the disk of ${by} and is lost`)
      else if (num(doc.epoch) === epoch && doc.text !== turn.text)
        breach('T9', `${turn.itemId} is not as ${by} left it`)
    }
  }
}

/** A new owner or the janitor is at it. */
function isFenced(store: SimStore, sessionId: string, epoch: number): boolean {
  for (const turn of store.collection('turns').values())
    if (turn.sessionId === sessionId && num(turn.fence ?? 0) > epoch) return true
  return false
}
