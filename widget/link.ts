// The panel's line to the gateway: one session over as many connections as it takes. Comes back by itself while the session
// waits, takes every numbered frame once and in order, and changes sockets before an old gateway stops.

import type { ProblemBody } from '../gateway/protocol/codes.ts'
import type { ParleyClientEvent, ParleyEnd, ParleySession } from '../gateway/protocol/realtime.ts'
import { Connection } from './connection.ts'
import { type Ending, endingOf, fateOf, pauseMs } from './retry.ts'
import { Tabs } from './tabs.ts'
import { type OpenTransport, openSocket, type Transport } from './transport.ts'
import type { WayBack } from './way-back.ts'
import type { Frame, WireEvent } from './wire.ts'

export type TokenAnswer =
  | { readonly is: 'token'; readonly token: string; readonly agent: string }
  | { readonly is: 'failed'; readonly ending: Ending }

export interface LinkEvents {
  /** A token that is still good; `renew`: the one before was refused. */
  readonly token: (renew: boolean) => Promise<TokenAnswer>
  /** Somebody waits for the connection: a session that is lost is worth a new one. */
  readonly isNeeded: () => boolean
  readonly onConnecting: () => void
  /** Once, in order, without holes. */
  readonly onEvent: (event: WireEvent) => void
  /** The socket is lost; the next one is being tried. `waits`: for the same session. */
  readonly onAway: (trouble: Ending, waits: boolean) => void
  /** The session is lost for good. */
  readonly onGone: () => void
  /** Nothing more will be tried. */
  readonly onOver: (ending: Ending) => void
}

interface Socket {
  readonly connection: Connection
  /** Of a move to another transport: tells whether it came about. */
  readonly moved: ((came: boolean) => void) | undefined
  end?: ParleyEnd
  refused?: ProblemBody
  /** Its gateway is about to stop. */
  leaving?: true
}

/** Between attempts to find another gateway while the one that stops still serves. */
const followMs = 2_000
/** A session that lived this long was no failed try. */
const provenMs = 10_000

export class Link {
  readonly #events: LinkEvents
  readonly #back: WayBack
  readonly #tabs: Tabs
  /** Has told its session. */
  #current: Socket | undefined
  /** On its way. */
  #next: Socket | undefined
  /** Was left by the person; its last turns still come in. */
  #left: Socket | undefined
  /** The attempt to open a socket that counts; an older one that wakes up finds another here. */
  #opening: symbol | undefined
  #pause: ReturnType<typeof setTimeout> | undefined
  #tries = 0
  #renew = false
  #openedAtMs = Number.POSITIVE_INFINITY

  constructor(back: WayBack, events: LinkEvents) {
    this.#back = back
    this.#events = events
    this.#tabs = new Tabs(() => (this.#current === undefined ? undefined : back.kept))
  }

  connect(): void {
    if (this.#current !== undefined || this.#next !== undefined || this.#opening !== undefined) return
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#events.onConnecting()
    void this.#open()
  }

  /** The person asks for it: tries count from zero. `sessionId`: of a session that another tab may have. */
  async afresh(sessionId?: string): Promise<void> {
    this.#tries = 0
    if (sessionId !== undefined) this.#back.adopt(await this.#tabs.ask(sessionId))
  }

  /** Network or page are back: what waits is tried now, what seems to live is doubted. */
  hurry(): void {
    if (this.#pause !== undefined) this.connect()
    else this.#current?.connection.check(true)
  }

  send(event: ParleyClientEvent): void {
    this.#current?.connection.send(event)
  }

  get transport(): Transport['kind'] | undefined {
    return this.#current?.connection.kind
  }

  /** The same session over another transport. It stays where it is when that cannot be had: then false. */
  move(open: OpenTransport): Promise<boolean> {
    if (this.#current === undefined || this.#next !== undefined || this.#opening !== undefined)
      return Promise.resolve(false)
    return new Promise((resolve) => void this.#open(open, resolve))
  }

  /** PCM16 at 24 kHz. */
  audio(pcm: Uint8Array): void {
    this.#current?.connection.audio(pcm)
  }

  /** Ends the session in order. */
  leave(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#opening = undefined
    this.#back.forget()
    const sockets = [this.#next, this.#current]
    this.#left = this.#current
    this.#current = undefined
    this.#next = undefined
    sockets[0]?.moved?.(false)
    for (const socket of sockets) socket?.connection.bye()
  }

  async #open(open: OpenTransport = openSocket, moved?: (came: boolean) => void): Promise<void> {
    const attempt = Symbol('attempt')
    this.#opening = attempt
    const answer = await this.#events.token(this.#renew)
    if (this.#opening !== attempt) {
      moved?.(false)
      return
    }
    this.#opening = undefined
    if (answer.is === 'failed') {
      moved?.(false)
      if (this.#current === undefined) this.#comeBack(answer.ending)
      return
    }
    const { agent, token } = answer
    const socket: Socket = {
      moved,
      connection: new Connection({
        open,
        where: { agent, token, resume: this.#back.offer },
        onFrame: (frame) => this.#took(socket, frame),
        onClose: (close) => this.#closed(socket, close),
      }),
    }
    this.#next = socket
  }

  #took(socket: Socket, { seq, event }: Frame): void {
    if (socket === this.#next) {
      if (event?.type === 'refused') socket.refused = event.problem
      else if (event?.type === 'parley.end') socket.end = event
      else if (event?.type === 'parley.session') this.#opened(socket, event)
      return
    }
    // A session that was left still tells how its last turns ended.
    if (socket === this.#left && event?.type === 'parley.turn') this.#events.onEvent(event)
    if (socket !== this.#current) return
    const nowMs = Date.now()
    if (seq !== undefined) {
      const took = this.#back.take(seq)
      if (took === 'again') return
      if (took === 'hole') {
        socket.connection.drop()
        return
      }
      const due = this.#back.due(nowMs)
      if (due !== undefined) this.send({ type: 'parley.ack', seq: due })
    }
    this.#back.alive(nowMs)
    if (event?.type === 'parley.end') socket.end = event
    if (event?.type === 'parley.going_away') {
      socket.leaving = true
      setTimeout(() => this.#follow(socket), event.reconnect_in_ms)
    }
    if (event !== undefined) this.#events.onEvent(event)
  }

  /** The gateway stops: the next socket is opened while this one still brings frames. */
  #follow(socket: Socket): void {
    if (this.#current === socket && this.#next === undefined && this.#opening === undefined) void this.#open()
  }

  #opened(socket: Socket, session: ParleySession): void {
    this.#next = undefined
    this.#current = socket
    this.#openedAtMs = performance.now()
    this.#renew = false
    this.#back.opened(session, Date.now())
    this.#events.onEvent(session)
    socket.moved?.(true)
  }

  #closed(socket: Socket, close: { readonly code: number; readonly reason: string }): void {
    const ending = endingOf(close, socket)
    if (socket === this.#next) {
      this.#next = undefined
      socket.moved?.(false)
      const current = this.#current
      if (current === undefined) this.#comeBack(ending)
      else if (socket.moved !== undefined) return
      else setTimeout(() => this.#follow(current), followMs)
    } else if (socket === this.#current) {
      this.#current = undefined
      // The one that follows is on its way: what was said so far is still being played.
      if (this.#next === undefined && this.#opening === undefined) this.#comeBack(ending)
    }
  }

  #comeBack(ending: Ending): void {
    if (performance.now() - this.#openedAtMs > provenMs) this.#tries = 0
    this.#openedAtMs = Number.POSITIVE_INFINITY
    const fate = fateOf(ending)
    const known = this.#back.kept !== undefined
    if (fate !== 'here') this.#back.forget()
    if (known && fate === 'gone') {
      this.#startAnew()
      return
    }
    const waits = known && fate === 'here' && Date.now() < this.#back.untilMs
    const worth = waits || this.#events.isNeeded()
    const pause = worth ? pauseMs(ending, this.#tries, Math.random(), waits) : undefined
    // A second fresh token will be refused for the same reason.
    if (pause === undefined || (ending.retry === 'new_token' && this.#renew)) {
      this.#renew = false
      this.#events.onOver(ending)
      return
    }
    if (ending.retry === 'new_token') this.#renew = true
    this.#tries++
    this.#events.onAway(ending, waits)
    this.#pause = setTimeout(() => this.connect(), pause)
  }

  #startAnew(): void {
    this.#events.onGone()
    if (this.#events.isNeeded()) this.connect()
    else this.#events.onOver({ reason: 'lost', code: 'gone', retry: 'never' })
  }
}
