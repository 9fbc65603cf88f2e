// The provider's sessions of one conversation: the one that is spoken with, and those that were left and still owe their bill.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { EngineEvent, Meters } from '../engines.ts'
import type { Address } from '../upstream/address.ts'
import type { WireEvent } from './commands.ts'
import { type DirectFacts, DirectSession } from './direct/direct-session.ts'
import type { UsageEvent, VoiceEvent } from './events.ts'
import {
  LiveSession,
  type LiveSessionEvents,
  type LiveSessionFacts,
  type ProviderSession,
  type SessionEnd,
} from './live-session.ts'
import type { LiveMeters } from './meters.ts'

export interface VoicesEvents {
  started(facts: LiveSessionFacts): void
  event(event: VoiceEvent): void
  /** Audio as the present session gets it. */
  fed(pcm: Buffer): void
  rateLimited(retryAfterMs: number | null): void
  /** `inferred`: the provider did not confirm it. */
  used(meters: Meters, source: EngineEvent['source']): void
  /** The present session ended, and nobody asked for that. */
  lost(end: SessionEnd): void
  /** Every session that was left has told its bill. */
  settled(): void
}

export class Voices {
  readonly #clock: Clock
  readonly #log: Log
  readonly #meters: LiveMeters
  readonly #on: VoicesEvents
  readonly #leaving = new Set<ProviderSession>()
  #now: ProviderSession | undefined
  #expiresInMs: number | null = null
  #paused = false

  constructor(needs: { readonly clock: Clock; readonly log: Log; readonly meters: LiveMeters }, on: VoicesEvents) {
    this.#clock = needs.clock
    this.#log = needs.log
    this.#meters = needs.meters
    this.#on = on
  }

  get now(): ProviderSession | undefined {
    return this.#now
  }

  /** How long the present session was allowed to live when it began, ms. */
  get lifeMs(): number | null {
    return this.#expiresInMs
  }

  get owing(): boolean {
    return this.#leaving.size > 0
  }

  /** Throws TypeError when the address cannot be used at all. */
  open(address: Address, start: WireEvent): ProviderSession {
    const voice: LiveSession = new LiveSession(
      this.#clock,
      start,
      this.#events(() => voice),
    )
    this.#enters(voice)
    voice.open(address)
    return voice
  }

  /** The same with a browser's own sound. */
  direct(facts: DirectFacts): ProviderSession {
    const voice: DirectSession = new DirectSession(
      this.#clock,
      facts,
      this.#events(() => voice),
    )
    this.#enters(voice)
    voice.open()
    return voice
  }

  #enters(voice: ProviderSession): void {
    this.#now = voice
    if (this.#paused) voice.pause()
  }

  #events(voice: () => ProviderSession): LiveSessionEvents {
    return {
      started: (facts) => this.#started(facts),
      event: (event) => this.#event(event, voice()),
      fed: (pcm) => {
        if (voice() === this.#now) this.#on.fed(pcm)
      },
      rateLimited: (retryAfterMs) => this.#on.rateLimited(retryAfterMs),
      over: (end) => this.#over(voice(), end),
    }
  }

  #started(facts: LiveSessionFacts): void {
    const { expiresAtMs } = facts
    this.#expiresInMs = expiresAtMs === undefined ? null : Math.max(1_000, expiresAtMs - this.#clock.now())
    this.#on.started(facts)
  }

  #event(event: VoiceEvent | UsageEvent, voice: ProviderSession): void {
    if (event.is !== 'usage') {
      if (voice === this.#now) this.#on.event(event)
      return
    }
    const meters = voice.id === undefined ? undefined : this.#meters.seconds(voice.id, event.seconds, false)
    if (meters !== undefined) this.#on.used(meters, 'provider')
  }

  #over(voice: ProviderSession, end: SessionEnd): void {
    if (end.usage !== undefined) this.#billed(end.usage)
    else if (end.mayCost === true) this.#on.used(this.#meters.unknown(), 'inferred')
    if (voice === this.#now) {
      this.#now = undefined
      this.#expiresInMs = null
      this.#on.lost(end)
    } else if (this.#leaving.delete(voice) && this.#leaving.size === 0) this.#on.settled()
  }

  /** Without the provider's final word the session's length is our own, and said to be. */
  #billed({ sessionId, seconds, confirmed }: NonNullable<SessionEnd['usage']>): void {
    if (confirmed) {
      const meters = this.#meters.seconds(sessionId, seconds, true)
      if (meters !== undefined) this.#on.used(meters, 'provider')
      return
    }
    this.#log.warn({ engineSessionId: sessionId, seconds }, 'what the provider charges is unconfirmed')
    this.#on.used(this.#meters.unconfirmed(sessionId, seconds), 'inferred')
  }

  /** A session that nobody listens to costs as much as any. */
  leave(): void {
    const voice = this.#now
    if (voice === undefined) return
    this.#leaving.add(voice)
    this.#now = undefined
    this.#expiresInMs = null
    voice.close()
  }

  pause(): void {
    this.#paused = true
    this.#now?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#now?.resume()
  }

  /** At once: the bills are what is known of them. */
  cut(): void {
    this.leave()
    for (const voice of this.#leaving) voice.cut()
  }
}
