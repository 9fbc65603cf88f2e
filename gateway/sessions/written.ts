// What the person wrote, or sent from a visual: each item once, however often it is told.

import type { CommandAnswer } from '../engines/engines.ts'
import type { Raw, Submit } from './leg.ts'
import type { SessionOptions, SessionParts } from './session-parts.ts'
import type { Activity, Talk } from './talk.ts'

export interface WrittenOptions {
  readonly parts: Pick<SessionParts, 'recorder' | 'leg' | 'engine' | 'toolbox' | 'submits'>
  readonly talk: Pick<Talk, 'interrupt' | 'wrote'>
  readonly options: Pick<SessionOptions, 'knownItems' | 'unansweredItem'>
  readonly onActivity: (activity: Activity) => void
  readonly isOver: () => boolean
}

export class Written {
  readonly #options: WrittenOptions

  constructor(options: WrittenOptions) {
    this.#options = options
  }

  say(itemId: string, text: string): void {
    if (this.#isKnown(itemId)) return
    this.text(itemId, text)
    this.#options.parts.engine.send({ type: 'respond' })
  }

  submit(submit: Submit): void {
    const { parts, isOver } = this.#options
    const { itemId } = submit
    if (this.#isKnown(itemId)) return
    void parts.submits
      .take(submit, () => this.#begins())
      .then((sent) => {
        if (sent === undefined || isOver()) return
        this.#stands(itemId, sent.text, { text: sent.forModel })
        parts.engine.send({ type: 'respond' })
      })
  }

  text(itemId: string, text: string, raw?: Raw): CommandAnswer {
    const { parts, options } = this.#options
    // Whose item it is, its words stay: a client would rewrite what was said.
    if (parts.recorder.find(itemId) !== undefined || options.knownItems.has(itemId))
      return { is: 'rejected', reason: 'item_exists' }
    this.#begins()
    return this.#stands(itemId, text, { text, ...(raw === undefined ? {} : { raw }) })
  }

  /** A client says again what may have been lost: what is stored is told so. */
  #isKnown(itemId: string): boolean {
    const { parts, options } = this.#options
    const { recorder, leg, engine } = parts
    if (!recorder.isStored(itemId) && !options.knownItems.has(itemId)) return recorder.find(itemId) !== undefined
    leg.committed([itemId])
    // Asked of a session that ended before it could answer.
    if (itemId === options.unansweredItem && recorder.count === 0) engine.send({ type: 'goOn', after: '' })
    return true
  }

  #begins(): void {
    const { parts, talk, onActivity } = this.#options
    onActivity('thinking')
    parts.toolbox.newTurn()
    // Elsewhere a typed message says nothing about the player: the protocol has cancel, clear and truncate for that.
    if (!parts.leg.isStock) talk.interrupt()
  }

  /** `text` is what the transcript has, the command's what the model reads. */
  #stands(itemId: string, text: string, command: { readonly text: string; readonly raw?: Raw }): CommandAnswer {
    const { parts, talk, onActivity } = this.#options
    talk.wrote(itemId, text)
    const answer = parts.engine.send({ type: 'userText', itemId, ...command })
    if ('reason' in answer) parts.recorder.change(itemId, { state: 'failed' })
    onActivity('listening')
    return answer
  }
}
