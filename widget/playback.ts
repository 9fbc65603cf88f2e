// The panel's ledger of what was played: which items are with the player, how far each got, what to tell the gateway.

import { type ParleyPlayed, sampleRateHz } from '../gateway/protocol/realtime.ts'
import type { PlayoutEvent, Position } from './playout.ts'

/** Between reports of a position; the gateway falls back on the last one when a page dies. */
const reportMs = 500
const samplesPerMs = sampleRateHz / 1000

export interface PlaybackTime {
  readonly nowMs: number
  /** From leaving the queue to the loudspeaker. */
  readonly latencyMs: number
}

export class Playback {
  readonly #report: (event: ParleyPlayed) => void
  readonly #samples = new Map<string, number>()
  /** Items with the player whose end has not come. */
  readonly #open = new Set<string>()
  /** Items cut short: what still arrives for them is not played. */
  readonly #cut = new Set<string>()
  /** Cut items whose last position the player has not told yet. */
  readonly #pending = new Set<string>()
  #reportedAtMs = 0

  constructor(report: (event: ParleyPlayed) => void) {
    this.#report = report
  }

  get open(): readonly string[] {
    return [...this.#open]
  }

  /** Milliseconds of an item that left the queue. */
  playedMs(itemId: string): number {
    return (this.#samples.get(itemId) ?? 0) / samplesPerMs
  }

  /** False for audio of an item that was cut. */
  accept(itemId: string): boolean {
    if (this.#cut.has(itemId)) return false
    this.#open.add(itemId)
    return true
  }

  /** Everything with the player is being flushed. */
  cut(): void {
    for (const itemId of this.#open) {
      this.#cut.add(itemId)
      this.#pending.add(itemId)
    }
    this.#open.clear()
  }

  /** The gateway wants the last position of an item; one that the player has is reported when it is flushed. */
  asked(itemId: string): void {
    if (!this.#open.has(itemId) && !this.#pending.has(itemId)) this.#tell(itemId, this.playedMs(itemId), true)
    this.#cut.add(itemId)
  }

  /** The player did not answer in time (a suspended page): its last word counts. */
  giveUp(latencyMs: number): void {
    for (const itemId of this.#pending) this.#tell(itemId, this.playedMs(itemId) - latencyMs, true)
    this.#pending.clear()
  }

  event(event: PlayoutEvent, time: PlaybackTime): void {
    switch (event.is) {
      case 'started':
      case 'at':
        this.#note(event)
        if (time.nowMs - this.#reportedAtMs < reportMs) return
        this.#reportedAtMs = time.nowMs
        this.#tell(event.itemId, this.playedMs(event.itemId) - time.latencyMs, false)
        return
      case 'ended':
        this.#note(event)
        this.#open.delete(event.itemId)
        this.#pending.delete(event.itemId)
        this.#tell(event.itemId, this.playedMs(event.itemId), true)
        return
      case 'flushed':
        for (const item of event.items) {
          this.#note(item)
          this.#pending.delete(item.itemId)
          this.#tell(item.itemId, this.playedMs(item.itemId) - time.latencyMs, true)
        }
        return
      case 'gap':
      case 'quiet':
    }
  }

  #note({ itemId, samples }: Position): void {
    this.#samples.set(itemId, Math.max(samples, this.#samples.get(itemId) ?? 0))
  }

  #tell(itemId: string, playedMs: number, final: boolean): void {
    this.#report({ type: 'parley.played', item_id: itemId, played_ms: Math.max(0, playedMs), final })
  }
}
