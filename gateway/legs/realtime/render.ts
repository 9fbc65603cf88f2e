// Renders an engine's events as OpenAI Realtime GA events, for engines that do not speak it themselves.
// Keeps what the protocol wants repeated at the end of an item or response.

import type { EngineEvent } from '../../engines/engines.ts'
import { newId } from '../../platform/ids.ts'
import { Items } from './items.ts'
import { detailsOf, type Item, messageOf, newResponse, partOf, type Response } from './response-object.ts'
import { formatOf } from './session-object.ts'
import type { Sound } from './sound.ts'
import { Spent } from './spent.ts'

type Json = Readonly<Record<string, unknown>>
export type ServerEvent = Json & { readonly type: string }

export interface RendererNeeds {
  readonly conversationId: string
  readonly modality: () => 'audio' | 'text'
  readonly voice: () => string
  readonly sound: Sound
}

export class Renderer {
  readonly #needs: RendererNeeds
  readonly #responses = new Map<string, Response>()
  readonly #items = new Items()
  readonly #spent = new Spent()

  constructor(needs: RendererNeeds) {
    this.#needs = needs
  }

  /** The response that is being made. */
  get active(): string | undefined {
    return this.#responses.keys().next().value
  }

  get items(): Pick<Items, 'last' | 'has'> {
    return this.#items
  }

  /** In order; empty for what the protocol does not know. */
  render(event: EngineEvent): ServerEvent[] {
    return this.#events(event).map(named)
  }

  /** The end of a response that was told in its engine's own frames: what it cost is no other's. */
  elsewhere(wire: Buffer | undefined): void {
    if (wire !== undefined) this.#spent.elsewhere(JSON.parse(wire.toString()))
  }

  /** Opens the response's item for audio that itself travels another way. */
  begin(event: EngineEvent & { type: 'audio' }): ServerEvent[] {
    return this.#part(event.responseId, event.itemId, 'audio').map(named)
  }

  #events(event: EngineEvent): ServerEvent[] {
    switch (event.type) {
      case 'responseStarted':
        return this.#start(event)
      case 'agentItem':
        return this.#open(event.responseId, event.itemId)
      case 'audio':
        return [...this.#part(event.responseId, event.itemId, 'audio'), ...this.#audio(event)]
      case 'audioDone':
        return this.#audioDone(event.responseId, event.itemId)
      case 'agentText':
        return this.#text(event)
      case 'responseDone':
        return this.#done(event)
      case 'toolCall':
        return this.#call(event)
      case 'usage':
        this.#spent.meters(event.meters)
        return []
      case 'userSpeech':
        return [speech(event)]
      case 'userItem':
        return event.spoken ? this.#spoken(event.itemId) : []
      case 'userText':
        return transcription(event)
      case 'truncated':
        return [truncatedEvent(event.itemId, event.heardMs)]
      case 'error':
        return [errorOf(event)]
      default:
        return []
    }
  }

  #response(id: string, raw?: Json): Response {
    let response = this.#responses.get(id)
    if (response === undefined) {
      response = newResponse(id, this.#needs.modality(), raw)
      this.#responses.set(id, response)
    }
    return response
  }

  #object(
    response: Response,
    status: string,
    end: { readonly details: Json | null; readonly output: readonly Json[]; readonly usage: Json | null },
  ): Json {
    const { voice, sound, conversationId } = this.#needs
    return {
      object: 'realtime.response',
      id: response.id,
      status,
      status_details: end.details,
      output: end.output,
      conversation_id: conversationId,
      output_modalities: [response.modality],
      max_output_tokens: response.maxOutputTokens,
      audio: { output: { format: formatOf(sound.output), voice: voice() } },
      usage: end.usage,
      metadata: response.metadata,
    }
  }

  #start({ responseId, raw }: EngineEvent & { type: 'responseStarted' }): ServerEvent[] {
    const response = this.#response(responseId, raw)
    const begun = { details: null, output: [], usage: null }
    return [
      { type: 'response.created', response: this.#object(response, 'in_progress', begun) },
      // Where the original tells its limits: of those of the engine's provider nothing is known.
      { type: 'rate_limits.updated', rate_limits: [] },
    ]
  }

  #open(responseId: string, itemId: string): ServerEvent[] {
    const response = this.#response(responseId)
    if (response.items.has(itemId)) return []
    const index = response.items.size + response.calls.length
    const item: Item = { id: itemId, index, part: undefined, text: '', audioDone: false }
    response.items.set(itemId, item)
    const body = messageOf(item, 'in_progress')
    return [
      { type: 'response.output_item.added', response_id: responseId, output_index: item.index, item: body },
      this.#items.added(body),
    ]
  }

  #where(responseId: string, item: Item): Json {
    return { response_id: responseId, item_id: item.id, output_index: item.index, content_index: 0 }
  }

  #part(responseId: string, itemId: string, part: 'audio' | 'text'): ServerEvent[] {
    const opened = this.#open(responseId, itemId)
    const item = this.#response(responseId).items.get(itemId)
    if (item === undefined || item.part !== undefined) return opened
    item.part = part
    return [...opened, { type: 'response.content_part.added', ...this.#where(responseId, item), part: partOf(item) }]
  }

  #audio(event: EngineEvent & { type: 'audio' }): ServerEvent[] {
    const item = this.#response(event.responseId).items.get(event.itemId)
    if (item === undefined || event.pcm === undefined) return []
    const bytes = this.#needs.sound.said(event.itemId, event.pcm) ?? event.pcm
    return [this.#delta(event.responseId, item, bytes)]
  }

  #delta(responseId: string, item: Item, bytes: Buffer): ServerEvent {
    return { type: 'response.output_audio.delta', ...this.#where(responseId, item), delta: bytes.toString('base64') }
  }

  #audioDone(responseId: string, itemId: string): ServerEvent[] {
    const item = this.#response(responseId).items.get(itemId)
    if (item === undefined || item.audioDone || item.part !== 'audio') return []
    item.audioDone = true
    const rest = this.#needs.sound.rest(itemId)
    const done = { type: 'response.output_audio.done', ...this.#where(responseId, item) }
    return rest === undefined ? [done] : [this.#delta(responseId, item, rest), done]
  }

  #text(event: EngineEvent & { type: 'agentText' }): ServerEvent[] {
    const events = this.#part(event.responseId, event.itemId, event.spoken ? 'audio' : 'text')
    const item = this.#response(event.responseId).items.get(event.itemId)
    if (item === undefined) return events
    if (event.delta !== undefined) {
      item.text += event.delta
      const type = event.spoken ? 'response.output_audio_transcript.delta' : 'response.output_text.delta'
      events.push({ type, ...this.#where(event.responseId, item), delta: event.delta })
    }
    if (event.final !== undefined) item.text = event.final
    return events
  }

  #done(event: EngineEvent & { type: 'responseDone' }): ServerEvent[] {
    const response = this.#response(event.responseId)
    const events: ServerEvent[] = []
    const status = event.status === 'completed' ? 'completed' : 'incomplete'
    const output: Json[] = []
    for (const item of response.items.values()) {
      events.push(...this.#close(response.id, item, status))
      output.push(messageOf(item, status))
    }
    this.#responses.delete(event.responseId)
    const end = { details: detailsOf(event), output: [...output, ...response.calls], usage: this.#spent.take() }
    events.push({ type: 'response.done', response: this.#object(response, event.status, end) })
    return events
  }

  #close(responseId: string, item: Item, status: string): ServerEvent[] {
    const where = this.#where(responseId, item)
    const body = messageOf(item, status)
    const events: ServerEvent[] = []
    if (item.part === 'audio') {
      events.push(...this.#audioDone(responseId, item.id))
      events.push({ type: 'response.output_audio_transcript.done', ...where, transcript: item.text })
    } else if (item.part === 'text') events.push({ type: 'response.output_text.done', ...where, text: item.text })
    if (item.part !== undefined) events.push({ type: 'response.content_part.done', ...where, part: partOf(item) })
    events.push(this.#items.done(body))
    events.push({ type: 'response.output_item.done', response_id: responseId, output_index: item.index, item: body })
    return events
  }

  #call(event: EngineEvent & { type: 'toolCall' }): ServerEvent[] {
    const response = this.#response(event.responseId)
    const index = response.items.size + response.calls.length
    const item = {
      id: event.itemId,
      object: 'realtime.item',
      type: 'function_call',
      name: event.name,
      call_id: event.callId,
    }
    const done = { ...item, status: 'completed', arguments: event.arguments }
    const begun = { ...item, status: 'in_progress', arguments: '' }
    const place = { response_id: event.responseId, output_index: index }
    const where = { ...place, item_id: event.itemId, call_id: event.callId }
    response.calls.push(done)
    return [
      { type: 'response.output_item.added', ...place, item: begun },
      this.#items.added(begun),
      { type: 'response.function_call_arguments.delta', ...where, delta: event.arguments },
      { type: 'response.function_call_arguments.done', ...where, name: event.name, arguments: event.arguments },
      this.#items.done(done),
      { type: 'response.output_item.done', ...place, item: done },
    ]
  }

  #spoken(itemId: string): ServerEvent[] {
    const content = [{ type: 'input_audio', transcript: null }]
    const item = { id: itemId, object: 'realtime.item', type: 'message', status: 'completed', role: 'user', content }
    return [
      { type: 'input_audio_buffer.committed', item_id: itemId, previous_item_id: this.#items.last },
      this.#items.added(item),
      this.#items.done(item),
    ]
  }

  /** A client's own item (typed text, a tool's output): acknowledged as the protocol wants it. */
  item(item: Json & { id: string }): ServerEvent[] {
    const body = { object: 'realtime.item', ...item, status: 'completed' }
    return [this.#items.added(body), this.#items.done(body)].map(named)
  }

  /** What a turn says now: after an interruption only what was heard. */
  rewrite(itemId: string, text: string): void {
    this.#items.rewrite(itemId, text)
  }

  retrieved(itemId: string): ServerEvent | undefined {
    return this.#items.retrieved(itemId)
  }
}

function named(event: ServerEvent): ServerEvent {
  return { event_id: newId('event'), ...event }
}

export function truncatedEvent(itemId: string, heardMs: number): ServerEvent {
  return { type: 'conversation.item.truncated', item_id: itemId, content_index: 0, audio_end_ms: heardMs }
}

function errorOf({ code, message, eventId }: EngineEvent & { type: 'error' }): ServerEvent {
  const type = 'invalid_request_error'
  return { type: 'error', error: { type, code, message, param: null, event_id: eventId ?? null } }
}

function speech(event: EngineEvent & { type: 'userSpeech' }): ServerEvent {
  const ms = Math.round(event.atMs)
  return event.phase === 'start'
    ? { type: 'input_audio_buffer.speech_started', item_id: event.itemId, audio_start_ms: ms }
    : { type: 'input_audio_buffer.speech_stopped', item_id: event.itemId, audio_end_ms: ms }
}

function transcription(event: EngineEvent & { type: 'userText' }): ServerEvent[] {
  const where = { item_id: event.itemId, content_index: 0 }
  const type = 'conversation.item.input_audio_transcription'
  if (event.failed !== undefined) {
    return [
      {
        type: `${type}.failed`,
        ...where,
        error: { type: 'transcription_error', code: 'not_transcribed', message: event.failed, param: null },
      },
    ]
  }
  const events: ServerEvent[] = []
  if (event.delta !== undefined) events.push({ type: `${type}.delta`, ...where, delta: event.delta })
  if (event.final !== undefined)
    events.push({
      type: `${type}.completed`,
      ...where,
      transcript: event.final,
      usage: { type: 'duration', seconds: (event.heardMs ?? 0) / 1000 },
    })
  return events
}
