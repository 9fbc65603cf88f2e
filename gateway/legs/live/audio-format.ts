// The four encodings of a Live WebSocket, to and from the PCM16 24 kHz that engines take. One format for both directions.

import { z } from 'zod'
import { decodeLaw, encodeLaw, type Law } from '../../platform/g711.ts'
import { Resampler, samplesOf } from '../../platform/resample.ts'
import { sampleRateHz } from '../../protocol/realtime.ts'

export const audioFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('audio/pcm'), rate: z.union([z.literal(16_000), z.literal(24_000)]) }),
  z.strictObject({ type: z.literal('audio/pcmu'), rate: z.literal(8_000) }),
  z.strictObject({ type: z.literal('audio/pcma'), rate: z.literal(8_000) }),
])
export type AudioFormat = z.output<typeof audioFormat>

export const pcm24k: AudioFormat = { type: 'audio/pcm', rate: sampleRateHz }

function lawOf({ type }: AudioFormat): Law | undefined {
  return ({ 'audio/pcm': undefined, 'audio/pcmu': 'pcmu', 'audio/pcma': 'pcma' } as const)[type]
}

/** One direction of one stream: resampling has a memory. */
export class Decoder {
  readonly #law: Law | undefined
  readonly #resampler: Resampler | undefined
  readonly #bytesPerMs: number

  constructor(format: AudioFormat) {
    this.#law = lawOf(format)
    this.#resampler = format.rate === sampleRateHz ? undefined : new Resampler(format.rate, sampleRateHz)
    this.#bytesPerMs = (format.rate / 1000) * (this.#law === undefined ? 2 : 1)
  }

  msOf(bytes: number): number {
    return bytes / this.#bytesPerMs
  }

  /** PCM16 24 kHz. Undefined: the bytes are no whole samples. */
  push(bytes: Buffer): Buffer | undefined {
    if (this.#law === undefined && bytes.length % 2 !== 0) return undefined
    if (this.#resampler === undefined) return bytes
    return bytesOf(this.#resampler.push(this.#law === undefined ? samplesOf(bytes) : decodeLaw(this.#law, bytes)))
  }
}

export class Encoder {
  readonly #law: Law | undefined
  readonly #resampler: Resampler | undefined

  constructor(format: AudioFormat) {
    this.#law = lawOf(format)
    this.#resampler = format.rate === sampleRateHz ? undefined : new Resampler(sampleRateHz, format.rate)
  }

  push(samples: Int16Array): Buffer {
    const resampled = this.#resampler?.push(samples) ?? samples
    return this.#law === undefined ? bytesOf(resampled) : encodeLaw(this.#law, resampled)
  }
}

function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
}
