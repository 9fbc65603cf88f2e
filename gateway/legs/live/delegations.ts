// Work behind the voice as the protocol tells of it. An engine's call of the delegate tool is a delegation to the client;
// calls of the client's functions, and tools that run here, are the work of a Responses backend.

import type { EngineEvent } from '../../engines/engines.ts'
import { newId } from '../../platform/ids.ts'
import type { Turn } from '../../protocol/turn.ts'
import type { LiveEvent } from './live-error.ts'
import type { Delegation } from './session-plan.ts'

export interface DelegationsNeeds {
  readonly delegation: Delegation
  readonly nowMs: () => number
  /** Wall time, seconds since epoch. */
  readonly seconds: () => number
  readonly tell: (event: LiveEvent) => void
  /** The engine called what nobody offered it: it waits for an answer. */
  readonly unknown: (callId: string) => void
}

type Call = Extract<EngineEvent, { type: 'toolCall' }>
type Done = Extract<EngineEvent, { type: 'responseDone' }>

/** A backend response under way. */
interface Nested {
  readonly delegationId: string
  readonly id: string
  items: number
  sequence: number
}

/** Of a session of hours; who answers later than that answers nobody. */
const kept = 256

export class Delegations {
  readonly #needs: DelegationsNeeds
  /** Delegations to the client: the call behind each, until it is answered. */
  readonly #calls = new Map<string, string | undefined>()
  /** Calls of the client's functions without an output. */
  readonly #unanswered = new Set<string>()
  /** Tools that run here, by call. */
  readonly #running = new Map<string, Nested>()
  #nested: Nested | undefined
  /** Of what the client's backend worked on last. */
  #lastId: string | undefined
  /** The client asked its backend to go on: the next answer is its response. */
  #isAsked = false

  constructor(needs: DelegationsNeeds) {
    this.#needs = needs
  }

  // From the engine

  called(call: Call): void {
    const { delegation } = this.#needs
    if (delegation.type === 'client') {
      if (call.name === delegation.tool.name) this.#delegated(call.callId)
      else this.#needs.unknown(call.callId)
      return
    }
    const nested = this.#nested ?? this.#respond()
    this.#nested = nested
    this.#lastId = nested.delegationId
    this.#unanswered.add(call.callId)
    const { itemId: id, callId: call_id, name, arguments: given } = call
    const item = { id, type: 'function_call', call_id, name }
    const output_index = nested.items++
    this.#inside(nested, {
      type: 'response.output_item.added',
      output_index,
      item: { ...item, arguments: '', status: 'in_progress' },
    })
    const done = { ...item, arguments: given, status: 'completed' }
    this.#inside(nested, { type: 'response.output_item.done', output_index, item: done })
  }

  responseStarted(): void {
    if (!this.#isAsked) return
    this.#isAsked = false
    this.#nested = this.#respond(this.#lastId)
    this.#lastId = this.#nested.delegationId
  }

  responseDone({ status, reason }: Done): void {
    const nested = this.#nested
    if (nested === undefined) return
    this.#nested = undefined
    this.#end(nested, status, reason)
  }

  /** A tool of the agent runs here. What it is called and told is the tenant's own. */
  ran({ tool }: Turn): void {
    if (this.#needs.delegation.type === 'client' || tool === undefined) return
    const nested = this.#running.get(tool.callId)
    if (tool.state === 'running' && nested === undefined) this.#running.set(tool.callId, this.#respond())
    else if (tool.state !== 'running' && nested !== undefined) {
      this.#running.delete(tool.callId)
      this.#end(nested, tool.state === 'ok' ? 'completed' : 'failed', 'tool_failed')
    }
  }

  // From the client

  has(delegationId: string): boolean {
    return this.#calls.has(delegationId)
  }

  /** The call that waits for this delegation's first result; there is one such. */
  take(delegationId: string): string | undefined {
    const callId = this.#calls.get(delegationId)
    if (callId !== undefined) this.#calls.set(delegationId, undefined)
    return callId
  }

  /** The engine did not take the result. */
  putBack(delegationId: string, callId: string): void {
    this.#calls.set(delegationId, callId)
  }

  answered(callId: string): void {
    this.#unanswered.delete(callId)
  }

  /** Calls of any delegation that wait for their output. */
  get unanswered(): number {
    return this.#unanswered.size
  }

  /** The backend was asked for a response. */
  asked(): void {
    this.#isAsked = true
  }

  #delegated(callId: string): void {
    this.#calls.set(this.#announce('client'), callId)
    const [oldest] = this.#calls.keys()
    if (this.#calls.size > kept && oldest !== undefined) this.#calls.delete(oldest)
  }

  // In the protocol's words

  #announce(target: 'client' | 'responses', responseId?: string): string {
    const id = newId('dlg')
    const { tell, nowMs } = this.#needs
    const response = responseId === undefined ? {} : { response_id: responseId }
    tell({
      type: 'session.delegation.created',
      offset_ms: nowMs(),
      delegation: { id, type: 'delegation', target, ...response },
    })
    return id
  }

  /** Goes on with that piece of work, or begins one. */
  #respond(before?: string): Nested {
    const id = newId('resp')
    const delegationId = before ?? this.#announce('responses', id)
    const nested: Nested = { delegationId, id, items: 0, sequence: 0 }
    this.#inside(nested, { type: 'response.created', response: this.#response(nested, 'in_progress') })
    return nested
  }

  #end(nested: Nested, status: Done['status'], reason: string | undefined): void {
    // A person who speaks does not stop work: what was said of it was cut, not what was done.
    const outcome = status === 'failed' || status === 'incomplete' ? status : 'completed'
    const details =
      outcome === 'failed'
        ? { error: { code: reason ?? 'failed', message: 'The work behind the voice failed.' } }
        : outcome === 'incomplete'
          ? { incomplete_details: { reason: reason ?? 'incomplete' } }
          : {}
    const response = { ...this.#response(nested, outcome), ...details }
    this.#inside(nested, { type: `response.${outcome}`, response })
  }

  /** Stripped as the original strips it; what the work cost is on the tenant's own bill. */
  #response({ id }: Nested, status: string): Readonly<Record<string, unknown>> {
    const { delegation, seconds } = this.#needs
    return {
      id,
      object: 'response',
      created_at: seconds(),
      status,
      model: delegation.type === 'responses' ? delegation.model : '',
      instructions: null,
      tools: [],
      output: [],
      error: null,
      incomplete_details: null,
      usage: null,
    }
  }

  #inside(nested: Nested, event: LiveEvent): void {
    const { type, ...rest } = event
    const whole = { type, sequence_number: nested.sequence++, ...rest }
    this.#needs.tell({ type: 'response.event', delegation_id: nested.delegationId, event: whole })
  }
}
