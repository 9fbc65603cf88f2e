// What the person says, as events of the port, whoever notices it: our own detector or the provider's.

import type { Clock } from '../../platform/clock.ts'
import type { EngineBrief, EngineCommand, EngineEvent } from '../engines.ts'
import type { VadTuning } from '../sound/vad.ts'
import * as commands from './commands.ts'
import { Gates } from './gates.ts'
import { type Detection, Hearing, type Turn } from './hearing.ts'
import { type Noticed, Noticing } from './noticing.ts'
import { Transcript } from './transcript.ts'

export interface ListeningNeeds {
  readonly clock: Clock
  readonly detection: Detection
  readonly interruptions: EngineBrief['interruptions']
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
  readonly #gates: Gates
  readonly #transcript: Transcript

  constructor(needs: ListeningNeeds) {
    this.#needs = needs
    const { clock, detection, send } = needs
    this.#gates = new Gates(needs.interruptions, () => needs.on.overflows())
    this.#transcript = new Transcript(needs.emit)
    this.#hearing = new Hearing(clock, detection, {
      audio: (pcm) => {
        if (pcm.length > 0) this.#gates.pass(() => send(commands.audio(pcm)), pcm.length)
      },
      starts: (itemId, atMs) => this.#noticed(itemId, atMs),
      stops: (itemId, atMs, silenceMs) => this.#over({ itemId, atMs, silenceMs, source: 'local' }),
      paused: () => send(JSON.stringify(commands.audioStreamEnd)),
      overflows: () => needs.on.overflows(),
    })
    this.#noticing = new Noticing({
      starts: (speech) => this.#starts(speech),
      stops: (speech) => this.#stops(speech),
      heard: () => this.#hearing,
    })
  }

  #noticed(itemId: string, atMs: number): void {
    this.#tellStart({ itemId, atMs, source: 'local' })
    this.#gates.begin(itemId)
    this.#gates.pass(() => {
      this.#begins(itemId)
      this.#needs.send(JSON.stringify(commands.activityStart))
    })
  }

  #over(speech: Noticed & { readonly silenceMs: number }): void {
    const { itemId } = speech
    this.#gates.pass(() => this.#needs.send(JSON.stringify(commands.activityEnd)))
    this.#tellStop(speech)
    this.#gates.pass(() => this.#ends())
    // What is kept back is not put into words; without them it is judged by its length.
    const isKept = !this.#gates.isJudged
    this.#gates.end()
    if (isKept) this.#needs.emit({ type: 'userText', source: 'local', itemId, failed: 'not_transcribed' })
  }

  judged({ type, itemId }: Extract<EngineCommand, { type: 'interrupt' | 'ignore' }>): void {
    this.#gates.verdicts.tell(itemId, type === 'interrupt')
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

  #starts(speech: Noticed): void {
    this.#tellStart(speech)
    this.#begins(speech.itemId)
  }

  /** The provider's own detector has stopped its answer already. */
  #tellStart({ itemId, atMs, source }: Noticed): void {
    const interrupts = this.#needs.answering() && (this.#isTheirs || !this.#gates.verdicts.isTold)
    this.#needs.emit({ type: 'userSpeech', source, phase: 'start', itemId, atMs, interrupts })
  }

  #begins(itemId: string): void {
    this.#transcript.begins(itemId)
    this.#needs.on.starts()
  }

  #stops(speech: Noticed): void {
    this.#tellStop(speech)
    this.#ends()
  }

  #tellStop({ itemId, atMs, source, silenceMs }: Noticed & { readonly silenceMs?: number }): void {
    this.#needs.emit({ type: 'userSpeech', source, phase: 'stop', itemId, atMs, silenceMs, interrupts: false })
    this.#needs.emit({ type: 'userItem', source, itemId, spoken: true })
  }

  #ends(): void {
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
