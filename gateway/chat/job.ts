// One inbound message in the hands of one owner: what is known of it, kept in the store before the next thing depends on it.

import type { Inbound } from './inbound.ts'
import type { InboundStore, Work } from './inbound-store.ts'
import type { ChatEvent } from './message.ts'
import type { Trace } from './trace.ts'

/** Another process owns the message now: nothing more may be written here. */
export class Lost extends Error {
  constructor(id: string) {
    super(`the message ${id} has another owner`)
    this.name = 'Lost'
  }
}

export class Job {
  readonly trace: Trace
  readonly on: (event: ChatEvent) => void
  /** Of the models that were chosen and of messages passed on: told with the run, kept in memory only. */
  readonly notes: { readonly name: string; readonly outcome: string }[] = []
  readonly #store: Pick<InboundStore, 'save' | 'end' | 'postpone'>
  #inbound: Inbound

  constructor(inbound: Inbound, deps: { store: InboundStore; trace: Trace; on: (event: ChatEvent) => void }) {
    this.#inbound = inbound
    this.#store = deps.store
    this.trace = deps.trace
    this.on = deps.on
  }

  note(name: string, outcome: string): void {
    this.notes.push({ name, outcome: outcome.slice(0, 200) })
  }

  get inbound(): Inbound {
    return this.#inbound
  }

  /** Stored with the next thing that is: found out again where that never happens. */
  learn(more: Pick<Inbound, 'contactId' | 'seq' | 'charged'>): void {
    this.#inbound = { ...this.#inbound, ...more }
  }

  /** Throws Lost. */
  async save(more: Partial<Work> & Pick<Inbound, 'conversationId'>): Promise<void> {
    const { conversationId, ...work } = more
    this.#inbound = { ...this.#inbound, ...work, ...(conversationId === undefined ? {} : { conversationId }) }
    if (!(await this.#store.save(this.#inbound, this.#work(), conversationId))) throw new Lost(this.#inbound.id)
  }

  async end(state: 'done' | 'failed', more: Partial<Work>): Promise<void> {
    this.#inbound = { ...this.#inbound, ...more, state }
    if (!(await this.#store.end(this.#inbound, this.#work(), state))) throw new Lost(this.#inbound.id)
  }

  /** `isGivenBack`: the next owner needs a reservation of its own. */
  async postpone(notBefore: Date, isGivenBack: boolean): Promise<void> {
    const { reservation, ...rest } = this.#inbound
    const round = rest.round + (isGivenBack ? 1 : 0)
    this.#inbound = { ...rest, round, ...(isGivenBack || reservation === undefined ? {} : { reservation }) }
    if (!(await this.#store.postpone(this.#inbound, this.#work(), { round, notBefore }))) throw new Lost(rest.id)
  }

  #work(): Work {
    const { contactId, seq, reservation, delegations, progress, answer, charged, reply, failure } = this.#inbound
    return {
      steps: this.trace.steps,
      ...(contactId === undefined ? {} : { contactId }),
      ...(seq === undefined ? {} : { seq }),
      ...(reservation === undefined ? {} : { reservation }),
      ...(delegations === undefined ? {} : { delegations }),
      ...(progress === undefined ? {} : { progress }),
      ...(answer === undefined ? {} : { answer }),
      ...(charged === undefined ? {} : { charged }),
      ...(reply === undefined ? {} : { reply }),
      ...(failure === undefined ? {} : { failure }),
    }
  }
}
