// The turns of one session on their way to the store: the newest version of each waits here until it is durable. Turns
// the store does not take soon go to the log on disk as well. Never rejects for the store's sake, never blocks a caller.

import type { Clock } from '../platform/clock.ts'
import { withDeadline } from '../platform/deadline.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Turn } from '../protocol/turn.ts'
import type { Outcome, TurnWrite, Version } from './turn-store.ts'
import type { Wal } from './wal.ts'

/** What proves that a session is still this process's. */
export interface Lease {
  /** When that was last confirmed, in the clock's monotonic ms. */
  confirmedAtMs(): number
  /** Asks who owns the session now; false: somebody else. Moves `confirmedAtMs` when true. Rejects when nobody can tell. */
  confirm(): Promise<boolean>
}

export interface WriteBy {
  /** Of the session: grows with each change of owner. */
  readonly epoch: number
  /** Without one nothing is asked: for writers no other process competes with. */
  readonly lease?: Lease
}

/** Ids of turns that belong to a later owner now: nothing of them was written, the session is not ours any more. */
export interface Written {
  readonly fenced: readonly string[]
}

export interface TurnWriter {
  /** Takes the turns over at once. Resolves when these versions, or later ones, are durable in the store. */
  write(turns: readonly Turn[]): Promise<Written>
  /** Turns not durable in the store yet. */
  readonly waiting: number
}

export interface TurnWriterDeps {
  readonly clock: Clock
  readonly tenantId: TenantId
  readonly nextRev: () => number
  readonly store: (write: TurnWrite) => Promise<readonly Outcome[] | undefined>
  readonly wal: Wal | undefined
  /** Told after each attempt, undefined when it worked. */
  readonly onAttempt: (error: unknown) => void
}

/** A takeover needs a stale heartbeat of three times this: a lease this young cannot have been lost. */
const leaseMs = 10_000
const confirmMs = 3_000
const retryMs = 500
/** A store that is well answers in a tenth of this. */
const walAfterMs = 1_000

interface Pending {
  readonly version: Version
  readonly sinceMs: number
  logged: boolean
}

interface Waiter {
  readonly left: Set<string>
  readonly fenced: string[]
  readonly done: PromiseWithResolvers<Written>
}

export function createTurnWriter(by: WriteBy, deps: TurnWriterDeps): TurnWriter {
  return new Writer(by, deps)
}

class Writer implements TurnWriter {
  readonly #by: WriteBy
  readonly #deps: TurnWriterDeps
  readonly #pending = new Map<string, Pending>()
  readonly #waiters = new Set<Waiter>()
  #sending = false
  #failing = false
  #lost = false
  #watching = false

  constructor(by: WriteBy, deps: TurnWriterDeps) {
    this.#by = by
    this.#deps = deps
  }

  get waiting(): number {
    return this.#pending.size
  }

  write(turns: readonly Turn[]): Promise<Written> {
    if (turns.length === 0) return Promise.resolve({ fenced: [] })
    if (this.#lost) return Promise.resolve({ fenced: turns.map((turn) => turn.id) })
    const { clock, nextRev } = this.#deps
    for (const turn of turns) {
      const version = { turn, epoch: this.#by.epoch, rev: nextRev() }
      this.#pending.set(turn.id, { version, sinceMs: clock.monotonicMs(), logged: false })
    }
    const waiter: Waiter = {
      left: new Set(turns.map((turn) => turn.id)),
      fenced: [],
      done: Promise.withResolvers<Written>(),
    }
    this.#waiters.add(waiter)
    if (this.#failing) this.#log(0)
    else this.#watch()
    if (!this.#sending) void this.#sendAll()
    return waiter.done.promise
  }

  async #sendAll(): Promise<void> {
    this.#sending = true
    while (this.#pending.size > 0) {
      const batch = [...this.#pending.values()].map((each) => each.version)
      try {
        const failed = this.#settle(batch, await this.#attempt(batch))
        this.#failing = failed !== undefined
        this.#deps.onAttempt(failed)
      } catch (error) {
        this.#failing = true
        this.#deps.onAttempt(error)
      }
      if (this.#failing) {
        this.#log(0)
        await new Promise<void>((resolve) => this.#deps.clock.after(retryMs, resolve))
      }
    }
    this.#sending = false
  }

  /** Sends only what this process owns; asks again when that was proven too long ago, also while the command waited. */
  async #attempt(versions: readonly Version[]): Promise<readonly Outcome[]> {
    const { lease } = this.#by
    const { clock, store } = this.#deps
    const isOurs = (): boolean => lease === undefined || clock.monotonicMs() - lease.confirmedAtMs() <= leaseMs
    for (;;) {
      if (!isOurs() && lease !== undefined && !(await this.#confirm(lease))) {
        this.#lost = true
        return versions.map(() => ({ is: 'fenced' }))
      }
      const outcomes = await store({ versions, mayGo: isOurs })
      if (outcomes !== undefined) return outcomes
    }
  }

  #confirm(lease: Lease): Promise<boolean> {
    const fallback = (): never => {
      throw new Error('nobody could tell who owns the session')
    }
    return withDeadline(lease.confirm(), { timeoutMs: confirmMs, fallback, clock: this.#deps.clock })
  }

  /** Gives the error of a turn the store refused, if there was one. */
  #settle(batch: readonly Version[], outcomes: readonly Outcome[]): unknown {
    let failed: unknown
    for (const [at, version] of batch.entries()) {
      const outcome = outcomes[at]
      if (outcome?.is === 'failed') failed = outcome.error
      else this.#done(version, outcome?.is === 'fenced')
    }
    if (this.#lost) for (const { version } of [...this.#pending.values()]) this.#done(version, true)
    return failed
  }

  #done({ turn, rev }: Version, fenced: boolean): void {
    const newest = this.#pending.get(turn.id)
    // A later version came meanwhile: whoever waits is told when that one is durable.
    if (newest === undefined || (newest.version.rev > rev && !fenced)) return
    this.#pending.delete(turn.id)
    this.#deps.wal?.done(turn.id, newest.version.rev)
    for (const waiter of this.#waiters) {
      if (!waiter.left.delete(turn.id)) continue
      if (fenced) waiter.fenced.push(turn.id)
      if (waiter.left.size > 0) continue
      this.#waiters.delete(waiter)
      waiter.done.resolve({ fenced: waiter.fenced })
    }
  }

  #watch(): void {
    if (this.#watching || this.#deps.wal === undefined) return
    this.#watching = true
    this.#deps.clock.after(walAfterMs, () => {
      this.#watching = false
      this.#log(walAfterMs)
      if ([...this.#pending.values()].some((each) => !each.logged)) this.#watch()
    })
  }

  #log(olderThanMs: number): void {
    const { wal, clock, tenantId } = this.#deps
    if (wal === undefined) return
    for (const each of this.#pending.values()) {
      if (each.logged || clock.monotonicMs() - each.sinceMs < olderThanMs) continue
      each.logged = true
      wal.put({ tenantId, ...each.version })
    }
  }
}
