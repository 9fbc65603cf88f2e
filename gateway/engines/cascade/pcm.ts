// The bytes of a speech endpoint as PCM16 24 kHz: headerless samples or a WAV, of any rate, in pieces that end anywhere.

import { Resampler, samplesOf } from '../../platform/resample.ts'
import { PartFailure } from '../text/failure.ts'

const ourHz = 24_000
const lowestHz = 8_000
const highestHz = 96_000
/** `fmt ` comes within the first few chunks of a WAV; what is longer is none. */
const longestHeader = 4_096
/** Streams write no length, or all ones: beyond this nobody meant it. */
const longestData = 0x7000_0000

export class PcmReader {
  #hz: number
  #state: 'start' | 'header' | 'samples' = 'start'
  #rest = Buffer.alloc(0)
  #resampler: Resampler | undefined
  #channels = 1
  /** Bytes of samples still to come; what follows them is no sound. */
  #left = Number.POSITIVE_INFINITY

  /** `contentType` as the server told it; it names the rate where it is not 24 kHz. Throws PartFailure for another format. */
  constructor(contentType: string) {
    const type = contentType.toLowerCase()
    if (/^(audio\/(mpeg|mp3|ogg|opus|aac|flac|webm|mp4)|application\/json|text\/)/.test(type)) {
      throw new PartFailure('unsupported_audio')
    }
    const rate = Number(/rate=(\d+)/.exec(type)?.[1] ?? ourHz)
    this.#hz = checked(rate)
  }

  push(bytes: Uint8Array): Buffer {
    this.#rest = Buffer.concat([this.#rest, bytes])
    if (this.#state === 'start' && this.#rest.length >= 4) {
      this.#state = this.#rest.toString('latin1', 0, 4) === 'RIFF' ? 'header' : 'samples'
    }
    if (this.#state === 'header') this.#header()
    return this.#state === 'samples' ? this.#samples() : Buffer.alloc(0)
  }

  /** What the filter still held. */
  end(): Buffer {
    return bytesOf(this.#resampler?.end() ?? new Int16Array())
  }

  #header(): void {
    for (let at = 12; at + 8 <= this.#rest.length; ) {
      const name = this.#rest.toString('latin1', at, at + 4)
      const length = this.#rest.readUInt32LE(at + 4)
      if (name === 'data') {
        this.#rest = this.#rest.subarray(at + 8)
        this.#state = 'samples'
        if (length > 0 && length < longestData) this.#left = length
        return
      }
      if (name === 'fmt ') {
        if (this.#rest.length < at + 24) return
        this.#format(this.#rest.subarray(at + 8, at + 24))
      }
      at += 8 + length + (length & 1)
    }
    if (this.#rest.length > longestHeader) throw new PartFailure('unsupported_audio')
  }

  /** 0xFFFE is the extended form of 1. */
  #format(fmt: Buffer): void {
    const kind = fmt.readUInt16LE(0)
    this.#channels = fmt.readUInt16LE(2)
    if ((kind !== 1 && kind !== 0xff_fe) || fmt.readUInt16LE(14) !== 16 || this.#channels < 1 || this.#channels > 2) {
      throw new PartFailure('unsupported_audio')
    }
    this.#hz = checked(fmt.readUInt32LE(4))
  }

  #samples(): Buffer {
    const frame = 2 * this.#channels
    const length = Math.min(this.#rest.length, this.#left)
    const whole = length - (length % frame)
    const samples = mono(samplesOf(this.#rest.subarray(0, whole)), this.#channels)
    this.#left -= whole
    this.#rest = this.#left === 0 ? Buffer.alloc(0) : Buffer.from(this.#rest.subarray(whole))
    if (this.#hz === ourHz) return bytesOf(samples)
    this.#resampler ??= new Resampler(this.#hz, ourHz)
    return bytesOf(this.#resampler.push(samples))
  }
}

function checked(hz: number): number {
  if (hz < lowestHz || hz > highestHz) throw new PartFailure('unsupported_audio')
  return hz
}

function mono(samples: Int16Array<ArrayBuffer>, channels: number): Int16Array<ArrayBuffer> {
  return channels === 1 ? samples : samples.filter((_, i) => i % channels === 0)
}

function bytesOf(samples: Int16Array<ArrayBuffer>): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
}
