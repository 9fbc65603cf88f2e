// The credit behind one session: its hold, extended while there is credit to be had. Rules S33 and S34.

import type { ExtendAnswer, Ledger } from '../ledger/ledger.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import type { Admission } from '../usage/usage.ts'

const extendBySeconds = 120
/** Numbers that earlier owners of the session used up are passed over, this many at a time: four hours' worth. */
const maxStepsAtOnce = 150
/** Longer than any answer of a store that is well. */
const slowMs = 5_000

export interface HoldLineDeps {
  readonly clock: Clock
  readonly log: Log
  readonly ledger: Pick<Ledger, 'of'>
  readonly onFenced: () => void
}

export class HoldLine {
  readonly #tenantId: TenantId
  readonly #admission: Admission
  readonly #deps: HoldLineDeps
  #heldMicro: number
  #extensions = 0
  #isExhausted = false
  #hasFailed = false
  #askedAtMs: number | undefined

  constructor(tenantId: TenantId, admission: Admission, deps: HoldLineDeps) {
    this.#tenantId = tenantId
    this.#admission = admission
    this.#deps = deps
    this.#heldMicro = admission.heldMicro
  }

  get heldMicro(): number {
    return this.#heldMicro
  }

  /** The tenant had nothing more to give when last asked. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /** The ledger does not answer: nothing more is to be counted on. */
  get isStuck(): boolean {
    return (
      this.#hasFailed || (this.#askedAtMs !== undefined && this.#deps.clock.monotonicMs() - this.#askedAtMs > slowMs)
    )
  }

  get secondMicro(): number {
    return Math.max(1, this.#admission.price.holdSecondMicro)
  }

  /** Extends until `isEnough`, or by what is left. One at a time; never throws. */
  async extend(isEnough: () => boolean): Promise<void> {
    if (this.#askedAtMs !== undefined) return
    this.#askedAtMs = this.#deps.clock.monotonicMs()
    try {
      for (let step = 0; step < maxStepsAtOnce && !isEnough(); step++) if (!(await this.#step())) break
      this.#hasFailed = false
    } catch (error) {
      this.#hasFailed = true
      this.#deps.log.warn({ err: error }, 'hold not extended')
    } finally {
      this.#askedAtMs = undefined
    }
  }

  /** False: there is no use in asking again now. */
  async #step(): Promise<boolean> {
    const addMicro = extendBySeconds * this.secondMicro
    const answer = await this.#ask(addMicro)
    if (answer.is === 'held') {
      this.#isExhausted = false
      return true
    }
    if (answer.is === 'gone') return false
    this.#isExhausted = true
    const restMicro = addMicro - answer.shortfallMicro
    // Less than a second is not worth an entry.
    if (restMicro >= this.secondMicro) await this.#ask(restMicro)
    return false
  }

  /**
   * A number that an earlier owner used answers with the hold as it is and takes nothing, so the next number is due; one
   * whose answer was lost stays due, and taken again it takes nothing.
   */
  async #ask(addMicro: number): Promise<ExtendAnswer> {
    const { holdId, epoch } = this.#admission
    const n = this.#extensions + 1
    const answer = await this.#deps.ledger.of(this.#tenantId).extend({ holdId, n, addMicro, epoch })
    if (answer.is === 'held') {
      this.#extensions = n
      this.#heldMicro = answer.amountMicro
    } else if (answer.is === 'gone') this.#deps.onFenced()
    return answer
  }
}
