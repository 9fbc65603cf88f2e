// Answers of POST /v1/responses: one object, or the events of its making.

import type { ChatReply } from '../message.ts'
import type { ResponseBody } from './response-request.ts'
import type { Said } from './said.ts'

type Json = Readonly<Record<string, unknown>>

export interface ResponseFacts {
  readonly id: string
  readonly body: ResponseBody
  readonly createdSeconds: number
}

/** Items are named after their response, so that one can be found by the other. */
export function messageIdOf(responseId: string): string {
  return responseId.replace(/^resp_/, 'msg_')
}

function callItemId(responseId: string, index: number): string {
  return responseId.replace(/^resp_/, `fc_${index}_`)
}

/** Of an item that was stored: its response, and which of its parts. */
export function itemFacts(
  itemId: string,
): { readonly responseId: string; readonly call: number | undefined } | undefined {
  const [, kind, index, rest] = /^(msg|fc)_(?:(\d+)_)?([0-9a-z]+)$/.exec(itemId) ?? []
  if (kind === undefined || (kind === 'fc') !== (index !== undefined)) return undefined
  return { responseId: `resp_${rest}`, call: index === undefined ? undefined : Number(index) }
}

/** One part of an answer, as `input` of a later request has it. */
export function partOf(said: readonly Said[], call: number | undefined): Said | undefined {
  const answer = said.at(-1)
  if (answer?.is !== 'agent') return undefined
  if (call === undefined) return { ...answer, calls: [] }
  const one = answer.calls[call]
  return one === undefined ? undefined : { is: 'agent', text: '', calls: [one] }
}

function textPart(text: string): Json {
  return { type: 'output_text', text, annotations: [], logprobs: [] }
}

function messageItem(id: string, text: string | undefined, status: string): Json {
  const content = text === undefined ? [] : [textPart(text)]
  return { id: messageIdOf(id), type: 'message', status, role: 'assistant', content }
}

function callItem(id: string, { callId, name, arguments: args }: ChatReply['toolCalls'][number], index: number): Json {
  return {
    id: callItemId(id, index),
    type: 'function_call',
    status: 'completed',
    call_id: callId,
    name,
    arguments: args,
  }
}

function outputOf(id: string, reply: ChatReply): readonly Json[] {
  const status = isCut(reply) ? 'incomplete' : 'completed'
  const message = reply.text === '' && reply.toolCalls.length > 0 ? [] : [messageItem(id, reply.text, status)]
  return [...message, ...reply.toolCalls.map((call, i) => callItem(id, call, i))]
}

function isCut({ finish }: ChatReply): boolean {
  return finish === 'length' || finish === 'content_filter'
}

/** What the client asked for, and what never differs here. */
function echo({ id, body, createdSeconds }: ResponseFacts): Json {
  return {
    ...{ id, object: 'response', created_at: createdSeconds, background: false, error: null },
    ...{
      instructions: body.instructions ?? null,
      max_output_tokens: body.max_output_tokens ?? null,
      max_tool_calls: null,
    },
    ...{ model: body.model, parallel_tool_calls: true, previous_response_id: body.previous_response_id ?? null },
    ...{ reasoning: { effort: null, summary: null }, service_tier: 'default', store: body.store ?? true },
    ...{ temperature: body.temperature ?? 1, text: body.text ?? { format: { type: 'text' } } },
    ...{ tool_choice: body.tool_choice ?? 'auto', tools: body.tools ?? [], top_logprobs: 0, top_p: 1 },
    ...{ truncation: 'disabled', user: body.user ?? null, metadata: body.metadata ?? {} },
  }
}

export function responseOf(facts: ResponseFacts, reply: ChatReply): Json {
  const { inputTokens, cachedTokens, outputTokens } = reply.usage
  const reason = reply.finish === 'length' ? 'max_output_tokens' : 'content_filter'
  return {
    ...echo(facts),
    status: isCut(reply) ? 'incomplete' : 'completed',
    incomplete_details: isCut(reply) ? { reason } : null,
    output: outputOf(facts.id, reply),
    usage: {
      ...{ input_tokens: inputTokens, input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 } },
      ...{ output_tokens: outputTokens, output_tokens_details: { reasoning_tokens: 0 } },
      total_tokens: inputTokens + outputTokens,
    },
  }
}

export interface ResponseEvent {
  readonly type: string
  readonly [field: string]: unknown
}

/** The events of one answer, numbered, in the original's order. */
export class ResponseEvents {
  readonly #facts: ResponseFacts
  #number = 0
  #text: string | undefined

  constructor(facts: ResponseFacts) {
    this.#facts = facts
  }

  begin(): readonly ResponseEvent[] {
    const response = { ...echo(this.#facts), status: 'in_progress', incomplete_details: null, output: [], usage: null }
    return [this.#event('response.created', { response }), this.#event('response.in_progress', { response })]
  }

  text(delta: string): readonly ResponseEvent[] {
    const opening = this.#open()
    this.#text = `${this.#text ?? ''}${delta}`
    return [...opening, this.#event('response.output_text.delta', { ...this.#place, delta, logprobs: [] })]
  }

  end(reply: ChatReply): readonly ResponseEvent[] {
    const response = responseOf(this.#facts, reply)
    const opening = reply.text === '' && reply.toolCalls.length > 0 ? [] : this.#open()
    const message = this.#text === undefined ? [] : this.#close(reply)
    const from = this.#text === undefined ? 0 : 1
    const calls = reply.toolCalls.flatMap((call, i) => this.#call(call, { index: i, place: from + i }))
    const type = isCut(reply) ? 'response.incomplete' : 'response.completed'
    return [...opening, ...message, ...calls, this.#event(type, { response })]
  }

  failed(error: { readonly code: string; readonly message: string }): readonly ResponseEvent[] {
    const response = {
      ...echo(this.#facts),
      status: 'failed',
      incomplete_details: null,
      output: [],
      usage: null,
      error,
    }
    return [this.#event('response.failed', { response })]
  }

  get #place(): Json {
    return { item_id: messageIdOf(this.#facts.id), output_index: 0, content_index: 0 }
  }

  #open(): readonly ResponseEvent[] {
    if (this.#text !== undefined) return []
    this.#text = ''
    const item = messageItem(this.#facts.id, undefined, 'in_progress')
    return [
      this.#event('response.output_item.added', { output_index: 0, item }),
      this.#event('response.content_part.added', { ...this.#place, part: textPart('') }),
    ]
  }

  #close(reply: ChatReply): readonly ResponseEvent[] {
    const { text } = reply
    const item = messageItem(this.#facts.id, text, isCut(reply) ? 'incomplete' : 'completed')
    return [
      this.#event('response.output_text.done', { ...this.#place, text, logprobs: [] }),
      this.#event('response.content_part.done', { ...this.#place, part: textPart(text) }),
      this.#event('response.output_item.done', { output_index: 0, item }),
    ]
  }

  #call(
    call: ChatReply['toolCalls'][number],
    { index, place }: { readonly index: number; readonly place: number },
  ): readonly ResponseEvent[] {
    const item = callItem(this.#facts.id, call, index)
    const where = { item_id: item.id, output_index: place }
    const begun = { ...item, status: 'in_progress', arguments: '' }
    return [
      this.#event('response.output_item.added', { output_index: place, item: begun }),
      this.#event('response.function_call_arguments.delta', { ...where, delta: call.arguments }),
      this.#event('response.function_call_arguments.done', { ...where, name: call.name, arguments: call.arguments }),
      this.#event('response.output_item.done', { output_index: place, item }),
    ]
  }

  #event(type: string, fields: Json): ResponseEvent {
    return { type, sequence_number: this.#number++, ...fields }
  }
}
