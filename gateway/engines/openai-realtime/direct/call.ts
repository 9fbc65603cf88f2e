// A call between a browser and the provider: created with our key, controlled over a sideband, hung up by us. To the engine
// it is a line like any other.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../platform/clock.ts'
import type { DirectCall } from '../../engines.ts'
import { callsAddress, sidebandAddress } from '../../upstream/address.ts'
import { post } from '../../upstream/post.ts'
import type { Refusal } from '../../upstream/refusal.ts'
import { Sideband, type SidebandEnd } from '../../upstream/sideband.ts'

const createMs = 8_000
/** The port gives an engine a second to close. */
const hangUpMs = 800
/** What a session may want before its call is there: a greeting, what somebody wrote. */
const queueFrames = 64

export interface CallNeeds {
  readonly baseUrl: string
  readonly apiKey: string | undefined
  readonly clock: Clock
  /** What the provider is told of the session, beside the offer. */
  readonly session: Readonly<Record<string, unknown>>
  readonly direct: DirectCall
}

export interface CallEvents {
  attached(again: boolean): void
  detached(code: string): void
  frame(frame: Buffer): void
  refused(refusal: Refusal): void
  /** `hungUp`: it ended in order, and not by us. */
  gone(gone: { readonly code: string; readonly opened: boolean; readonly hungUp?: boolean }): void
}

export class Call {
  readonly #needs: CallNeeds
  readonly #on: CallEvents
  #sideband: Sideband | undefined
  #callId: string | undefined
  #answer = ''
  /** Until there is a sideband. */
  #queued: (Buffer | string)[] = []
  #isPaused = false
  #isClosing = false
  #isOver = false

  constructor(needs: CallNeeds, on: CallEvents) {
    this.#needs = needs
    this.#on = on
  }

  get bufferedBytes(): number {
    return this.#sideband?.bufferedBytes ?? 0
  }

  /** Throws TypeError when the address cannot be used at all. */
  open(): void {
    const { baseUrl, apiKey } = this.#needs
    const address = callsAddress(baseUrl, apiKey)
    void this.#create(address)
  }

  async #create(address: ReturnType<typeof callsAddress>): Promise<void> {
    const { clock, session, direct } = this.#needs
    const posted = await post(clock, address, { ...multipart(direct.offer, session), timeoutMs: createMs })
    if (posted.is === 'refused') this.#refuse(() => this.#on.refused(posted.refusal))
    else if (posted.is === 'unknown') this.#refuse(() => this.#on.gone({ code: posted.code, opened: false }))
    else this.#created(posted.body, posted.location)
  }

  /** Once closed or cut nobody waits for it any more. */
  #refuse(tell: () => void): void {
    if (this.#isClosing) this.#end('asked')
    else if (!this.#isOver) tell()
  }

  #created(answer: string, location: string | null): void {
    const callId = location?.split(/[?#]/)[0]?.split('/').filter(Boolean).at(-1)
    if (callId === undefined) {
      this.#refuse(() => this.#on.gone({ code: 'no_call_id', opened: true }))
      return
    }
    this.#callId = callId
    this.#answer = answer
    // Closed while it was being made: nobody will ever talk to it.
    if (this.#isClosing || this.#isOver) void this.#hangUp().then(() => this.#end('asked'))
    else if (!answer.startsWith('v=0')) this.#on.gone({ code: 'bad_answer', opened: true })
    else this.#attach(callId)
  }

  #attach(callId: string): void {
    const { baseUrl, apiKey, clock } = this.#needs
    this.#sideband = new Sideband(clock, sidebandAddress(baseUrl, apiKey, callId), {
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
    this.#needs.direct.answered(this.#answer)
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
    void this.#hangUp().then(() => this.#end('asked'))
  }

  async #hangUp(): Promise<void> {
    const callId = this.#callId
    this.#callId = undefined
    if (callId === undefined) return
    const { baseUrl, apiKey, clock } = this.#needs
    await post(clock, callsAddress(baseUrl, apiKey, callId), { timeoutMs: hangUpMs })
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
    void this.#hangUp()
  }
}

function multipart(offer: string, session: Readonly<Record<string, unknown>>): { contentType: string; body: string } {
  // Nobody's offer can hold it: a part of its own would be another configuration.
  const boundary = `parley-${randomBytes(16).toString('hex')}`
  const part = (name: string, type: string, text: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: `${part('sdp', 'application/sdp', offer)}${part('session', 'application/json', JSON.stringify(session))}--${boundary}--\r\n`,
  }
}
