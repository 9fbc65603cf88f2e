// The incoming side: audio of any rate becomes PCM16 24 kHz mono in even pieces, for an engine that may be behind.

import { backPressureBytes } from '../../engines/engines.ts'
import { Resampler } from '../../platform/resample.ts'
import { bytesPerMs, sampleRateHz } from '../../protocol/realtime.ts'

/** Native tracks give 10 ms at a time; engines are sent to half as often. */
const pieceMs = 20

export interface EarOptions {
  readonly take: (pcm: Buffer) => void
  /** What the engine has not taken yet. A live voice cannot be asked to wait: beyond the limit it is not taken. */
  readonly backlogBytes: () => number
}

export class Ear {
  readonly #options: EarOptions
  #rateHz = 0
  #resampler: Resampler | undefined
  /** Of one rate, not yet resampled. */
  #waiting: Int16Array[] = []
  #samples = 0
  #droppedMs = 0

  constructor(options: EarOptions) {
    this.#options = options
  }

  /** Not taken, because the engine was too far behind. */
  get droppedMs(): number {
    return this.#droppedMs
  }

  /** Interleaved where there is more than one channel; the rate may change between frames. Keeps the samples for a while. */
  hear(samples: Int16Array, rateHz: number, channels = 1): void {
    if (rateHz !== this.#rateHz) {
      this.#give()
      this.#rateHz = rateHz
      this.#resampler = new Resampler(rateHz, sampleRateHz)
    }
    this.#waiting.push(channels === 1 ? samples : mono(samples, channels))
    this.#samples += samples.length / channels
    if (this.#samples * 1000 >= pieceMs * rateHz) this.#give()
  }

  #give(): void {
    if (this.#samples === 0) return
    const joined = new Int16Array(this.#samples)
    let at = 0
    for (const samples of this.#waiting.splice(0)) {
      joined.set(samples, at)
      at += samples.length
    }
    this.#samples = 0
    const resampled = this.#resampler?.push(joined)
    if (resampled === undefined || resampled.length === 0) return
    if (this.#options.backlogBytes() > backPressureBytes) this.#droppedMs += resampled.byteLength / bytesPerMs
    else this.#options.take(Buffer.from(resampled.buffer, resampled.byteOffset, resampled.byteLength))
  }
}

function mono(samples: Int16Array, channels: number): Int16Array<ArrayBuffer> {
  const mixed = new Int16Array(Math.floor(samples.length / channels))
  for (let i = 0; i < mixed.length; i++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += samples[i * channels + channel] ?? 0
    mixed[i] = Math.round(sum / channels)
  }
  return mixed
}
