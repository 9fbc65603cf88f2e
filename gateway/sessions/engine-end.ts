// The end of a session's engine. Its last word may be its bill, after everybody else is through: it still counts.

import type { EngineEvent } from '../engines/engines.ts'
import type { Clock } from '../platform/clock.ts'
import type { Budget } from './budget.ts'

/** The port gives an engine 3 s to close. */
export const engineEndMs = 3_500
/** The next owner waits for a session that is handed over. */
export const handOverEndMs = 500

export class EngineEnd {
  readonly #clock: Clock
  readonly #budget: Pick<Budget, 'meters'>
  readonly #gone = Promise.withResolvers<void>()

  constructor(clock: Clock, budget: Pick<Budget, 'meters'>) {
    this.#clock = clock
    this.#budget = budget
  }

  event(event: EngineEvent): void {
    if (event.type === 'usage') this.#budget.meters(event.meters)
    else if (event.type === 'closed') this.#gone.resolve()
  }

  /** Resolves when the engine is closed, or has had that long for it. */
  async told(withinMs: number): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = this.#clock.after(withinMs, () => late.resolve())
    await Promise.race([this.#gone.promise, late.promise])
    timer.cancel()
  }
}
