// What runs on the audio thread: two processors around the pure halves. Built as one file, /widget/worklet.js.

import type { ParleyHold } from '../gateway/protocol/realtime.ts'
import { Capture } from './capture.ts'
import { Playout } from './playout.ts'

/** Panel → worklet. */
export type CaptureCommand = { readonly muted: boolean }
export type PlayoutCommand =
  | { readonly do: 'push'; readonly itemId: string; readonly pcm: ArrayBuffer }
  | { readonly do: 'end'; readonly itemId: string }
  | { readonly do: 'flush' }
  | ParleyHold

class CaptureProcessor extends AudioWorkletProcessor {
  readonly #capture = new Capture(sampleRate, (block) => this.port.postMessage(block, [block.pcm]))

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<CaptureCommand>) => this.#capture.mute(data.muted)
  }

  process([input]: Float32Array[][]): boolean {
    const channel = input?.[0]
    if (channel !== undefined) this.#capture.take(channel)
    return true
  }
}

class PlayoutProcessor extends AudioWorkletProcessor {
  readonly #playout = new Playout(sampleRate, (event) => this.port.postMessage(event))

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<PlayoutCommand>) => {
      if ('on' in data) this.#playout.held = data.on
      else if (data.do === 'push') this.#playout.push(data.itemId, new Int16Array(data.pcm))
      else if (data.do === 'end') this.#playout.end(data.itemId)
      else this.#playout.flush()
    }
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    const channel = output?.[0]
    if (channel !== undefined) this.#playout.render(channel)
    return true
  }
}

registerProcessor('parley-capture', CaptureProcessor)
registerProcessor('parley-playout', PlayoutProcessor)
