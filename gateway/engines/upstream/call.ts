// A call between a browser and the provider: created with our key, controlled over a sideband, hung up by us. To the engine
// it is a line like any other.

import type { Clock } from '../../platform/clock.ts'
import type { DirectCall } from '../engines.ts'
import type { Address } from './address.ts'
import { type Posted, post } from './post.ts'
import type { Refusal } from './refusal.ts'
import { Sideband, type SidebandEnd } from './sideband.ts'

const createMs = 8_000
/** The port gives an engine a second to close. */
const hangUpMs = 800
/** What a session may want before its call is there: a greeting, what somebody wrote. */
const queueFrames = 64

/** How a provider is asked for it. */
export interface CallProtocol {
  /** Throws TypeError when the address cannot be used at all. */
  create(offer: string): { readonly address: Address; readonly contentType: string; readonly body: string }
  /** Undefined: not the answer of such a provider. */
  read(posted: Extract<Posted, { is: 'done' }>): { readonly id: string; readonly answer: string } | undefined
  sideband(id: string): Address
  hangUp(id: string): Address
}

export interface CallEvents {
  /** It is there, and costs something from now on. */
  created?(id: string): void
  attached(again: boolean): void
  detached(code: string): void
  frame(frame: Buffer): void
  refused(refusal: Refusal): void
  gone(gone: CallGone): void
}

export interface CallGone {
  readonly code: string
  readonly opened: boolean
  /** It ended in order, and not by us. */
  readonly hungUp?: boolean
  /** Nobody knows whether it was made. */
  readonly mayCost?: boolean
}

export class Call {
  readonly #clock: Clock
  readonly #protocol: CallProtocol
  readonly #direct: DirectCall
  readonly #on: CallEvents
  #sideband: Sideband | undefined
  #callId: string | undefined
  #answer = ''
  /** Until there is a sideband. */
  #queued: (Buffer | string)[] = []
  #isPaused = false
  #isClosing = false
  #isOver = false

  constructor(clock: Clock, protocol: CallProtocol, direct: DirectCall, on: CallEvents) {
    this.#clock = clock
    this.#protocol = protocol
    this.#direct = direct
    this.#on = on
  }

  get bufferedBytes(): number {
    return this.#sideband?.bufferedBytes ?? 0
  }

  /** Throws TypeError when the address cannot be used at all. */
  open(): void {
    void this.#create(this.#protocol.create(this.#direct.offer))
  }

  async #create({ address, ...body }: ReturnType<CallProtocol['create']>): Promise<void> {
    const posted = await post(this.#clock, address, { ...body, timeoutMs: createMs })
    if (posted.is === 'refused') this.#refuse(() => this.#on.refused(posted.refusal))
    else if (posted.is === 'unknown') this.#failed(posted.code)
    else this.#created(this.#protocol.read(posted))
  }

  #failed(code: string): void {
    this.#refuse(() => this.#on.gone({ code, opened: false, mayCost: true }))
  }

  /** Once closed or cut nobody waits for it any more. */
  #refuse(tell: () => void): void {
    if (this.#isClosing) this.#end('asked')
    else if (!this.#isOver) tell()
  }

  #created(made: { readonly id: string; readonly answer: string } | undefined): void {
    if (made === undefined) {
      this.#failed('bad_answer')
      return
    }
    const { id, answer } = made
    this.#callId = id
    this.#answer = answer
    this.#on.created?.(id)
    // Closed while it was being made: nobody will ever talk to it.
    if (this.#isClosing || this.#isOver) void this.hangUp().then(() => this.#end('asked'))
    else if (!answer.startsWith('v=0')) this.#on.gone({ code: 'bad_answer', opened: true })
    else this.#attach(id)
  }

  #attach(id: string): void {
    this.#sideband = new Sideband(this.#clock, this.#protocol.sideband(id), {
      attached: (again) => this.#on.attached(again),
      detached: (code) => this.#on.detached(code),
      frame: (frame) => this.#on.frame(frame),
      over: (end) => this.#over(end),
    })
    if (this.#isPaused) this.#sideband.pause()
    this.#sideband.open()
  }

  #over({ code, isCallOver, isClean }: SidebandEnd): void {
    if (isCallOver) this.#callId = undefined
    if (this.#isClosing) this.#end('asked')
    else this.#on.gone({ code, opened: true, hungUp: isCallOver && isClean })
  }

  /** The browser may have it: we hear what is said. */
  tellAnswer(): void {
    this.#direct.answered(this.#answer)
  }

  send(frame: Buffer | string): boolean {
    // Before the call is there nothing is sent: the engine tells its configuration when it is attached.
    return this.#sideband?.send(frame) ?? this.#queue(frame)
  }

  #queue(frame: Buffer | string): boolean {
    if (this.#queued.length >= queueFrames) return false
    this.#queued.push(frame)
    return true
  }

  release(first: readonly string[]): void {
    const queued = this.#queued.splice(0).map(String)
    this.#sideband?.release([...first, ...queued])
  }

  pause(): void {
    this.#isPaused = true
    this.#sideband?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#sideband?.resume()
  }

  /** Hangs up; `gone` follows within a second. One that is still being made is hung up when it is there. */
  close(): void {
    if (this.#isClosing || this.#isOver) return
    this.#isClosing = true
    void this.hangUp().then(() => this.#end('asked'))
  }

  async hangUp(): Promise<void> {
    const callId = this.#callId
    this.#callId = undefined
    if (callId !== undefined) await post(this.#clock, this.#protocol.hangUp(callId), { timeoutMs: hangUpMs })
  }

  /** The provider said so: there is nothing to hang up. */
  ended(): void {
    this.#callId = undefined
  }

  #end(code: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#sideband?.cut()
    this.#on.gone({ code, opened: true })
  }

  /** At once. A call that lives is hung up: nobody counts what it costs. */
  cut(): void {
    this.#isOver = true
    this.#sideband?.cut()
    void this.hangUp()
  }
}
