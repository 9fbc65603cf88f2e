// Everything of one run: stores, provider, gateways, networks, clients; and the judgement at its end.

import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMongo } from '../../gateway/platform/mongo.ts'
import { newApiKey } from '../harness/start-gateway.ts'
import { Balancer } from './balancer.ts'
import { Client } from './client.ts'
import { ChaosEngine } from './engine.ts'
import { type Api, type Evidence, readCredits, readEvidence } from './evidence.ts'
import { Gateways } from './gateways.ts'
import { Line } from './line.ts'
import { judge, type OracleOptions, servedAndBilled } from './oracle.ts'
import { type Random, seeded } from './random.ts'
import type { ClientRecord } from './record.ts'
import { checksOf, none, type Report } from './report.ts'
import { ChaosStore } from './store.ts'
import { customerPage } from './visitor-token.ts'

export interface WorldOptions {
  readonly seed: number
  /** How much of it: kills, cuts, rolls, …; each scenario has its own default. */
  readonly count: number | undefined
  readonly say: (line: string) => void
  /** Folder for what every process and client did. */
  readonly traceDir?: string | undefined
}

export interface Visitor {
  readonly client: Client
  readonly line: Line
}

export const names = ['a', 'b'] as const
export type GatewayName = (typeof names)[number]

export const other = (name: GatewayName): GatewayName => (name === 'a' ? 'b' : 'a')

/** Dead sessions are closed within 60 s; nothing may be held for longer than this. */
const holdsMs = 120_000
const settleMs = 40_000
/** Longer than it takes to notice that a gateway stands still: it may have taken the answer with it. */
const patienceMs = 15_000

export class World implements AsyncDisposable {
  readonly random: Random
  readonly dir: string
  readonly store: ChaosStore
  readonly engine: ChaosEngine
  readonly balancer: Balancer
  readonly gateways: Gateways
  readonly apiKey: string
  readonly visitors: Visitor[] = []
  readonly #say: (line: string) => void
  readonly #traceDir: string | undefined
  readonly #trace: string[] = []

  private constructor(
    options: WorldOptions,
    parts: { readonly dir: string; readonly store: ChaosStore; readonly engine: ChaosEngine },
  ) {
    this.random = seeded(options.seed)
    this.#say = options.say
    this.#traceDir = options.traceDir
    this.dir = parts.dir
    this.store = parts.store
    this.engine = parts.engine
    this.balancer = new Balancer()
    this.apiKey = newApiKey()
    const shared = {
      ...parts.store.env,
      PARLEY_SECRET: randomBytes(32).toString('hex'),
      PARLEY_DEMO_API_KEY: this.apiKey,
      // One address for both, or each would refuse the other's tokens.
      PUBLIC_URL: `${customerPage}:80`,
      PARLEY_TRUSTED_PROXIES: '1',
      PARLEY_ENGINE: 'openai-realtime',
      OPENAI_API_KEY: 'chaos',
    }
    this.gateways = new Gateways(this.balancer, (name) => ({
      ...shared,
      PARLEY_DATA_DIR: join(parts.dir, name),
      OPENAI_BASE_URL: parts.engine.baseUrl(name),
    }))
  }

  static async start(options: WorldOptions): Promise<World> {
    const dir = await mkdtemp(join(tmpdir(), 'parley-chaos-'))
    const store = await ChaosStore.start(join(dir, 'store'))
    const world = new World(options, { dir, store, engine: await new ChaosEngine().start() })
    try {
      await world.gateways.start('a')
      await world.#enlarge()
      await world.gateways.start('b')
    } catch (error) {
      await world[Symbol.asyncDispose]()
      throw error
    }
    return world
  }

  /** The limits of a small plan are not what is tried here. */
  async #enlarge(): Promise<void> {
    const mongo = await openMongo(this.store.mongoUri, 'parley', { timeoutMs: 10_000 })
    await mongo.db.collection('tenants').updateOne({ slug: 'productco' }, { $set: { plan: 'enterprise' } })
    await mongo.close()
  }

  get api(): Api {
    return { url: () => this.balancer.anyUrl(), apiKey: this.apiKey }
  }

  get records(): readonly ClientRecord[] {
    return this.visitors.map(({ client }) => client.record)
  }

  /** `voice` of them speak, the others write. Resolves when all have a session. */
  async populate(
    count: number,
    options: { readonly voice: number; readonly thinkMs: readonly [number, number]; readonly patienceMs?: number },
  ): Promise<void> {
    for (let i = 0; i < count; i++) {
      const name = `c${this.visitors.length + 1}`
      const random = this.random.fork(name)
      const line = await new Line(this.balancer.route, random).start()
      const kind = i < options.voice ? 'voice' : 'text'
      const ip = `10.${1 + Math.floor(i / 200)}.${i % 200}.1`
      const note = (what: string): void => this.note(`${name} ${what}`)
      const client = new Client({ name, kind, line, ip, random, patienceMs, ...options, note })
      this.visitors.push({ client, line })
      client.start()
      await sleep(30)
    }
    await this.until(() => this.visitors.every(({ client }) => client.live), 30_000, 'every client has a session')
  }

  /** A line of the trace, with the time as the gateways' logs have it. */
  note(what: string): void {
    this.#trace.push(`${new Date().toISOString()} ${what}`)
  }

  async until(holds: () => boolean, timeoutMs: number, what: string): Promise<void> {
    const untilMs = performance.now() + timeoutMs
    while (!holds()) {
      if (performance.now() > untilMs) throw new Error(`waited ${timeoutMs} ms until ${what}`)
      await sleep(50)
    }
  }

  /** The gateway that most clients are connected to. */
  get busiest(): GatewayName {
    return this.balancer.open('b') > this.balancer.open('a') ? 'b' : 'a'
  }

  /** Lets everything come to rest, says good-bye, waits for the money, and judges. */
  async conclude(options: OracleOptions): Promise<Pick<Report, 'checks' | 'findings' | 'facts'>> {
    this.note('the end begins')
    for (const name of names) await this.gateways.ready(name, 60_000)
    for (const { client, line } of this.visitors) {
      line.heal()
      client.online()
    }
    this.#say('waiting for the last answers')
    const rest = await Promise.all(this.visitors.map(({ client }) => client.settle(settleMs)))
    const restless = this.visitors.filter((_, i) => rest[i] !== true).map(({ client }) => client.record.name)
    await Promise.all(this.visitors.map(({ client }) => client.stop()))
    this.#say('waiting for the last settlement')
    const endedAt = performance.now()
    while ((await readCredits(this.api)).holds.length > 0 && performance.now() - endedAt < holdsMs) await sleep(1_000)
    const heldMs = performance.now() - endedAt
    const evidence = await readEvidence(this.api)
    const findings = judge(this.records, evidence, options)
    const alarms = this.gateways.alarms()
    for (const line of [...restless.map((name) => `${name} did not come to rest`), ...alarms, ...this.engine.puzzles])
      this.#say(line)
    return {
      findings,
      facts: [...this.#facts(evidence), ['last hold gone after', `${(heldMs / 1000).toFixed(0)} s`]],
      checks: [
        ...checksOf(findings),
        none('clients that waited in vain at the end', restless),
        none('errors in the gateways’ logs', alarms),
        none('instructions the engine could not follow', this.engine.puzzles),
      ],
    }
  }

  #facts(evidence: Evidence): (readonly [string, string])[] {
    const { records } = this
    const { sessions, entries, credits } = evidence
    const served = servedAndBilled(records, evidence)
    const unbilled = served.map(({ heardS, billedS, losses }) => (heardS - billedS) / Math.max(1, losses))
    const comebacks = records.flatMap((record) => record.comebacks)
    const became = (what: string): number => comebacks.filter((comeback) => comeback.became === what).length
    const asked = records.flatMap((record) => record.asked)
    return [
      [
        'clients',
        `${records.filter(({ kind }) => kind === 'text').length} text, ${records.filter(({ kind }) => kind === 'voice').length} voice`,
      ],
      [
        'sessions',
        `${sessions.size} (${[...Map.groupBy(sessions.values(), (each) => each.endReason ?? each.state)].map(([reason, all]) => `${all.length} ${reason}`).join(', ')})`,
      ],
      [
        'questions',
        `${asked.length} asked, ${asked.filter((each) => each.committedAtMs !== undefined).length} committed, ${asked.filter((each) => each.answeredAtMs !== undefined).length} answered whole`,
      ],
      [
        'losses',
        `${comebacks.length}: ${became('resumed')} resumed, ${became('gap')} with a gap, ${became('new')} as new sessions, ${comebacks.filter((each) => each.became === undefined).length} never`,
      ],
      [
        'closes',
        [
          ...Map.groupBy(
            records.flatMap((record) => record.closes),
            (code) => code,
          ),
        ]
          .map(([code, all]) => `${code} × ${all.length}`)
          .join(', '),
      ],
      [
        'seconds',
        `${served.reduce((sum, each) => sum + each.billedS, 0)} billed of ${Math.round(served.reduce((sum, each) => sum + each.heardS, 0))} served; most given away per loss ${Math.max(0, ...unbilled).toFixed(1)}`,
      ],
      ['money', `${entries.length} entries, posted ${credits.postedMicro}, held ${credits.heldMicro}`],
    ]
  }

  async #writeTrace(dir: string): Promise<void> {
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, 'clients.log'), `${this.#trace.join('\n')}\n`)
    await this.gateways.writeLogs(dir)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#traceDir !== undefined) await this.#writeTrace(this.#traceDir)
    await Promise.all(this.visitors.map(({ client }) => client.abandon()))
    this.balancer[Symbol.dispose]()
    // A frozen process dies of SIGKILL as well.
    await this.gateways[Symbol.asyncDispose]()
    await Promise.all(this.visitors.map(({ line }) => line[Symbol.asyncDispose]()))
    await this.engine[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 })
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
