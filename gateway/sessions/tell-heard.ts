// Tells the engine how much of an answer that was cut the person has heard.

import type { Engine } from '../engines/engines.ts'
import type { Clock, Timer } from '../platform/clock.ts'

/** A client that knows better says so within this time. */
const clientMs = 400

export interface TellHeardNeeds {
  readonly clock: Clock
  readonly engine: Pick<Engine, 'send' | 'capabilities'>
  /** The player tells its positions; otherwise they are inferred. */
  readonly reports: () => boolean
}

export class TellHeard {
  readonly #needs: TellHeardNeeds
  /** Inferred, and not told yet. */
  readonly #waiting = new Map<string, Timer>()

  constructor(needs: TellHeardNeeds) {
    this.#needs = needs
  }

  /**
   * Who truncates by itself refuses to at nought, and hears from the protocol's own client where the player does not report. A
   * rewritten history loses the whole. One that takes notes has to be told even what is only inferred, if the client says nothing.
   */
  tell(itemId: string, playedMs: number, text: { readonly heard: string; readonly unheard: string }): void {
    const { clock, engine, reports } = this.#needs
    const { truncate } = engine.capabilities
    const heardMs = Math.floor(playedMs)
    const command = { type: 'truncate', itemId, heardMs } as const
    if (!reports()) {
      if (truncate !== 'note') return
      const timer = clock.after(clientMs, () => {
        this.#waiting.delete(itemId)
        engine.send({ ...command, text })
      })
      this.#waiting.set(itemId, timer)
    } else if (truncate !== 'native') engine.send({ ...command, text })
    else if (heardMs > 0) engine.send(command)
  }

  /** The client tells the engine itself. */
  withdraw(itemId: string): void {
    this.#waiting.get(itemId)?.cancel()
    this.#waiting.delete(itemId)
  }
}
