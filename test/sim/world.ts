// One world from one seed: gateways, a store, a Redis, tenants, visitors, and what befalls them. First a phase with
// faults, then quiet, in which everything has to come to rest.

import { type Random, seeded } from '../chaos/random.ts'
import { CreditActors } from './credit-actors.ts'
import { drawRates } from './faults.ts'
import { Gateway } from './gateway.ts'
import type { StoreSide } from './link.ts'
import { Mishaps } from './mishaps.ts'
import { Oracle } from './oracle.ts'
import { openPrices } from './price-list.ts'
import { Scheduler } from './scheduler.ts'
import { SimFolder } from './sim-disk.ts'
import { SimRedisServer } from './sim-redis.ts'
import { SimStore, type SimStoreOptions } from './sim-store.ts'
import { SessionTruth } from './truth.ts'
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
  /** Default: one world in eight is. */
  readonly isStorm?: boolean
  /** Default: a SimStore. */
  readonly openStore?: (options: SimStoreOptions) => SimStore
}

/** All sessions settle within this once the faults are over; then a little for the last flush. */
const quietMs = 180_000
const tailLines = 60
const mostGateways = 3
/** In the quiet: nothing left to do is noticed this soon. */
const lookEveryMs = 5_000

/** Runs the world of `seed` to its end. Rejects only when the simulation itself is broken. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const world = new World(seed, options)
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
  readonly #mishaps: Mishaps
  readonly #truths = new Map<string, SessionTruth>()
  readonly #visitors: Visitor[] = []
  readonly #gateways: (Gateway | undefined)[] = []
  readonly #breaches: string[] = []
  readonly #log: string[] = []
  readonly #tenants: readonly string[]
  readonly #epochMs: number
  readonly #faultsMs: number
  #credit: Pick<CreditActors, 'open' | 'start'> = { open: 0, start: () => {} }
  #hash = 0x811c9dc5
  #hash2 = 0x9e3779b9
  #born = 0
  #lastId = 0
  readonly #all: Gateway[] = []
  /** By place. One for all is a disk that they share. */
  readonly #folders: readonly SimFolder[]
  #faulty = true

  constructor(seed: number, { keepLog = false, isStorm, openStore = (given) => new SimStore(given) }: RunOptions) {
    this.#seed = seed
    this.#keepLog = keepLog
    this.#random = seeded(seed).fork('world')
    const random = this.#random
    this.#scheduler = new Scheduler(this.#fork('order'))
    this.#faultsMs = random.between(60_000, 200_000)
    // Half of the worlds see their tenants' midnight.
    const midnightMs = Date.parse('2026-11-24T23:00:00.000Z')
    this.#epochMs =
      midnightMs + (random.next() < 0.5 ? -random.between(0, this.#faultsMs) : random.between(0, 80_000_000))
    this.#tenants = random.next() < 0.7 ? ['ten_a'] : ['ten_a', 'ten_b']
    const shared = new SimFolder()
    const isShared = this.#fork('folders').next() < 0.3
    this.#folders = Array.from({ length: mostGateways }, () => (isShared ? shared : new SimFolder()))
    const stormy = isStorm ?? this.#fork('storm').next() < 1 / 8
    const note = (line: string): void => this.#note(line)
    const breach = (message: string): void => this.#breach(message)
    this.#oracle = new Oracle({
      nowMs: () => this.#scheduler.nowMs,
      step: () => this.#scheduler.steps,
      wallMs: () => this.#storeMs(),
      truth: (sessionId) => this.#truths.get(sessionId),
      isAlive: (name) => this.#all.find((each) => each.name === name)?.life.alive === true,
      priced: (tenantId, sessionId, price) => {
        this.#truthOf(tenantId, sessionId).price = price
      },
      ...{ breach, note },
    })
    this.#store = openStore({
      now: () => this.#storeMs(),
      onWrite: (write) => this.#oracle.onWrite(write, this.#store),
    })
    this.#redis = new SimRedisServer({
      ...{ scheduler: this.#scheduler, random: this.#fork('redis'), epochMs: this.#epochMs, note },
      trouble: random.next() < 0.5 ? 0 : random.next() * 0.2,
      onWrong: (what) => this.#breach(`U8: ${what}`),
    })
    this.#side = {
      ...{ store: this.#store, scheduler: this.#scheduler, random: this.#fork('store'), note },
      rates: drawRates(this.#fork('rates'), stormy),
      downUntilMs: 0,
      fail: (error) => this.#breach(`the program failed: ${error.stack ?? error.message}`),
    }
    this.#mishaps = new Mishaps({
      ...{ scheduler: this.#scheduler, random: this.#fork('mishaps'), redis: this.#redis, side: this.#side },
      ...{ gateways: this.#gateways, visitors: this.#visitors, truths: this.#truths, untilMs: this.#faultsMs },
      boot: (at) => void this.#boot(at),
      died: (gateway) => this.#oracle.died(gateway, this.#store),
      isStorm: stormy,
      ...{ breach, note },
    })
  }

  async run(): Promise<Outcome> {
    try {
      await this.#setUp()
      await this.#scheduler.run(this.#faultsMs)
      this.#calmDown()
      const untilMs = this.#faultsMs + quietMs
      while (this.#scheduler.nowMs < untilMs && this.#breaches.length === 0 && !this.#isQuiet())
        await this.#scheduler.run(Math.min(untilMs, this.#scheduler.nowMs + lookEveryMs))
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
        ...this.#mishaps.stats,
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
    return this.#epochMs + Math.floor(this.#scheduler.nowMs) + this.#mishaps.storeStepMs
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

  async #setUp(): Promise<void> {
    const random = this.#fork('setup')
    const nodes = random.between(2, mostGateways)
    for (let i = 0; i < nodes; i++) await this.#boot(i)
    openPrices({
      ...{ scheduler: this.#scheduler, store: this.#store, random: this.#fork('prices'), untilMs: this.#faultsMs },
      ...{ now: () => this.#storeMs(), note: (line: string) => this.#note(line) },
    })
    this.#credit = new CreditActors({
      ...{ scheduler: this.#scheduler, random: this.#fork('credit'), oracle: this.#oracle, epochMs: this.#epochMs },
      zone: 'Europe/Berlin',
      anyGateway: () => this.#mishaps.any(random),
      breach: (message) => this.#breach(message),
      note: (line) => this.#note(line),
      untilMs: this.#faultsMs,
    })
    this.#credit.start(this.#tenants)
    this.#invite()
    this.#mishaps.start()
  }

  /** Done within the event in which it begins: a disk answers the opening of a file at once. */
  async #boot(at: number): Promise<void> {
    const random = this.#fork(`boot ${this.#born}`)
    const gateway = await Gateway.start({
      name: `node_${at}_${this.#born++}`,
      ...{ side: this.#side, scheduler: this.#scheduler, random, redis: this.#redis, oracle: this.#oracle },
      ...{ epochMs: this.#epochMs, wallOffsetMs: random.next() < 0.2 ? random.between(-3_600_000, 3_600_000) : 0 },
      folder: this.#folders[at] ?? new SimFolder(),
      peers: () => this.#gateways.flatMap((each) => each ?? []),
      truthOf: (tenantId, sessionId) => this.#truthOf(tenantId, sessionId),
      isFaulty: () => this.#faulty,
      nextId: () => ++this.#lastId,
    })
    this.#gateways[at] = gateway
    this.#all.push(gateway)
    const checkMs = random.between(25_000, 80_000)
    gateway.startJobs({ janitorMs: random.between(12_000, 20_000), flushMs: random.between(4_000, 25_000), checkMs })
    this.#note(`boot ${gateway.name}`)
  }

  #truthOf(tenantId: string, sessionId: string): SessionTruth {
    const known = this.#truths.get(sessionId)
    if (known !== undefined) return known
    const random = this.#fork(`appetite ${this.#truths.size}`)
    // Now and then far more than a hold is worth, between one look at the meter and the next.
    const appetite = random.next() * (random.next() < 0.1 ? 400 : 25)
    const truth = new SessionTruth(this.#scheduler, { sessionId, tenantId, tokensPerSecond: appetite })
    this.#truths.set(sessionId, truth)
    return truth
  }

  #isStored(sessionId: string | undefined, itemId: string): boolean {
    for (const turn of this.#store.collection('turns').values())
      if (turn.sessionId === sessionId && turn.itemId === itemId) return turn.state !== 'partial'
    return false
  }

  #invite(): void {
    const random = this.#fork('visitors')
    const count = random.between(2, 6)
    for (let i = 0; i < count; i++) {
      const visitor = new Visitor({
        ...{ scheduler: this.#scheduler, random: this.#fork(`visitor ${i}`), name: `v${i}` },
        tenantId: this.#tenants[random.between(0, this.#tenants.length - 1)] ?? 'ten_a',
        anyGateway: () => this.#mishaps.any(random),
        truthOf: (sessionId) => this.#truths.get(sessionId),
        isStored: (sessionId, itemId) => this.#isStored(sessionId, itemId),
        isFaulty: () => this.#faulty,
        breach: (message) => this.#breach(message),
        note: (line) => this.#note(line),
      })
      this.#visitors.push(visitor)
      const hangUpMs = random.next() < 0.3 ? random.between(2_000, 15_000) : random.between(20_000, 160_000)
      // Together, sometimes: two sessions on the last credit.
      const atMs = random.next() < 0.4 ? 4_000 : random.next() * this.#faultsMs * 0.8
      this.#scheduler.at(atMs, () => visitor.open())
      this.#scheduler.at(atMs + hangUpMs, () => visitor.hangUp())
      while (random.next() < 0.45) this.#scheduler.at(atMs + random.next() * hangUpMs, () => visitor.lose())
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
    for (const visitor of this.#visitors) this.#scheduler.in(random.between(0, 10_000), () => visitor.hangUp())
  }

  /** All visitors are gone and answered, all deeds done, nothing is held or waiting to be moved. */
  #isQuiet(): boolean {
    const store = this.#store
    return (
      this.#visitors.every((each) => each.isDone) &&
      this.#credit.open === 0 &&
      this.#folders.every((each) => each.isEmpty) &&
      [...store.collection('sessions').values()].every((each) => each.state === 'ended') &&
      [...store.collection('credit_accounts').values()].every(
        (each) => each.live === undefined && each.dirty === undefined,
      )
    )
  }

  async #atRest(): Promise<void> {
    if (this.#breaches.length > 0) return
    const [gateway] = this.#gateways.flatMap((each) => each ?? [])
    if (gateway === undefined) return
    let done = false
    const endedMs = this.#storeMs()
    const { ledger } = gateway
    const walk = async () => {
      await ledger.expire()
      return ledger.reconcile()
    }
    walk().then(
      (findings) => {
        done = true
        for (const { message } of findings) this.#breach(`L15: reconcile: ${message}`)
      },
      (error: unknown) => this.#breach(`reconcile failed: ${String(error)}`),
    )
    // A grant may end meanwhile, and its entry has to be moved.
    const untilMs = this.#scheduler.nowMs + 120_000
    while (this.#scheduler.nowMs < untilMs && (!done || !this.#isQuiet()))
      await this.#scheduler.run(this.#scheduler.nowMs + lookEveryMs)
    if (!done) this.#breach('I5: reconcile does not come to an end')
    const troubleMs = this.#all.reduce((sum, each) => sum + each.link.troubleMs, 0)
    this.#oracle.finish({ store: this.#store, truths: this.#truths.values(), troubleMs, endedMs })
  }
}
