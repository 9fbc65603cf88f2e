// The playback ledger of a mouth: of each item what was received, what was sent, and what of it was heard by now.

import { samplesPerMs } from './sink.ts'

interface Item {
  readonly responseId: string
  received: number
  sent: number
  lastSentMs: number
  /** Nothing more comes for it. */
  complete: boolean
  toldMs: number
}

export interface Report {
  readonly itemId: string
  readonly ms: number
  readonly final: boolean
}

/** Samples inside, milliseconds outside. An item is forgotten once its last word is told. */
export class Spoken {
  readonly #items = new Map<string, Item>()

  received(itemId: string, responseId: string, samples: number): void {
    const item = this.#items.get(itemId)
    if (item !== undefined) item.received += samples
    else
      this.#items.set(itemId, {
        responseId,
        received: samples,
        sent: 0,
        lastSentMs: 0,
        complete: false,
        toldMs: 0,
      })
  }

  sent(itemId: string, samples: number, nowMs: number): void {
    const item = this.#items.get(itemId)
    if (item === undefined) return
    item.sent += samples
    item.lastSentMs = nowMs
  }

  complete(itemId: string): void {
    const item = this.#items.get(itemId)
    if (item !== undefined) item.complete = true
  }

  /** Nothing more comes for any item of the answer. */
  completeAll(responseId: string): void {
    for (const item of this.#items.values()) if (item.responseId === responseId) item.complete = true
  }

  isComplete(itemId: string): boolean {
    return this.#items.get(itemId)?.complete ?? true
  }

  /** Sent, less what is still on its way to the ear; whole milliseconds. */
  heardMs(itemId: string, nowMs: number, delayMs: number): number {
    const item = this.#items.get(itemId)
    if (item === undefined || item.sent === 0) return 0
    const sentMs = item.sent / samplesPerMs
    return Math.floor(Math.max(0, Math.min(sentMs, sentMs - delayMs + (nowMs - item.lastSentMs))))
  }

  /** True while something of the answer is not yet told to its end. */
  plays(responseId: string): boolean {
    return [...this.#items.values()].some((item) => item.responseId === responseId)
  }

  /** What is new since the last time; an item that was heard to its end is told of once more and forgotten. */
  reports(nowMs: number, delayMs: number): Report[] {
    const reports: Report[] = []
    for (const [itemId, item] of this.#items) {
      const ms = this.heardMs(itemId, nowMs, delayMs)
      const over = item.complete && item.sent >= item.received && nowMs - item.lastSentMs >= delayMs
      if (over) {
        this.#items.delete(itemId)
        // Rounded up: the sum of its parts in milliseconds may be a hair more than the whole.
        reports.push({ itemId, ms: Math.ceil(item.sent / samplesPerMs), final: true })
      } else if (ms > item.toldMs) {
        item.toldMs = ms
        reports.push({ itemId, ms, final: false })
      }
    }
    return reports
  }

  /** The item is cut: its last word. `unplayed`: samples that were sent and taken back. */
  cut(itemId: string, nowMs: number, { delayMs, unplayed }: { delayMs: number; unplayed: number }): Report | undefined {
    const item = this.#items.get(itemId)
    if (item === undefined) return undefined
    item.sent = Math.max(0, item.sent - unplayed)
    const ms = Math.max(item.toldMs, this.heardMs(itemId, nowMs, delayMs))
    this.#items.delete(itemId)
    return { itemId, ms: Math.min(ms, Math.floor(item.sent / samplesPerMs)), final: true }
  }

  responseOf(itemId: string): string | undefined {
    return this.#items.get(itemId)?.responseId
  }
}
