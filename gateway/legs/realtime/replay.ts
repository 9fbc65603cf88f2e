// Numbers the frames of one client and keeps them until they are acknowledged, so that a new connection gets what the
// lost one did not deliver. Bounded: what no longer fits is forgotten, and that is told.

import { limits } from '../../protocol/realtime.ts'
import type { Frame } from './channel.ts'

const brace = 0x7b

interface Kept {
  readonly seq: number
  readonly data: Frame
}

export class Replay {
  #last = 0
  #bytes = 0
  #kept: Kept[] = []
  #keepsAll = false

  /** Number of the last frame. */
  get last(): number {
    return this.#last
  }

  /** The frame of a JSON object with its number as first field. */
  number(frame: Frame): Frame {
    const head = `{"seq":${++this.#last},`
    const data =
      typeof frame === 'string'
        ? head + frame.slice(1)
        : Buffer.concat([Buffer.from(head), frame.subarray(frame.indexOf(brace) + 1)])
    this.#kept.push({ seq: this.#last, data })
    this.#bytes += data.length
    if (this.#bytes > limits.replayBytes || this.#kept.length > limits.replayFrames) this.#shorten()
    return data
  }

  /** A tenth at once: dropping one by one would copy the list for every frame. */
  #shorten(): void {
    let bytes = 0
    const few = Math.ceil(this.#kept.length / 10)
    for (const { data } of this.#kept.splice(0, few)) bytes += data.length
    this.#bytes -= bytes
  }

  /** What another process needs to go on where this one stops; with `restore` there. */
  get kept(): readonly string[] {
    return this.#kept.map(({ data }) => (typeof data === 'string' ? data : Buffer.from(data).toString('utf8')))
  }

  restore(frames: readonly string[], last: number): void {
    this.#last = last
    this.#kept = frames.map((data, i) => ({ seq: last - frames.length + 1 + i, data }))
    this.#bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
  }

  /**
   * The client is about to open another connection while it still takes frames from this one: from where it will ask for
   * more was decided before the last acknowledgements.
   */
  keepAll(): void {
    this.#keepsAll = true
  }

  /** Every frame up to this one was taken. */
  acknowledge(seq: number): void {
    if (this.#keepsAll) return
    const count = this.#kept.findIndex((each) => each.seq > seq)
    for (const { data } of this.#kept.splice(0, count < 0 ? this.#kept.length : count)) this.#bytes -= data.length
  }

  /** What came after this frame, in order. Undefined: some of it is not kept any more, or the number is none of ours. */
  after(seq: number): readonly Frame[] | undefined {
    if (seq > this.#last || seq < 0) return undefined
    const missed = this.#kept.filter((each) => each.seq > seq)
    return missed.length === this.#last - seq ? missed.map((each) => each.data) : undefined
  }
}
