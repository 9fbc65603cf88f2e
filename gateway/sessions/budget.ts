// The running bill of one session: cumulative usage, heartbeat, checkpoint, extension of the hold, one settlement.

import type { Meters } from '../engines/engines.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import { limits } from '../protocol/realtime.ts'
import type { Receipt } from '../protocol/rest.ts'
import type { Channel } from '../protocol/turn.ts'
import type { Admission, Bill, CheckpointFacts, Usage, UsageSoFar } from '../usage/usage.ts'

export const checkpointMs = 15_000
/** Turns may end in quick succession; their checkpoints are merged into one. */
const checkpointGapMs = 3_000
/** Extend while this much is left, so that a refusal leaves time for a closing sentence. */
const extendBelowSeconds = 40
const warnBelowSeconds = 60
const graceSeconds = 20
const extendBySeconds = 120
/** Without one durable checkpoint for this long the session is wrapped up: nobody could prove its bill. */
const blindMs = 60_000
const settleTries = 8

export interface BudgetFacts {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly agentId: string
  readonly channel: Channel
  readonly admission: Admission
  readonly baseline?: UsageSoFar
  readonly freeGapMs?: number
}

export interface BudgetDeps {
  readonly clock: Clock
  readonly log: Log
  readonly usage: Pick<Usage, 'bill' | 'heartbeat' | 'checkpoint'>
  readonly ledger: Pick<Ledger, 'of'>
  /** Moves the session's own checkpoint: last seen, bill, counts. */
  readonly store: () => Promise<void>
  readonly onLow: () => void
  readonly onOut: () => void
  readonly onFenced: () => void
}

export class Budget {
  readonly #facts: BudgetFacts
  readonly #deps: BudgetDeps
  #startedAtMs: number | undefined
  #stoppedAtMs: number | undefined
  #meters: Meters = {}
  #toolCalls = 0
  #heldMicro: number
  #extensions = 0
  #exhausted = false
  #extending = false
  #running: Promise<void> | undefined
  #again: Timer | undefined
  #due: Timer | undefined
  #checkpointedAtMs = Number.NEGATIVE_INFINITY
  #lastGoodMs = 0
  readonly #timers: Timer[] = []

  constructor(facts: BudgetFacts, deps: BudgetDeps) {
    this.#facts = facts
    this.#deps = deps
    this.#heldMicro = facts.admission.heldMicro
  }

  /** The engine is ready: seconds count from now. */
  start(): void {
    if (this.#startedAtMs !== undefined) return
    this.#startedAtMs = this.#deps.clock.monotonicMs()
    this.#lastGoodMs = this.#startedAtMs
    this.#timers.push(this.#deps.clock.every(limits.heartbeatMs, () => this.#beat()))
    this.#due = this.#deps.clock.after(checkpointMs, () => this.checkpoint())
  }

  stop(): void {
    this.#stoppedAtMs ??= this.#deps.clock.monotonicMs()
    this.#again?.cancel()
    this.#due?.cancel()
    for (const timer of this.#timers.splice(0)) timer.cancel()
  }

  meters(meters: Meters): void {
    this.#meters = meters
  }

  toolCall(): void {
    this.#toolCalls++
  }

  /** A started second counts. */
  get seconds(): number {
    if (this.#startedAtMs === undefined) return 0
    return Math.ceil(((this.#stoppedAtMs ?? this.#deps.clock.monotonicMs()) - this.#startedAtMs) / 1000)
  }

  get used(): UsageSoFar {
    return this.#soFar()
  }
  get freeGapMs(): number {
    return this.#facts.freeGapMs ?? 0
  }
  get confirmedAtMs(): number {
    return this.#lastGoodMs
  }
  #costUnknown = false
  costUnknown(): void {
    this.#costUnknown = true
  }
  away(_lastByteAtMs: number): void {}
  back(): void {}
  async lastCheckpoint(): Promise<void> {
    this.stop()
    await this.#running
    await this.#checkpoint()
  }

  bill(): Bill {
    const bill = this.#deps.usage.bill(this.#facts.admission.price, this.#soFar())
    return this.#costUnknown ? { ...bill, costUsdMicro: null } : bill
  }

  #soFar() {
    return { seconds: this.seconds, meters: this.#meters, toolCalls: this.#toolCalls }
  }

  #beat(): void {
    const { tenantId, sessionId, admission } = this.#facts
    void this.#deps.usage.heartbeat({ tenantId, sessionId, epoch: admission.epoch, usage: this.#soFar() })
    this.#watchCredit(this.bill())
  }

  #watchCredit(bill: Bill): void {
    const perSecond = Math.max(1, this.#facts.admission.price.holdSecondMicro)
    const secondsLeft = (this.#heldMicro - bill.totalMicro) / perSecond
    if (!this.#exhausted && secondsLeft < extendBelowSeconds) void this.#extend(extendBySeconds * perSecond)
    if (!this.#exhausted) return
    if (secondsLeft < graceSeconds) this.#deps.onOut()
    else if (secondsLeft < warnBelowSeconds) this.#deps.onLow()
  }

  async #extend(addMicro: number): Promise<void> {
    if (this.#extending) return
    this.#extending = true
    try {
      const { tenantId, admission } = this.#facts
      const answer = await this.#deps.ledger
        .of(tenantId)
        .extend({ holdId: admission.holdId, n: this.#extensions + 1, addMicro, epoch: admission.epoch })
      if (answer.is === 'held') {
        this.#extensions++
        this.#heldMicro = answer.amountMicro
      } else if (answer.is === 'gone') this.#deps.onFenced()
      else await this.#takeTheRest(addMicro - answer.shortfallMicro)
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'hold not extended')
    } finally {
      this.#extending = false
    }
  }

  /** The last credit of the tenant: whatever is left, then no more. */
  async #takeTheRest(restMicro: number): Promise<void> {
    this.#exhausted = true
    if (restMicro <= 0) return
    const { tenantId, admission } = this.#facts
    const answer = await this.#deps.ledger
      .of(tenantId)
      .extend({ holdId: admission.holdId, n: this.#extensions + 1, addMicro: restMicro, epoch: admission.epoch })
    if (answer.is !== 'held') return
    this.#extensions++
    this.#heldMicro = answer.amountMicro
  }

  /** Durable progress, now or within 3 s of the last one. */
  checkpoint(): void {
    if (this.#startedAtMs === undefined || this.#stoppedAtMs !== undefined || this.#again !== undefined) return
    const waitMs = this.#checkpointedAtMs + checkpointGapMs - this.#deps.clock.monotonicMs()
    if (this.#running === undefined && waitMs <= 0) this.#runCheckpoint()
    else {
      this.#again = this.#deps.clock.after(Math.max(waitMs, 100), () => {
        this.#again = undefined
        this.checkpoint()
      })
    }
  }

  #runCheckpoint(): void {
    this.#checkpointedAtMs = this.#deps.clock.monotonicMs()
    // 15 s from the last one, whatever caused it.
    this.#due?.cancel()
    this.#due = this.#deps.clock.after(checkpointMs, () => this.checkpoint())
    this.#running = this.#checkpoint().finally(() => {
      this.#running = undefined
    })
  }

  #progress(bill: Bill): CheckpointFacts {
    const { tenantId, sessionId, agentId, channel, admission } = this.#facts
    return {
      tenantId,
      sessionId,
      agentId,
      channel,
      holdId: admission.holdId,
      epoch: admission.epoch,
      usage: this.#soFar(),
      bill,
      day: new Date(this.#deps.clock.now()).toISOString().slice(0, 10),
    }
  }

  async #checkpoint(): Promise<void> {
    try {
      const answer = await this.#deps.usage.checkpoint(this.#progress(this.bill()))
      if (answer !== 'applied') return this.#deps.onFenced()
      await this.#deps.store()
      this.#lastGoodMs = this.#deps.clock.monotonicMs()
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'checkpoint failed')
      if (this.#deps.clock.monotonicMs() - this.#lastGoodMs > blindMs) this.#deps.onOut()
    }
  }

  /** One settlement, retried; undefined when it is left to the janitor. */
  async settle(note: string): Promise<Receipt | undefined> {
    this.stop()
    await this.#running
    const { tenantId, admission } = this.#facts
    const bill = this.bill()
    for (let attempt = 0; attempt < settleTries; attempt++) {
      try {
        await this.#deps.usage.checkpoint(this.#progress(bill))
        const answer = await this.#deps.ledger.of(tenantId).settle({
          holdId: admission.holdId,
          lines: bill.lines,
          costUsdMicro: bill.costUsdMicro,
          note,
          by: { epoch: admission.epoch },
        })
        return answer.is === 'fenced' ? undefined : answer.receipt
      } catch (error) {
        this.#deps.log.warn({ err: error, attempt }, 'settlement failed, trying again')
        await new Promise<void>((resolve) => this.#deps.clock.after(250 * 2 ** attempt, resolve))
      }
    }
    this.#deps.log.error('settlement left to the janitor')
    return undefined
  }
}
