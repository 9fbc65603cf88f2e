// One answer after the other. What asks for an answer stops the one before it, as far as the provider is concerned: so it is
// sent when that one is over, and when nobody speaks.

import type { Clock, Timer } from '../../platform/clock.ts'
import type { Pending, Raw } from './pending.ts'
import type { Reader } from './reader.ts'

/** The provider takes an answer as playing for as long as it lasts; what is asked next need not wait for all of it. */
const longestSettleMs = 3_000
/** The model may choose not to answer speech, and says nothing then. */
const speechPatienceMs = 5_000

export interface AskingNeeds {
  readonly clock: Clock
  readonly reader: Reader
  readonly pending: Pending
  readonly ready: () => boolean
  readonly speaking: () => boolean
  readonly write: (frame: string) => void
  /** Speech that was kept goes out now. */
  readonly sent: (itemId: string) => void
  /** There is nothing to ask. */
  readonly idle: () => void
}

export class Asking {
  readonly #needs: AskingNeeds
  #patient = true
  #patience: Timer | undefined
  #settle: Timer | undefined
  /** The client's own, behind the answer that was asked for last. */
  #request: Raw | undefined

  constructor(needs: AskingNeeds) {
    this.#needs = needs
  }

  get #due(): boolean {
    return this.#needs.reader.expecting && this.#patient
  }

  get #isBusy(): boolean {
    const { reader, speaking } = this.#needs
    const settles = reader.settlingMs > 0 && reader.settlingMs <= longestSettleMs
    return reader.answering || this.#due || speaking() || settles
  }

  /** Nothing would be missed or said twice if the session moved now. */
  get quiet(): boolean {
    const { reader, pending, speaking, ready } = this.#needs
    return ready() && reader.idle && !this.#due && !speaking() && pending.empty && !pending.waitsForTool
  }

  takeRequest(): Raw | undefined {
    const request = this.#request
    this.#request = undefined
    return request
  }

  /** Something changed: it may be the moment. */
  next(): void {
    const { clock, reader, pending, ready, write, sent, idle } = this.#needs
    this.#settle?.cancel()
    if (!ready()) return
    if (this.#isBusy) {
      if (reader.settlingMs > 0) this.#settle = clock.after(longestSettleMs, () => this.next())
      return
    }
    const request = pending.next()
    if (request === undefined) {
      idle()
      return
    }
    this.#request = request.raw
    if (request.resumes) reader.resumes()
    if (request.spokenItemId !== undefined) sent(request.spokenItemId)
    for (const frame of request.frames) write(frame)
    this.#expect()
  }

  speechEnded(): void {
    this.#expect()
    this.#patience = this.#needs.clock.after(speechPatienceMs, () => {
      this.#patient = false
      this.next()
    })
  }

  #expect(): void {
    this.#needs.reader.expecting = true
    this.#patient = true
    this.#patience?.cancel()
  }

  stop(): void {
    this.#patience?.cancel()
    this.#settle?.cancel()
  }
}
