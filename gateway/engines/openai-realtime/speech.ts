// Speech that the server noticed, where the session says what is meant: then it cuts the answer and is answered, or it does
// nothing, and what was no speech at all is taken out of the conversation.

import type { EngineCommand } from '../engines.ts'
import { Recent } from '../recent.ts'
import { Verdicts } from '../verdicts.ts'

type Verdict = Extract<EngineCommand, { type: 'interrupt' | 'ignore' }>

export interface SpeechEvents {
  cut(): void
  answer(): void
  remove(itemId: string): void
}

export class Speech {
  readonly #verdicts: Verdicts
  readonly #on: SpeechEvents
  /** Noticed, and no item yet. */
  readonly #open = new Recent<true>()
  /** Noise and echo. */
  readonly #vain = new Recent<true>()

  constructor(interruptions: 'told' | undefined, on: SpeechEvents) {
    this.#verdicts = new Verdicts(interruptions)
    this.#on = on
  }

  /** The server itself neither cuts nor answers. */
  get isTold(): boolean {
    return this.#verdicts.isTold
  }

  begins(itemId: string): void {
    if (!this.isTold) return
    this.#open.set(itemId, true)
    this.#verdicts.of(itemId, (isMeant) => isMeant && this.#on.cut())
  }

  /** It is part of the conversation now. */
  ends(itemId: string): void {
    if (!this.#open.has(itemId)) return
    this.#open.delete(itemId)
    this.#verdicts.of(itemId, (isMeant) => {
      if (isMeant) this.#on.answer()
      else if (this.#vain.has(itemId)) this.#on.remove(itemId)
    })
  }

  judged(command: Verdict): void {
    if (command.type === 'ignore' && command.why !== 'backchannel') this.#vain.set(command.itemId, true)
    this.#verdicts.tell(command.itemId, command.type === 'interrupt')
  }
}
