// What befalls a simulated world while it is faulty: processes die, stand still and are replaced, Redis and the store go
// away or forget, clocks jump, operators end sessions.

import { asTenantId } from '../../gateway/platform/ids.ts'
import { Problem } from '../../gateway/platform/problem.ts'
import type { Random } from '../chaos/random.ts'
import type { Gateway } from './gateway.ts'
import type { StoreSide } from './link.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimRedisServer } from './sim-redis.ts'
import type { SessionTruth, Stint } from './truth.ts'
import type { Visitor } from './visitor.ts'

export interface MishapOptions {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly redis: SimRedisServer
  readonly side: StoreSide
  /** By place; undefined: the process there is dead. */
  readonly gateways: (Gateway | undefined)[]
  readonly visitors: readonly Visitor[]
  readonly truths: ReadonlyMap<string, SessionTruth>
  readonly boot: (at: number) => void
  readonly died: (gateway: Gateway) => void
  /** Of the phase with faults, ms. */
  readonly untilMs: number
  /** Owners stand still, again and again, while others take over what is theirs. */
  readonly isStorm: boolean
  readonly breach: (message: string) => void
  readonly note: (line: string) => void
}

type Span = readonly [leastMs: number, mostMs: number]

const freezesMs: readonly [Span, Span] = [
  [1_000, 10_000],
  [10_000, 120_000],
]
/** Until somebody else has just taken over, or until a janitor is at it. */
const stormFreezesMs: readonly [Span, Span] = [
  [45_000, 75_000],
  [9_000, 25_000],
]
const stormFreezes = 4

export class Mishaps {
  readonly stats = { deaths: 0, freezes: 0, flushes: 0, outages: 0, drains: 0 }
  /** By how much the store's clock has jumped. */
  storeStepMs = 0
  readonly #options: MishapOptions
  readonly #leaving = new Set<Gateway>()

  constructor(options: MishapOptions) {
    this.#options = options
  }

  /** A gateway that takes requests. */
  any(random: Random): Gateway | undefined {
    const alive = this.#options.gateways.filter((each) => each?.life.alive === true && !this.#leaving.has(each))
    return alive[Math.floor(random.next() * alive.length)]
  }

  start(): void {
    const { random, scheduler, untilMs, isStorm, redis, note } = this.#options
    const rarely = (): boolean => random.next() < 0.4
    const at = (run: () => void): void => void scheduler.at(random.next() * untilMs, run)
    while (random.next() < 0.5) at(() => this.#kill(random))
    while (rarely()) at(() => this.#freeze(random, this.any(random)))
    if (isStorm) for (let i = 0; i < stormFreezes; i++) at(() => this.#freeze(random, this.#serving(random)))
    if (random.next() < 0.2) at(() => this.#deploy(random))
    if (random.next() < 0.2) at(() => this.#endOne(random, undefined))
    while (rarely()) at(() => this.#loseRedis(random))
    if (rarely())
      at(() => {
        redis.downUntilMs = scheduler.nowMs + random.between(500, 40_000)
        note('redis down')
      })
    if (rarely()) at(() => this.#loseStore(random.between(1_000, 40_000)))
    this.#blackout(random.fork('blackout'))
    if (rarely())
      at(() => {
        const gateway = this.any(random)
        if (gateway !== undefined) gateway.clock.wallOffsetMs += random.pick([-3_600_000, 3_600_000, -1_000, 90_000])
        note('a clock steps')
      })
    if (random.next() < 0.1)
      at(() => {
        this.storeStepMs += random.between(-4_000, 4_000)
        note("the store's clock steps")
      })
  }

  #loseStore(ms: number): void {
    const { side, scheduler, note } = this.#options
    side.downUntilMs = scheduler.nowMs + ms
    this.stats.outages++
    note('store down')
  }

  /** A process goes before the store is back: what was said meanwhile is on its disk only. */
  #blackout(random: Random): void {
    const { scheduler, untilMs } = this.#options
    if (random.next() > 0.2) return
    const ms = random.between(5_000, 30_000)
    const end = random.next() < 0.7 ? () => this.#kill(random) : () => this.#deploy(random)
    scheduler.at(random.next() * untilMs, () => {
      this.#loseStore(ms)
      scheduler.in((0.4 + 0.6 * random.next()) * ms, end)
    })
  }

  #kill(random: Random): void {
    const { gateways, scheduler, note, boot } = this.#options
    const at = random.between(0, gateways.length - 1)
    const gateway = gateways[at]
    if (gateway?.life.alive !== true) return
    this.#die(gateway)
    gateways[at] = undefined
    this.stats.deaths++
    note(`kill ${gateway.name}`)
    this.#bereave(gateway, random, 1)
    scheduler.in(random.between(500, 30_000), () => boot(at))
  }

  /** One that has a visitor. */
  #serving(random: Random): Gateway | undefined {
    const serving = this.#options.visitors.flatMap(({ gateway }) => (gateway?.life.alive === true ? [gateway] : []))
    return serving[Math.floor(random.next() * serving.length)]
  }

  #freeze(random: Random, gateway: Gateway | undefined): void {
    const { scheduler, untilMs, isStorm, note } = this.#options
    if (gateway === undefined || gateway.life.frozenUntilMs > scheduler.nowMs) return
    const [least, most] = (isStorm ? stormFreezesMs : freezesMs)[random.next() < 0.4 ? 0 : 1]
    const ms = Math.min(random.between(least, most), untilMs - scheduler.nowMs)
    gateway.life.frozenUntilMs = scheduler.nowMs + ms
    gateway.life.frozenMs += ms
    this.stats.freezes++
    note(`freeze ${gateway.name}`)
    this.#servedBy(gateway, (truth, stint) => {
      stint.frozenAtMs = scheduler.nowMs
      stint.freezes.push({ atMs: scheduler.nowMs, ms })
      truth.losses++
    })
    if (ms > 8_000) this.#bereave(gateway, random, isStorm ? 0.8 : 0.6)
    // Somebody ends a session of a process that will hear of it when it wakes.
    while (random.next() < 0.4) scheduler.in(random.between(0, 6_000), () => this.#endOne(random, gateway))
  }

  #servedBy(gateway: Gateway, each: (truth: SessionTruth, stint: Stint) => void): void {
    for (const truth of this.#options.truths.values())
      for (const stint of truth.stints) if (stint.life === gateway.life && stint.endMs === undefined) each(truth, stint)
  }

  /** Its visitors come back to another gateway, or not. */
  #bereave(gateway: Gateway, random: Random, likely: number): void {
    for (const visitor of this.#options.visitors) {
      if (visitor.gateway !== gateway || random.next() > likely) continue
      this.#options.scheduler.in(gateway.life.alive ? 8_000 : 0, () => {
        if (visitor.gateway !== gateway) return
        if (random.next() < 0.8) visitor.bereaved()
        else visitor.over = true
      })
    }
  }

  /** An operator at another console ends a session. */
  #endOne(random: Random, owner: Gateway | undefined): void {
    const asked = this.any(random)
    const mine = [...this.#options.truths.values()].filter((truth) => {
      const last = truth.stints.at(-1)
      return last !== undefined && last.endMs === undefined && (owner === undefined || last.life === owner.life)
    })
    const truth = mine[Math.floor(random.next() * mine.length)]
    if (asked === undefined || truth === undefined) return
    this.#options.note('an operator ends a session')
    const end = (): Promise<void> =>
      asked.sessions
        .of(asTenantId(truth.tenantId))
        .end(truth.sessionId, 'operator')
        .catch((error: unknown) => {
          if (!(error instanceof Problem) && !(error instanceof Error && error.name.startsWith('Mongo')))
            this.#options.breach(`the program failed: ${String(error)}`)
        })
    this.#options.scheduler.in(1, () => void end(), asked.life)
  }

  /** A deployment: it hands over what it has, then stops. */
  #deploy(random: Random): void {
    const { gateways, scheduler, note, boot, breach } = this.#options
    const at = random.between(0, gateways.length - 1)
    const gateway = gateways[at]
    if (gateway?.life.alive !== true) return
    note(`drain ${gateway.name}`)
    this.stats.drains++
    let stopped = false
    const stop = (): void => {
      if (stopped || !gateway.life.alive) return
      stopped = true
      this.#die(gateway)
      boot(at)
      this.#bereave(gateway, random, 1)
    }
    this.#leaving.add(gateway)
    const drain = (): Promise<void> =>
      gateway.drain().then(stop, (error: unknown) => breach(`drain failed: ${String(error)}`))
    // One that stands still hears of it when it wakes.
    scheduler.in(1, () => void drain(), gateway.life)
    scheduler.in(40_000, stop)
  }

  #die(gateway: Gateway): void {
    gateway.life.alive = false
    this.#options.died(gateway)
    this.#servedBy(gateway, (truth, stint) => {
      truth.end(stint)
      truth.losses++
    })
  }

  #loseRedis(random: Random): void {
    const { redis, truths, note } = this.#options
    this.stats.flushes++
    for (const truth of truths.values()) truth.losses++
    if (random.next() < 0.6) {
      redis.flush()
      note('redis flushed')
    } else {
      redis.failOver(random.between(100, 30_000))
      note('redis fails over')
    }
  }
}
