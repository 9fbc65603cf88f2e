// Renders an engine's events as OpenAI Realtime GA events, for engines that do not speak it themselves.
// Keeps what the protocol wants repeated at the end of an item or response.

import type { EngineEvent } from '../../engines/engines.ts'
import { newId } from '../../platform/ids.ts'
import { Items } from './items.ts'

type Json = Readonly<Record<string, unknown>>
export type ServerEvent = Json & { readonly type: string }

interface Item {
  readonly id: string
  readonly index: number
  part: 'audio' | 'text' | undefined
  text: string
  audioDone: boolean
}

interface Response {
  readonly id: string
  readonly items: Map<string, Item>
  readonly calls: Json[]
  readonly modality: 'audio' | 'text'
}

/** Of a message: `audio` parts keep only their transcript. */
function message(item: Item, status: string): Json {
  const content =
    item.part === 'audio'
      ? [{ type: 'output_audio', transcript: item.text }]
      : item.part === 'text'
        ? [{ type: 'output_text', text: item.text }]
        : []
  return { id: item.id, object: 'realtime.item', type: 'message', status, role: 'assistant', content }
}

export class Renderer {
  readonly #conversationId: string
  readonly #modality: () => 'audio' | 'text'
  readonly #responses = new Map<string, Response>()
  readonly #items = new Items()

  constructor(conversationId: string, modality: () => 'audio' | 'text') {
    this.#conversationId = conversationId
    this.#modality = modality
  }

  /** In order; empty for what the protocol does not know. */
  render(event: EngineEvent): ServerEvent[] {
    return this.#events(event).map((each) => ({ event_id: newId('event'), ...each }))
  }

  /** Opens the response's item for audio that itself travels another way. */
  begin(event: EngineEvent & { type: 'audio' }): ServerEvent[] {
    return this.#part(event.responseId, event.itemId, 'audio').map((each) => ({ event_id: newId('event'), ...each }))
  }

  #events(event: EngineEvent): ServerEvent[] {
    switch (event.type) {
      case 'responseStarted':
        return this.#start(event.responseId)
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
      case 'userSpeech':
        return [speech(event)]
      case 'userItem':
        return event.spoken ? this.#spoken(event.itemId) : []
      case 'userText':
        return transcription(event)
      case 'truncated':
        return [
          { type: 'conversation.item.truncated', item_id: event.itemId, content_index: 0, audio_end_ms: event.heardMs },
        ]
      case 'error':
        return [
          {
            type: 'error',
            error: {
              type: 'invalid_request_error',
              code: event.code,
              message: event.message,
              param: null,
              event_id: event.eventId ?? null,
            },
          },
        ]
      default:
        return []
    }
  }

  #response(id: string): Response {
    let response = this.#responses.get(id)
    if (response === undefined) {
      response = { id, items: new Map(), calls: [], modality: this.#modality() }
      this.#responses.set(id, response)
    }
    return response
  }

  #object(response: Response, status: string, details: Json | null, output: readonly Json[]): Json {
    return {
      object: 'realtime.response',
      id: response.id,
      status,
      status_details: details,
      output,
      conversation_id: this.#conversationId,
      output_modalities: [response.modality],
      max_output_tokens: 'inf',
      metadata: null,
    }
  }

  #start(responseId: string): ServerEvent[] {
    const response = this.#response(responseId)
    return [{ type: 'response.created', response: this.#object(response, 'in_progress', null, []) }]
  }

  #open(responseId: string, itemId: string): ServerEvent[] {
    const response = this.#response(responseId)
    if (response.items.has(itemId)) return []
    const item: Item = {
      id: itemId,
      index: response.items.size + response.calls.length,
      part: undefined,
      text: '',
      audioDone: false,
    }
    response.items.set(itemId, item)
    const body = message(item, 'in_progress')
    return [
      { type: 'response.output_item.added', response_id: responseId, output_index: item.index, item: body },
      this.#items.added({ ...body, id: itemId }),
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
    const empty = part === 'audio' ? { type: 'audio', transcript: '' } : { type: 'text', text: '' }
    return [...opened, { type: 'response.content_part.added', ...this.#where(responseId, item), part: empty }]
  }

  #audio(event: EngineEvent & { type: 'audio' }): ServerEvent[] {
    const item = this.#response(event.responseId).items.get(event.itemId)
    if (item === undefined || event.pcm === undefined) return []
    return [
      {
        type: 'response.output_audio.delta',
        ...this.#where(event.responseId, item),
        delta: event.pcm.toString('base64'),
      },
    ]
  }

  #audioDone(responseId: string, itemId: string): ServerEvent[] {
    const item = this.#response(responseId).items.get(itemId)
    if (item === undefined || item.audioDone || item.part !== 'audio') return []
    item.audioDone = true
    return [{ type: 'response.output_audio.done', ...this.#where(responseId, item) }]
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
    this.#responses.delete(event.responseId)
    const events: ServerEvent[] = []
    const status = event.status === 'completed' ? 'completed' : 'incomplete'
    const output: Json[] = []
    for (const item of response.items.values()) {
      events.push(...this.#close(response.id, item, status))
      output.push(message(item, status))
    }
    const details = event.status === 'completed' ? null : { type: event.status, reason: event.reason ?? null }
    events.push({
      type: 'response.done',
      response: this.#object(response, event.status, details, [...output, ...response.calls]),
    })
    return events
  }

  #close(responseId: string, item: Item, status: string): ServerEvent[] {
    const where = this.#where(responseId, item)
    const body = message(item, status)
    const events: ServerEvent[] = []
    if (item.part === 'audio') {
      if (!item.audioDone) events.push({ type: 'response.output_audio.done', ...where })
      events.push({ type: 'response.output_audio_transcript.done', ...where, transcript: item.text })
    } else if (item.part === 'text') events.push({ type: 'response.output_text.done', ...where, text: item.text })
    if (item.part !== undefined) {
      const part = item.part === 'audio' ? { type: 'audio', transcript: item.text } : { type: 'text', text: item.text }
      events.push({ type: 'response.content_part.done', ...where, part })
    }
    events.push({ type: 'response.output_item.done', response_id: responseId, output_index: item.index, item: body })
    events.push(this.#items.done({ ...body, id: item.id }))
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
    const where = { response_id: event.responseId, item_id: event.itemId, output_index: index, call_id: event.callId }
    response.calls.push(done)
    return [
      {
        type: 'response.output_item.added',
        response_id: event.responseId,
        output_index: index,
        item: { ...item, status: 'in_progress', arguments: '' },
      },
      this.#items.added({ ...item, status: 'in_progress', arguments: '' }),
      { type: 'response.function_call_arguments.delta', ...where, delta: event.arguments },
      { type: 'response.function_call_arguments.done', ...where, name: event.name, arguments: event.arguments },
      { type: 'response.output_item.done', response_id: event.responseId, output_index: index, item: done },
      this.#items.done(done),
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
    const body = { object: 'realtime.item', status: 'completed', ...item }
    return [this.#items.added(body), this.#items.done(body)].map((each) => ({ event_id: newId('event'), ...each }))
  }

  /** What a turn says now: after an interruption only what was heard. */
  rewrite(itemId: string, text: string): void {
    this.#items.rewrite(itemId, text)
  }

  retrieved(itemId: string): ServerEvent | undefined {
    return this.#items.retrieved(itemId)
  }
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
