// One session of the provider on a WebSocket: started, fed with audio without a gap, ended so that its bill is known.

import type { Clock, Timer } from '../../platform/clock.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import type { CloseCause } from '../engines.ts'
import type { Address } from '../upstream/address.ts'
import { type Gone, Line } from '../upstream/line.ts'
import type { Refusal } from '../upstream/refusal.ts'
import type { WireEvent } from './commands.ts'
import { type LiveEvent, readLiveEvent, type UsageEvent, type VoiceEvent } from './events.ts'

const readyTimeoutMs = 15_000
/** The final bill comes with `session.closed`; without it the session's length is our own word. */
const closeMs = 2_500
/** The session's time is its input: when the person's side sends nothing for this long, silence is sent instead. */
const fillAfterMs = 200
const fillEveryMs = 100

export interface LiveSessionFacts {
  readonly id: string
  readonly model: string
  readonly expiresAtMs: number | undefined
}

export interface LiveSessionEvents {
  started(facts: LiveSessionFacts): void
  event(event: VoiceEvent | UsageEvent): void
  /** Audio as the provider gets it, silence in gaps included. */
  fed(pcm: Buffer): void
  rateLimited(retryAfterMs: number | null): void
  over(end: SessionEnd): void
}

/** A session of the provider, whoever holds its sound. */
export interface ProviderSession {
  readonly id: string | undefined
  readonly live: boolean
  readonly bufferedBytes: number
  send(event: WireEvent): boolean
  audio(pcm: Buffer): boolean
  pause(): void
  resume(): void
  close(): void
  cut(): void
}

export interface SessionEnd {
  readonly cause: CloseCause
  readonly code: string
  /** It never began as far as we know, and may cost something all the same. */
  readonly mayCost?: boolean
  /** Undefined where the session never began. */
  readonly usage: { readonly sessionId: string; readonly seconds: number; readonly confirmed: boolean } | undefined
}

export class LiveSession implements ProviderSession {
  readonly #clock: Clock
  readonly #on: LiveSessionEvents
  readonly #line: Line
  readonly #timers: Timer[] = []
  #state: 'opening' | 'live' | 'closing' | 'over' = 'opening'
  #id: string | undefined
  #startedAtMs = 0
  #fedAtMs = 0
  #paused = false
  #lastError: string | undefined

  constructor(clock: Clock, start: WireEvent, on: LiveSessionEvents) {
    this.#clock = clock
    this.#on = on
    this.#line = new Line(clock, {
      opened: () => this.#line.greet(JSON.stringify(start)),
      frame: (frame) => this.#frame(frame),
      refused: (refusal) => this.#refused(refusal),
      gone: (gone) => this.#gone(gone),
    })
  }

  get id(): string | undefined {
    return this.#id
  }

  get live(): boolean {
    return this.#state === 'live'
  }

  get bufferedBytes(): number {
    return this.#line.bufferedBytes
  }

  /** Throws TypeError when the address cannot be used at all. */
  open(address: Address): void {
    this.#line.open(address)
    this.#timers.push(
      this.#clock.after(readyTimeoutMs, () => {
        if (this.#state === 'opening') this.#over('refused', 'timeout')
      }),
    )
  }

  /** Queued until the session has started. False: full. */
  send(event: WireEvent): boolean {
    return this.#state !== 'over' && this.#line.send(JSON.stringify(event))
  }

  /** PCM16 24 kHz. False: full, dropped. */
  audio(pcm: Buffer): boolean {
    if (this.#state === 'closing' || this.#state === 'over' || pcm.length < 2) return true
    this.#fedAtMs = this.#clock.monotonicMs()
    return this.#feed(pcm.subarray(0, pcm.length & ~1))
  }

  #feed(pcm: Buffer): boolean {
    if (!this.#line.send(inputFrame(pcm))) return false
    this.#on.fed(pcm)
    return true
  }

  #fill(): void {
    if (this.#state !== 'live' || this.#clock.monotonicMs() - this.#fedAtMs < fillAfterMs) return
    this.#feed(Buffer.alloc(fillEveryMs * bytesPerMs))
  }

  pause(): void {
    this.#paused = true
    this.#line.pause()
  }

  resume(): void {
    this.#paused = false
    this.#line.resume()
  }

  #frame(frame: Buffer): void {
    if (this.#state === 'over') return
    const event = readLiveEvent(frame)
    if (event.is === 'started') this.#begin(event)
    else if (event.is === 'closed') this.#closed(event)
    else if (event.is !== 'reflected' && event.is !== 'muted') {
      if (event.is === 'error') this.#lastError = event.code
      if (event.is === 'error' && this.#state === 'opening') this.#failed(event.code)
      else this.#on.event(event)
    }
  }

  #begin({ id, model, expiresAtMs }: Extract<LiveEvent, { is: 'started' }>): void {
    if (this.#id !== undefined) return
    this.#id = id
    this.#startedAtMs = this.#clock.monotonicMs()
    if (this.#state === 'closing') return
    this.#state = 'live'
    this.#line.release([])
    this.#timers.push(this.#clock.every(fillEveryMs, () => this.#fill()))
    this.#on.started({ id, model, expiresAtMs })
  }

  #failed(code: string): void {
    if (code === 'rate_limit_exceeded') this.#on.rateLimited(null)
    this.#over('refused', code)
  }

  #refused({ code, retryAfterMs }: Refusal): void {
    if (code === 'rate_limit_exceeded' || code === 'http_429') this.#on.rateLimited(retryAfterMs)
    this.#over(this.#state === 'closing' ? 'asked' : 'refused', code)
  }

  #closed({ reason, seconds }: Extract<LiveEvent, { is: 'closed' }>): void {
    const cause = this.#state === 'closing' ? 'asked' : reason === 'expired' ? 'expired' : 'lost'
    this.#over(cause, cause === 'lost' ? `closed_${reason}` : reason, seconds)
  }

  #gone(gone: Gone): void {
    if (this.#state === 'closing') this.#over('asked', 'asked')
    else this.#over(this.#state === 'opening' ? 'refused' : 'lost', this.#lastError ?? gone.code)
  }

  /** Asks for the end and waits for the bill, for 2.5 s at most. */
  close(): void {
    if (this.#state === 'closing' || this.#state === 'over') return
    const wasLive = this.#state === 'live'
    this.#state = 'closing'
    // A held-back socket would never read the bill.
    if (this.#paused) this.resume()
    if (wasLive && this.#line.send(JSON.stringify({ type: 'session.close' }))) {
      this.#timers.push(this.#clock.after(closeMs, () => this.#over('asked', 'asked')))
    } else this.#line.close()
  }

  /** At once: the bill is what is known of it. */
  cut(): void {
    this.#over('asked', 'asked')
  }

  #over(cause: SessionEnd['cause'], code: string, seconds?: number): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    for (const timer of this.#timers.splice(0)) timer.cancel()
    this.#line.cut()
    const ownSeconds = (this.#clock.monotonicMs() - this.#startedAtMs) / 1000
    const usage =
      this.#id === undefined
        ? undefined
        : { sessionId: this.#id, seconds: seconds ?? ownSeconds, confirmed: seconds !== undefined }
    this.#on.over({ cause, code, usage })
  }
}

const inputHead = Buffer.from('{"type":"session.input_audio.append","audio":"')
const inputTail = Buffer.from('"}')

/** One append frame around raw samples. */
function inputFrame(pcm: Buffer): Buffer {
  const base64Length = Math.ceil(pcm.length / 3) * 4
  const frame = Buffer.allocUnsafe(inputHead.length + base64Length + inputTail.length)
  inputHead.copy(frame)
  frame.write(pcm.toString('base64'), inputHead.length, 'latin1')
  inputTail.copy(frame, frame.length - inputTail.length)
  return frame
}

/** The samples of a client's own GA append frame; undefined where it is none. */
export function samplesOf(appendFrame: Buffer): Buffer | undefined {
  try {
    const { audio }: { audio?: unknown } = JSON.parse(appendFrame.toString('utf8')) ?? {}
    return typeof audio === 'string' ? Buffer.from(audio, 'base64') : undefined
  } catch {
    return undefined
  }
}
