// A message that is being answered in this process, and all who listen to it here.

import type { ChatEvent, ChatReply } from './message.ts'

type Listener = (event: ChatEvent) => void

export class Running {
  readonly #listeners = new Set<Listener>()
  readonly #reply = Promise.withResolvers<ChatReply>()
  /** What a listener that comes late has missed. */
  #accepted: ChatEvent | undefined
  #said = ''
  /** What was asked, where a caller of this process asked it. */
  readonly text: string | undefined

  constructor(text?: string) {
    this.text = text
    // Nobody may be waiting.
    this.#reply.promise.catch(() => undefined)
  }

  readonly tell = (event: ChatEvent): void => {
    if (event.type === 'accepted') this.#accepted = event
    if (event.type === 'text') this.#said += event.delta
    for (const listener of this.#listeners) listener(event)
  }

  join(listener: Listener | undefined): Promise<ChatReply> {
    if (listener !== undefined) {
      if (this.#accepted !== undefined) listener(this.#accepted)
      if (this.#said !== '') listener({ type: 'text', delta: this.#said })
      this.#listeners.add(listener)
    }
    return this.#reply.promise
  }

  settle(outcome: Promise<ChatReply>): void {
    this.#reply.resolve(outcome)
  }
}
