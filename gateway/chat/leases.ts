// The messages this process answers: their leases are renewed, and so are their reservations.

import type { Clock, Timer } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Usage } from '../usage/usage.ts'
import { type InboundStore, leaseMs, renewMs } from './inbound-store.ts'
import type { Job } from './job.ts'
import { Lost } from './job.ts'

/** The janitor of sessions settles holds that nobody spoke for in 45 s. */
const holdEvery = 5

interface Held {
  readonly job: Job
  readonly lost: AbortController
}

export class Leases {
  readonly #deps: { store: InboundStore; usage: Pick<Usage, 'keepReserved'>; clock: Clock; log: Log }
  readonly #held = new Set<Held>()
  #timer: Timer | undefined
  #ticks = 0
  #renewedMs = 0

  constructor(deps: { store: InboundStore; usage: Pick<Usage, 'keepReserved'>; clock: Clock; log: Log }) {
    this.#deps = deps
  }

  get count(): number {
    return this.#held.size
  }

  /** Aborts `signal` when the lease may be lost: a model that is asked on would only cost. */
  async hold<T>(job: Job, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const held: Held = { job, lost: new AbortController() }
    this.#held.add(held)
    if (this.#timer === undefined) {
      this.#renewedMs = this.#deps.clock.monotonicMs()
      this.#timer = this.#deps.clock.every(renewMs, () => void this.#renew())
    }
    try {
      return await work(held.lost.signal)
    } finally {
      this.#held.delete(held)
      if (this.#held.size === 0) {
        this.#timer?.cancel()
        this.#timer = undefined
      }
    }
  }

  async #renew(): Promise<void> {
    const { store, usage, clock, log } = this.#deps
    const all = [...this.#held]
    try {
      const askedMs = clock.monotonicMs()
      for (const [tenantId, mine] of Map.groupBy(all, ({ job }) => job.inbound.tenantId))
        await store.renew(
          tenantId,
          mine.map(({ job }) => job.inbound.id),
        )
      this.#renewedMs = askedMs
    } catch (error) {
      log.warn({ err: error }, 'leases of messages were not renewed')
      if (clock.monotonicMs() - this.#renewedMs > leaseMs)
        for (const { job, lost } of all) lost.abort(new Lost(job.inbound.id))
    }
    if (++this.#ticks % holdEvery !== 0) return
    for (const { job } of all) {
      const { tenantId, reservation } = job.inbound
      if (reservation !== undefined) await usage.keepReserved({ tenantId, reservation })
    }
  }
}
