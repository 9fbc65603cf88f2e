// The client's own audio format, which the session knows nothing of: it hears and speaks PCM16 at 24 kHz.

import { decodeLaw, encodeLaw, type Law } from '../../platform/g711.ts'
import { Resampler, samplesOf } from '../../platform/resample.ts'
import { sampleRateHz } from '../../protocol/realtime.ts'
import type { AudioFormatName } from './session-fields.ts'

const telephoneHz = 8_000

export class Sound {
  #input: AudioFormatName = 'audio/pcm'
  #output: AudioFormatName = 'audio/pcm'
  #up = new Resampler(telephoneHz, sampleRateHz)
  /** One item's sound is one stream. */
  #down: { readonly itemId: string; readonly resampler: Resampler } | undefined

  get input(): AudioFormatName {
    return this.#input
  }

  set input(format: AudioFormatName) {
    if (format === this.#input) return
    this.#input = format
    this.#up = new Resampler(telephoneHz, sampleRateHz)
  }

  get output(): AudioFormatName {
    return this.#output
  }

  set output(format: AudioFormatName) {
    this.#output = format
  }

  /** What the microphone sent, as PCM16 24 kHz. */
  heard(bytes: Buffer): Buffer {
    const law = lawOf(this.#input)
    return law === undefined ? evenPcm(bytes) : bytesOf(this.#up.push(decodeLaw(law, bytes)))
  }

  /** A whole recording, as PCM16 24 kHz. */
  recording(bytes: Buffer): Buffer {
    const law = lawOf(this.#input)
    if (law === undefined) return evenPcm(bytes)
    const up = new Resampler(telephoneHz, sampleRateHz)
    return Buffer.concat([bytesOf(up.push(decodeLaw(law, bytes))), bytesOf(up.end())])
  }

  /** Undefined: as it is. */
  said(itemId: string, pcm: Buffer): Buffer | undefined {
    const law = lawOf(this.#output)
    if (law === undefined) return undefined
    if (this.#down?.itemId !== itemId) this.#down = { itemId, resampler: new Resampler(sampleRateHz, telephoneHz) }
    return encodeLaw(law, this.#down.resampler.push(samplesOf(pcm)))
  }

  /** What the filter still holds of an item that has ended. */
  rest(itemId: string): Buffer | undefined {
    const law = lawOf(this.#output)
    const down = this.#down
    if (law === undefined || down?.itemId !== itemId) return undefined
    this.#down = undefined
    const rest = encodeLaw(law, down.resampler.end())
    return rest.length === 0 ? undefined : rest
  }
}

function lawOf(format: AudioFormatName): Law | undefined {
  if (format === 'audio/pcmu') return 'pcmu'
  return format === 'audio/pcma' ? 'pcma' : undefined
}

function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
}

/** Half a sample at the end would shift every later one. */
function evenPcm(pcm: Buffer): Buffer {
  return pcm.length % 2 === 0 ? pcm : pcm.subarray(0, pcm.length - 1)
}
