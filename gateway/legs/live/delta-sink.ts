// Where a Live session's player puts its sound: deltas in the client's encoding, and for observers PCM with its times.

import { samplesOf } from '../../platform/resample.ts'
import { frameMs, type Sink } from '../media/sink.ts'
import { type AudioFormat, Encoder } from './audio-format.ts'
import type { Outlets } from './outlets.ts'
import type { Timeline } from './timeline.ts'

export class DeltaSink implements Sink {
  readonly continuous = false
  /** What the client's own player adds is not told by this protocol. */
  readonly delayMs = 0
  /** Enough for a network's usual unrest, and little to be heard after the agent was cut off. */
  readonly leadMs = 100
  readonly #encoder: Encoder
  readonly #timeline: Timeline
  readonly #outlets: Outlets
  readonly #client: (frame: string) => void
  #frames: Int16Array<ArrayBuffer>[] = []
  #endMs = 0

  constructor(
    format: AudioFormat,
    to: { readonly timeline: Timeline; readonly outlets: Outlets; readonly client: (frame: string) => void },
  ) {
    this.#encoder = new Encoder(format)
    this.#timeline = to.timeline
    this.#outlets = to.outlets
    this.#client = to.client
  }

  /** What is played at once goes out as one delta. */
  play(frame: Int16Array<ArrayBuffer>): void {
    if (this.#frames.push(frame) === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    const pcm = Buffer.concat(this.#frames.map(({ buffer }) => Buffer.from(buffer)))
    const ms = this.#frames.length * frameMs
    this.#frames = []
    const delta = this.#encoder.push(samplesOf(pcm))
    // Base64 needs no escaping: written by hand, it is sent fifty times a second.
    if (delta.length > 0) this.#client(`{"type":"session.output_audio.delta","delta":"${delta.toString('base64')}"}`)
    const startMs = Math.max(this.#endMs, this.#timeline.nowMs)
    this.#endMs = startMs + ms
    if (this.#outlets.isObserved)
      this.#outlets.reflect({
        type: 'session.output_audio.delta',
        delta: pcm.toString('base64'),
        start_ms: startMs,
        end_ms: this.#endMs,
      })
  }
}
