// What the person says, as events of the port, whoever notices it: our own detector or the provider's.

import type { Clock } from '../../platform/clock.ts'
import type { EngineEvent, Source } from '../engines.ts'
import type { VadTuning } from '../sound/vad.ts'
import * as commands from './commands.ts'
import { type Detection, Hearing, type Turn } from './hearing.ts'
import { type Noticed, Noticing } from './noticing.ts'
import { Transcript } from './transcript.ts'

export interface ListeningNeeds {
  readonly clock: Clock
  readonly detection: Detection
  readonly emit: (event: EngineEvent) => void
  readonly send: (frame: string) => void
  readonly answering: () => boolean
  readonly on: ListeningEvents
}

export interface ListeningEvents {
  /** Speech begins: whatever is being said ends. What the provider should know before is told now. */
  starts(): void
  /** Speech has ended: the provider answers it. */
  asks(): void
  overflows(): void
}

export class Listening {
  readonly #needs: ListeningNeeds
  readonly #hearing: Hearing
  readonly #noticing: Noticing
  readonly #transcript: Transcript

  constructor(needs: ListeningNeeds) {
    this.#needs = needs
    const { clock, detection, send } = needs
    this.#transcript = new Transcript(needs.emit)
    this.#hearing = new Hearing(clock, detection, {
      audio: (pcm) => {
        if (pcm.length > 0) send(commands.audio(pcm))
      },
      starts: (itemId, atMs) => {
        this.#starts({ itemId, atMs, source: 'local' })
        send(JSON.stringify(commands.activityStart))
      },
      stops: (itemId, atMs, silenceMs) => {
        send(JSON.stringify(commands.activityEnd))
        this.#stops({ itemId, atMs, silenceMs, source: 'local' })
      },
      paused: () => send(JSON.stringify(commands.audioStreamEnd)),
      overflows: () => needs.on.overflows(),
    })
    this.#noticing = new Noticing({
      starts: (speech) => this.#starts(speech),
      stops: (speech) => this.#stops(speech),
      heard: () => this.#hearing,
    })
  }

  get speaking(): boolean {
    return this.#hearing.speaking || this.#noticing.speaking
  }

  get detection(): Detection {
    return this.#hearing.detection
  }

  set detection(detection: Detection) {
    this.#hearing.detection = detection
  }

  tune(tuning: VadTuning): void {
    this.#hearing.tune(tuning)
  }

  get #isTheirs(): boolean {
    return this.#hearing.detection === 'semantic_vad'
  }

  #starts({ itemId, atMs, source }: { itemId: string; atMs: number; source: Source }): void {
    const interrupts = this.#needs.answering()
    this.#needs.emit({ type: 'userSpeech', source, phase: 'start', itemId, atMs, interrupts })
    this.#transcript.begins(itemId)
    this.#needs.on.starts()
  }

  #stops({ itemId, atMs, source, silenceMs }: Noticed & { readonly silenceMs?: number }): void {
    this.#needs.emit({ type: 'userSpeech', source, phase: 'stop', itemId, atMs, silenceMs, interrupts: false })
    this.#needs.emit({ type: 'userItem', source, itemId, spoken: true })
    this.#transcript.ends()
    this.#needs.on.asks()
  }

  push(pcm: Buffer): void {
    this.#hearing.push(pcm)
  }

  /** Speech that was kept is sent now. */
  sent(itemId: string): void {
    this.#transcript.begins(itemId)
    this.#transcript.ends()
  }

  commit(): Turn | 'ended' | undefined {
    return this.#hearing.commit()
  }

  clear(): boolean {
    return this.#hearing.clear()
  }

  // From the provider

  /** `quiet`: nothing is being answered. Words that come later belong to speech that has ended. */
  words(words: { readonly text: string; readonly finished: boolean }, quiet: boolean): void {
    if (this.#isTheirs && quiet && words.text.trim() !== '') this.#noticing.spoke()
    this.#transcript.words(words)
  }

  activity(type: string | undefined, audioOffset: string | undefined): void {
    if (this.#isTheirs) this.#noticing.activity(type, audioOffset)
  }

  interrupted(): void {
    if (this.#isTheirs) this.#noticing.spoke()
  }

  speechOver(): void {
    this.#noticing.answered()
  }

  turnOver(answered: boolean): void {
    this.#transcript.turnOver(answered)
  }

  stop(): void {
    this.#hearing.stop()
  }
}
