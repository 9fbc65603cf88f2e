// The time a client is gone: its window runs, its bill pauses, and back again it hears the rest of the cut sentence.

import type { Engine } from '../engines/engines.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { limits } from '../protocol/realtime.ts'
import type { Budget } from './budget.ts'
import type { Talk } from './talk.ts'

/** A call that goes on opens its microphone at once; a page that was reloaded waits for a hand on its button. */
const voiceBackMs = 3_000

export interface AbsenceParts {
  readonly clock: Clock
  readonly budget: Pick<Budget, 'away' | 'back'>
  readonly talk: Pick<Talk, 'lost' | 'here' | 'responding' | 'restUnplayed'>
  readonly engine: Pick<Engine, 'send'>
  readonly onWindowOver: () => void
  /** The call did not go on: from here on it is a written conversation. */
  readonly onSilent: () => void
}

export class Absence {
  readonly #parts: AbsenceParts
  #window: Timer | undefined
  #voiceBack: Timer | undefined
  /** An answer is still being made: its rest is said when it is complete. */
  #restDue = false

  constructor(parts: AbsenceParts) {
    this.#parts = parts
  }

  begin(lastByteAtMs: number, voice: boolean): void {
    const { clock, budget, talk } = this.#parts
    this.#stop()
    talk.lost()
    budget.away(lastByteAtMs)
    const { resumeWindowMs } = limits
    const windowMs = voice ? resumeWindowMs.voice : resumeWindowMs.chat
    this.#window = clock.after(windowMs, this.#parts.onWindowOver)
  }

  end(voice: boolean): void {
    this.#stop()
    this.#parts.budget.back()
    this.#parts.talk.here()
    if (voice) this.awaitVoice()
  }

  /** The client is here and its call was on: it will say so, or the call is over. */
  awaitVoice(): void {
    this.#voiceBack = this.#parts.clock.after(voiceBackMs, () => {
      this.#voiceBack = undefined
      this.#parts.onSilent()
    })
  }

  /** True while a call that was cut is being taken up again. */
  voice(on: boolean): boolean {
    if (this.#voiceBack === undefined) return false
    this.#voiceBack.cancel()
    this.#voiceBack = undefined
    if (!on) return false
    if (this.#parts.talk.responding) this.#restDue = true
    else this.#sayRest()
    return true
  }

  responseDone(): void {
    if (!this.#restDue) return
    this.#restDue = false
    this.#sayRest()
  }

  #sayRest(): void {
    const rest = this.#parts.talk.restUnplayed()
    if (rest !== '') this.#parts.engine.send({ type: 'say', text: rest })
  }

  #stop(): void {
    this.#window?.cancel()
    this.#voiceBack?.cancel()
    this.#voiceBack = undefined
    this.#restDue = false
  }

  close(): void {
    this.#stop()
  }
}
