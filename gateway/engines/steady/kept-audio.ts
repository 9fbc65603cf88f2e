// The person's audio that no engine has put into words yet: a replacement hears it again, so that nobody has to repeat
// himself. Bounded: a breath before speech, 30 s of it.

import { bytesPerMs } from '../../protocol/realtime.ts'
import type { Engine } from '../engines.ts'

export type AudioInput = Parameters<Engine['audio']>[0]

/** The start of speech is noticed late: this much before it belongs to it. */
const breathMs = 1_500
const keptMs = 30_000
/** `{"type":"input_audio_buffer.append","audio":"…"}`: what is not samples, roughly. */
const frameBytes = 50

export class KeptAudio {
  #pieces: { readonly input: AudioInput; readonly ms: number }[] = []
  #ms = 0
  /** Pieces before it belong to speech that has ended. */
  #mark = 0
  /** While true nothing is forgotten but what is beyond 30 s. */
  holds = false

  push(input: AudioInput): void {
    const bytes = 'pcm' in input ? input.pcm.length : ((input.appendFrame.length - frameBytes) * 3) / 4
    const ms = Math.max(0, bytes / bytesPerMs)
    this.#pieces.push({ input, ms })
    this.#ms += ms
    this.#trim()
  }

  /** Speech has ended here. */
  mark(): void {
    this.#mark = this.#pieces.length
  }

  /** The words of the speech up to the mark are known. */
  settle(): void {
    for (const { ms } of this.#pieces.splice(0, this.#mark)) this.#ms -= ms
    this.#mark = 0
    this.#trim()
  }

  clear(): void {
    this.#pieces = []
    this.#ms = 0
    this.#mark = 0
  }

  replay(engine: Engine): void {
    for (const { input } of this.#pieces) engine.audio(input)
  }

  #trim(): void {
    const most = this.holds ? keptMs : breathMs
    let dropped = 0
    for (const { ms } of this.#pieces) {
      if (this.#ms - ms < most) break
      this.#ms -= ms
      dropped++
    }
    if (dropped === 0) return
    this.#pieces.splice(0, dropped)
    this.#mark = Math.max(0, this.#mark - dropped)
  }
}
