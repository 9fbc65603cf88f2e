// From client events to the session: policy first (the tenant's config is the authority), then intents.

import type { Brief } from '../../agents/agents.ts'
import type { Capabilities, EngineCommand, EngineTool } from '../../engines/engines.ts'
import { newId } from '../../platform/ids.ts'
import { bytesPerMs, decodeAudio } from '../../protocol/realtime.ts'
import type { LegPort } from '../../sessions/sessions.ts'
import {
  appendHeadBytes,
  type ClientEvent,
  messageText,
  type ParleyEvent,
  type Parsed,
  parseClientEvent,
  plainAppend,
  type SessionUpdate,
} from './client-event.ts'
import { sessionObject } from './session-object.ts'
import type { WebSocketLeg } from './websocket-leg.ts'

export interface InboundOptions {
  readonly leg: WebSocketLeg
  readonly port: LegPort
  readonly brief: Brief
  readonly capabilities: Capabilities
  readonly serverTools: readonly EngineTool[]
  readonly sessionId: string
  readonly model: string
  readonly parley: boolean
  /** A tenant's own backend may do more than a visitor. */
  readonly trusted: boolean
  readonly modality: { current: 'audio' | 'text' }
  readonly onTooManyErrors: () => void
}

type Raw = Readonly<Record<string, unknown>> & { readonly type: string }
type Event<T extends ClientEvent['type']> = ClientEvent & { type: T }

/** A client that only sends nonsense is closed after this many errors in a row. */
const maxErrorsInARow = 20

export class Inbound {
  readonly #options: InboundOptions
  #errors = 0
  #clientTools: readonly EngineTool[] = []
  #instructions: string | undefined
  #voice: string | undefined

  constructor(options: InboundOptions) {
    this.#options = options
  }

  /** Milliseconds of audio in the frame, 0 for anything else. */
  frame(data: Buffer, binary: boolean): number {
    const { port, capabilities, parley } = this.#options
    if (binary) {
      const audio = parley ? decodeAudio(data) : undefined
      if (audio === undefined) {
        this.#error('invalid_value', 'Binary frames are audio of clients that speak parley.v1.', null, null)
        return 0
      }
      const pcm = Buffer.from(audio.pcm.buffer, audio.pcm.byteOffset, audio.pcm.byteLength)
      port.audio({ pcm })
      return pcm.length / bytesPerMs
    }
    const base64 = plainAppend(data)
    if (base64 !== undefined) {
      this.#errors = 0
      if (capabilities.dialect === 'openai-realtime-ga') port.audio({ appendFrame: data })
      else
        port.audio({
          pcm: evenPcm(Buffer.from(data.toString('latin1', appendHeadBytes, appendHeadBytes + base64), 'base64')),
        })
      return (base64 * 3) / 4 / bytesPerMs
    }
    return this.#parsed(parseClientEvent(data, parley))
  }

  #parsed(parsed: Parsed): number {
    if (parsed.is === 'wrong') {
      this.#error(parsed.code, parsed.message, parsed.param, parsed.eventId)
      return 0
    }
    this.#errors = 0
    if (parsed.is === 'parley') this.#parley(parsed.event)
    else if (parsed.event.type === 'input_audio_buffer.append') {
      const pcm = evenPcm(Buffer.from(parsed.event.audio, 'base64'))
      this.#options.port.audio({ pcm })
      return pcm.length / bytesPerMs
    } else this.#event(parsed.event, parsed.raw)
    return 0
  }

  #parley(event: ParleyEvent): void {
    const { port, modality } = this.#options
    switch (event.type) {
      case 'parley.played':
        port.played(event.item_id, event.played_ms, event.final)
        return
      case 'parley.voice':
        modality.current = event.on ? 'audio' : 'text'
        port.voice(event.on)
        return
      case 'parley.bye':
        port.bye()
        return
      case 'parley.heartbeat':
        return
    }
  }

  #event(event: ClientEvent, raw: Raw): void {
    switch (event.type) {
      case 'session.update':
        this.#update(event.session, event.event_id)
        return
      case 'conversation.item.create':
        this.#item(event, raw)
        return
      case 'conversation.item.truncate':
        this.#options.port.truncate(event.item_id, event.audio_end_ms)
        return
      case 'response.create':
        this.#respond(event, raw)
        return
      case 'response.cancel':
        this.#options.port.cancel(event.response_id ?? undefined)
        return
      case 'input_audio_buffer.commit':
        this.#command({ type: 'commitAudio' }, event.event_id)
        return
      case 'input_audio_buffer.clear':
        this.#command({ type: 'clearAudio' }, event.event_id)
        return
      case 'conversation.item.retrieve':
      case 'conversation.item.delete':
        this.#native(raw, event.event_id)
        return
      case 'output_audio_buffer.clear':
        this.#error('invalid_value', 'output_audio_buffer.clear is for WebRTC and SIP.', 'type', event.event_id ?? null)
        return
      case 'input_audio_buffer.append':
        return
    }
  }

  #item(event: Event<'conversation.item.create'>, raw: Raw): void {
    const { port, leg } = this.#options
    const { item } = event
    const id = item.id ?? newId('item')
    const whole = { ...raw, item: { ...item, id } }
    if (item.type === 'function_call_output') {
      port.toolResult(item.call_id, item.output, whole)
      leg.confirmItem({ ...item, id })
    } else if (item.type === 'message' && item.role === 'user') {
      const text = messageText(item.content)
      if (text === undefined) this.#native(whole, event.event_id)
      else {
        port.userText(id, text, whole)
        leg.confirmItem({ ...item, id })
      }
    } else if (!this.#options.trusted) this.#forbidden('item', event.event_id)
    else if (item.type === 'message' && item.role === 'system' && this.#options.capabilities.dialect === 'none') {
      this.#command({ type: 'note', text: messageText(item.content) ?? '' }, event.event_id)
    } else this.#native(whole, event.event_id)
  }

  #respond(event: Event<'response.create'>, raw: Raw): void {
    const response = event.response ?? {}
    const asked = Object.keys(response).filter((field) => field !== 'output_modalities' && field !== 'metadata')
    if (asked.length > 0 && !this.#options.trusted) {
      this.#forbidden(`response.${asked[0]}`, event.event_id)
      return
    }
    this.#options.port.respond(Object.keys(response).length === 0 ? undefined : raw)
  }

  #update(update: SessionUpdate, eventId: string | undefined): void {
    const { brief, capabilities } = this.#options
    const wrong = unsupportedField(update)
    if (wrong !== undefined) {
      this.#error('unsupported_value', wrong, 'session', eventId ?? null)
      return
    }
    const fields = wantedFields(update, capabilities)
    if (fields.tools !== undefined && !brief.clientTools) {
      this.#forbidden('session.tools', eventId)
      return
    }
    const refused = Object.keys(fields).find((field) => !brief.mutable.some((each) => each === field))
    if (refused !== undefined) {
      this.#forbidden(`session.${refused}`, eventId)
      return
    }
    this.#apply(fields, eventId)
  }

  #apply(fields: Wanted, eventId: string | undefined): void {
    const { leg, serverTools, modality } = this.#options
    if (fields.tools !== undefined)
      this.#clientTools = fields.tools.filter((tool) => !serverTools.some((ours) => ours.name === tool.name))
    this.#instructions = fields.instructions ?? this.#instructions
    this.#voice = fields.voice ?? this.#voice
    modality.current = fields.outputModality ?? modality.current
    const tools = fields.tools === undefined ? {} : { tools: [...serverTools, ...this.#clientTools] }
    if (Object.keys(fields).length > 0 && !this.#command({ type: 'update', fields: { ...fields, ...tools } }, eventId))
      return
    leg.send({ type: 'session.updated', session: this.sessionObject() })
  }

  /** The session as the client may see it: the tenant's own instructions stay here. */
  sessionObject(): Readonly<Record<string, unknown>> {
    const { brief, modality, sessionId, model } = this.#options
    return sessionObject({
      sessionId,
      model,
      voice: this.#voice ?? brief.voice,
      instructions: this.#instructions ?? '',
      tools: this.#clientTools,
      modality: modality.current,
    })
  }

  #command(command: EngineCommand, eventId: string | undefined): boolean {
    const answer = this.#options.port.command(command)
    if (!('reason' in answer)) return true
    this.#error(answer.is === 'unsupported' ? 'unsupported' : 'rejected', answer.reason, null, eventId ?? null)
    return false
  }

  #native(event: Raw, eventId: string | undefined): void {
    if (this.#options.capabilities.dialect === 'openai-realtime-ga') this.#command({ type: 'native', event }, eventId)
    else
      this.#error(
        'unsupported',
        `This agent's engine cannot do ${event.type} with this content.`,
        'type',
        eventId ?? null,
      )
  }

  #forbidden(param: string, eventId: string | undefined): void {
    this.#error('forbidden', `The agent's configuration does not let this client set ${param}.`, param, eventId ?? null)
  }

  #error(code: string, message: string, param: string | null, eventId: string | null): void {
    this.#options.leg.send({
      type: 'error',
      error: { type: 'invalid_request_error', code, message, param, event_id: eventId },
    })
    if (++this.#errors >= maxErrorsInARow) this.#options.onTooManyErrors()
  }
}

interface Wanted {
  instructions?: string
  voice?: string
  tools?: readonly EngineTool[]
  outputModality?: 'audio' | 'text'
}

function unsupportedField(update: SessionUpdate): string | undefined {
  if (update.type === 'transcription') return 'Transcription sessions are not served here.'
  for (const format of [update.audio?.input?.format, update.audio?.output?.format]) {
    if (format !== undefined && (format.type !== 'audio/pcm' || (format.rate ?? 24_000) !== 24_000))
      return 'Audio is audio/pcm at 24000 Hz.'
  }
  return undefined
}

/** Only what differs from nothing: clients repeat their whole configuration with every update. */
function wantedFields(update: SessionUpdate, capabilities: Capabilities): Wanted {
  const voice = update.audio?.output?.voice
  const can = (field: Capabilities['mutable'][number]): boolean => capabilities.mutable.includes(field)
  return {
    ...(update.instructions === undefined || update.instructions === '' ? {} : { instructions: update.instructions }),
    ...(typeof voice === 'string' && can('voice') ? { voice } : {}),
    ...(update.tools === undefined ? {} : { tools: update.tools.map(toTool) }),
    ...(update.output_modalities?.[0] === undefined ? {} : { outputModality: update.output_modalities[0] }),
  }
}

function toTool(tool: NonNullable<SessionUpdate['tools']>[number]): EngineTool {
  return {
    name: tool.name,
    description: tool.description ?? '',
    parameters: tool.parameters ?? { type: 'object', properties: {} },
  }
}

/** Half a sample at the end would shift every later one. */
function evenPcm(pcm: Buffer): Buffer {
  return pcm.length % 2 === 0 ? pcm : pcm.subarray(0, pcm.length - 1)
}
