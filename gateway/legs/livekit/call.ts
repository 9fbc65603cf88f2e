// One caller in one room: performs what `presence.ts` decides, and owns everything that must be gone when it is over.

import { randomUUID } from 'node:crypto'
import type { Clock, Timer } from '../../platform/clock.ts'
import { withDeadline } from '../../platform/deadline.ts'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import type { Opened } from '../../sessions/sessions.ts'
import { Ear } from '../media/ear.ts'
import type { LineEvents, RoomLine } from './line.ts'
import type { LiveKitLeg } from './livekit-leg.ts'
import { type Presence, type PresenceEffect, type PresenceEvent, step } from './presence.ts'
import { Typed } from './typed.ts'

/** Who was given a token comes within this, inside the lease of the session's slot (30 s). */
export const joinWindowMs = 25_000
/** A server that restarts is asked again this often, as long as the session waits for its caller. */
const rejoinMs = 2_000
/** A person waits for the answer to a request; the server's own patience is longer. */
const enterMs = 10_000
/** For the last words and the goodbye, before the room is left. */
const flushMs = 1_500

export interface CallOptions {
  readonly clock: Clock
  readonly log: Log
  readonly leg: LiveKitLeg
  readonly opened: Opened
  /** Rejects when the room cannot be joined. */
  readonly join: (events: LineEvents) => Promise<RoomLine>
  /** What is to be done with the room once our agent has left it. Never rejects. */
  readonly onOver: () => Promise<void>
}

export class Call {
  readonly #options: CallOptions
  readonly #ear: Ear
  readonly #typed: Typed
  #presence: Presence = { at: 'expected' }
  #line: RoomLine | undefined
  #timer: Timer | undefined
  #faintSinceMs: number | undefined
  #joining: Promise<RoomLine> | undefined
  #leaving: Promise<void> | undefined
  readonly #over = Promise.withResolvers<void>()

  constructor(options: CallOptions) {
    this.#options = options
    const { clock, leg, opened } = options
    const { port } = opened
    this.#ear = new Ear({ take: (pcm) => port.audio({ pcm }), backlogBytes: () => port.backlogBytes })
    this.#typed = new Typed({
      clock,
      say: (itemId, text) => port.say(itemId, text),
      refused: (code) =>
        leg.tell({ type: 'error', event_id: `event_${randomUUID()}`, error: new Problem(code).body() }),
    })
    void port.ended.then(() => this.#event({ is: 'ended' }))
  }

  /** Resolves when nothing of the call is left here. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Takes the agent into the room. Throws `livekit_unavailable`, and the call is over. */
  async enter(): Promise<void> {
    const { clock } = this.#options
    let callerHere = false
    try {
      const late = (): never => {
        throw new Error('the room was not joined in time')
      }
      const line = await withDeadline(this.#join(), { timeoutMs: enterMs, clock, fallback: late })
      callerHere = line.callerHere
    } catch (error) {
      this.#event({ is: 'roomOver' })
      void this.leave()
      throw new Problem('livekit_unavailable', undefined, { cause: error })
    }
    this.#timer = clock.after(joinWindowMs, () => this.#event({ is: 'nobodyCame' }))
    if (callerHere) this.#event({ is: 'callerJoined' })
  }

  /** The session is over: the room is told, then left. Any number of times. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  async #leave(): Promise<void> {
    const { leg, clock, onOver } = this.#options
    this.#timer?.cancel()
    this.#typed.close()
    const bounded = (work: Promise<unknown> | undefined, timeoutMs: number): Promise<unknown> =>
      withDeadline(work ?? Promise.resolve(), { timeoutMs, clock, fallback: () => undefined })
    if (this.#line !== undefined) await bounded(leg.flushed(), flushMs)
    // One that is being joined leaves by itself when it finds the call over.
    await bounded(
      this.#joining?.catch(() => undefined),
      enterMs,
    )
    await this.#let()
    if (this.#ear.droppedMs > 0)
      this.#warnDropped('of the caller were not heard: the engine was behind', this.#ear.droppedMs)
    await onOver()
    this.#over.resolve()
  }

  async #let(): Promise<void> {
    const line = this.#line
    this.#line = undefined
    if (line === undefined) return
    await line.leave()
    if (line.droppedMs > 0) this.#warnDropped('of the agent were not played: the room took nothing', line.droppedMs)
  }

  #warnDropped(what: string, ms: number): void {
    this.#options.log.warn({ ms: Math.round(ms) }, `milliseconds ${what}`)
  }

  #join(): Promise<RoomLine> {
    this.#joining = this.#joined().finally(() => {
      this.#joining = undefined
    })
    return this.#joining
  }

  async #joined(): Promise<RoomLine> {
    const line = await this.#options.join(this.#lineEvents())
    if (this.#presence.at === 'over') {
      await line.leave()
      throw new Error('the session ended before its room was joined')
    }
    this.#line = line
    this.#options.leg.attach(line, this.#options.opened.port)
    return line
  }

  #lineEvents(): LineEvents {
    return {
      callerJoined: () => this.#event({ is: 'callerJoined' }),
      callerGone: (how) => this.#event({ is: 'callerGone', how }),
      callerFaint: (faint) => {
        this.#faintSinceMs = faint ? (this.#faintSinceMs ?? this.#options.clock.monotonicMs()) : undefined
      },
      audio: (samples, rateHz) => {
        if (this.#presence.at === 'here') this.#ear.hear(samples, rateHz)
      },
      text: (text) => {
        // The server tells of somebody without a microphone up to 3 s late: what he writes tells it sooner.
        if (this.#presence.at === 'expected') this.#event({ is: 'callerJoined' })
        if (this.#presence.at === 'here') this.#typed.text(text)
      },
      key: (digit) => {
        if (this.#presence.at === 'here') this.#typed.key(digit)
      },
      gone: (how) => this.#event({ is: how === 'over' ? 'roomOver' : 'roomLost' }),
    }
  }

  #event(event: PresenceEvent): void {
    const [next, effects] = step(this.#presence, event)
    this.#presence = next
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: PresenceEffect): void {
    const { leg, opened, clock } = this.#options
    const { port } = opened
    switch (effect) {
      case 'begin':
        this.#timer?.cancel()
        opened.start()
        port.voice(true)
        return
      case 'lose': {
        const lastMs = this.#faintSinceMs ?? clock.monotonicMs()
        leg.detach()
        port.lost(lastMs)
        return
      }
      case 'return':
        this.#faintSinceMs = undefined
        if (this.#line !== undefined) leg.attach(this.#line, port)
        port.back()
        port.voice(true)
        return
      case 'rejoin':
        void this.#rejoin()
        return
      case 'bye':
        port.bye()
        return
    }
  }

  /** Until the session's own window is over. */
  async #rejoin(): Promise<void> {
    const { clock, log } = this.#options
    await this.#let()
    while (this.#presence.at === 'away' && !this.#presence.inRoom) {
      try {
        const { callerHere } = await this.#join()
        this.#event({ is: 'roomBack', callerHere })
      } catch (error) {
        log.debug({ err: error }, 'the room is not to be joined yet')
        await new Promise<void>((resolve) => clock.after(rejoinMs, resolve))
      }
    }
  }
}
