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
import { BilledTime } from './billed-time.ts'
import { HoldLine } from './hold-line.ts'

export const checkpointMs = 15_000
/** Turns may end in quick succession; their checkpoints are merged into one. */
const checkpointGapMs = 3_000
/** Asked for while this much is left: what is to be had is then known when the operator is to be warned. */
const extendBelowSeconds = 70
const warnBelowSeconds = 60
/** Less is nearly nothing: a session that cannot store its progress stops here. */
const nearlyUsedSeconds = 40
/** A closing sentence takes 12 s at most. */
const graceSeconds = 20
/** Without a durable checkpoint for this long somebody else may own the session soon. */
const unsureMs = 30_000
/** Without one for this long the session is wrapped up, whatever is held: nobody could prove its bill. */
const blindMs = 60_000
/** The last minute is watched closer than by the heartbeat. */
const lastMinuteWatchMs = 1_000
const settleTries = 8

export interface BudgetFacts {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly agentId: string
  readonly channel: Channel
  readonly admission: Admission
  /** What earlier owners and engines of the session used: all that is told is on top of it. */
  readonly baseline?: UsageSoFar
  /** Free time that earlier owners gave. */
  readonly freeGapMs?: number
  /** Time that earlier owners charged and that had not passed yet. */
  readonly aheadMs?: number
  /** The most one session may cost. Null or missing: no more than the tenant's credit. */
  readonly capMicro?: number | null
}

export interface BudgetDeps {
  readonly clock: Clock
  readonly log: Log
  readonly usage: Pick<Usage, 'bill' | 'heartbeat' | 'checkpoint'>
  readonly ledger: Pick<Ledger, 'of'>
  /** Moves the session's own checkpoint: last seen, bill, counts. False: the session is another process's. */
  readonly store: () => Promise<boolean>
  /** Of the whole session, as far as its turns are known here. */
  readonly messages: () => number
  /** Whether the agent has used up its day. Asked after each checkpoint. */
  readonly isDayOver?: () => Promise<boolean>
  readonly onLow: () => void
  /** 20 s are left: time for a whole closing sentence. */
  readonly onOut: () => void
  readonly onFenced: () => void
  /** A spending cap is reached. Default: as if credit ran out. */
  readonly onCap?: () => void
}

const nothingYet: UsageSoFar = { seconds: 0, meters: {}, toolCalls: 0 }

export class Budget {
  readonly #facts: BudgetFacts
  readonly #deps: BudgetDeps
  readonly #before: UsageSoFar
  readonly #time: BilledTime
  readonly #hold: HoldLine
  #isStarted = false
  #isStopped = false
  #meters: Readonly<Record<string, number>> = {}
  #toolCalls = 0
  #isCostUnknown = false
  readonly #tools = new Map<string, number>()
  #running: Promise<void> | undefined
  #again: Timer | undefined
  #due: Timer | undefined
  #closeWatch: Timer | undefined
  #checkpointedAtMs = Number.NEGATIVE_INFINITY
  #lastGoodMs = 0
  #confirmedAtMs = Number.NEGATIVE_INFINITY
  readonly #timers: Timer[] = []

  constructor(facts: BudgetFacts, deps: BudgetDeps) {
    this.#facts = facts
    this.#deps = deps
    this.#before = facts.baseline ?? nothingYet
    this.#time = new BilledTime(deps.clock, {
      seconds: this.#before.seconds,
      freeGapMs: facts.freeGapMs ?? 0,
      aheadMs: facts.aheadMs ?? 0,
    })
    this.#hold = new HoldLine(facts.tenantId, facts.admission, deps)
  }

  /** The engine is ready: seconds count from now. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#time.start()
    this.#lastGoodMs = this.#deps.clock.monotonicMs()
    this.#timers.push(this.#deps.clock.every(limits.heartbeatMs, () => this.#beat()))
    this.#due = this.#deps.clock.after(checkpointMs, () => this.checkpoint())
    // An earlier owner may have left next to nothing of the hold.
    this.#watchCredit()
  }

  stop(): void {
    this.#isStopped = true
    this.#time.stop()
    this.#again?.cancel()
    this.#due?.cancel()
    this.#closeWatch?.cancel()
    for (const timer of this.#timers.splice(0)) timer.cancel()
  }

  /** The client is gone since `lastByteAtMs` of the monotonic clock. */
  away(lastByteAtMs: number): void {
    this.#time.away(lastByteAtMs)
  }

  /** Its connection lives, and nobody has answered over it since. */
  asleep(sinceMs: number): void {
    this.#time.asleep(sinceMs)
  }

  back(): void {
    this.#time.back()
  }

  /** Cumulative over the engines of this owner. */
  meters(meters: Meters): void {
    this.#meters = joined(this.#meters, meters, Math.max)
    this.#watchCredit()
  }

  toolCall(name?: string): void {
    this.#toolCalls++
    if (name !== undefined) this.#tools.set(name, (this.#tools.get(name) ?? 0) + 1)
    this.#watchCredit()
  }

  /** A started second counts. */
  get seconds(): number {
    return this.#time.seconds
  }

  /** Free time so far, over all owners. */
  get freeGapMs(): number {
    return this.#time.freeGapMs
  }

  get aheadMs(): number {
    return this.#time.aheadMs
  }

  /** By the monotonic clock: the last moment of which a checkpoint has said that the session was ours then. */
  get confirmedAtMs(): number {
    return this.#confirmedAtMs
  }

  /** Over all owners and engines. */
  get used(): UsageSoFar {
    const { meters, toolCalls, tools = {}, messages = 0 } = this.#before
    const add = (a: number, b: number) => a + b
    return {
      seconds: this.seconds,
      meters: joined(meters, this.#meters, add),
      toolCalls: toolCalls + this.#toolCalls,
      tools: joined(tools, Object.fromEntries(this.#tools), add),
      // One that an owner before told of and did not store may be said again: it is in both figures.
      messages: Math.max(messages, this.#deps.messages()),
    }
  }

  /** An engine of another price took over: what it costs us is not in the price snapshot. */
  costUnknown(): void {
    this.#isCostUnknown = true
  }

  bill(): Bill {
    const bill = this.#deps.usage.bill(this.#facts.admission.price, this.used)
    return this.#isCostUnknown ? { ...bill, costUsdMicro: null } : bill
  }

  #beat(): void {
    const { tenantId, sessionId, admission } = this.#facts
    void this.#deps.usage.heartbeat({ tenantId, sessionId, epoch: admission.epoch, usage: this.used })
    this.#watchCredit()
  }

  #secondsLeft(): number {
    return (this.#hold.heldMicro - this.bill().totalMicro) / this.#hold.secondMicro
  }

  #watchCredit(): void {
    if (!this.#isStarted || this.#isStopped) return
    const isEnough = () => this.#isStopped || this.#secondsLeft() >= extendBelowSeconds
    if (!isEnough()) void this.#hold.extend(isEnough).then(() => this.#judge())
    this.#judge()
  }

  #judge(): void {
    if (this.#isStopped) return
    const leftSeconds = this.#secondsLeft()
    const unsureForMs = this.#deps.clock.monotonicMs() - this.#lastGoodMs
    const isSpent = leftSeconds < graceSeconds && (this.#hold.isExhausted || this.#hold.isStuck)
    const isUnproven = unsureForMs > blindMs || (unsureForMs > unsureMs && leftSeconds < nearlyUsedSeconds)
    if (isSpent || isUnproven) this.#deps.onOut()
    else if (this.#isCapped()) this.#capped()
    else if (this.#hold.isExhausted && leftSeconds < warnBelowSeconds) this.#deps.onLow()
    if (this.#hold.isExhausted && !this.#isStopped)
      this.#closeWatch ??= this.#deps.clock.every(lastMinuteWatchMs, () => this.#judge())
  }

  #isCapped(): boolean {
    const { capMicro } = this.#facts
    if (capMicro === undefined || capMicro === null) return false
    return this.bill().totalMicro + graceSeconds * this.#hold.secondMicro >= capMicro
  }

  #capped(): void {
    const { onCap, onOut } = this.#deps
    if (onCap === undefined) onOut()
    else onCap()
  }

  /** Durable progress, now or within 3 s of the last one. */
  checkpoint(): void {
    if (!this.#isStarted || this.#isStopped || this.#again !== undefined) return
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
      usage: this.used,
      bill,
      day: new Date(this.#deps.clock.now()).toISOString().slice(0, 10),
    }
  }

  async #checkpoint(): Promise<void> {
    // A process may stand still before it reads the answer: that proves nothing of the time between.
    const askedAtMs = this.#deps.clock.monotonicMs()
    try {
      const answer = await this.#deps.usage.checkpoint(this.#progress(this.bill()))
      if (answer !== 'applied') return this.#deps.onFenced()
      if (!(await this.#deps.store())) return this.#deps.onFenced()
      this.#confirmedAtMs = askedAtMs
      this.#lastGoodMs = this.#deps.clock.monotonicMs()
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'checkpoint failed')
      return this.#judge()
    }
    await this.#watchDay()
  }

  async #watchDay(): Promise<void> {
    try {
      if ((await this.#deps.isDayOver?.()) === true && !this.#isStopped) this.#capped()
    } catch (error) {
      this.#deps.log.warn({ err: error }, "the agent's day could not be read")
    }
  }

  /** The owner lets go: what it used is made durable, nothing is settled. */
  async lastCheckpoint(): Promise<void> {
    this.stop()
    await this.#running
    await this.#checkpoint()
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

type Quantities = Readonly<Record<string, number>>

/** Per name, with `join` where both have it. */
function joined(a: Quantities, b: Quantities, join: (a: number, b: number) => number): Quantities {
  const all: Record<string, number> = { ...a }
  for (const [name, quantity] of Object.entries(b)) {
    const other = Object.hasOwn(all, name) ? all[name] : undefined
    all[name] = other === undefined ? quantity : join(other, quantity)
  }
  return all
}
