// One answer as it comes: its one item, its words, and where in the sound they stand.

import { newId } from '../../platform/ids.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import type { EngineEvent, Source } from '../engines.ts'

type Status = Extract<EngineEvent, { type: 'responseDone' }>['status']

export interface End {
  readonly status: Status
  readonly reason?: string
  readonly source: Source
}

export interface Beginning {
  /** The answer is for ears. */
  readonly isSpoken: boolean
  readonly raw?: Readonly<Record<string, unknown>>
}

export class Said {
  readonly responseId = newId('resp')
  readonly itemId = newId('item')
  readonly #spoken: boolean
  readonly #emit: (event: EngineEvent) => void
  #words = ''
  #spans: { readonly text: string; readonly atMs: number }[] = []
  #producedMs = 0
  #begun = false
  #audioOpen = false
  #cut = false

  /** The provider does not say that an answer begins: its first content does. */
  constructor({ isSpoken, ...asked }: Beginning, emit: (event: EngineEvent) => void) {
    this.#spoken = isSpoken
    this.#emit = emit
    emit({ type: 'responseStarted', source: 'inferred', responseId: this.responseId, ...asked })
  }

  /** Sound arrived, whether it was wanted or not. */
  get producedMs(): number {
    return this.#producedMs
  }

  get isCut(): boolean {
    return this.#cut
  }

  words(delta: string): void {
    const text = this.#words === '' ? delta.trimStart() : delta
    if (text === '' || this.#cut) return
    this.#begins()
    this.#words += text
    this.#spans.push({ text, atMs: this.#producedMs })
    this.#emit({ type: 'agentText', source: 'provider', ...this.#ids, spoken: this.#spoken, delta: text })
  }

  audio(pcm: Buffer): void {
    if (this.#cut) return
    this.#begins()
    const ms = pcm.length / bytesPerMs
    this.#producedMs += ms
    if (!this.#spoken) return
    this.#audioOpen = true
    this.#emit({ type: 'audio', source: 'provider', ...this.#ids, pcm, ms })
  }

  audioEnds(source: Source): void {
    if (!this.#audioOpen) return
    this.#audioOpen = false
    this.#emit({ type: 'audioDone', source, ...this.#ids })
  }

  ends({ status, reason, source }: End): void {
    this.audioEnds(source)
    if (this.#begun) {
      const final = this.#words
      this.#emit({ type: 'agentText', source, ...this.#ids, spoken: this.#spoken, final })
    }
    const { responseId } = this
    this.#emit({ type: 'responseDone', source, responseId, status, ...(reason === undefined ? {} : { reason }) })
  }

  /** From now on nothing of the item is passed on: what is in flight was never heard. */
  cutOff(): void {
    this.#cut = true
  }

  /** The words that stand before this point of the sound, as well as their arrival tells. */
  heardBy(ms: number): string {
    const spans = this.#spans.filter(({ atMs }) => atMs < ms)
    return spans
      .map(({ text }) => text)
      .join('')
      .trim()
  }

  get #ids(): { readonly responseId: string; readonly itemId: string } {
    return { responseId: this.responseId, itemId: this.itemId }
  }

  #begins(): void {
    if (this.#begun) return
    this.#begun = true
    this.#emit({ type: 'agentItem', source: 'inferred', ...this.#ids })
  }
}
