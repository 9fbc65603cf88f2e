// The loudspeaker inside the worklet: a queue of items at 24 kHz → device rate. Counts every sample that was rendered,
// so that "what was heard" is measured and not guessed. Pure but for the callback.

import { sampleRateHz } from '../gateway/protocol/realtime.ts'
import { Resampler } from './resampler.ts'

/** Held back before the first sound; grows with every gap, because the network has shown that it needs it. */
const prebufferMs = 80
const prebufferMaxMs = 400
const prebufferGrowth = 1.5
/** Shorter clicks, longer is speech that nobody asked for any more. */
const fadeMs = 5
/** Position reports; 50 ms is finer than a word. */
const reportMs = 50

export interface Position {
  readonly itemId: string
  /** Samples at 24 kHz that left the queue towards the device. */
  readonly samples: number
}

export type PlayoutEvent =
  | ({ readonly is: 'started' } & Position)
  | ({ readonly is: 'at' } & Position)
  | ({ readonly is: 'ended' } & Position)
  | { readonly is: 'flushed'; readonly items: readonly Position[] }
  | { readonly is: 'gap'; readonly prebufferMs: number }
  | { readonly is: 'quiet' }

interface Item {
  readonly itemId: string
  readonly chunks: Int16Array[]
  offset: number
  samples: number
  ended: boolean
}

export class Playout {
  readonly #deviceHz: number
  readonly #onEvent: (event: PlayoutEvent) => void
  readonly #resampler: Resampler
  readonly #items: Item[] = []
  #queued = 0
  #playing = false
  #prebufferMs = prebufferMs
  #gain = 0
  /** Fades out where it is and stays there, until it may go on. */
  held = false
  /** Items at the head of the queue that fade out and go. */
  #doomed = 0
  #sinceReport = 0

  constructor(deviceHz: number, onEvent: (event: PlayoutEvent) => void) {
    this.#deviceHz = deviceHz
    this.#onEvent = onEvent
    this.#resampler = new Resampler(sampleRateHz, deviceHz)
  }

  push(itemId: string, pcm: Int16Array): void {
    const last = this.#items.at(-1)
    if (last?.itemId === itemId && this.#items.length > this.#doomed) last.chunks.push(pcm)
    else this.#items.push({ itemId, chunks: [pcm], offset: 0, samples: 0, ended: false })
    this.#queued += pcm.length
  }

  /** No more audio comes for the item: its rest may be played without waiting. */
  end(itemId: string): void {
    for (const item of this.#items) if (item.itemId === itemId) item.ended = true
  }

  /** Everything queued until now fades out within 5 ms; what is pushed from now on is played. */
  flush(): void {
    this.held = false
    this.#doomed = this.#items.length
    if (!this.#playing) this.#drop()
  }

  render(out: Float32Array): void {
    this.#begin()
    const ramp = 1000 / (fadeMs * this.#deviceHz)
    for (let i = 0; i < out.length; i++) {
      const plays = this.#playing && !(this.held && this.#gain === 0)
      while (this.#resampler.hungry) this.#resampler.put(plays ? (this.#next() ?? 0) : 0)
      const sample = this.#resampler.take()
      if (this.held || this.#doomed > 0) {
        this.#gain = Math.max(0, this.#gain - ramp)
        if (this.#doomed > 0 && this.#gain === 0) this.#drop()
      } else if (this.#playing) this.#gain = Math.min(1, this.#gain + ramp)
      out[i] = sample * this.#gain
    }
    this.#report(out.length)
  }

  #begin(): void {
    const [first] = this.#items
    if (this.#playing || first === undefined) return
    if (this.#queued < (this.#prebufferMs * sampleRateHz) / 1000 && !first.ended && this.#items.length < 2) return
    this.#playing = true
    this.#gain = 0
    if (first.samples === 0) this.#onEvent({ is: 'started', ...position(first) })
  }

  #next(): number | undefined {
    for (let item = this.#items[0]; item !== undefined; item = this.#items[0]) {
      const chunk = item.chunks[0]
      if (chunk !== undefined) {
        const sample = chunk[item.offset++] ?? 0
        if (item.offset >= chunk.length) {
          item.chunks.shift()
          item.offset = 0
        }
        item.samples++
        this.#queued--
        return sample / 32_768
      }
      if (!item.ended && this.#items.length < 2) {
        this.#starve()
        return undefined
      }
      this.#items.shift()
      this.#doomed = Math.max(0, this.#doomed - 1)
      this.#onEvent({ is: 'ended', ...position(item) })
      const next = this.#items[0]
      if (next?.samples === 0 && next.chunks.length > 0) this.#onEvent({ is: 'started', ...position(next) })
    }
    this.#playing = false
    this.#onEvent({ is: 'quiet' })
    return undefined
  }

  #starve(): void {
    this.#playing = false
    this.#prebufferMs = Math.min(prebufferMaxMs, this.#prebufferMs * prebufferGrowth)
    this.#onEvent({ is: 'gap', prebufferMs: this.#prebufferMs })
  }

  #drop(): void {
    const gone = this.#items.splice(0, this.#doomed)
    // What is left came after the flush: nothing of it was played.
    this.#queued = this.#items.flatMap(({ chunks }) => chunks).reduce((sum, { length }) => sum + length, 0)
    this.#doomed = 0
    this.#playing = false
    this.#onEvent({ is: 'flushed', items: gone.map((item) => this.#position(item)) })
    if (this.#items.length === 0) this.#onEvent({ is: 'quiet' })
  }

  #report(samples: number): void {
    this.#sinceReport += samples
    const [first] = this.#items
    if (this.#sinceReport < (reportMs * this.#deviceHz) / 1000 || !first?.samples) return
    this.#sinceReport = 0
    this.#onEvent({ is: 'at', ...this.#position(first) })
  }

  /** What has left the filter too, not only the queue. */
  #position({ itemId, samples }: Item): Position {
    return { itemId, samples: Math.max(0, samples - this.#resampler.delay) }
  }
}

function position(item: Item): Position {
  return { itemId: item.itemId, samples: item.samples }
}
