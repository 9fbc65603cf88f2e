// Sample rates by windowed sinc. Pure; one instance per stream, fed and read sample by sample in the worklet.

/** Zero crossings on each side of the kernel: 8 keeps speech clean at 24 kHz and costs 16 multiplications. */
const crossings = 8
/** Positions between two samples for which the kernel is tabulated. */
const phases = 128

export class Resampler {
  readonly #step: number
  readonly #taps: number
  readonly #table: Float32Array
  readonly #history: Float32Array
  #newest = 0
  /** Where the next output lies after the newest input, in input samples; the first one needs an input. */
  #position = 1

  constructor(fromHz: number, toHz: number) {
    this.#step = fromHz / toHz
    // Going down, the kernel widens so that what the lower rate cannot hold is filtered out.
    const scale = Math.max(1, this.#step)
    this.#taps = Math.ceil(crossings * 2 * scale)
    this.#table = kernel(this.#taps, scale)
    this.#history = new Float32Array(this.#taps)
  }

  /** Delay of the filter, in input samples. */
  get delay(): number {
    return this.#taps / 2
  }

  /** True while the next output needs one more input. */
  get hungry(): boolean {
    return this.#position >= 1
  }

  put(sample: number): void {
    this.#newest = this.#newest + 1 === this.#taps ? 0 : this.#newest + 1
    this.#history[this.#newest] = sample
    this.#position -= 1
  }

  take(): number {
    const row = Math.min(phases - 1, Math.floor(this.#position * phases)) * this.#taps
    let sum = 0
    let at = this.#newest
    for (let tap = 0; tap < this.#taps; tap++) {
      sum += (this.#history[at] ?? 0) * (this.#table[row + tap] ?? 0)
      at = at === 0 ? this.#taps - 1 : at - 1
    }
    this.#position += this.#step
    return sum
  }
}

/** Rows by phase; tap 0 belongs to the newest sample. Each row sums to 1, so that silence and loudness stay. */
function kernel(taps: number, scale: number): Float32Array {
  const table = new Float32Array(phases * taps)
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0
    for (let tap = 0; tap < taps; tap++) {
      const x = (tap + phase / phases - taps / 2) / scale
      const value = sinc(x) * hann(x / crossings)
      table[phase * taps + tap] = value
      sum += value
    }
    for (let tap = 0; tap < taps; tap++) table[phase * taps + tap] = (table[phase * taps + tap] ?? 0) / sum
  }
  return table
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

function hann(x: number): number {
  return Math.abs(x) >= 1 ? 0 : 0.5 + 0.5 * Math.cos(Math.PI * x)
}
