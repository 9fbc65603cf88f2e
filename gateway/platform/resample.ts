// Sample rates: every leg speaks 24 kHz; voices and recognisers have rates of their own.

/** Half length of the filter, in samples of the slower rate: 16 keeps images some 60 dB down. */
const halfTaps = 16

/** Windowed-sinc resampling of mono PCM16. */
export function resample(input: Int16Array, fromHz: number, toHz: number): Int16Array<ArrayBuffer> {
  const resampler = new Resampler(fromHz, toHz)
  const head = resampler.push(input)
  const tail = resampler.end()
  const output = new Int16Array(head.length + tail.length)
  output.set(head)
  output.set(tail, head.length)
  return output
}

/** The same for a stream: in pieces of any length, out without a seam. */
export class Resampler {
  readonly #up: number
  readonly #down: number
  readonly #half: number
  readonly #phases: readonly Float64Array[]
  /** Input that later output still needs; its first sample is the `#from`-th of the stream. */
  #kept = new Int16Array()
  #from = 0
  #read = 0
  #written = 0

  /** Rates in Hz. */
  constructor(fromHz: number, toHz: number) {
    const divisor = gcd(fromHz, toHz)
    this.#up = toHz / divisor
    this.#down = fromHz / divisor
    this.#phases = this.#up === this.#down ? [] : filter(this.#up, Math.min(1, toHz / fromHz))
    this.#half = (this.#phases[0]?.length ?? 0) >> 1
  }

  push(input: Int16Array): Int16Array<ArrayBuffer> {
    if (this.#half === 0) return Int16Array.from(input)
    const kept = new Int16Array(this.#kept.length + input.length)
    kept.set(this.#kept)
    kept.set(input, this.#kept.length)
    this.#kept = kept
    this.#read += input.length
    return this.#upTo(Math.max(this.#written, Math.ceil(((this.#read - this.#half) * this.#up) / this.#down)))
  }

  /** What the filter still held. */
  end(): Int16Array<ArrayBuffer> {
    return this.#half === 0 ? new Int16Array() : this.#upTo(Math.floor((this.#read * this.#up) / this.#down))
  }

  #upTo(end: number): Int16Array<ArrayBuffer> {
    const output = new Int16Array(Math.max(0, end - this.#written))
    for (let i = 0; i < output.length; i++) {
      const at = (this.#written + i) * this.#down
      output[i] = clamp(weigh(this.#kept, Math.floor(at / this.#up) - this.#from, this.#phases[at % this.#up] ?? none))
    }
    this.#written += output.length
    const needed = Math.floor((this.#written * this.#down) / this.#up) - this.#half
    const spent = Math.min(this.#kept.length, needed - this.#from)
    if (spent > 0) {
      this.#kept = this.#kept.slice(spent)
      this.#from += spent
    }
    return output
  }
}

const none = new Float64Array()

/** Samples before the stream and after its end are silent: they are left out, not read. */
function weigh(input: Int16Array, center: number, taps: Float64Array): number {
  const first = center - (taps.length >> 1) + 1
  const end = Math.min(taps.length, input.length - first)
  let sum = 0
  for (let k = Math.max(0, -first); k < end; k++) sum += (input[first + k] ?? 0) * (taps[k] ?? 0)
  return sum
}

/** One set of taps per output phase; `cutoff` is relative to the input's half rate. */
function filter(up: number, cutoff: number): Float64Array[] {
  const half = Math.ceil(halfTaps / cutoff)
  return Array.from({ length: up }, (_, phase) => {
    const taps = Float64Array.from({ length: 2 * half }, (_, k) => {
      const x = k - half + 1 - phase / up
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / half)
      return cutoff * sinc(x * cutoff) * window
    })
    const sum = taps.reduce((a, b) => a + b, 0)
    return taps.map((tap) => tap / sum)
  })
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

function clamp(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)))
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** PCM16 bytes as samples, whatever their alignment. */
export function samplesOf(pcm: Uint8Array): Int16Array<ArrayBuffer> {
  const copy = new Uint8Array(pcm.byteLength & ~1)
  copy.set(pcm.subarray(0, copy.byteLength))
  return new Int16Array(copy.buffer)
}

/** Mono 16-bit WAV. */
export function encodeWav(samples: Int16Array, rateHz: number): Buffer {
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rateHz, 24)
  head.writeUInt32LE(rateHz * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}

/** Undefined: not a mono 16-bit WAV. */
export function decodeWav(wav: Buffer): { samples: Int16Array<ArrayBuffer>; rateHz: number } | undefined {
  if (wav.length < 44 || wav.toString('latin1', 0, 4) !== 'RIFF' || wav.toString('latin1', 8, 12) !== 'WAVE') {
    return undefined
  }
  let rateHz: number | undefined
  for (let at = 12; at + 8 <= wav.length; ) {
    const name = wav.toString('latin1', at, at + 4)
    const length = wav.readUInt32LE(at + 4)
    const body = wav.subarray(at + 8, at + 8 + length)
    if (name === 'fmt ') {
      if (body.length < 16 || body.readUInt16LE(2) !== 1 || body.readUInt16LE(14) !== 16) return undefined
      rateHz = body.readUInt32LE(4)
    }
    if (name === 'data') return rateHz === undefined ? undefined : { samples: samplesOf(body), rateHz }
    at += 8 + length + (length & 1)
  }
  return undefined
}
