// The microphone inside the worklet: device rate → 20 ms blocks of PCM16 at 24 kHz. Pure but for the callback.

import { sampleRateHz } from '../gateway/protocol/realtime.ts'
import { Resampler } from './resampler.ts'

const blockSamples = sampleRateHz / 50
/** After muting, silence goes on for 1 s: an engine that hears nothing at all would wait for the end of the word. */
const mutedBlocks = 50

export interface Block {
  readonly pcm: ArrayBuffer
  /** Root mean square of the block, 0 to 1; 0 while muted. */
  readonly level: number
}

export class Capture {
  readonly #resampler: Resampler
  readonly #onBlock: (block: Block) => void
  #pcm = new Int16Array(blockSamples)
  #filled = 0
  #energy = 0
  #muted = false
  #silentBlocks = 0

  constructor(deviceHz: number, onBlock: (block: Block) => void) {
    this.#resampler = new Resampler(deviceHz, sampleRateHz)
    this.#onBlock = onBlock
  }

  mute(on: boolean): void {
    this.#muted = on
    this.#silentBlocks = 0
  }

  take(input: Float32Array): void {
    for (const sample of input) {
      this.#resampler.put(this.#muted ? 0 : sample)
      while (!this.#resampler.hungry) this.#keep(Math.max(-1, Math.min(1, this.#resampler.take())))
    }
  }

  #keep(sample: number): void {
    this.#pcm[this.#filled++] = sample < 0 ? sample * 32_768 : sample * 32_767
    this.#energy += sample * sample
    if (this.#filled < blockSamples) return
    if (!this.#muted || this.#silentBlocks++ < mutedBlocks)
      this.#onBlock({ pcm: this.#pcm.buffer, level: Math.sqrt(this.#energy / blockSamples) })
    this.#pcm = new Int16Array(blockSamples)
    this.#filled = 0
    this.#energy = 0
  }
}
