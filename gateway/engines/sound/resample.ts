// Sample rates: every leg has 24 kHz; the demo voice speaks and its recogniser listens at 16 kHz, as do some providers.

/** Half length of the filter, in samples of the slower rate: 16 keeps images some 60 dB down. */
const halfTaps = 16

/** Windowed-sinc resampling of mono PCM16. */
export function resample(input: Int16Array, fromHz: number, toHz: number): Int16Array<ArrayBuffer> {
  if (fromHz === toHz) return Int16Array.from(input)
  const { up, down, phases } = planOf(fromHz, toHz)
  const output = new Int16Array(Math.floor((input.length * up) / down))
  for (let n = 0; n < output.length; n++) {
    const at = n * down
    output[n] = clamp(weigh(input, Math.floor(at / up), phases[at % up] ?? none))
  }
  return output
}

/** The same for a stream in pieces of any length: what comes out is what the whole would give, some 1 ms later. */
export class ResampleStream {
  readonly #plan: Plan
  /** The end of the input so far that later samples still lean on; it begins at `#from` of the stream. */
  #kept = new Int16Array()
  #from = 0
  #made = 0

  constructor(fromHz: number, toHz: number) {
    this.#plan = planOf(fromHz, toHz)
  }

  push(input: Int16Array): Int16Array<ArrayBuffer> {
    const { up, down, phases, half } = this.#plan
    const all = new Int16Array(this.#kept.length + input.length)
    all.set(this.#kept)
    all.set(input, this.#kept.length)
    // A sample needs `half` samples of input behind it.
    const ready = this.#from + all.length - half
    const count = Math.max(0, Math.ceil((ready * up) / down) - this.#made)
    const output = new Int16Array(count)
    for (let n = 0; n < count; n++) {
      const at = (this.#made + n) * down
      output[n] = clamp(weigh(all, Math.floor(at / up) - this.#from, phases[at % up] ?? none))
    }
    this.#made += count
    const keepFrom = Math.max(this.#from, Math.floor((this.#made * down) / up) - half)
    this.#kept = all.slice(keepFrom - this.#from)
    this.#from = keepFrom
    return output
  }
}

interface Plan {
  readonly up: number
  readonly down: number
  readonly phases: readonly Float64Array[]
  /** Half length of the taps, in samples of the input. */
  readonly half: number
}

function planOf(fromHz: number, toHz: number): Plan {
  const divisor = gcd(fromHz, toHz)
  const up = toHz / divisor
  const phases = filter(up, Math.min(1, toHz / fromHz))
  return { up, down: fromHz / divisor, phases, half: (phases[0]?.length ?? 0) >> 1 }
}

const none = new Float64Array()

function weigh(input: Int16Array, center: number, taps: Float64Array): number {
  const half = taps.length >> 1
  let sum = 0
  for (let k = 0; k < taps.length; k++) sum += (input[center - half + 1 + k] ?? 0) * (taps[k] ?? 0)
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
