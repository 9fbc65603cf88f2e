// An answer outside of the conversation: a client's own affair, written, and told to it in the words of its own protocol.
// Nothing of it is heard, written down or remembered; it is paid for like any other.

import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { EngineBrief, EngineEvent } from '../engines.ts'
import { failureOf, PartFailure } from '../text/failure.ts'
import type { Call, Llm, Prompt } from '../text/model.ts'
import type { Health } from '../text/order.ts'
import { Patience, type Times } from '../text/patience.ts'
import { Tally } from '../text/tally.ts'
import { Conversation } from './conversation.ts'
import { promptOf } from './prompt.ts'
import { askOf } from './wish.ts'

type Json = Readonly<Record<string, unknown>>

export interface AsideNeeds {
  readonly clock: Clock
  readonly times: Times
  readonly health: Health
  readonly llms: readonly Llm[]
  emit(event: EngineEvent): void
  counting(tally: Tally): void
  counted(tally: Tally): void
}

const parts = z.array(z.object({ text: z.string().optional() }))
const inputItem = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message'), role: z.enum(['user', 'assistant', 'system']), content: parts }),
  z.object({
    type: z.literal('function_call'),
    name: z.string(),
    arguments: z.string(),
    call_id: z.string().default(''),
  }),
  z.object({ type: z.literal('function_call_output'), call_id: z.string(), output: z.string() }),
  z.object({ type: z.literal('item_reference'), id: z.string() }),
])
const asked = z.object({
  response: z.object({
    input: z.array(inputItem).optional(),
    metadata: z.record(z.string(), z.string()).nullish(),
    tools: z.array(z.unknown()).default([]),
  }),
})
type Asked = z.output<typeof asked>['response']

interface End {
  readonly status: 'completed' | 'failed' | 'incomplete'
  readonly details: Json | null
  readonly calls: readonly Call[]
}

interface Question {
  readonly prompt: Prompt
  readonly metadata: Asked['metadata']
}

/** What the model is shown; a string names the item that nobody knows or that is not words. */
export function questionOf(raw: Json, brief: EngineBrief, conversation: Conversation): Question | string {
  const parsed = asked.safeParse(raw)
  if (!parsed.success) return 'input'
  const { input, metadata, tools } = parsed.data.response
  const shown = input === undefined ? conversation : new Conversation([])
  for (const item of input ?? []) {
    const unknown = added(shown, item, conversation)
    if (unknown !== undefined) return unknown
  }
  const ask = askOf(raw, brief)
  // The gateway's own tools are for the conversation: nobody would run them here.
  const own = tools.length === 0 ? [] : ask.tools
  return { metadata, prompt: promptOf(shown, { ...ask, tools: own, spoken: false, after: '' }) }
}

function added(shown: Conversation, item: z.output<typeof inputItem>, from: Conversation): string | undefined {
  if (item.type === 'item_reference') return shown.copy(item.id, from) ? undefined : item.id
  if (item.type === 'function_call') shown.call({ callId: item.call_id, name: item.name, arguments: item.arguments })
  else if (item.type === 'function_call_output') {
    if (!shown.result(item.call_id, item.output)) return item.call_id
  } else {
    if (item.content.some(({ text }) => text === undefined)) return 'input'
    const text = item.content.map((part) => part.text).join('\n')
    if (item.role === 'system') shown.note(text)
    else shown.told(item.role === 'user' ? 'user' : 'agent', text)
  }
  return undefined
}

export class Aside {
  readonly id = newId('resp')
  readonly #needs: AsideNeeds
  readonly #question: Question
  readonly #stop = new AbortController()
  readonly #itemId = newId('item')
  #text = ''
  #begun = false
  #tally = new Tally()

  constructor(needs: AsideNeeds, question: Question) {
    this.#needs = needs
    this.#question = question
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Never rejects. */
  async run(): Promise<void> {
    this.#tell('response.created', { response: this.#object('in_progress', null, []) })
    const end = await this.#think()
    const { aborted } = this.#stop.signal
    const status = aborted ? 'cancelled' : end.status
    const details = aborted ? { type: 'cancelled', reason: 'client_cancelled' } : end.details
    const message = this.#begun ? [this.#close(status === 'completed' ? 'completed' : 'incomplete')] : []
    const calls = status === 'completed' ? end.calls.map((call, i) => this.#call(call, message.length + i)) : []
    this.#tell('response.done', { response: this.#object(status, details, [...message, ...calls]) })
  }

  async #think(): Promise<End> {
    const { health, llms } = this.#needs
    let failure = new PartFailure('llm_unavailable')
    for (const { part: llm, isLast } of health.turns(llms, () => failure)) {
      try {
        const end = await this.#ask(llm, isLast)
        health.worked(llm.name)
        return end
      } catch (thrown) {
        if (this.#stop.signal.aborted) break
        failure = failureOf(thrown)
        health.failed(llm.name, failure)
        // What was told cannot be taken back.
        if (this.#text !== '') break
      }
    }
    const error = { type: 'server_error', code: failure.code, message: 'The answer failed.' }
    return { status: 'failed', details: { type: 'failed', error }, calls: [] }
  }

  async #ask(llm: Llm, isLast: boolean): Promise<End> {
    const { clock, times } = this.#needs
    const patience = new Patience(clock, this.#stop.signal)
    const tally = new Tally()
    this.#tally = tally
    this.#needs.counting(tally)
    patience.wait(isLast ? times.lastMs : times.firstMs)
    const calls: Call[] = []
    let cut: string | undefined
    try {
      for await (const piece of llm.answer(this.#question.prompt, { signal: patience.signal, tally })) {
        if (piece.is === 'text') this.#write(piece.delta)
        else if (piece.is === 'call') calls.push(piece.call)
        else if (piece.reason !== 'stop') cut = piece.reason === 'length' ? 'max_output_tokens' : 'content_filter'
        patience.wait(times.stallMs)
      }
      if (cut === undefined) return { status: 'completed', details: null, calls }
      return { status: 'incomplete', details: { type: 'incomplete', reason: cut }, calls: [] }
    } finally {
      patience.rest()
      this.#needs.counted(tally)
    }
  }

  get #where(): Json {
    return { response_id: this.id, item_id: this.#itemId, output_index: 0, content_index: 0 }
  }

  #message(status: string): Json {
    const content = status === 'in_progress' ? [] : [{ type: 'output_text', text: this.#text }]
    return { id: this.#itemId, object: 'realtime.item', type: 'message', status, role: 'assistant', content }
  }

  #write(delta: string): void {
    if (!this.#begun) {
      this.#begun = true
      const place = { response_id: this.id, output_index: 0 }
      this.#tell('response.output_item.added', { ...place, item: this.#message('in_progress') })
      this.#tell('response.content_part.added', { ...this.#where, part: { type: 'text', text: '' } })
    }
    this.#text += delta
    this.#tell('response.output_text.delta', { ...this.#where, delta })
  }

  #close(status: string): Json {
    const item = this.#message(status)
    this.#tell('response.output_text.done', { ...this.#where, text: this.#text })
    this.#tell('response.content_part.done', { ...this.#where, part: { type: 'text', text: this.#text } })
    this.#tell('response.output_item.done', { response_id: this.id, output_index: 0, item })
    return item
  }

  #call({ callId, name, arguments: args }: Call, index: number): Json {
    const call = { id: newId('item'), object: 'realtime.item', type: 'function_call', name }
    const item = { ...call, call_id: callId === '' ? newId('call') : callId }
    const place = { response_id: this.id, output_index: index }
    const where = { ...place, item_id: item.id, call_id: item.call_id }
    const done = { ...item, status: 'completed', arguments: args }
    this.#tell('response.output_item.added', { ...place, item: { ...item, status: 'in_progress', arguments: '' } })
    this.#tell('response.function_call_arguments.delta', { ...where, delta: args })
    this.#tell('response.function_call_arguments.done', { ...where, name, arguments: args })
    this.#tell('response.output_item.done', { ...place, item: done })
    return done
  }

  #object(status: string, details: Json | null, output: readonly Json[]): Json {
    return {
      object: 'realtime.response',
      id: this.id,
      status,
      status_details: details,
      output,
      // The wire's word for "outside of the conversation".
      conversation_id: null,
      output_modalities: ['text'],
      max_output_tokens: this.#question.prompt.maxTokens ?? 'inf',
      usage: status === 'in_progress' ? null : this.#usage,
      metadata: this.#question.metadata ?? null,
    }
  }

  get #usage(): Json | null {
    const { tokens } = this.#tally
    if (tokens === undefined || this.#tally.isUnreported) return null
    const cached = Math.min(tokens.cached, tokens.input)
    const rest = { audio_tokens: 0, image_tokens: 0 }
    return {
      total_tokens: tokens.input + tokens.output,
      input_tokens: tokens.input,
      output_tokens: tokens.output,
      input_token_details: {
        text_tokens: tokens.input,
        ...rest,
        cached_tokens: cached,
        cached_tokens_details: { text_tokens: cached, ...rest },
      },
      output_token_details: { text_tokens: tokens.output, audio_tokens: 0 },
    }
  }

  #tell(name: string, event: Json): void {
    const wire = Buffer.from(JSON.stringify({ type: name, event_id: newId('event'), ...event }))
    this.#needs.emit({ type: 'native', source: 'local', name, wire })
  }
}
