// Speech for tests, made when needed by the demo engine's own voice: raw for engines, WAV for Chromium's fake microphone.

import { writeFile } from 'node:fs/promises'
import { pino } from 'pino'
import { createVoice, type Voice, type VoiceName } from '../../gateway/engines/demo/voice.ts'
import { encodeWav, resample, samplesOf } from '../../gateway/platform/resample.ts'

let shared: Voice | undefined
let last: Promise<unknown> = Promise.resolve()

const perMs24k = 48

/** PCM16 24 kHz, one after the other however many ask at once: the voice refuses a crowd. A recogniser understands `rms` best. */
export function speechPcm(text: string, voice: VoiceName = 'rms'): Promise<Buffer> {
  const speak = async (): Promise<Buffer> => {
    shared ??= createVoice({ log: pino({ level: 'silent' }) })
    return shared.speak(voice, text)
  }
  const mine = last.then(speak, speak)
  last = mine
  return mine
}

/** PCM16 24 kHz of nothing. */
export function silencePcm(ms: number): Buffer {
  return Buffer.alloc(Math.round(ms) * perMs24k)
}

export interface WavPlan {
  readonly text: string
  readonly voice?: VoiceName
  /** Silence around the speech; Chromium plays the file in a loop unless `%noloop` is added to its name. */
  readonly leadMs?: number
  readonly tailMs?: number
}

/** Writes a 48 kHz mono 16-bit WAV for `--use-file-for-fake-audio-capture`. Returns its length in milliseconds. */
export async function writeSpeechWav(file: string, plan: WavPlan): Promise<number> {
  const speech = await speechPcm(plan.text, plan.voice)
  const pcm = Buffer.concat([silencePcm(plan.leadMs ?? 500), speech, silencePcm(plan.tailMs ?? 1_000)])
  const samples = resample(samplesOf(pcm), 24_000, 48_000)
  await writeFile(file, encodeWav(samples, 48_000))
  return pcm.length / perMs24k
}

/** 100 ms pieces, as a client sends them. */
export function* pieces(pcm: Buffer, ms = 100): Generator<Buffer> {
  for (let at = 0; at < pcm.length; at += ms * perMs24k) yield pcm.subarray(at, at + ms * perMs24k)
}
