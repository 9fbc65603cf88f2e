// The person's audio on its way to the provider: 24 kHz becomes 16 kHz, and silence stays here. Our own detector says when
// speech begins and ends, since the provider's tells nobody: `gemini-3.8-live` sends no `voiceActivity` (googleapis/python-genai
// issue 2981, autumn 2026), so that barge-in, the transcript and the latency of an answer would have nothing to stand on.
// Who asks for `semantic_vad` gets the provider's detector instead, and events as far as it lets us conclude them.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import { Resampler, samplesOf } from '../../platform/resample.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import type { EngineBrief } from '../engines.ts'
import { Vad, type VadEvent, type VadTuning } from '../sound/vad.ts'

export type Detection = EngineBrief['turnDetection']

const sentBytesPerMs = 32
/** The start of speech is noticed late, by 80 ms and at most one piece of audio: that much before it is sent too. */
const lateMs = 100
/** No more audio comes: the microphone was muted in the middle of a word. The guide tells to end the stream after a second. */
const mutedMs = 1_000
/** As the GA wire has it: less is no turn. */
const shortestCommitMs = 100
/** Turns that somebody else ends wait here; 1.9 MB. */
const longestTurnMs = 60_000

export interface HearingEvents {
  /** PCM16 16 kHz. */
  audio(pcm: Buffer): void
  starts(itemId: string, atMs: number): void
  stops(itemId: string, atMs: number, silenceMs: number): void
  /** No audio comes any more, and the provider is the one that listens. */
  paused(): void
  /** A turn is too long to be kept. */
  overflows(): void
}

export interface Turn {
  readonly itemId: string
  readonly pcm: Buffer
}

export class Hearing {
  readonly #clock: Clock
  readonly #on: HearingEvents
  #detection: Detection
  #stream = new Resampler(24_000, 16_000)
  readonly #vad = new Vad()
  /** Silence before speech, or a turn that somebody else ends. */
  #kept: Buffer[] = []
  #keptBytes = 0
  #streamMs = 0
  #itemId = ''
  #muted: Timer | undefined
  #startedMs = 0

  constructor(clock: Clock, detection: Detection, on: HearingEvents) {
    this.#clock = clock
    this.#detection = detection
    this.#on = on
  }

  get detection(): Detection {
    return this.#detection
  }

  set detection(detection: Detection) {
    if (detection === this.#detection) return
    if (this.#detection === 'server_vad') this.#apply(this.#vad.end())
    this.#detection = detection
    this.#forget()
  }

  tune(tuning: VadTuning): void {
    this.#vad.tune(tuning)
  }

  get speaking(): boolean {
    return this.#detection === 'server_vad' && this.#vad.speaking
  }

  /** Where the last speech began, as we heard it; length of the audio so far. For what the provider does not say. */
  get startedMs(): number {
    return this.#vad.speaking ? this.#startedMs : this.#streamMs
  }

  get streamMs(): number {
    return this.#streamMs
  }

  /** PCM16 24 kHz. */
  push(pcm: Buffer): void {
    this.#streamMs += pcm.length / bytesPerMs
    const samples = this.#stream.push(samplesOf(pcm))
    const sent = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
    if (this.#detection === 'none') {
      this.#keepTurn(sent)
      return
    }
    const events = this.#vad.push(pcm)
    this.#awaitMore()
    if (this.#detection === 'semantic_vad') this.#send(sent, events)
    else this.#detect(sent, events)
  }

  #send(sent: Buffer, events: readonly VadEvent[]): void {
    for (const event of events) if (event.phase === 'start') this.#startedMs = event.atMs
    this.#on.audio(sent)
  }

  #detect(sent: Buffer, events: readonly VadEvent[]): void {
    const start = events.find(({ phase }) => phase === 'start')
    const wasSpeaking = this.#itemId !== ''
    if (!wasSpeaking && start === undefined) {
      this.#keep(sent)
      this.#shorten((this.#vad.prefixMs + lateMs) * sentBytesPerMs)
      return
    }
    if (!wasSpeaking) {
      this.#apply(start)
      this.#on.audio(this.#take())
    }
    this.#on.audio(sent)
    for (const event of events) if (event !== start || wasSpeaking) this.#apply(event)
  }

  #apply(event: VadEvent | undefined): void {
    if (event === undefined) return
    if (event.phase === 'start') {
      this.#itemId = newId('item')
      this.#on.starts(this.#itemId, event.atMs)
      return
    }
    const itemId = this.#itemId
    this.#itemId = ''
    this.#on.stops(itemId, event.atMs, event.silenceMs)
  }

  #awaitMore(): void {
    this.#muted?.cancel()
    this.#muted = this.#clock.after(mutedMs, () => {
      this.#muted = undefined
      if (this.#detection === 'semantic_vad') this.#on.paused()
      else this.#apply(this.#vad.end())
    })
  }

  #keep(pcm: Buffer): void {
    this.#kept.push(pcm)
    this.#keptBytes += pcm.length
  }

  #keepTurn(pcm: Buffer): void {
    if (this.#keptBytes + pcm.length > longestTurnMs * sentBytesPerMs) this.#on.overflows()
    else this.#keep(pcm)
  }

  #shorten(bytes: number): void {
    for (let first = this.#kept[0]; first !== undefined; first = this.#kept[0]) {
      if (this.#keptBytes - first.length < bytes) return
      this.#kept.shift()
      this.#keptBytes -= first.length
    }
  }

  #take(): Buffer {
    const pcm = Buffer.concat(this.#kept)
    this.#kept = []
    this.#keptBytes = 0
    return pcm
  }

  /** What was kept since the last one, as a turn; undefined: too little. Speech under way ends. */
  commit(): Turn | 'ended' | undefined {
    if (this.speaking) {
      this.#apply(this.#vad.end())
      return 'ended'
    }
    if (this.#detection !== 'none' || this.#keptBytes < shortestCommitMs * sentBytesPerMs) return undefined
    return { itemId: newId('item'), pcm: this.#take() }
  }

  /** False: it is with the provider already. */
  clear(): boolean {
    if (this.speaking) return false
    this.#take()
    return true
  }

  #forget(): void {
    this.#vad.reset()
    this.#take()
    this.#itemId = ''
  }

  stop(): void {
    this.#muted?.cancel()
  }
}
