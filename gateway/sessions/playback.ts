// What of the agent's audio was sent to the leg and what its player reported. Per item, in milliseconds of audio.
// A report is never believed beyond what was sent.

import type { TextSpan } from '../platform/heard.ts'

interface Item {
  text: string
  spans: TextSpan[]
  sentMs: number
  playedMs: number
  /** The leg's player said this item will not be played further. */
  reportedFinal: boolean
  audioDone: boolean
  firstSentAtMs: number
}

export interface Heard {
  readonly itemId: string
  readonly text: string
  readonly spans: readonly TextSpan[]
  readonly sentMs: number
  readonly playedMs: number
  readonly audioDone: boolean
}

export class Playback {
  readonly #items = new Map<string, Item>()

  #item(itemId: string): Item {
    let item = this.#items.get(itemId)
    if (item === undefined) {
      item = { text: '', spans: [], sentMs: 0, playedMs: 0, reportedFinal: false, audioDone: false, firstSentAtMs: 0 }
      this.#items.set(itemId, item)
    }
    return item
  }

  /** An item of the owner before, complete. */
  restore(itemId: string, text: string, { sentMs, playedMs }: { sentMs: number; playedMs: number }): void {
    Object.assign(this.#item(itemId), { text, sentMs, playedMs, audioDone: true })
  }

  /** Spoken text of an item arrived: anchored to the audio sent so far. */
  text(itemId: string, delta: string): void {
    const item = this.#item(itemId)
    if (item.sentMs > 0) item.spans.push({ textEnd: item.text.length, audioMs: item.sentMs })
    item.text += delta
  }

  sent(itemId: string, ms: number, nowMs: number): void {
    const item = this.#item(itemId)
    if (item.sentMs === 0) item.firstSentAtMs = nowMs
    item.sentMs += ms
  }

  audioDone(itemId: string): void {
    this.#item(itemId).audioDone = true
  }

  /** The player's own report. Positions only grow and never pass what was sent. */
  played(itemId: string, playedMs: number, final: boolean): void {
    const item = this.#items.get(itemId)
    if (item === undefined || !Number.isFinite(playedMs)) return
    item.playedMs = Math.max(item.playedMs, Math.min(playedMs, item.sentMs))
    if (final) item.reportedFinal = true
  }

  /** For a leg without a player of ours: what real time allows to have been played since the first audio. */
  inferPlayed(nowMs: number): void {
    for (const item of this.#items.values()) {
      if (item.sentMs > 0 && !item.reportedFinal) {
        item.playedMs = Math.max(item.playedMs, Math.min(item.sentMs, nowMs - item.firstSentAtMs))
      }
    }
  }

  /** Items with audio that is sent or still coming, but not yet played: the ones a barge-in cuts. */
  unfinished(): readonly string[] {
    return [...this.#items]
      .filter(([, item]) => item.sentMs > 0 && !(item.audioDone && item.playedMs >= item.sentMs))
      .map(([itemId]) => itemId)
  }

  heard(itemId: string): Heard | undefined {
    const item = this.#items.get(itemId)
    if (item === undefined) return undefined
    const { text, spans, sentMs, playedMs, audioDone } = item
    return { itemId, text, spans, sentMs, playedMs, audioDone }
  }

  /** True once the player said that it is through with the item. */
  isFinal(itemId: string): boolean {
    return this.#items.get(itemId)?.reportedFinal ?? false
  }

  sentMs(itemId: string): number {
    return this.#items.get(itemId)?.sentMs ?? 0
  }
}
