// One answer after the other, and one for each need. Answers we ask for while one is under way wait for its end here instead of
// being refused and lost; of speech that ended meanwhile, one answer serves all.

import { answerEventId, type WireEvent } from './commands.ts'

/** A session has one closing sentence, one greeting and a few tool results in the air, never more. */
const waitingLimit = 8

/** Errors that are never about an answer that was asked for: they must not release the next one. */
export const cannotBeAnswer: ReadonlySet<string> = new Set([
  ...['response_cancel_not_active', 'input_audio_buffer_commit_empty', 'item_not_found', 'item_create_duplicate_id'],
  ...['item_truncate_invalid_item_id', 'unsupported_content_type'],
])

interface Need {
  readonly create: WireEvent & { readonly event_id: string }
  /** The person said something: any answer that begins after it is one to it. */
  readonly isSpeech: boolean
  /** Answers that had begun when it arose. */
  readonly begun: number
}

export class Turns {
  #waiting: Need[] = []
  /** Sent, and neither begun nor refused yet. */
  #sent: Need | undefined
  /** All that were sent: a refusal may come after another answer began. */
  readonly #flying = new Map<string, Need>()
  #count = 0
  #begun = 0

  /** An answer was asked for and has neither begun nor been refused. */
  get isAsking(): boolean {
    return this.#sent !== undefined
  }

  /** Returns the frame to send now, or undefined when it waits; false when too many wait. */
  ask(create: WireEvent, answering: boolean, isSpeech = false): WireEvent | undefined | false {
    if (isSpeech && this.#waiting.some((need) => need.isSpeech)) return undefined
    if (this.#waiting.length >= waitingLimit) return false
    const frame = { ...create, event_id: answerEventId(++this.#count) }
    this.#waiting.push({ create: frame, isSpeech, begun: this.#begun })
    return this.next(answering)
  }

  /** An answer began: ours, or one the server made for the person's speech. */
  started(): void {
    this.#begun++
    this.#sent = undefined
  }

  /** The server was answering already: our request, if it was ours, comes back for the next gap, unless it is served. */
  refused(eventId: string | undefined): void {
    const need = eventId === undefined ? this.#sent : this.#flying.get(eventId)
    if (need === undefined) return
    if (this.#sent === need) this.#sent = undefined
    this.#flying.delete(need.create.event_id)
    // A server that answers speech by itself, although it was asked not to, has served it.
    if (need.isSpeech && this.#begun > need.begun) return
    this.#waiting.unshift(need)
  }

  /** The request failed for another reason: the next one need not wait for it. */
  failed(eventId: string | undefined): void {
    if (eventId === undefined || eventId === this.#sent?.create.event_id) this.#sent = undefined
  }

  /** What to send once nothing is under way any more. */
  next(answering: boolean): WireEvent | undefined {
    if (answering || this.#sent !== undefined) return undefined
    const need = this.#waiting.shift()
    if (need === undefined) return undefined
    this.#sent = need
    this.#flying.set(need.create.event_id, need)
    const [oldest] = this.#flying.keys()
    if (this.#flying.size > waitingLimit && oldest !== undefined) this.#flying.delete(oldest)
    return need.create
  }

  clear(): void {
    this.#waiting = []
  }
}
