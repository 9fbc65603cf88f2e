// Texts that are put into a running session: within the provider's limit, and followed until it says that they are there.
// Some deployments do not name the command an acknowledgement is for: then the oldest of its kind is meant.

import { type AppendKind, append, appendTokens, type WireEvent } from './commands.ts'
import { piecesOf } from './tokens.ts'

/** `ok`: in the session's timeline. Neither understood nor said yet. */
type Outcome = { readonly ok: true } | { readonly ok: false; readonly code: string; readonly message: string }

interface Sent {
  readonly kind: AppendKind
  /** The control was lost after it was sent. */
  isDoubtful: boolean
  readonly follow: (outcome: Outcome) => void
}

export class Appends {
  readonly #send: (event: WireEvent) => boolean
  readonly #sent = new Map<string, Sent>()
  #count = 0

  constructor(send: (event: WireEvent) => boolean) {
    this.#send = send
  }

  /** `follow` is told after the last piece, or the first that was refused. False: not even sent. */
  add(kind: AppendKind, text: string, delegationId: string | null = null, follow: Sent['follow'] = () => {}): boolean {
    const pieces = piecesOf(text, appendTokens)
    let over = false
    return pieces.every((content, i) => {
      const eventId = `event_parley_${kind}_${++this.#count}`
      const isLast = i === pieces.length - 1
      this.#sent.set(eventId, {
        kind,
        isDoubtful: false,
        follow: (outcome) => {
          if (over || (outcome.ok && !isLast)) return
          over = true
          follow(outcome)
        },
      })
      if (this.#send(append(kind, content, { eventId, delegationId }))) return true
      this.#sent.delete(eventId)
      return false
    })
  }

  appended(kind: AppendKind, eventId: string | undefined): void {
    const found = eventId ?? [...this.#sent].find(([, sent]) => sent.kind === kind)?.[0] ?? ''
    const sent = this.#sent.get(found)
    this.#sent.delete(found)
    sent?.follow({ ok: true })
  }

  /** What is under way now may not arrive; once the gap is over, whatever was to be heard of it has been. */
  gap(isOver: boolean): void {
    if (!isOver) for (const sent of this.#sent.values()) sent.isDoubtful = true
    else this.#giveUp()
  }

  #giveUp(): void {
    for (const [id, sent] of [...this.#sent]) {
      if (!sent.isDoubtful) continue
      this.#sent.delete(id)
      sent.follow({ ok: false, code: 'control_gap', message: 'The control was lost while it was told.' })
    }
  }

  /** True when the error was about one of them. */
  refused(eventId: string | undefined, code: string, message: string): boolean {
    const sent = this.#sent.get(eventId ?? '')
    if (sent === undefined) return false
    this.#sent.delete(eventId ?? '')
    sent.follow({ ok: false, code, message })
    return true
  }
}
