// What the person says. The provider tells words with their times and nothing else: that somebody speaks is noticed here, in
// the same audio that it gets, whose length is the session's own time.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { EngineBrief, EngineCommand, EngineEvent } from '../engines.ts'
import { Vad } from '../sound/vad.ts'
import { Verdicts } from '../verdicts.ts'

/** The words of a stretch of speech are complete when none came for this long after its end. */
const settleMs = 700
/** No word at all: it was a cough. */
const wordlessMs = 2_500
/** Times of the words are approximate: this far outside of a stretch they still belong to it. */
const nearMs = 600
const remembered = 8

interface Stretch {
  readonly itemId: string
  readonly fromMs: number
  toMs: number | undefined
  text: string
  told: boolean
  timer: Timer | undefined
}

export interface HearingNeeds {
  readonly interruptions: EngineBrief['interruptions']
  readonly clock: Clock
  readonly emit: (event: EngineEvent) => void
  /** Whether the agent can be interrupted at this moment. */
  readonly speaking: () => boolean
  readonly began: () => void
  readonly ended: () => void
  /** The words of a stretch are known, or known better than before. */
  readonly understood: (itemId: string, text: string) => void
}

export class Hearing {
  readonly #needs: HearingNeeds
  /** The model hears everything and judges for itself what it says next; this is about what is still to be heard of it. */
  readonly #verdicts: Verdicts
  #vad = new Vad()
  #stretches: Stretch[] = []

  constructor(needs: HearingNeeds) {
    this.#needs = needs
    this.#verdicts = new Verdicts(needs.interruptions)
  }

  get listening(): boolean {
    return this.#vad.speaking
  }

  /** Somebody speaks, or their words are not complete. */
  get open(): boolean {
    return this.#vad.speaking || this.#stretches.some(({ timer }) => timer !== undefined)
  }

  judged({ type, itemId }: Extract<EngineCommand, { type: 'interrupt' | 'ignore' }>): void {
    this.#verdicts.tell(itemId, type === 'interrupt')
  }

  /** Exactly what the provider gets, in order. */
  push(pcm: Buffer): void {
    for (const { phase, atMs, speechMs, silenceMs } of this.#vad.push(pcm)) {
      if (phase === 'start') this.#starts(atMs)
      else this.#stops(atMs, speechMs, silenceMs)
    }
  }

  #starts(atMs: number): void {
    const itemId = newId('item')
    this.#remember({ itemId, fromMs: atMs, toMs: undefined, text: '', told: false, timer: undefined })
    const interrupts = this.#needs.speaking() && !this.#verdicts.isTold
    this.#needs.emit({ type: 'userSpeech', source: 'local', phase: 'start', itemId, atMs, interrupts })
    this.#verdicts.of(itemId, (isMeant) => isMeant && this.#needs.began())
  }

  #stops(atMs: number, speechMs: number, silenceMs?: number): void {
    const stretch = this.#stretches.findLast(({ toMs }) => toMs === undefined)
    if (stretch === undefined) return
    stretch.toMs = stretch.fromMs + speechMs + nearMs
    const { itemId } = stretch
    const { emit } = this.#needs
    emit({ type: 'userSpeech', source: 'local', phase: 'stop', itemId, atMs, silenceMs, interrupts: false })
    emit({ type: 'userItem', source: 'inferred', itemId, spoken: true })
    this.#verdicts.of(itemId, (isMeant) => isMeant && this.#needs.ended())
    this.#settle(stretch)
  }

  words({ delta, startMs, endMs }: { readonly delta: string; readonly startMs: number; readonly endMs: number }): void {
    if (delta === '') return
    const stretch = this.#stretchOf(startMs, endMs) ?? this.#unnoticed(startMs, endMs)
    stretch.text += delta
    this.#needs.emit({ type: 'userText', source: 'provider', itemId: stretch.itemId, delta })
    if (stretch.toMs !== undefined) this.#settle(stretch)
  }

  #stretchOf(startMs: number, endMs: number): Stretch | undefined {
    return this.#stretches.findLast(
      ({ fromMs, toMs }) => endMs >= fromMs - nearMs && (toMs === undefined || startMs <= toMs + nearMs),
    )
  }

  /** The model hears what is too soft for us. */
  #unnoticed(startMs: number, endMs: number): Stretch {
    const itemId = newId('item')
    const stretch: Stretch = { itemId, fromMs: startMs, toMs: endMs, text: '', told: false, timer: undefined }
    this.#remember(stretch)
    this.#needs.emit({ type: 'userItem', source: 'inferred', itemId, spoken: true })
    return stretch
  }

  #remember(stretch: Stretch): void {
    for (const old of this.#stretches.splice(0, Math.max(0, this.#stretches.length - remembered))) this.#tell(old)
    this.#stretches.push(stretch)
  }

  #settle(stretch: Stretch): void {
    stretch.timer?.cancel()
    const ms = stretch.text === '' ? wordlessMs : settleMs
    stretch.timer = this.#needs.clock.after(ms, () => this.#tell(stretch))
  }

  /** Words that come later are told again, with all before them. */
  #tell(stretch: Stretch): void {
    const { itemId, timer } = stretch
    const text = stretch.text.trim()
    timer?.cancel()
    stretch.timer = undefined
    if (stretch.told && text === '') return
    stretch.told = true
    const heardMs = Math.max(0, (stretch.toMs ?? stretch.fromMs) - stretch.fromMs - nearMs)
    this.#needs.understood(itemId, text)
    this.#needs.emit({ type: 'userText', source: 'inferred', itemId, final: text, heardMs })
  }

  /** Another session of the provider: its time begins at nought. What was said before is told as far as it is known. */
  restart(): void {
    const speaking = this.#vad.speaking ? this.#stretches.findLast(({ toMs }) => toMs === undefined) : undefined
    if (speaking !== undefined) this.#stops(speaking.fromMs, 0)
    for (const stretch of this.#stretches.splice(0))
      if (!stretch.told || stretch.timer !== undefined) this.#tell(stretch)
    this.#vad = new Vad()
  }

  close(): void {
    for (const { timer } of this.#stretches.splice(0)) timer?.cancel()
  }
}
