// One world from one seed: gateways, a store, a Redis, tenants, visitors, and what befalls them. First a phase with
// faults, then quiet, in which everything has to come to rest.

import type { Doc } from '../../gateway/embedded/value.ts'
import { type Random, seeded } from '../chaos/random.ts'
import { CreditActors } from './credit-actors.ts'
import { drawRates } from './faults.ts'
import { Gateway } from './gateway.ts'
import type { StoreSide } from './link.ts'
import { Oracle } from './oracle.ts'
import { Scheduler } from './scheduler.ts'
import { SimRedisServer } from './sim-redis.ts'
import { SimStore } from './sim-store.ts'
import { SessionTruth, tokenMeter } from './truth.ts'
import { Visitor } from './visitor.ts'

export interface Outcome {
  readonly seed: number
  readonly breaches: readonly string[]
  /** Of everything that happened, in order. */
  readonly hash: string
  /** The last lines of the log; all of them when asked for. */
  readonly log: readonly string[]
  readonly stats: Readonly<Record<string, number>>
}

export interface RunOptions {
  readonly keepLog?: boolean
}

/** All sessions settle within this once the faults are over; then a little for the last flush. */
const quietMs = 180_000
const tailLines = 60

/** Runs the world of `seed` to its end. Rejects only when the simulation itself is broken. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const world = new World(seed, options.keepLog === true)
  return world.run()
}

class World {
  readonly #seed: number
  readonly #random: Random
  readonly #keepLog: boolean
  readonly #scheduler: Scheduler
  readonly #store: SimStore
  readonly #redis: SimRedisServer
  readonly #oracle: Oracle
  readonly #side: StoreSide
  readonly #truths = new Map<string, SessionTruth>()
  readonly #visitors: Visitor[] = []
  readonly #gateways: (Gateway | undefined)[] = []
  readonly #breaches: string[] = []
  readonly #log: string[] = []
  readonly #tenants: readonly string[]
  readonly #epochMs: number
  readonly #faultsMs: number
  #storeStepMs = 0
  readonly #leaving = new Set<Gateway>()
  #hash = 0x811c9dc5
  #hash2 = 0x9e3779b9
  #born = 0
  #lastId = 0
  readonly #all: Gateway[] = []
  #faulty = true
  readonly #stats = { deaths: 0, freezes: 0, flushes: 0, outages: 0, drains: 0 }

  constructor(seed: number, keepLog: boolean) {
    this.#seed = seed
    this.#keepLog = keepLog
    this.#random = seeded(seed).fork('world')
    const random = this.#random
    this.#scheduler = new Scheduler(this.#fork('order'))
    this.#faultsMs = random.between(90_000, 300_000)
    // Half of the worlds see their tenants' midnight.
    const midnightMs = Date.parse('2026-11-24T23:00:00.000Z')
    this.#epochMs =
      midnightMs + (random.next() < 0.5 ? -random.between(0, this.#faultsMs) : random.between(0, 80_000_000))
    this.#tenants = random.next() < 0.7 ? ['ten_a'] : ['ten_a', 'ten_b']
    const note = (line: string): void => this.#note(line)
    const breach = (message: string): void => this.#breach(message)
    this.#oracle = new Oracle({
      nowMs: () => this.#scheduler.nowMs,
      step: () => this.#scheduler.steps,
      wallMs: () => this.#storeMs(),
      truth: (sessionId) => this.#truths.get(sessionId),
      priced: (tenantId, sessionId, price) => {
        this.#truthOf(tenantId, sessionId).price = price
      },
      ...{ breach, note },
    })
    this.#store = new SimStore({
      now: () => this.#storeMs(),
      onWrite: (write) => this.#oracle.onWrite(write, this.#store),
    })
    this.#redis = new SimRedisServer({
      ...{ scheduler: this.#scheduler, random: this.#fork('redis'), epochMs: this.#epochMs, note },
      trouble: random.next() < 0.5 ? 0 : random.next() * 0.2,
      onLowered: () => this.#breach('U8: a heartbeat went back'),
    })
    this.#side = {
      ...{ store: this.#store, scheduler: this.#scheduler, random: this.#fork('store'), note },
      rates: drawRates(this.#fork('rates')),
      downUntilMs: 0,
      fail: (error) => this.#breach(`the program failed: ${error.stack ?? error.message}`),
    }
  }

  async run(): Promise<Outcome> {
    try {
      this.#setUp()
      await this.#scheduler.run(this.#faultsMs)
      this.#calmDown()
      await this.#scheduler.run(this.#faultsMs + quietMs)
      await this.#atRest()
    } finally {
      this.#redis.close()
      this.#scheduler.clear()
    }
    return {
      seed: this.#seed,
      breaches: this.#breaches,
      hash: (this.#hash >>> 0).toString(16).padStart(8, '0') + (this.#hash2 >>> 0).toString(16).padStart(8, '0'),
      log: this.#log,
      stats: {
        ...this.#stats,
        ...this.#oracle.stats,
        sessions: this.#truths.size,
        takeovers: this.#visitors.reduce((sum, each) => sum + each.takeovers, 0),
        steps: this.#scheduler.steps,
      },
    }
  }

  #fork(name: string): Random {
    return seeded(this.#seed).fork(name)
  }

  #storeMs(): number {
    return this.#epochMs + Math.floor(this.#scheduler.nowMs) + this.#storeStepMs
  }

  #note(line: string): void {
    const text = `${this.#scheduler.nowMs.toFixed(3)} ${line}`
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      this.#hash = Math.imul(this.#hash ^ code, 0x01000193)
      this.#hash2 = Math.imul(this.#hash2 ^ code, 0x85ebca6b)
    }
    this.#log.push(text)
    if (!this.#keepLog && this.#log.length > 2 * tailLines) this.#log.splice(0, tailLines)
  }

  #breach(message: string): void {
    this.#note(`BREACH ${message}`)
    this.#breaches.push(message)
    // What follows from a broken state says nothing more.
    if (this.#breaches.length >= 3) this.#scheduler.clear()
  }

  // The world

  #setUp(): void {
    const random = this.#fork('setup')
    const nodes = random.between(2, 3)
    for (let i = 0; i < nodes; i++) this.#boot(i)
    this.#openPrices()
    new CreditActors({
      ...{ scheduler: this.#scheduler, random: this.#fork('credit'), oracle: this.#oracle, epochMs: this.#epochMs },
      zone: 'Europe/Berlin',
      anyGateway: () => this.#any(random),
      breach: (message) => this.#breach(message),
      note: (line) => this.#note(line),
      untilMs: this.#faultsMs,
    }).start(this.#tenants)
    this.#invite()
    this.#mishaps()
  }

  #boot(at: number): void {
    const random = this.#fork(`boot ${this.#born}`)
    const gateway = new Gateway({
      name: `node_${at}_${this.#born++}`,
      ...{ side: this.#side, scheduler: this.#scheduler, random, redis: this.#redis, oracle: this.#oracle },
      ...{ epochMs: this.#epochMs, wallOffsetMs: random.next() < 0.2 ? random.between(-3_600_000, 3_600_000) : 0 },
      peers: () => this.#gateways.flatMap((each) => each ?? []),
      truthOf: (tenantId, sessionId) => this.#truthOf(tenantId, sessionId),
      isFaulty: () => this.#faulty,
      nextId: () => ++this.#lastId,
    })
    this.#gateways[at] = gateway
    this.#all.push(gateway)
    const checkMs = random.between(20_000, 60_000)
    gateway.startJobs({ janitorMs: random.between(8_000, 12_000), flushMs: random.between(2_000, 15_000), checkMs })
    this.#note(`boot ${gateway.name}`)
  }

  #any(random: Random): Gateway | undefined {
    const alive = this.#gateways.filter((each) => each?.life.alive === true && !this.#leaving.has(each))
    return alive[Math.floor(random.next() * alive.length)]
  }

  #openPrices(): void {
    const row = (id: string, fromMs: number, [secondMicro, tokenMicro]: [number, number]): Doc => ({
      _id: id,
      ...{
        engine: 'demo',
        model: 'sim',
        effectiveFrom: new Date(fromMs),
        secondMicro,
        holdSecondMicro: 100_000,
        costKnown: false,
      },
      meters: [
        [tokenMeter, tokenMicro],
        ['tool.lookup.calls', 250_000],
        ['session.messages', 10_000],
      ].map(([meter, micro]) => ({
        meter,
        creditMicroPerMillion: Number(micro) * 1_000_000,
        costUsdMicroPerMillion: null,
      })),
    })
    this.#store.insert('prices', row('sim@1', 0, [40_000, 5_000]), 'operator')
    const random = this.#fork('prices')
    // Gateways whose clocks are wrong may see it early or late; a session keeps what it began with.
    if (random.next() < 0.5)
      this.#scheduler.at(random.next() * this.#faultsMs, () => {
        this.#store.insert('prices', row('sim@2', this.#storeMs(), [90_000, 20_000]), 'operator')
        this.#note('price edit')
      })
  }

  #truthOf(tenantId: string, sessionId: string): SessionTruth {
    const known = this.#truths.get(sessionId)
    if (known !== undefined) return known
    const random = this.#fork(`appetite ${this.#truths.size}`)
    const truth = new SessionTruth(this.#scheduler, { sessionId, tenantId, tokensPerSecond: random.next() * 25 })
    this.#truths.set(sessionId, truth)
    return truth
  }

  #invite(): void {
    const random = this.#fork('visitors')
    const count = random.between(2, 7)
    for (let i = 0; i < count; i++) {
      const visitor = new Visitor({
        ...{ scheduler: this.#scheduler, random: this.#fork(`visitor ${i}`), name: `v${i}` },
        tenantId: this.#tenants[random.between(0, this.#tenants.length - 1)] ?? 'ten_a',
        anyGateway: () => this.#any(random),
        truthOf: (sessionId) => this.#truths.get(sessionId),
        isFaulty: () => this.#faulty,
        breach: (message) => this.#breach(message),
        note: (line) => this.#note(line),
      })
      this.#visitors.push(visitor)
      const hangUpMs = random.next() < 0.3 ? random.between(2_000, 15_000) : random.between(20_000, 240_000)
      // Together, sometimes: two sessions on the last credit.
      const atMs = random.next() < 0.4 ? 4_000 : random.next() * this.#faultsMs * 0.8
      this.#scheduler.at(atMs, () => visitor.open())
      this.#scheduler.at(atMs + hangUpMs, () => visitor.hangUp())
      while (random.next() < 0.45) this.#scheduler.at(atMs + random.next() * hangUpMs, () => visitor.lose())
    }
  }

  // What befalls it

  #mishaps(): void {
    const random = this.#fork('mishaps')
    const rarely = (): boolean => random.next() < 0.4
    const at = (run: () => void): void => void this.#scheduler.at(random.next() * this.#faultsMs, run)
    while (random.next() < 0.5) at(() => this.#kill(random))
    while (rarely()) at(() => this.#freeze(random))
    if (random.next() < 0.2) at(() => this.#deploy(random))
    while (rarely()) at(() => this.#loseRedis(random))
    if (rarely())
      at(() => {
        this.#redis.downUntilMs = this.#scheduler.nowMs + random.between(500, 40_000)
        this.#note('redis down')
      })
    if (rarely())
      at(() => {
        const ms = random.between(1_000, 40_000)
        this.#side.downUntilMs = this.#scheduler.nowMs + ms
        this.#stats.outages++
        this.#note('store down')
      })
    if (rarely())
      at(() => {
        const gateway = this.#any(random)
        if (gateway !== undefined) gateway.clock.wallOffsetMs += random.pick([-3_600_000, 3_600_000, -1_000, 90_000])
        this.#note('a clock steps')
      })
    if (random.next() < 0.1)
      at(() => {
        this.#storeStepMs += random.between(-4_000, 4_000)
        this.#note("the store's clock steps")
      })
  }

  #kill(random: Random): void {
    const at = random.between(0, this.#gateways.length - 1)
    const gateway = this.#gateways[at]
    if (gateway?.life.alive !== true) return
    this.#die(gateway)
    this.#gateways[at] = undefined
    this.#stats.deaths++
    this.#note(`kill ${gateway.name}`)
    this.#bereave(gateway, random, 1)
    this.#scheduler.in(random.between(500, 30_000), () => this.#boot(at))
  }

  #freeze(random: Random): void {
    const gateway = this.#any(random)
    if (gateway === undefined || gateway.life.frozenUntilMs > this.#scheduler.nowMs) return
    const long = random.next() < 0.4 ? random.between(1_000, 10_000) : random.between(10_000, 120_000)
    const ms = Math.min(long, this.#faultsMs - this.#scheduler.nowMs)
    gateway.life.frozenUntilMs = this.#scheduler.nowMs + ms
    this.#stats.freezes++
    this.#note(`freeze ${gateway.name}`)
    for (const truth of this.#truths.values())
      for (const stint of truth.stints)
        if (stint.life === gateway.life && stint.endMs === undefined) {
          stint.frozenAtMs = this.#scheduler.nowMs
          truth.losses++
        }
    if (ms > 8_000) this.#bereave(gateway, random, 0.6)
  }

  /** Its visitors come back to another gateway, or not. */
  #bereave(gateway: Gateway, random: Random, likely: number): void {
    for (const visitor of this.#visitors) {
      if (visitor.gateway !== gateway || random.next() > likely) continue
      this.#scheduler.in(gateway.life.alive ? 8_000 : 0, () => {
        if (visitor.gateway !== gateway) return
        if (random.next() < 0.8) visitor.bereaved()
        else visitor.over = true
      })
    }
  }

  /** A deployment: it hands over what it has, then stops. */
  #deploy(random: Random): void {
    const at = random.between(0, this.#gateways.length - 1)
    const gateway = this.#gateways[at]
    if (gateway?.life.alive !== true) return
    this.#note(`drain ${gateway.name}`)
    this.#stats.drains++
    let stopped = false
    const stop = (): void => {
      if (stopped || !gateway.life.alive) return
      stopped = true
      this.#die(gateway)
      this.#boot(at)
      this.#bereave(gateway, random, 1)
    }
    this.#leaving.add(gateway)
    gateway.sessions.drain().then(stop, (error: unknown) => this.#breach(`drain failed: ${String(error)}`))
    this.#scheduler.in(40_000, stop)
  }

  #die(gateway: Gateway): void {
    gateway.life.alive = false
    for (const truth of this.#truths.values())
      for (const stint of truth.stints)
        if (stint.life === gateway.life && stint.endMs === undefined) {
          truth.end(stint)
          truth.losses++
        }
  }

  #loseRedis(random: Random): void {
    this.#stats.flushes++
    for (const truth of this.#truths.values()) truth.losses++
    if (random.next() < 0.6) {
      this.#redis.flush()
      this.#note('redis flushed')
    } else {
      this.#redis.failOver(random.between(100, 30_000))
      this.#note('redis fails over')
    }
  }

  // The end

  #calmDown(): void {
    this.#faulty = false
    this.#note('calm')
    this.#side.rates = { refused: 0, lostReply: 0, stepDown: 0, slow: 0, late: 0, lateReply: 0 }
    this.#side.downUntilMs = 0
    this.#redis.downUntilMs = 0
    const random = this.#fork('calm')
    for (const visitor of this.#visitors) this.#scheduler.in(random.between(0, 20_000), () => visitor.hangUp())
  }

  async #atRest(): Promise<void> {
    if (this.#breaches.length > 0) return
    const [gateway] = this.#gateways.flatMap((each) => each ?? [])
    if (gateway === undefined) return
    let done = false
    gateway.ledger.reconcile().then(
      (findings) => {
        done = true
        for (const { message } of findings) this.#breach(`L15: reconcile: ${message}`)
      },
      (error: unknown) => this.#breach(`reconcile failed: ${String(error)}`),
    )
    await this.#scheduler.run(this.#scheduler.nowMs + 20_000)
    if (!done) this.#breach('I5: reconcile does not come to an end')
    const troubleMs = this.#all.reduce((sum, each) => sum + each.link.troubleMs, 0)
    this.#oracle.finish(this.#store, this.#truths.values(), troubleMs)
  }
}
