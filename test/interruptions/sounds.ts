// Sounds of a room, the same in every run: noise, babble, coughs, clicks, and the way from a loudspeaker to a microphone.

import { sampleRateHz } from '../../gateway/protocol/realtime.ts'
import { speechPcm } from '../harness/speech.ts'

export const samplesPerMs = sampleRateHz / 1000
const voices = ['rms', 'slt', 'awb', 'kal'] as const

export type Samples = Float32Array

/** Uniform in ±1, seeded. */
export function random(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 12_345) % 2_147_483_648
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 1_073_741_824 - 1
  }
}

export async function speech(text: string, voice: (typeof voices)[number] = 'rms', speed = 1): Promise<Samples> {
  const pcm = await speechPcm(text, voice)
  const samples = Float32Array.from({ length: pcm.length / 2 }, (_, i) => pcm.readInt16LE(i * 2) / 32_768)
  return scaled(trimmed(speed === 1 ? samples : stretched(samples, speed)), -22)
}

/** Faster and higher, or slower and lower: another speaker. */
function stretched(samples: Samples, speed: number): Samples {
  return Float32Array.from({ length: Math.floor(samples.length / speed) }, (_, i) => {
    const at = i * speed
    const low = Math.floor(at)
    return (samples[low] ?? 0) * (1 - at + low) + (samples[low + 1] ?? 0) * (at - low)
  })
}

/** Begins where it begins to be heard. */
function trimmed(samples: Samples): Samples {
  const first = samples.findIndex((sample) => Math.abs(sample) > 0.02)
  const last = samples.findLastIndex((sample) => Math.abs(sample) > 0.01)
  return samples.slice(Math.max(0, first), last + 1)
}

/** To this level (root mean square of its louder half), dB below full scale. */
export function scaled(samples: Samples, db: number): Samples {
  const squares = samples.map((sample) => sample * sample).toSorted()
  const louder = squares.subarray(squares.length >> 1)
  const rms = Math.sqrt(louder.reduce((sum, square) => sum + square, 0) / Math.max(1, louder.length))
  const gain = rms === 0 ? 0 : 10 ** (db / 20) / rms
  return samples.map((sample) => sample * gain)
}

export function white(ms: number, seed: number): Samples {
  const next = random(seed)
  return Float32Array.from({ length: ms * samplesPerMs }, () => next())
}

/** Equal energy in each octave. */
export function pink(ms: number, seed: number): Samples {
  const next = random(seed)
  const rows = new Float64Array(12)
  return Float32Array.from({ length: ms * samplesPerMs }, (_, i) => {
    for (let row = 0; row < rows.length; row++) if (i % (1 << row) === 0) rows[row] = next()
    return rows.reduce((sum, each) => sum + each, 0) / rows.length
  })
}

/** Four people talking in the next room. */
export async function babble(ms: number, seed: number): Promise<Samples> {
  const texts = [
    'We went there last year and it was wonderful, you should have seen the mountains in the evening.',
    'The train leaves at seven from the other platform, at least that is what they told us.',
    'Can you pass me the salt please, and tell me more about the house that you want to buy.',
    'I do not know what he said about the meeting, but it did not sound very friendly to me.',
  ]
  const parts = await Promise.all(texts.map((text, i) => speech(text, voices[i] ?? 'rms', 0.9 + 0.07 * i)))
  const offset = Math.floor((random(seed)() + 1) * 20_000)
  return Float32Array.from({ length: ms * samplesPerMs }, (_, i) =>
    parts.reduce((sum, part) => sum + (part[(i + offset) % part.length] ?? 0), 0),
  )
}

/** A burst of breath: no tone, gone after a third of a second. */
export function cough(seed: number): Samples {
  const next = random(seed)
  let low = 0
  return Float32Array.from({ length: 350 * samplesPerMs }, (_, i) => {
    const ms = i / samplesPerMs
    low += 0.35 * (next() - low)
    return low * (ms < 30 ? ms / 30 : Math.exp(-(ms - 30) / 90))
  })
}

/** A key, a cup on a table. */
export function click(seed: number): Samples {
  const next = random(seed)
  return Float32Array.from({ length: 25 * samplesPerMs }, (_, i) => next() * Math.exp(-i / (4 * samplesPerMs)))
}

export interface Room {
  /** From the loudspeaker to the microphone, devices included. */
  readonly delayMs: number
  /** Of the echo against what is played. */
  readonly db: number
}

/** The direct way, two walls, and a loudspeaker without highs. `out` is a ring of what was played, `at` where this tick begins. */
export function addEcho(
  sum: Samples,
  { out, at }: { readonly out: Samples; readonly at: number },
  { delayMs, db }: Room,
): void {
  const gain = 10 ** (db / 20)
  const ways = [
    [delayMs, 1],
    [delayMs + 11, 0.4],
    [delayMs + 37, 0.25],
  ] as const
  for (const [ms, share] of ways) {
    const from = at - ms * samplesPerMs + 4 * out.length
    for (let i = 0; i < sum.length; i++) {
      const soft =
        0.5 * (out[(from + i) % out.length] ?? 0) +
        0.3 * (out[(from + i - 1) % out.length] ?? 0) +
        0.2 * (out[(from + i - 2) % out.length] ?? 0)
      sum[i] = (sum[i] ?? 0) + gain * share * soft
    }
  }
}
