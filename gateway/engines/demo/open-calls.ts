// Tool calls the demo waits for: each remembers the question it was made for, and somebody is told when it is late.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'

/** Nobody waits longer than 10 s in silence. */
const lateMs = 10_000
/** The oldest is forgotten beyond it: a result that nobody asks for any more. */
const openLimit = 16

export class OpenCalls {
  readonly #clock: Clock
  readonly #late: () => void
  readonly #open = new Map<string, { readonly question: string; readonly timer: Timer }>()

  constructor(clock: Clock, late: () => void) {
    this.#clock = clock
    this.#late = late
  }

  /** Returns the call's id. */
  open(question: string): string {
    const callId = newId('call')
    this.#open.set(callId, { question, timer: this.#clock.after(lateMs, this.#late) })
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= openLimit) break
      this.take(oldest)
    }
    return callId
  }

  /** The question of a call, once. */
  take(callId: string): string | undefined {
    const call = this.#open.get(callId)
    call?.timer.cancel()
    this.#open.delete(callId)
    return call?.question
  }

  clear(): void {
    for (const { timer } of this.#open.values()) timer.cancel()
    this.#open.clear()
  }
}
