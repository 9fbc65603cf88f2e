// Speech as the provider's own detector notices it. Some models say when it begins and ends (`voiceActivity`); of the others
// it is concluded: from words of the person, from an answer that was interrupted, from the answer that follows.

import { newId } from '../../platform/ids.ts'
import type { Source } from '../engines.ts'
import { durationMs } from './events.ts'

export interface Noticed {
  readonly itemId: string
  readonly atMs: number
  readonly source: Source
}

export interface NoticingNeeds {
  starts(speech: Noticed): void
  stops(speech: Noticed): void
  /** Positions in the audio as we heard it. */
  readonly heard: () => { readonly startedMs: number; readonly streamMs: number }
}

export class Noticing {
  readonly #needs: NoticingNeeds
  #itemId: string | undefined

  constructor(needs: NoticingNeeds) {
    this.#needs = needs
  }

  get speaking(): boolean {
    return this.#itemId !== undefined
  }

  activity(type: string | undefined, audioOffset: string | undefined): void {
    const { startedMs, streamMs } = this.#needs.heard()
    const offsetMs = durationMs(audioOffset)
    if (type === 'ACTIVITY_START') this.#start(offsetMs ?? startedMs, 'provider')
    if (type === 'ACTIVITY_END') this.#stop(offsetMs ?? streamMs, 'provider')
  }

  /** Words, or an answer that was interrupted. */
  spoke(): void {
    this.#start(this.#needs.heard().startedMs, 'inferred')
  }

  /** An answer begins, or the turn is over. */
  answered(): void {
    this.#stop(this.#needs.heard().streamMs, 'inferred')
  }

  #start(atMs: number, source: Source): void {
    if (this.#itemId !== undefined) return
    this.#itemId = newId('item')
    this.#needs.starts({ itemId: this.#itemId, atMs, source })
  }

  #stop(atMs: number, source: Source): void {
    const itemId = this.#itemId
    if (itemId === undefined) return
    this.#itemId = undefined
    this.#needs.stops({ itemId, atMs, source })
  }
}
