// The engines behind a steady one: which is there, which is being opened, which stands ready to take over. Events of one
// that was replaced are dropped, except what it cost.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { CloseCause, Engine, EngineEvent, EngineTrouble, MeterKey, Meters } from '../engines.ts'
import { type Failure, Tries, type Try } from './tries.ts'
import type { SteadyTimes } from './watch.ts'

type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

export interface Slot {
  readonly engine: Engine
  readonly index: number
  ready: Event<'ready'> | undefined
  retryAfterMs: number | null
  meters: Meters
}

export interface ChainEvents {
  /** Of the present engine; never `ready`, `closed` or `usage`. */
  event(event: EngineEvent, slot: Slot): void
  usage(event: Event<'usage'>): void
  /** The present engine answers from now on. */
  ready(slot: Slot): void
  /** The present engine is gone; another is opened right after. */
  lost(): void
  trouble(trouble: EngineTrouble, code: string): void
  /** The replacement that was prepared is there, or cannot be had. */
  prepared(ready: boolean): void
  over(cause: CloseCause, code: string, message: string): void
}

interface End {
  readonly cause?: CloseCause
  readonly message: string
}

export interface ChainNeeds {
  readonly clock: Clock
  readonly random: () => number
  readonly times: SteadyTimes
  readonly count: number
  readonly open: (index: number, first: boolean, onEvent: (event: EngineEvent) => void) => Engine
  /** Whether another may take its place: of a direct call not always. Asked once, when it is gone. */
  readonly replaceable: (slot: Slot) => boolean
  readonly on: ChainEvents
}

export class Chain {
  readonly #needs: ChainNeeds
  readonly first: Slot
  #now: Slot | undefined
  #next: Slot | undefined
  #tries: Tries | undefined
  #everReady = false
  #closing = false
  #over = false
  /** Of all engines that were replaced. */
  #spent: Meters = {}
  #tryTimer: Timer | undefined
  #deadline: Timer | undefined
  #settledTimer: Timer | undefined

  constructor(needs: ChainNeeds) {
    this.#needs = needs
    this.first = this.#make(0, true)
    this.#now = this.first
  }

  /** Present or being opened; undefined between two tries. */
  get now(): Slot | undefined {
    return this.#now
  }

  get live(): boolean {
    return this.#now?.ready !== undefined
  }

  get preparing(): boolean {
    return this.#next !== undefined
  }

  /** The trouble before this engine is not over. */
  get unsettled(): boolean {
    return this.#tries !== undefined
  }

  start(): void {
    this.#tries = new Tries(this.#needs.count, 0, this.#needs.random)
    this.#deadlineStarts()
    this.#watchTry(this.first)
    this.first.engine.start()
  }

  #make(index: number, first: boolean): Slot {
    let slot: Slot | undefined
    const engine = this.#needs.open(index, first, (event) => {
      if (slot !== undefined) this.#event(slot, event)
    })
    slot = { engine, index, ready: undefined, retryAfterMs: null, meters: {} }
    return slot
  }

  #event(slot: Slot, event: EngineEvent): void {
    if (event.type === 'usage') this.#usage(slot, event)
    else if (slot === this.#now) this.#present(slot, event)
    else if (slot === this.#next && event.type === 'ready') {
      slot.ready = event
      this.#tryTimer?.cancel()
      this.#needs.on.prepared(true)
    } else if (slot === this.#next && event.type === 'closed') {
      this.drop()
      this.#needs.on.prepared(false)
    }
  }

  #present(slot: Slot, event: EngineEvent): void {
    switch (event.type) {
      case 'ready':
        if (this.#closing) return
        slot.ready = event
        this.#arrived(slot)
        return
      case 'closed':
        if (this.#closing) this.#end('asked', 'asked', '')
        else this.#gone(slot, event)
        return
      case 'rateLimited':
        slot.retryAfterMs = event.retryAfterMs
        // At the start nobody can do anything about it: the next try is ours.
        if (slot.ready !== undefined) this.#needs.on.event(event, slot)
        return
      default:
        this.#needs.on.event(event, slot)
    }
  }

  #arrived(slot: Slot): void {
    this.#tryTimer?.cancel()
    this.#deadline?.cancel()
    this.#deadline = undefined
    this.#settledTimer?.cancel()
    this.#settledTimer = this.#needs.clock.after(this.#needs.times.settledMs, () => this.settled())
    if (!this.#everReady) this.#tries = undefined
    this.#everReady = true
    this.#needs.on.ready(slot)
  }

  /** It answers as it should: the next trouble is a new one. */
  settled(): void {
    this.#tries = undefined
  }

  #gone(slot: Slot, { code, message, cause }: Event<'closed'>): void {
    this.#retire(slot)
    if (cause === 'hungUp') this.#end(cause, code, message)
    else this.#lose(slot, { code, retryAfterMs: slot.retryAfterMs, hung: false }, { message, cause })
  }

  /** Gives the present engine up. `other`: for the next of the chain. */
  leave(code: string, other = false): void {
    const slot = this.#now
    if (slot === undefined || this.#over || this.#closing) return
    this.#retire(slot)
    slot.engine.close()
    this.#lose(slot, { code, retryAfterMs: null, hung: true }, { message: 'the engine does not answer' }, other)
  }

  #retire(slot: Slot): void {
    this.#now = undefined
    this.#tryTimer?.cancel()
    this.#settledTimer?.cancel()
    this.drop()
    this.#spend(slot)
  }

  #lose(slot: Slot, failure: Failure, end: End, other = false): void {
    const { on, random, count, replaceable } = this.#needs
    if (!replaceable(slot)) {
      this.#end(this.#everReady ? (end.cause ?? 'lost') : 'refused', failure.code, end.message)
      return
    }
    const known = this.#tries
    const tries = known ?? new Tries(count, slot.index, random)
    this.#tries = tries
    if (slot.ready !== undefined) on.lost()
    const step = other ? tries.other() : known === undefined ? tries.first() : tries.after(failure)
    if (step === undefined) {
      this.#end(this.#everReady ? 'lost' : 'refused', failure.code, end.message)
      return
    }
    on.trouble(failure.retryAfterMs === null ? 'lost' : 'rate_limited', failure.code)
    this.#deadlineStarts()
    this.#step(step)
  }

  #step({ index, delayMs }: Try): void {
    if (delayMs === 0) this.#open(index)
    else this.#tryTimer = this.#needs.clock.after(delayMs, () => this.#open(index))
  }

  #open(index: number): void {
    if (this.#over || this.#closing) return
    const slot = this.#make(index, false)
    this.#now = slot
    this.#watchTry(slot)
    slot.engine.start()
  }

  #watchTry(slot: Slot): void {
    if (this.#tries?.hasOther !== true) return
    this.#tryTimer = this.#needs.clock.after(this.#needs.times.tryMs, () => {
      if (slot === this.#now) this.leave('timeout')
    })
  }

  #deadlineStarts(): void {
    this.#deadline ??= this.#needs.clock.after(this.#needs.times.recoverMs, () => {
      this.#now?.engine.close()
      this.#end(this.#everReady ? 'lost' : 'refused', 'timeout', 'no engine got ready in time')
    })
  }

  /** Opens a replacement beside the present engine. */
  prepare(): void {
    const { times, clock, on } = this.#needs
    if (this.#now === undefined || this.#next !== undefined) return
    const slot = this.#make(this.#now.index, false)
    this.#next = slot
    this.#tryTimer = clock.after(times.recoverMs, () => {
      if (slot !== this.#next) return
      this.drop()
      on.prepared(false)
    })
    slot.engine.start()
  }

  drop(): void {
    const slot = this.#next
    if (slot === undefined) return
    this.#next = undefined
    this.#tryTimer?.cancel()
    this.#spend(slot)
    slot.engine.close()
  }

  /** The prepared one takes over; the present one ends in order. */
  promote(): void {
    const slot = this.#next
    const old = this.#now
    if (slot?.ready === undefined || old === undefined) return
    this.#next = undefined
    this.#now = slot
    this.#spend(old)
    old.engine.close()
    this.#needs.on.ready(slot)
  }

  #usage(slot: Slot, event: Event<'usage'>): void {
    if (this.#over) return
    const late = slot !== this.#now && slot !== this.#next
    if (late) this.#spent = sum(less(this.#spent, slot.meters), event.meters)
    slot.meters = event.meters
    const alone = this.#next === undefined && Object.keys(this.#spent).length === 0
    const meters = [this.#spent, this.#now?.meters ?? {}, this.#next?.meters ?? {}]
    this.#needs.on.usage(alone ? event : { ...event, meters: meters.reduce(sum) })
  }

  #spend(slot: Slot): void {
    this.#spent = sum(this.#spent, slot.meters)
  }

  close(): void {
    if (this.#closing || this.#over) return
    this.#closing = true
    this.#cancel()
    this.drop()
    if (this.#now === undefined) queueMicrotask(() => this.#end('asked', 'asked', ''))
    else this.#now.engine.close()
  }

  #cancel(): void {
    for (const timer of [this.#tryTimer, this.#deadline, this.#settledTimer]) timer?.cancel()
  }

  #end(cause: CloseCause, code: string, message: string): void {
    if (this.#over) return
    this.#over = true
    this.#now = undefined
    this.#cancel()
    this.drop()
    this.#needs.on.over(cause, code, message)
  }
}

/** Audio goes to the engine at once; to a replacement only when it is ready, after what was kept for it. */
export function hearsNow(chain: Chain): boolean {
  return chain.live || chain.now === chain.first
}

function sum(a: Meters, b: Meters): Meters {
  return combined(a, b, (x, y) => x + y)
}

function less(a: Meters, b: Meters): Meters {
  return combined(a, b, (x, y) => x - y)
}

function combined(a: Meters, b: Meters, of: (x: number, y: number) => number): Meters {
  const result: Record<string, number> = { ...a }
  for (const key of Object.keys(b) as MeterKey[]) result[key] = of(a[key] ?? 0, b[key] ?? 0)
  return result
}
