// One session of the provider over as many connections as it takes. A connection lives some ten minutes, a session as long as
// its handle is passed on; what a session is set up with changes only on the way from one connection to the next.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { Address } from '../upstream/address.ts'
import { type Gone, Line } from '../upstream/line.ts'
import type { Refusal } from '../upstream/refusal.ts'
import type { Frame } from './commands.ts'
import { durationMs, readMessage, type ServerMessage } from './events.ts'

/** Before the provider cuts: what is on the wire by then has arrived. */
const marginMs = 1_000
/** `goAway` names its time; where it does not, the guide's minute less half. */
const goAwayMs = 30_000
const rollTimeoutMs = 10_000
const rollAgainMs = 2_000
/** Nothing presses where only the settings changed. */
const rollsForSettings = 3

export interface ConnectionNeeds {
  readonly clock: Clock
  readonly address: () => Address
  /** `handle` undefined: a session that knows nothing yet. `first`: what follows the setup before anything else. */
  readonly setup: (handle: string | undefined) => { readonly setup: Frame; readonly first: readonly string[] }
  /** Nobody speaks, works or waits: the session may move. */
  readonly quiet: () => boolean
  /** Nothing was said yet that only the provider knows. */
  readonly untouched: () => boolean
  readonly on: ConnectionEvents
}

export interface ConnectionEvents {
  ready(sessionId: string | undefined): void
  message(message: ServerMessage): void
  unreadable(bytes: number): void
  refused(refusal: Refusal): void
  gone(gone: Gone): void
  /** On another connection, with the settings of now. */
  moved(): void
  /** The settings could not be changed. */
  unmoved(): void
  /** The provider ends the connection, and no moment was quiet. */
  expired(): void
}

export class Connection {
  readonly #needs: ConnectionNeeds
  #now: Line
  #next: Line | undefined
  #rollTimer: Timer | undefined
  #deadline: Timer | undefined
  #handle: string | undefined
  #resumable = false
  #configured = false
  /** Of the settings; and which of them each line was set up with. */
  #version = 0
  readonly #versions = new WeakMap<Line, number>()
  #goneMeanwhile: Gone | undefined
  #leaving = false
  #rolls = 0
  #paused = false

  constructor(needs: ConnectionNeeds) {
    this.#needs = needs
    this.#now = this.#makeLine((line, message) => {
      line.release(needs.setup(undefined).first)
      needs.on.ready(message.setupComplete?.sessionId)
    })
  }

  get bufferedBytes(): number {
    return this.#now.bufferedBytes + (this.#next?.bufferedBytes ?? 0)
  }

  /** Whether the provider was told the settings. */
  get configured(): boolean {
    return this.#configured
  }

  /** Throws when the address cannot be used at all. */
  open(): void {
    this.#now.open(this.#needs.address())
  }

  #makeLine(ready: (line: Line, message: ServerMessage) => void): Line {
    const { clock, on } = this.#needs
    let isReady = false
    const line: Line = new Line(clock, {
      opened: () => {
        this.#configured = true
        this.#versions.set(line, this.#version)
        line.greet(JSON.stringify(this.#needs.setup(this.#handle).setup))
      },
      frame: (frame) => {
        if (line !== this.#now && line !== this.#next) return
        const message = readMessage(frame)
        if (message === undefined) {
          on.unreadable(frame.length)
          return
        }
        if (message.setupComplete !== undefined && !isReady) {
          isReady = true
          ready(line, message)
        }
        this.#read(line, message)
      },
      refused: (refusal) => {
        if (line === this.#now) on.refused(refusal)
        else this.#failed(line)
      },
      gone: (gone) => this.#gone(line, gone),
    })
    return line
  }

  #gone(line: Line, gone: Gone): void {
    if (line !== this.#now) {
      this.#failed(line)
      line.cut()
    } else if (this.#next !== undefined) this.#goneMeanwhile ??= gone
    else this.#needs.on.gone(gone)
  }

  #read(line: Line, message: ServerMessage): void {
    const { sessionResumptionUpdate, goAway } = message
    if (sessionResumptionUpdate !== undefined && line === this.#now) {
      const { newHandle, resumable } = sessionResumptionUpdate
      this.#resumable = resumable === true && newHandle !== undefined && newHandle !== ''
      if (this.#resumable) this.#handle = newHandle
    }
    if (goAway !== undefined && line === this.#now) this.#leave(durationMs(goAway.timeLeft) ?? goAwayMs)
    this.#needs.on.message(message)
    this.look()
  }

  #leave(timeLeftMs: number): void {
    this.#leaving = true
    this.#deadline ??= this.#needs.clock.after(Math.max(0, timeLeftMs - marginMs), () => {
      if (this.#next === undefined) this.#needs.on.expired()
    })
  }

  /** What the session is set up with has changed. */
  reconfigure(): void {
    this.#version++
    this.#rolls = 0
    this.look()
  }

  /** Something changed: it may be the moment. */
  look(): void {
    const due = this.#leaving || this.#versions.get(this.#now) !== this.#version
    if (!this.#configured || !due || this.#next !== undefined || this.#rollTimer !== undefined || !this.#needs.quiet())
      return
    const restarts = this.#needs.untouched()
    if (!restarts && !this.#resumable) return
    if (restarts) this.#handle = undefined
    this.#roll()
  }

  #roll(): void {
    const { clock, address } = this.#needs
    this.#rolls++
    const line = this.#makeLine((ready) => this.#moved(ready))
    this.#next = line
    this.#rollTimer = clock.after(rollTimeoutMs, () => this.#failed(line))
    if (this.#paused) line.pause()
    line.open(address())
  }

  #moved(line: Line): void {
    const old = this.#now
    this.#rollTimer?.cancel()
    this.#rollTimer = undefined
    this.#deadline?.cancel()
    this.#deadline = undefined
    this.#now = line
    this.#next = undefined
    this.#leaving = false
    this.#rolls = 0
    this.#resumable = false
    this.#goneMeanwhile = undefined
    line.release(this.#needs.setup(this.#handle).first)
    old.close()
    this.#needs.on.moved()
  }

  /** The old connection is still there, and gets what was meant for the new one. */
  #failed(line: Line): void {
    if (line !== this.#next) return
    this.#next = undefined
    this.#rollTimer?.cancel()
    for (const frame of line.take()) this.#now.send(frame)
    line.cut()
    this.#rollTimer = undefined
    if (this.#goneMeanwhile !== undefined) {
      this.#needs.on.gone(this.#goneMeanwhile)
      return
    }
    if (!this.#leaving && this.#rolls >= rollsForSettings) {
      this.#versions.set(this.#now, this.#version)
      this.#needs.on.unmoved()
      return
    }
    this.#rollTimer = this.#needs.clock.after(rollAgainMs, () => {
      this.#rollTimer = undefined
      this.look()
    })
  }

  /** False: full, not taken. */
  send(frame: string): boolean {
    return (this.#next ?? this.#now).send(frame)
  }

  pause(): void {
    this.#paused = true
    this.#now.pause()
    this.#next?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#now.resume()
    this.#next?.resume()
  }

  /** Politely; `gone` follows. */
  close(): void {
    this.#cancel()
    this.#now.close()
  }

  cut(): void {
    this.#cancel()
    this.#now.cut()
  }

  #cancel(): void {
    this.#rollTimer?.cancel()
    this.#deadline?.cancel()
    const next = this.#next
    this.#next = undefined
    next?.cut()
  }
}
