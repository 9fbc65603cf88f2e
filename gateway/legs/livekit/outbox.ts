// What the room is told in writing: the latest words of each turn, the agent's state, events. One message is on its way at
// a time, and what changes meanwhile is told once, as it is then. So the queue is as long as there are turns in change.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { AgentState, RoomLine, Words } from './line.ts'

/** Words in progress are told at most this often; decided ones at once. */
const partialMs = 150
/** Events of one session that may wait at once; a room that takes none is not there. */
const mostEvents = 64

type Room = Pick<RoomLine, 'words' | 'tell' | 'state'>

export class Outbox {
  readonly #clock: Clock
  #room: Room | undefined
  /** By segment. */
  readonly #words = new Map<string, Words>()
  /** Words that were told of a segment: nothing needs to be taken back of one that was not told. */
  readonly #told = new Map<string, string>()
  #events: Readonly<Record<string, unknown>>[] = []
  #state: AgentState | undefined
  #stateTold: AgentState | undefined
  #partialAtMs = Number.NEGATIVE_INFINITY
  #later: Timer | undefined
  #pumping: Promise<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Undefined: there is no room at the moment; what was not told waits for the next. */
  use(room: Room | undefined): void {
    this.#room = room
    this.#stateTold = undefined
    this.#go()
  }

  words(words: Words): void {
    if (words.text === (this.#told.get(words.segmentId) ?? '') && !words.final) return
    // Never told a word of: noise, or an answer cut before its first sound.
    if (words.text === '' && !this.#told.has(words.segmentId) && !this.#words.has(words.segmentId)) return
    this.#words.set(words.segmentId, words)
    this.#go()
  }

  tell(event: Readonly<Record<string, unknown>>): void {
    if (this.#events.length < mostEvents) this.#events.push(event)
    this.#go()
  }

  state(state: AgentState): void {
    this.#state = state
    this.#go()
  }

  /** Resolves when all that can be told was told. */
  async flushed(): Promise<void> {
    this.#partialAtMs = Number.NEGATIVE_INFINITY
    this.#go()
    while (this.#pumping !== undefined) await this.#pumping
  }

  #go(): void {
    const room = this.#room
    if (room === undefined || this.#pumping !== undefined || this.#next() === undefined) return
    this.#pumping = this.#pump(room).finally(() => {
      this.#pumping = undefined
      // Something came while the last message was on its way, or another room.
      this.#go()
    })
  }

  async #pump(room: Room): Promise<void> {
    for (let next = this.#next(); next !== undefined && this.#room === room; next = this.#next()) {
      try {
        await next.send(room)
        next.done()
      } catch {
        // The room is gone; its end is told by itself.
        if (this.#room === room) this.#room = undefined
        return
      }
    }
  }

  #next(): { send(room: Room): Promise<void>; done(): void } | undefined {
    const state = this.#state
    if (state !== undefined && state !== this.#stateTold)
      return {
        send: (room) => room.state(state),
        done: () => {
          this.#stateTold = state
        },
      }
    const [event] = this.#events
    if (event !== undefined)
      return { send: (room) => room.tell(event), done: () => void this.#events.splice(this.#events.indexOf(event), 1) }
    const words = [...this.#words.values()].find((each) => each.final) ?? this.#partial()
    if (words === undefined) return undefined
    return { send: (room) => this.#say(room, words), done: () => this.#said(words) }
  }

  #partial(): Words | undefined {
    const [words] = this.#words.values()
    if (words === undefined) return undefined
    const waitMs = this.#partialAtMs + partialMs - this.#clock.monotonicMs()
    if (waitMs <= 0) return words
    this.#later ??= this.#clock.after(waitMs, () => {
      this.#later = undefined
      this.#go()
    })
    return undefined
  }

  #say(room: Room, words: Words): Promise<void> {
    if (!words.final) this.#partialAtMs = this.#clock.monotonicMs()
    return room.words(words)
  }

  #said(words: Words): void {
    this.#told.set(words.segmentId, words.text)
    if (this.#words.get(words.segmentId) === words) this.#words.delete(words.segmentId)
    // Old turns change no more.
    const [oldest] = this.#told.keys()
    if (this.#told.size > mostEvents && oldest !== undefined) this.#told.delete(oldest)
  }
}
