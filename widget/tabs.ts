// Tabs of one browser that have the same session, because one was duplicated: the one that the person wants it in asks the
// other for its way back. Only on a click, or two tabs would take it from each other for ever.

import type { Kept } from './way-back.ts'

/** A tab that has it answers within a few milliseconds. */
const answerMs = 300

type Message = { readonly ask: string } | { readonly give: Kept }

export class Tabs {
  readonly #channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('parley.tabs') : undefined
  #onGive: (kept: Kept) => void = () => undefined

  /** `kept`: of the session this tab is connected to. */
  constructor(kept: () => Kept | undefined) {
    if (this.#channel === undefined) return
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      const mine = kept()
      if ('give' in data) this.#onGive(data.give)
      else if (mine?.sessionId === data.ask) this.#tell({ give: mine })
    }
  }

  #tell(message: Message): void {
    this.#channel?.postMessage(message)
  }

  /** The way back as the tab has it that is connected now. */
  async ask(sessionId: string): Promise<Kept | undefined> {
    return new Promise((resolve) => {
      setTimeout(resolve, answerMs, undefined)
      this.#onGive = (kept) => {
        if (kept.sessionId === sessionId) resolve(kept)
      }
      this.#tell({ ask: sessionId })
    })
  }
}
