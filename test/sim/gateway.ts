// One simulated gateway process: the real ledger, usage, transcript and sessions over links of its own, and its jobs.

import { createLedger, type Ledger } from '../../gateway/ledger/ledger.ts'
import type { Bus } from '../../gateway/platform/bus.ts'
import type { Log } from '../../gateway/platform/log.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'
import { createSessions, type LegPort, type Sessions } from '../../gateway/sessions/sessions.ts'
import type { Tools } from '../../gateway/tools/tools.ts'
import { createTranscript, openWal, type Transcript, type Wal } from '../../gateway/transcript/transcript.ts'
import { createUsage } from '../../gateway/usage/usage.ts'
import type { Random } from '../chaos/random.ts'
import { Link, type StoreSide } from './link.ts'
import type { Oracle } from './oracle.ts'
import { Life, type Scheduler, SimClock } from './scheduler.ts'
import { simDb } from './sim-db.ts'
import { type SimFolder, simDisk } from './sim-disk.ts'
import { SimEngine } from './sim-engine.ts'
import { type SimRedisServer, simRedis } from './sim-redis.ts'
import type { SessionTruth } from './truth.ts'
import type { SimLeg } from './visitor.ts'

export interface GatewayOptions {
  readonly name: string
  readonly side: StoreSide
  readonly scheduler: Scheduler
  readonly random: Random
  readonly redis: SimRedisServer
  readonly oracle: Oracle
  readonly epochMs: number
  readonly wallOffsetMs: number
  /** Its data folder: the next process of this place has it too. */
  readonly folder: SimFolder
  readonly peers: () => readonly Gateway[]
  readonly truthOf: (tenantId: string, sessionId: string) => SessionTruth
  readonly isFaulty: () => boolean
  readonly nextId: () => number
}

interface Body {
  readonly life: Life
  readonly clock: SimClock
  readonly log: Log
  readonly wal: Wal
}

export class Gateway {
  readonly name: string
  readonly life: Life
  readonly clock: SimClock
  readonly link: Link
  readonly ledger: Ledger
  readonly sessions: Sessions
  readonly log: Log
  /** By id, each turn as told last, and when. */
  readonly told = new Map<string, { readonly turn: Turn; readonly leg: SimLeg; readonly atMs: number }>()
  readonly #transcript: Transcript
  readonly #wal: Wal
  /** By session, what a connection of its visitor is joined to. */
  readonly places = new Map<string, { readonly port: LegPort; readonly leg: SimLeg }>()
  readonly #options: GatewayOptions
  readonly #running = new Set<string>()
  readonly #handlers = new Set<(message: unknown) => void>()

  static async start(options: GatewayOptions): Promise<Gateway> {
    const { name, side, scheduler, random, folder, epochMs, wallOffsetMs } = options
    const life = new Life()
    const clock = new SimClock(scheduler, life, epochMs)
    clock.wallOffsetMs = wallOffsetMs
    const log = simLog(name, side)
    const disk = simDisk({ folder, life, scheduler, random: random.fork('disk') })
    const wal = await openWal({ dir: 'wal', name, disk, clock, log })
    return new Gateway(options, { life, clock, log, wal })
  }

  private constructor(options: GatewayOptions, { life, clock, log, wal }: Body) {
    const { name, side, random, redis, oracle } = options
    this.name = name
    this.#options = options
    this.life = life
    this.clock = clock
    this.log = log
    this.#wal = wal
    this.link = new Link(name, side, life)
    const db = simDb(this.link)
    const ledger = createLedger({ db, clock, random: random.next })
    this.ledger = {
      ...ledger,
      stale: async (query) => {
        oracle.scanned(name)
        const holds = await ledger.stale(query)
        if (holds.length > 0) await this.#dawdle()
        return holds
      },
    }
    const usage = createUsage({ db, redis: simRedis(redis, name, this.life), ledger, clock, log })
    const transcript = createTranscript({ db, clock, log, wal })
    this.#transcript = transcript
    this.sessions = createSessions({
      ...{
        db,
        clock,
        log,
        nodeId: name,
        transcript,
        usage,
        ledger: this.ledger,
        bus: this.#bus(),
        tools: this.#tools(),
      },
      enginesFor: () => ({ factories: [engineFacts], passedOver: [] }),
      openEngine: (steady) => new SimEngine(steady, this.#engineDeps(steady.tenantId, steady.sessionId)),
      notAllowed: async () => new Set(),
      notAnswering: async () => new Set(),
      onOutcome: () => {},
      emailHashes: async () => new Map(),
      ...{ hasPeers: true, drainMs: 10_000 },
    })
    this.sessions.start()
  }

  #engineDeps(tenantId: string, sessionId: string) {
    const { scheduler, random, truthOf, isFaulty, nextId } = this.#options
    const truth = truthOf(tenantId, sessionId)
    return { owner: this.name, life: this.life, clock: this.clock, scheduler, random, truth, isFaulty, nextId }
  }

  /** `periods`: how often the jobs run here, ms. */
  startJobs(periods: { readonly janitorMs: number; readonly flushMs: number; readonly checkMs: number }): void {
    const { janitorMs, flushMs, checkMs } = periods
    const janitor = (): void => this.#alone('janitor', () => this.sessions.closeStale())
    this.clock.every(janitorMs, janitor)
    this.clock.every(flushMs, () => this.#alone('flush', () => this.ledger.flush()))
    this.clock.every(checkMs, () => this.#alone('reconcile', () => this.ledger.reconcile()))
    this.clock.every(checkMs, () => this.#alone('expire', () => this.ledger.expire()))
    const replay = (): void => this.#alone('replay', () => this.#transcript.replay())
    this.clock.every(replayEveryMs, replay)
    janitor()
    replay()
  }

  /** Lets go of all it has; what the store has not taken stays on its disk. */
  async drain(): Promise<void> {
    await this.sessions.drain()
    await this.#wal.close()
  }

  /** A process may be slow between any two lines: here an owner that stood still may wake up meanwhile. */
  async #dawdle(): Promise<void> {
    const { scheduler, random, isFaulty } = this.#options
    if (!isFaulty() || random.next() > 0.5) return
    await new Promise<void>((resolve) => scheduler.in(random.next() * 25_000, resolve, this.life))
  }

  #alone(name: string, work: () => Promise<unknown>): void {
    if (this.#running.has(name)) return
    this.#running.add(name)
    work()
      .catch((error: unknown) => this.log.warn({ err: error, job: name }, 'job failed, it will run again'))
      .finally(() => this.#running.delete(name))
  }

  #bus(): Bus {
    const { scheduler, peers, redis, random } = this.#options
    return {
      tell: async (nodeId, message) => {
        const peer = peers().find((each) => each.name === nodeId && each.life.alive)
        await new Promise<void>((resolve) => scheduler.in(2 + random.next() * 8, resolve, this.life))
        if (peer === undefined || scheduler.nowMs < redis.downUntilMs) return 0
        // A process that stands still is a subscriber too: it reads this when it wakes.
        scheduler.in(1, () => peer.hear(message), peer.life)
        return 1
      },
      on: (handler) => {
        this.#handlers.add(handler)
        return () => void this.#handlers.delete(handler)
      },
      close: async () => {},
    }
  }

  hear(message: unknown): void {
    for (const handler of this.#handlers) handler(message)
  }

  /** One tool, answered after a while. */
  #tools(): Tools {
    const { scheduler, random } = this.#options
    return {
      of: () => {
        throw new Error('no descriptors in the simulation')
      },
      brief: async (_tenantId, { tools }) => ({
        tools: tools.map((name) => ({ name, description: '', parameters: {} })),
        instructions: '',
      }),
      readOnly: async () => new Map(),
      sweepJobs: async () => 0,
      runApproved: () => {
        throw new Error('nobody is asked in the simulation')
      },
      run: () =>
        new Promise((resolve) => {
          scheduler.in(50 + random.next() * 2_000, () => resolve({ output: '{}', ok: true }), this.life)
        }),
    }
  }
}

/** As the gateway's jobs do it. */
const replayEveryMs = 60_000

const engineFacts = {
  kind: 'demo',
  defaultModel: 'sim',
  hears: 'words',
  open: () => {
    throw new Error('engines are opened by openEngine')
  },
} as const

const expected = /^(Mongo|NoReply$|Problem$)/
/** Plain errors that stand for a store that did not answer. */
const expectedText = /^(not primary|connection|the store|nobody could tell|E11000|the same turns)/

/** Says nothing; what is logged as an error of the program is a defect. */
function simLog(name: string, side: StoreSide): Log {
  const take = (level: string) => (fields: unknown) => {
    if (typeof fields !== 'object' || fields === null || !('err' in fields)) return
    const { err } = fields
    if (err instanceof Error && (expected.test(err.name) || expectedText.test(err.message)) && !isInternal(err)) {
      side.note(`${name} ${level} ${err.name}`)
      return
    }
    side.fail(err instanceof Error ? err : new Error(String(err)))
  }
  const log = {
    child: () => log,
    ...{ trace: () => {}, debug: () => {}, info: () => {} },
    ...{ warn: take('warn'), error: take('error'), fatal: take('fatal') },
  }
  return log as unknown as Log
}

function isInternal(error: Error): boolean {
  return 'code' in error && error.code === 'internal'
}
