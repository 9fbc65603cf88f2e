// One visitor: opens a session, writes now and then, loses the connection, comes back to the same gateway or to another
// one with the token it has, sends again what was not said to be durable, hangs up. Its leg keeps what it was told.

import { asTenantId } from '../../gateway/platform/ids.ts'
import { Problem } from '../../gateway/platform/problem.ts'
import { limits } from '../../gateway/protocol/realtime.ts'
import type { Leg, LegPort, Opened, OpenRequest, Sessions } from '../../gateway/sessions/sessions.ts'
import type { Random } from '../chaos/random.ts'
import { briefFor } from '../harness/brief.ts'
import type { Gateway } from './gateway.ts'
import type { Life, Scheduler } from './scheduler.ts'
import type { SessionTruth } from './truth.ts'

export interface VisitorOptions {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly tenantId: string
  readonly name: string
  readonly anyGateway: () => Gateway | undefined
  readonly truthOf: (sessionId: string) => SessionTruth | undefined
  /** The store has this turn, and it is no longer open. */
  readonly isStored: (sessionId: string | undefined, itemId: string) => boolean
  readonly isFaulty: () => boolean
  readonly breach: (message: string) => void
  readonly note: (line: string) => void
}

/** So much may be free: a minute of a session's absences in sum, and one from which nobody returns. */
const freeMs = 60_000 + limits.resumeWindowMs.chat
/** A gateway that does not answer in this time is given up. */
const patienceMs = 12_000
const resumeTries = 6

type Resumed = Awaited<ReturnType<Sessions['resume']>>

interface Connection {
  readonly gateway: Gateway
  readonly port: LegPort
  readonly leg: SimLeg
}

export class Visitor {
  readonly options: VisitorOptions
  /** It has hung up, was refused or was told that it is over. */
  over = false
  takeovers = 0
  #sessionId: string | undefined
  #token: string | undefined
  #connection: Connection | undefined
  #busy = false
  #messages = 0
  /** Requests without an answer, of those too that it waits for no more. */
  readonly #asked = new Set<{ readonly life: Life }>()
  /** Said, and nobody has told yet that it is durable. */
  readonly #unsent = new Map<string, string>()

  constructor(options: VisitorOptions) {
    this.options = options
  }

  get gateway(): Gateway | undefined {
    return this.#connection?.gateway
  }

  /** Nothing that it asked for can happen any more. */
  get isDone(): boolean {
    return this.over && [...this.#asked].every(({ life }) => !life.alive)
  }

  get #truth(): SessionTruth | undefined {
    return this.#sessionId === undefined ? undefined : this.options.truthOf(this.#sessionId)
  }

  open(tries = 0): void {
    if (this.over) return
    const gateway = this.options.anyGateway()
    if (gateway === undefined) return
    const leg = new SimLeg(this, gateway)
    this.#ask(
      gateway,
      () => gateway.sessions.open(this.#request(leg)),
      (opened) => {
        this.#sessionId = opened.sessionId
        this.#token = opened.resumeToken
        leg.epoch = opened.epoch
        const place = { port: opened.port, leg }
        gateway.places.set(opened.sessionId, place)
        this.#connected({ gateway, ...place })
        opened.start()
        this.#talk()
      },
      () => {
        // Busy, or no credit: it tries once more.
        if (tries === 0) this.options.scheduler.in(5_000 + this.options.random.next() * 20_000, () => this.open(1))
        else this.over = true
      },
    )
  }

  #request(leg: Leg): OpenRequest {
    const { tenantId, name } = this.options
    return {
      tenantId: asTenantId(tenantId),
      ...{ plan: 'enterprise', brief, contactId: `cont_${name}`, channel: 'api', keyId: 'key_sim', ip: '10.0.0.1' },
      ...{ leg, outputModality: 'text' },
    }
  }

  /** One request at a time; `no` when it was refused or nobody answered. */
  #ask<T extends Opened | Resumed>(
    gateway: Gateway,
    asked: () => Promise<T>,
    yes: (answer: T) => void,
    no: (code: string) => void,
  ): void {
    const { scheduler, random, note, name, breach } = this.options
    this.#busy = true
    let waiting = true
    const end = (then: () => void): void => {
      if (!waiting) return
      waiting = false
      this.#busy = false
      then()
    }
    scheduler.in(patienceMs, () => end(() => no('silence')))
    const request = { life: gateway.life }
    this.#asked.add(request)
    const call = async (): Promise<T> => asked()
    const answered = (): Promise<void> =>
      call()
        .finally(() => this.#asked.delete(request))
        .then(
          (answer) => {
            note(`${name} at ${gateway.name}`)
            // Too late: what was opened has no visitor; its leg says so.
            if (!waiting) this.#abandon(answer, gateway)
            end(() => yes(answer))
          },
          (error: unknown) => {
            const code = error instanceof Problem ? error.code : error instanceof Error ? error.name : 'unknown'
            if (code === 'internal' || !(error instanceof Problem || code.startsWith('Mongo')))
              breach(`the program failed: ${error instanceof Error ? error.stack : String(error)}`)
            note(`${name} refused ${code}`)
            end(() => no(code))
          },
        )
    // A process that stands still takes it when it wakes, one that died never.
    scheduler.in(1 + random.next() * 20, () => void answered(), gateway.life)
  }

  /** An answer that nobody waits for: the gateway greets a socket that is closed. */
  #abandon(answer: Opened | Resumed, { clock }: Gateway): void {
    const opened = 'is' in answer ? (answer.is === 'taken' ? answer.opened : undefined) : answer
    if (opened === undefined) return
    const truth = this.options.truthOf(opened.sessionId)
    if (truth !== undefined) truth.awayMs = freeMs
    opened.start()
    opened.port.lost(clock.monotonicMs())
  }

  #connected(connection: Connection): void {
    this.#connection = connection
    for (const [itemId, text] of this.#unsent) this.#say(connection, itemId, text)
    connection.port.confirmed(this.#token ?? '')
  }

  #talk(): void {
    const { scheduler, random } = this.options
    const say = (): void => {
      if (this.over) return
      const { name } = this.options
      const itemId = `said_${name}_${this.#messages++}`
      const text = `${name} says ${this.#messages}`
      this.#unsent.set(itemId, text)
      this.#use((there) => this.#say(there, itemId, text))
      scheduler.in(3_000 + random.next() * 20_000, say)
    }
    scheduler.in(random.next() * 3_000, say)
  }

  /** An owner that died before it had stored a message may have counted it: said again, it is answered again and is one. */
  #say({ port }: Connection, itemId: string, text: string): void {
    this.#truth?.messages.add(itemId)
    port.say(itemId, text)
  }

  /** Reaches the gateway a moment later, if it still is one. */
  #use(run: (connection: Connection) => void): void {
    const connection = this.#connection
    if (connection === undefined) return
    const { scheduler, random } = this.options
    scheduler.in(
      1 + random.next() * 40,
      () => {
        if (this.#connection === connection || this.over) run(connection)
      },
      connection.gateway.life,
    )
  }

  /** What the gateway says has come through to the visitor only over the connection in use. */
  hears(leg: SimLeg): boolean {
    return this.#connection?.leg === leg
  }

  committed(itemIds: readonly string[], leg: SimLeg): void {
    if (!this.hears(leg)) return
    for (const itemId of itemIds) {
      const text = this.#unsent.get(itemId) ?? leg.texts.get(itemId)
      this.#unsent.delete(itemId)
      if (!this.options.isStored(this.#sessionId, itemId))
        this.options.breach(`S12: ${itemId} is said to be durable and is not`)
      // Told again on a leg that has not heard the words: what was said before stands.
      if (text !== undefined) this.#truth?.committed.set(itemId, text)
    }
  }

  told(reason: string, leg: SimLeg): void {
    if (this.#connection?.leg !== leg) return
    this.options.note(`${this.options.name} told ${reason}`)
    if (reason === 'drain') {
      this.lose()
      return
    }
    this.over = true
  }

  /** The connection breaks; the gateway hears of it, if it lives. */
  lose(): void {
    const connection = this.#connection
    if (connection === undefined || this.over) return
    const { scheduler, random } = this.options
    this.#connection = undefined
    const { clock, life } = connection.gateway
    const lastByteAtMs = clock.monotonicMs()
    const truth = this.#truth
    if (truth !== undefined) truth.awayMs = freeMs
    scheduler.in(random.next() * 2_000, () => connection.port.lost(lastByteAtMs), life)
    this.comeBack(random.next() < 0.7 ? random.between(200, 12_000) : random.between(12_000, 60_000))
  }

  /** Its gateway is dead or does not move. */
  bereaved(): void {
    const connection = this.#connection
    this.#connection = undefined
    const truth = this.#truth
    if (truth !== undefined) truth.awayMs = freeMs
    // One that only stands still finds the socket closed when it wakes.
    if (connection !== undefined) {
      const { clock, life } = connection.gateway
      const lastByteAtMs = clock.monotonicMs()
      this.options.scheduler.in(1, () => connection.port.lost(lastByteAtMs), life)
    }
    this.comeBack(this.options.random.between(500, 12_000))
  }

  comeBack(afterMs: number, tries = 0): void {
    const { scheduler, random, anyGateway } = this.options
    scheduler.in(afterMs, () => {
      if (this.over || this.#busy || this.#connection !== undefined) return
      const [gateway, token, sessionId] = [anyGateway(), this.#token, this.#sessionId]
      const again = (): void => {
        if (tries < resumeTries) this.comeBack(500 + random.next() * 4_000, tries + 1)
        else this.over = true
      }
      if (gateway === undefined || token === undefined || sessionId === undefined) return again()
      const leg = new SimLeg(this, gateway)
      const asked = (): Promise<Resumed> =>
        gateway.sessions.resume({
          ...this.#request(leg),
          sessionId,
          token,
          lastSeq: 0,
          isGone: () => false,
        })
      this.#ask(
        gateway,
        asked,
        (answer) => {
          this.takeovers++
          if (answer.is === 'here') this.#token = answer.resumeToken
          else this.#token = answer.opened.resumeToken ?? token
          if (answer.is === 'taken') {
            leg.epoch = answer.opened.epoch
            gateway.places.set(sessionId, { port: answer.opened.port, leg })
          }
          const place = gateway.places.get(sessionId)
          if (place === undefined) return again()
          if (answer.is === 'here') place.port.back()
          this.#connected({ gateway, ...place })
          if (answer.is === 'taken') answer.opened.start()
        },
        (code) => {
          if (['gone', 'not_found', 'forbidden'].includes(code)) this.over = true
          else again()
        },
      )
    })
  }

  hangUp(): void {
    if (this.over) return
    this.#use(({ port }) => port.bye())
    this.over = true
  }
}

const brief = briefFor({
  ...{ agentId: 'agt_sim', slug: 'sim', name: 'Sim', model: 'sim', voice: 'none' },
  ...{ closing: 'That is all the time there is.', tools: ['lookup'] },
  limits: { idleMs: 60_000, maxDurationMs: 200_000 },
})

/** Stands for the socket: text, returnable. */
export class SimLeg implements Leg {
  readonly kind = 'websocket'
  readonly reportsPlayback = true
  readonly isStock = false
  readonly canReturn = true
  readonly keptFrames: readonly string[] = []
  lastSeq = 0
  /** Of its session here; undefined when the visitor did not wait for it. */
  epoch: number | undefined
  /** By item, the words as told last. */
  readonly texts = new Map<string, string>()
  readonly #visitor: Visitor
  readonly #gateway: Gateway

  constructor(visitor: Visitor, gateway: Gateway) {
    this.#visitor = visitor
    this.#gateway = gateway
  }

  restore(_frames: readonly string[], lastSeq: number): void {
    this.lastSeq = lastSeq
  }
  engineEvent(): void {
    this.lastSeq++
  }
  turn(turn: Parameters<Leg['turn']>[0]): void {
    this.lastSeq++
    this.texts.set(turn.itemId, turn.text)
    this.#gateway.told.set(turn.id, { turn, leg: this, atMs: this.#visitor.options.scheduler.nowMs })
  }
  committed(itemIds: readonly string[]): void {
    this.lastSeq++
    this.#visitor.committed(itemIds, this)
  }
  notice(): void {}
  goingAway(): void {
    // Moves at once: the number of milliseconds asked for is drawn outside the simulation.
    this.#visitor.lose()
  }
  heartbeat(): void {}
  flush(): void {}
  end(reason: string): void {
    this.#visitor.told(reason, this)
  }
}
