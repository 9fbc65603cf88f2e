// A session whose sound a browser has with the provider. What both say comes back over the control, to be understood here as
// ever; nothing of it is sent.

import type { Clock, Timer } from '../../../platform/clock.ts'
import type { CloseCause, DirectCall, EngineEvent } from '../../engines.ts'
import { Recent } from '../../recent.ts'
import { Call, type CallGone } from '../../upstream/call.ts'
import type { Refusal } from '../../upstream/refusal.ts'
import type { WireEvent } from '../commands.ts'
import { eventIdOf, type LiveEvent, readLiveEvent } from '../events.ts'
import type { LiveSessionEvents, ProviderSession } from '../live-session.ts'
import { liveCallProtocol, type Provider } from './protocol.ts'

/** Charged for at once; the seconds that follow are counted inside it. */
const createdSeconds = 15
/** The final bill comes with `session.closed`: asked for over the control, then by hanging up. */
const politeMs = 1_000
const closeMs = 2_500
/** What was said while the control was away is repeated for three seconds; after this nothing more of it comes. */
const repeatedMs = 1_000

export interface DirectFacts {
  readonly provider: Provider
  readonly model: string
  readonly session: Readonly<Record<string, unknown>>
  readonly direct: DirectCall
}

export class DirectSession implements ProviderSession {
  readonly #clock: Clock
  readonly #on: LiveSessionEvents
  readonly #model: string
  readonly #call: Call
  readonly #seen = new Recent<true>()
  readonly #timers: Timer[] = []
  #state: 'opening' | 'live' | 'closing' | 'over' = 'opening'
  #id: string | undefined
  #createdAtMs = 0
  #isMuted = false
  /** Of the sound that was passed on: some of it is repeated after a gap. */
  #spokenMs = 0
  #lastError: string | undefined

  constructor(clock: Clock, { provider, model, session, direct }: DirectFacts, on: LiveSessionEvents) {
    this.#clock = clock
    this.#on = on
    this.#model = model
    this.#call = new Call(clock, liveCallProtocol(provider, session), direct, {
      created: (id) => this.#created(id),
      attached: (again) => this.#attached(again),
      detached: () => this.#on.event({ is: 'gap', isOver: false }),
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
    return this.#call.bufferedBytes
  }

  /** Throws TypeError when the address cannot be used at all. */
  open(): void {
    this.#call.open()
  }

  send(event: WireEvent): boolean {
    return this.#state !== 'over' && this.#call.send(JSON.stringify(event))
  }

  /** It is the browser that is heard. */
  audio(): boolean {
    return true
  }

  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  #created(id: string): void {
    this.#id = id
    this.#createdAtMs = this.#clock.monotonicMs()
    this.#on.event({ is: 'usage', seconds: createdSeconds })
  }

  /** The browser gets its answer when everything that is said will be heard here too. */
  #attached(again: boolean): void {
    if (this.#state === 'over' || this.#id === undefined) return
    this.#call.release([])
    if (again) {
      this.#timers.push(this.#clock.after(repeatedMs, () => this.#on.event({ is: 'gap', isOver: true })))
      return
    }
    if (this.#state === 'closing') return
    this.#state = 'live'
    this.#call.tellAnswer()
    this.#on.started({ id: this.#id, model: this.#model, expiresAtMs: undefined })
  }

  #frame(frame: Buffer): void {
    if (this.#state === 'over' || this.#isRepeated(frame)) return
    const event = readLiveEvent(frame)
    switch (event.is) {
      case 'started':
        if (this.#state === 'live') this.#on.started(event)
        return
      case 'closed':
        this.#closed(event)
        return
      case 'muted':
        this.#isMuted = event.isMuted
        return
      case 'reflected':
        // The model hears nothing meanwhile; its time goes on.
        this.#on.fed(this.#isMuted ? Buffer.alloc(event.pcm.length) : event.pcm)
        return
      case 'audio':
        this.#spoke(event)
        return
      default:
        if (event.is === 'error') this.#lastError = event.code
        this.#on.event(event)
    }
  }

  #isRepeated(frame: Buffer): boolean {
    const id = eventIdOf(frame)
    if (id === undefined) return false
    const isKnown = this.#seen.has(id)
    if (!isKnown) this.#seen.set(id, true)
    return isKnown
  }

  #spoke(event: Extract<LiveEvent, { is: 'audio' }>): void {
    if (event.endMs !== undefined && event.endMs <= this.#spokenMs) return
    this.#spokenMs = Math.max(this.#spokenMs, event.endMs ?? 0)
    this.#on.event(event)
  }

  #closed({ reason, seconds }: Extract<LiveEvent, { is: 'closed' }>): void {
    this.#call.ended()
    if (this.#state === 'closing') this.#over('asked', reason, { seconds })
    else if (reason === 'expired') this.#over('expired', reason, { seconds })
    else {
      const isHungUp = reason === 'remote_hangup' || reason === 'close_requested'
      this.#over(isHungUp ? 'hungUp' : 'lost', `closed_${reason}`, { seconds })
    }
  }

  #refused({ code, retryAfterMs }: Refusal): void {
    if (code === 'rate_limit_exceeded' || code === 'http_429') this.#on.rateLimited(retryAfterMs)
    this.#over(this.#state === 'closing' ? 'asked' : 'refused', code)
  }

  #gone({ code, mayCost }: CallGone): void {
    const cause = this.#state === 'closing' ? 'asked' : this.#state === 'opening' ? 'refused' : 'lost'
    this.#over(cause, cause === 'asked' ? 'asked' : (this.#lastError ?? code), mayCost === true ? { mayCost } : {})
  }

  /** Asks for the end and waits for the bill, for 2.5 s at most. */
  close(): void {
    if (this.#state === 'closing' || this.#state === 'over') return
    const wasLive = this.#state === 'live'
    this.#state = 'closing'
    this.#call.resume()
    if (!wasLive) {
      this.#over('asked', 'asked', this.#id === undefined ? { mayCost: true } : {})
      return
    }
    this.#call.send(JSON.stringify({ type: 'session.close' }))
    this.#timers.push(
      this.#clock.after(politeMs, () => void this.#call.hangUp()),
      this.#clock.after(closeMs, () => this.#over('asked', 'asked')),
    )
  }

  /** At once: the bill is what is known of it. */
  cut(): void {
    this.#over('asked', 'asked')
  }

  #over(
    cause: CloseCause,
    code: string,
    { seconds, mayCost }: { readonly seconds?: number | undefined; readonly mayCost?: true } = {},
  ): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    for (const timer of this.#timers.splice(0)) timer.cancel()
    this.#call.cut()
    const ownSeconds = (this.#clock.monotonicMs() - this.#createdAtMs) / 1000
    const usage =
      this.#id === undefined
        ? undefined
        : { sessionId: this.#id, seconds: seconds ?? ownSeconds, confirmed: seconds !== undefined }
    this.#on.over({ cause, code, usage, ...(mayCost === undefined ? {} : { mayCost }) })
  }
}

/** It has been heard already. */
export function withoutSound(event: EngineEvent): EngineEvent {
  if (event.type !== 'audio') return event
  const { pcm: _, ...told } = event
  return told
}
