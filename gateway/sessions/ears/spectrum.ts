// What a 20 ms frame of sound looks like: its level, how its energy spreads over eight bands of speech, and how much of a
// hiss it is. Pure. A frame costs some 10 µs, so only those that somebody asks about are looked at.

import { bytesPerMs } from '../../protocol/realtime.ts'

export const frameMs = 20
export const frameBytes = frameMs * bytesPerMs
/** Of 24 kHz to 8 kHz: what tells voices apart lies below 4 kHz. */
const decimation = 3
const samples = (frameBytes / 2 / decimation) | 0
const points = 256
const binHz = 8_000 / points
/** About a third of an octave to half of one: as wide as an ear hears them. */
const edgesHz = [200, 400, 600, 850, 1_150, 1_550, 2_100, 2_800, 3_800]
export const bandCount = edgesHz.length - 1
const edges = edgesHz.map((hz) => Math.round(hz / binHz))
/** Nothing is quieter. */
export const silentDb = -100

const hann = Float64Array.from({ length: samples }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / samples))
const cosines = Float64Array.from({ length: points / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / points))
const sines = Float64Array.from({ length: points / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / points))
const reversed = Uint16Array.from({ length: points }, (_, i) => {
  let bits = 0
  for (let bit = 0; bit < 8; bit++) bits |= ((i >> bit) & 1) << (7 - bit)
  return bits
})
const re = new Float64Array(points)
const im = new Float64Array(points)

export interface Look {
  /** Of the whole frame, dB below full scale. */
  readonly levelDb: number
  /** Of each band, dB. */
  readonly bands: Float32Array
  /** Near 0: a few strong tones, as a voice has them. White noise has 0.56, pink noise 0.4. */
  readonly flatness: number
}

/** PCM16 24 kHz; exactly one frame from `at` on. */
export function lookAt(pcm: Buffer, at = 0): Look {
  const levelDb = load(pcm, at)
  const bands = new Float32Array(bandCount)
  if (levelDb <= -90) {
    bands.fill(silentDb)
    return { levelDb, bands, flatness: 1 }
  }
  transform()
  let logs = 0
  let total = 0
  for (let band = 0; band < bandCount; band++) {
    let sum = 0
    const from = edges[band] ?? 0
    const to = edges[band + 1] ?? 0
    for (let bin = from; bin < to; bin++) {
      const power = (re[bin] ?? 0) ** 2 + (im[bin] ?? 0) ** 2 + 1e-12
      sum += power
      logs += Math.log(power)
    }
    total += sum
    bands[band] = Math.max(silentDb, 10 * Math.log10(sum / (samples * samples)))
  }
  const bins = (edges[bandCount] ?? 0) - (edges[0] ?? 0)
  return { levelDb, bands, flatness: Math.exp(logs / bins) / (total / bins) }
}

/** The frame's samples; a copy only where they do not lie even. */
function samplesAt(pcm: Buffer, at: number): Int16Array {
  const from = pcm.byteOffset + at
  if (from % 2 === 0) return new Int16Array(pcm.buffer, from, frameBytes / 2)
  return new Int16Array(Uint8Array.from(pcm.subarray(at, at + frameBytes)).buffer)
}

/** Level of a frame alone, dB below full scale. */
export function levelOf(pcm: Buffer, at = 0): number {
  const frame = samplesAt(pcm, at)
  let sum = 0
  for (let i = 0; i < frame.length; i++) sum += (frame[i] ?? 0) ** 2
  return decibels(sum)
}

function decibels(sumOfSquares: number): number {
  const power = sumOfSquares / (frameBytes / 2) / 32_768 ** 2
  return power < 1e-10 ? silentDb : 10 * Math.log10(power)
}

function load(pcm: Buffer, at: number): number {
  let sum = 0
  im.fill(0)
  re.fill(0)
  const frame = samplesAt(pcm, at)
  for (let i = 0; i < samples; i++) {
    const from = i * decimation
    const a = frame[from] ?? 0
    const b = frame[from + 1] ?? 0
    const c = frame[from + 2] ?? 0
    sum += a * a + b * b + c * c
    re[reversed[i] ?? 0] = ((a + b + c) / 98_304) * (hann[i] ?? 0)
  }
  return decibels(sum)
}

/** Radix 2, in place; `load` has put the samples in bit-reversed order. */
function transform(): void {
  for (let size = 2; size <= points; size *= 2) {
    const half = size / 2
    const step = points / size
    for (let start = 0; start < points; start += size) {
      for (let k = 0; k < half; k++) {
        const c = cosines[k * step] ?? 0
        const s = sines[k * step] ?? 0
        const low = start + k
        const high = low + half
        const x = re[high] ?? 0
        const y = im[high] ?? 0
        const turnedX = x * c + y * s
        const turnedY = y * c - x * s
        const lowX = re[low] ?? 0
        const lowY = im[low] ?? 0
        re[high] = lowX - turnedX
        im[high] = lowY - turnedY
        re[low] = lowX + turnedX
        im[low] = lowY + turnedY
      }
    }
  }
}
