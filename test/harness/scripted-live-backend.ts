// The Responses backend of a scripted GPT-Live session: nested events, calls that wait for their outputs, and the rule
// that it goes on only when no call of the session is unanswered.

import { randomUUID } from 'node:crypto'
import type { LiveReply } from './scripted-live.ts'
import type { ClientEvent } from './scripted-live-wire.ts'

type Json = Readonly<Record<string, unknown>>

export interface BackendNeeds {
  readonly send: (event: Json & { readonly type: string }) => void
  readonly replyTo: (input: string) => LiveReply
  readonly say: (text: string) => void
  readonly refuse: (code: string, message: string, from?: string | null) => void
  readonly delegations: Set<string>
  readonly model: () => string
}

export class ScriptedBackend {
  readonly #needs: BackendNeeds
  readonly #open = new Set<string>()
  #inputs: string[] = []
  #delegation: string | undefined

  constructor(needs: BackendNeeds) {
    this.#needs = needs
  }

  delegated(input: string): void {
    this.#inputs = [input]
    this.#run(true)
  }

  apply(event: Extract<ClientEvent, { type: 'response.item.create' | 'response.create' }>): void {
    const { refuse } = this.#needs
    if (event.type === 'response.create') {
      if (this.#open.size > 0) refuse('invalid_request', 'Tool calls are waiting for their outputs.', event.event_id)
      else if (this.#inputs.length === 0) refuse('invalid_request', 'There is nothing to respond to.', event.event_id)
      else this.#run(this.#delegation === undefined)
      return
    }
    const { item } = event
    if (item.type === 'message') this.#inputs.push(item.content.map(({ text }) => text).join(' '))
    else if (this.#open.delete(item.call_id)) this.#inputs.push(item.output)
    else refuse('invalid_value', `No open call ${item.call_id}.`, event.event_id)
  }

  #run(fresh: boolean): void {
    const id = `resp_${randomUUID()}`
    const reply = this.#needs.replyTo(this.#inputs.join(' '))
    this.#inputs = []
    if (fresh) {
      this.#delegation = `dlg_${randomUUID()}`
      this.#needs.delegations.add(this.#delegation)
      const delegation = { id: this.#delegation, type: 'delegation', target: 'responses', response_id: id }
      this.#needs.send({ type: 'session.delegation.created', offset_ms: 0, delegation })
    }
    this.#nested({ type: 'response.created', response: this.#snapshot(id, 'in_progress') })
    for (const call of reply.calls ?? []) {
      const callId = call.callId ?? `call_${randomUUID()}`
      this.#open.add(callId)
      const item = { id: `fc_${randomUUID()}`, type: 'function_call', call_id: callId, name: call.name }
      this.#nested({ type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '' } })
      const finished = { ...item, status: 'completed', arguments: JSON.stringify(call.arguments) }
      this.#nested({ type: 'response.output_item.done', output_index: 0, item: finished })
    }
    const status = reply.status ?? 'completed'
    const { input, cached, output, reasoning = 0 } = reply.usage ?? { input: 300, cached: 128, output: 20 }
    const usage = {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input + output,
    }
    this.#nested({ type: `response.${status}`, response: { ...this.#snapshot(id, status), usage } })
    if (reply.calls !== undefined) return
    this.#delegation = undefined
    if (status === 'completed' && reply.say !== undefined) this.#needs.say(reply.say)
  }

  #snapshot(id: string, status: string): Json {
    return { id, object: 'response', model: this.#needs.model(), status, output: [], tools: [], instructions: null }
  }

  #nested(event: Json): void {
    this.#needs.send({ type: 'response.event', event, delegation_id: this.#delegation ?? null })
  }
}
