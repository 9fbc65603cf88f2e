// From client events to the session: policy first (the tenant's config is the authority), then intents.

import type { Brief } from '../../agents/agents.ts'
import type { CommandAnswer, EngineCommand, EngineTool } from '../../engines/engines.ts'
import { newId } from '../../platform/ids.ts'
import { bytesPerMs, decodeAudio, limits } from '../../protocol/realtime.ts'
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
import type { RealtimeLeg } from './realtime-leg.ts'
import { refusalOf } from './refusal.ts'
import { changeOf, type Detection, engineSettings, type Wanted } from './session-change.ts'
import { sessionObject } from './session-object.ts'

export interface InboundOptions {
  readonly leg: RealtimeLeg
  readonly port: LegPort
  readonly brief: Brief
  readonly serverTools: readonly EngineTool[]
  readonly sessionId: string
  readonly model: string
  readonly parley: boolean
  /** A tenant's own backend may do more than a visitor. */
  readonly trusted: boolean
  readonly modality: { current: 'audio' | 'text' }
  /** The client answers to what came over the connection in use; everything else may have been under way before. */
  readonly onShown: () => void
  readonly onTooManyErrors: () => void
}

type Raw = Readonly<Record<string, unknown>> & { readonly type: string }
/** Of a `conversation.item.create`, with the id it will have. */
interface UserMessage {
  readonly id: string
  readonly content: readonly { readonly type: string; readonly text?: unknown }[]
  readonly [field: string]: unknown
}
type Event<T extends ClientEvent['type']> = ClientEvent & { type: T }

/** A client that only sends nonsense is closed after this many errors in a row. */
const maxErrorsInARow = 20

const audioElsewhere = 'This connection has a media track: audio comes over it, not over the events.'

export class Inbound {
  readonly #options: InboundOptions
  #errors = 0
  #clientTools: readonly EngineTool[] = []
  #instructions: string | undefined
  #voice: string
  #detection: Detection
  #settings: Readonly<Record<string, unknown>> = {}

  constructor(options: InboundOptions) {
    this.#options = options
    this.#voice = options.brief.voice
    this.#detection = options.brief.hearing?.turnDetection ?? 'server_vad'
  }

  /** Milliseconds of audio in the frame, 0 for anything else. */
  frame(data: Buffer, binary: boolean): number {
    const { port, parley } = this.#options
    const { capabilities } = port
    const { plays } = this.#options.leg
    if (plays && binary) {
      this.#error('invalid_value', audioElsewhere, null, null)
      return 0
    }
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
    const base64 = plays ? undefined : plainAppend(data)
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
      if (this.#options.leg.plays) {
        this.#error('invalid_value', audioElsewhere, 'type', parsed.event.event_id ?? null)
        return 0
      }
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
        if (!this.#options.leg.plays) port.played(event.item_id, event.played_ms, event.final)
        return
      case 'parley.voice':
        modality.current = event.on ? 'audio' : 'text'
        port.voice(event.on)
        return
      case 'parley.bye':
        port.bye()
        return
      case 'parley.say':
        port.say(event.item_id, event.text)
        return
      case 'parley.ack':
        this.#options.leg.acknowledged(event.seq)
        this.#options.onShown()
        return
      case 'parley.heartbeat':
        this.#options.onShown()
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
        this.#truncate(event)
        return
      case 'response.create':
        this.#respond(event, raw)
        return
      case 'response.cancel':
        this.#answered(this.#options.port.cancel(event.response_id ?? undefined, raw), event)
        return
      case 'input_audio_buffer.commit':
        this.#command({ type: 'commitAudio', raw }, event.event_id)
        return
      case 'input_audio_buffer.clear':
        if (this.#command({ type: 'clearAudio', raw }, event.event_id) && this.#options.leg.rendersItems)
          this.#options.leg.send({ type: 'input_audio_buffer.cleared' })
        return
      case 'conversation.item.retrieve':
        this.#retrieve(event.item_id, raw, event.event_id)
        return
      case 'conversation.item.delete':
        // Notes and the gateway's own calls are items too: what a visitor said stays said.
        if (this.#options.trusted) this.#native(raw, event.event_id)
        else this.#forbidden('item', event.event_id)
        return
      case 'output_audio_buffer.clear':
        if (this.#options.leg.plays) this.#options.port.interrupt()
        else
          this.#error(
            'invalid_value',
            'output_audio_buffer.clear is for WebRTC and SIP.',
            'type',
            event.event_id ?? null,
          )
        return
      case 'input_audio_buffer.append':
        return
    }
  }

  #truncate(event: Event<'conversation.item.truncate'>): void {
    const { port, leg } = this.#options
    const answer = port.truncate(event.item_id, event.audio_end_ms)
    // Where the player is ours the client cannot have stopped it.
    if (this.#answered(answer, event, event.item_id) && leg.plays) leg.flush(event.item_id)
  }

  #item(event: Event<'conversation.item.create'>, raw: Raw): void {
    const { port, leg } = this.#options
    const { item } = event
    const id = item.id ?? newId('item')
    const whole = { ...raw, item: { ...item, id } }
    if (item.type === 'function_call_output') {
      const answer = port.toolResult(item.call_id, item.output, whole)
      if (this.#answered(answer, event, item.call_id)) leg.confirmItem({ ...item, id })
    } else if (item.type === 'message' && item.role === 'user') {
      this.#message({ ...item, id }, whole, event.event_id)
    } else if (!this.#options.trusted) this.#forbidden('item', event.event_id)
    else if (item.type === 'message' && item.role === 'system' && this.#options.port.capabilities.dialect === 'none') {
      const note = { type: 'note', text: messageText(item.content) } as const
      if (this.#command(note, event.event_id)) leg.confirmItem({ ...item, id })
    } else this.#native(whole, event.event_id)
  }

  /** Whatever a person adds is a turn, also beside an image: nothing goes to the provider that the transcript lacks. */
  #message(item: UserMessage, whole: Raw, eventId: string | undefined): void {
    const { port, leg, trusted } = this.#options
    const { capabilities } = port
    const text = messageText(item.content)
    if (!trusted && text.length > limits.userTextChars) {
      const message = `A message holds at most ${limits.userTextChars} characters.`
      this.#error('string_above_max_length', message, 'item.content', eventId ?? null)
    } else if (capabilities.dialect === 'none' && item.content.some((part) => !('text' in part))) {
      this.#native(whole, eventId)
    } else if (this.#answered(port.userText(item.id, text, whole), { event_id: eventId }, item.id))
      leg.confirmItem(item)
  }

  #respond(event: Event<'response.create'>, raw: Raw): void {
    const response = event.response ?? {}
    const asked = Object.keys(response).filter((field) => field !== 'output_modalities' && field !== 'metadata')
    if (asked.length > 0 && !this.#options.trusted) {
      this.#forbidden(`response.${asked[0]}`, event.event_id)
      return
    }
    const { dialect } = this.#options.port.capabilities
    const beyond =
      response.conversation === 'none' ? 'conversation' : response.input === undefined ? undefined : 'input'
    if (beyond !== undefined && dialect === 'none') {
      const message = "This agent's engine answers the conversation only."
      this.#error('unsupported_value', message, `response.${beyond}`, event.event_id ?? null)
      return
    }
    this.#options.port.respond(Object.keys(response).length === 0 ? undefined : raw)
  }

  #update(update: SessionUpdate, eventId: string | undefined): void {
    const { brief, modality, port } = this.#options
    const { capabilities } = port
    const present = {
      instructions: this.#instructions,
      tools: this.#clientTools,
      voice: this.#voice,
      modality: modality.current,
      detection: this.#detection,
    }
    const change = changeOf(update, present, { brief, capabilities })
    if (change.is === 'refused') this.#error(change.code, change.message, change.param, eventId ?? null)
    else if (this.#changed(change.fields, eventId)) {
      this.#set(update, eventId)
      this.#options.leg.send({ type: 'session.updated', session: this.sessionObject() })
    }
  }

  /** False when the engine refused: then nothing has changed. */
  #changed(fields: Wanted, eventId: string | undefined): boolean {
    const { serverTools, modality } = this.#options
    const own = fields.tools?.filter((tool) => !serverTools.some((ours) => ours.name === tool.name))
    const tools = own === undefined ? {} : { tools: [...serverTools, ...own] }
    const id = eventId === undefined ? {} : { eventId }
    if (
      Object.keys(fields).length > 0 &&
      !this.#command({ type: 'update', fields: { ...fields, ...tools }, ...id }, eventId)
    )
      return false
    this.#clientTools = own ?? this.#clientTools
    this.#instructions = fields.instructions ?? this.#instructions
    this.#voice = fields.voice ?? this.#voice
    this.#detection = fields.turnDetection ?? this.#detection
    modality.current = fields.outputModality ?? modality.current
    return true
  }

  /** The model's own settings, for the tenant's key on an engine that speaks the client's protocol. */
  #set(update: SessionUpdate, eventId: string | undefined): void {
    const { trusted, port } = this.#options
    const { capabilities } = port
    const settings = engineSettings(update)
    if (!trusted || capabilities.dialect === 'none' || Object.keys(settings).length === 0) return
    const id = eventId === undefined ? {} : { event_id: eventId }
    const event = { type: 'session.update', ...id, session: { type: 'realtime', ...settings } }
    if (this.#command({ type: 'native', event }, eventId)) this.#settings = { ...this.#settings, ...settings }
  }

  /** The session as the client may see it: the tenant's own instructions stay here. */
  sessionObject(): Readonly<Record<string, unknown>> {
    const { modality, sessionId, model } = this.#options
    return sessionObject({
      sessionId,
      model,
      voice: this.#voice,
      instructions: this.#instructions ?? '',
      tools: this.#clientTools,
      modality: modality.current,
      detection: this.#detection,
      settings: this.#settings,
    })
  }

  #command(command: EngineCommand, eventId: string | undefined): boolean {
    return this.#answered(this.#options.port.command(command), { event_id: eventId })
  }

  /** True unless refused; `subject` is what the client named. */
  #answered(answer: CommandAnswer, from: { readonly event_id?: string | undefined }, subject?: string): boolean {
    if (!('reason' in answer)) return true
    const { code, message, param } = refusalOf(answer, subject)
    this.#error(code, message, param, from.event_id ?? null)
    return false
  }

  #retrieve(itemId: string, raw: Raw, eventId: string | undefined): void {
    const { leg } = this.#options
    if (!leg.rendersItems) this.#native(raw, eventId)
    else if (!leg.retrieve(itemId))
      this.#error('item_not_found', `Item with id '${itemId}' not found.`, 'item_id', eventId ?? null)
  }

  #native(event: Raw, eventId: string | undefined): void {
    if (this.#options.port.capabilities.dialect === 'openai-realtime-ga')
      this.#command({ type: 'native', event }, eventId)
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

/** Half a sample at the end would shift every later one. */
function evenPcm(pcm: Buffer): Buffer {
  return pcm.length % 2 === 0 ? pcm : pcm.subarray(0, pcm.length - 1)
}
