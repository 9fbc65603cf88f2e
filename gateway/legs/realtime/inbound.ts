// From client events to the session: policy first (the tenant's config is the authority), then intents.

import type { Brief } from '../../agents/agents.ts'
import type { CommandAnswer, EngineCommand, EngineTool } from '../../engines/engines.ts'
import { bytesPerMs, decodeAudio } from '../../protocol/realtime.ts'
import type { LegPort } from '../../sessions/sessions.ts'
import { refusedRequest } from './answer-request.ts'
import {
  appendHeadBytes,
  type ClientEvent,
  type ParleyEvent,
  type Parsed,
  parseClientEvent,
  plainAppend,
} from './client-event.ts'
import { ClientItems } from './client-items.ts'
import { ClientSession } from './client-session.ts'
import type { RealtimeLeg } from './realtime-leg.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { truncatedEvent } from './render.ts'
import type { Bound } from './secret-session.ts'
import { forbiddenBy } from './session-part.ts'

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
type Event<T extends ClientEvent['type']> = ClientEvent & { type: T }

/** A client that only sends nonsense is closed after this many errors in a row. */
const maxErrorsInARow = 20

const audioElsewhere: Refusal = {
  code: 'invalid_value',
  message: 'This connection has a media track: audio comes over it, not over the events.',
  param: 'type',
}
const notForSockets: Refusal = {
  code: 'invalid_value',
  message: 'output_audio_buffer.clear is for WebRTC and SIP.',
  param: 'type',
}

export class Inbound {
  readonly #options: InboundOptions
  readonly #session: ClientSession
  readonly #items: ClientItems
  #errors = 0
  /** The response that was told to stop. */
  #stopping: string | undefined

  constructor(options: InboundOptions) {
    this.#options = options
    this.#session = new ClientSession(options)
    this.#items = new ClientItems(options)
  }

  get voice(): string {
    return this.#session.voice
  }

  /** As the client may see it. */
  sessionObject(): Readonly<Record<string, unknown>> {
    return this.#session.object
  }

  /** What came with the client's secret. Refused: the session is not what its maker wanted. */
  bind({ session, rights }: Bound): Refusal | undefined {
    return this.#session.update(session, undefined, rights)
  }

  /** Milliseconds of audio in the frame, 0 for anything else. */
  frame(data: Buffer, binary: boolean): number {
    const { port, parley, leg } = this.#options
    if (leg.plays && binary) {
      this.#refuse(audioElsewhere, undefined)
      return 0
    }
    if (binary) {
      const audio = parley ? decodeAudio(data) : undefined
      if (audio === undefined) {
        const message = 'Binary frames are audio of clients that speak parley.v1.'
        this.#refuse({ code: 'invalid_value', message, param: null }, undefined)
        return 0
      }
      const pcm = Buffer.from(audio.pcm.buffer, audio.pcm.byteOffset, audio.pcm.byteLength)
      port.audio({ pcm })
      return pcm.length / bytesPerMs
    }
    const base64 = leg.plays ? undefined : plainAppend(data)
    if (base64 === undefined) return this.#parsed(parseClientEvent(data, parley))
    this.#errors = 0
    if (port.capabilities.dialect !== 'openai-realtime-ga' || leg.sound.input !== 'audio/pcm')
      return this.#heard(Buffer.from(data.toString('latin1', appendHeadBytes, appendHeadBytes + base64), 'base64'))
    port.audio({ appendFrame: data })
    return (base64 * 3) / 4 / bytesPerMs
  }

  #heard(bytes: Buffer): number {
    const { port, leg } = this.#options
    const pcm = leg.sound.heard(bytes)
    port.audio({ pcm })
    return pcm.length / bytesPerMs
  }

  #parsed(parsed: Parsed): number {
    if (parsed.is === 'wrong') {
      const { eventId, ...refusal } = parsed
      this.#refuse(refusal, eventId ?? undefined)
      return 0
    }
    if (parsed.is === 'parley') {
      const refusal = this.#parley(parsed.event)
      if (refusal === undefined) this.#errors = 0
      else this.#refuse(refusal, undefined)
      return 0
    }
    const { event, raw } = parsed
    if (event.type === 'input_audio_buffer.append' && !this.#options.leg.plays) {
      this.#errors = 0
      return this.#heard(Buffer.from(event.audio, 'base64'))
    }
    const refusal = event.type === 'input_audio_buffer.append' ? audioElsewhere : this.#event(event, raw)
    if (refusal === undefined) this.#errors = 0
    else this.#refuse(refusal, event.event_id)
    return 0
  }

  #parley(event: ParleyEvent): Refusal | undefined {
    const { port, modality } = this.#options
    switch (event.type) {
      case 'parley.played':
        if (!this.#options.leg.plays) port.played(event.item_id, event.played_ms, event.final)
        return undefined
      case 'parley.voice':
        modality.current = event.on ? 'audio' : 'text'
        port.voice(event.on)
        return undefined
      case 'parley.bye':
        port.bye()
        return undefined
      case 'parley.say':
        port.say(event.item_id, event.text)
        return undefined
      case 'parley.visual.submit':
        port.submit({ itemId: event.item_id, id: event.id, values: event.values })
        return undefined
      case 'parley.action.result':
        return refusedBy(port.actionResult(event.call_id, event.ok, event.result), event.call_id)
      case 'parley.ack':
        this.#options.leg.acknowledged(event.seq)
        this.#options.onShown()
        return undefined
      case 'parley.heartbeat':
        this.#options.onShown()
        return undefined
    }
  }

  #event(event: Exclude<ClientEvent, { type: 'input_audio_buffer.append' }>, raw: Raw): Refusal | undefined {
    const { port, leg, trusted } = this.#options
    switch (event.type) {
      case 'session.update':
        return this.#update(event)
      case 'conversation.item.create':
        return this.#items.create(event, raw)
      case 'conversation.item.truncate':
        return this.#truncate(event)
      case 'conversation.item.retrieve':
        return this.#retrieve(event.item_id, raw)
      case 'conversation.item.delete':
        // Notes and the gateway's own calls are items too: what a visitor said stays said.
        return trusted ? this.#native(raw) : forbiddenBy('item_id')
      case 'response.create':
        return this.#respond(event, raw)
      case 'response.cancel':
        this.#stopping = leg.activeResponse
        return refusedBy(port.cancel(event.response_id ?? undefined, raw))
      case 'input_audio_buffer.commit':
        return this.#command({ type: 'commitAudio', raw })
      case 'input_audio_buffer.clear':
        return this.#clear(raw)
      case 'output_audio_buffer.clear':
        if (!leg.plays) return notForSockets
        port.interrupt()
        return undefined
    }
  }

  #update({ session, event_id: eventId }: Event<'session.update'>): Refusal | undefined {
    const refusal = this.#session.update(session, eventId)
    if (refusal === undefined) this.#options.leg.send({ type: 'session.updated', session: this.#session.object })
    return refusal
  }

  #truncate({ item_id: itemId, audio_end_ms: endMs }: Event<'conversation.item.truncate'>): Refusal | undefined {
    const { port, leg } = this.#options
    const refusal = refusedBy(port.truncate(itemId, endMs), itemId)
    if (refusal !== undefined) return refusal
    // Where the player is ours the client cannot have stopped it.
    if (leg.plays) leg.flush(itemId)
    // Nothing of it was heard: no engine is told so, since the original takes offence, but the client wants to know.
    if (endMs === 0) leg.send(truncatedEvent(itemId, 0))
    return undefined
  }

  #respond(event: Event<'response.create'>, raw: Raw): Refusal | undefined {
    const { port, leg, brief, parley } = this.#options
    const { capabilities } = port
    const response = event.response ?? {}
    const present = { ...this.#session.present, outputFormat: leg.sound.output }
    const refusal = refusedRequest(response, present, { brief, capabilities })
    if (refusal !== undefined) return refusal
    const active = leg.activeResponse
    if (!parley && active !== undefined && active !== this.#stopping && response.conversation !== 'none')
      return alreadyAnswering(active)
    return refusedBy(port.respond(Object.keys(response).length === 0 ? undefined : withoutFormat(raw, response)))
  }

  #clear(raw: Raw): Refusal | undefined {
    const { leg } = this.#options
    const refusal = this.#command({ type: 'clearAudio', raw })
    if (refusal === undefined && leg.rendersItems) leg.send({ type: 'input_audio_buffer.cleared' })
    return refusal
  }

  #retrieve(itemId: string, raw: Raw): Refusal | undefined {
    const { leg } = this.#options
    if (!leg.rendersItems) return this.#native(raw)
    if (leg.retrieve(itemId)) return undefined
    return { code: 'item_not_found', message: `Item with id '${itemId}' not found.`, param: 'item_id' }
  }

  #native(event: Raw): Refusal | undefined {
    if (this.#options.leg.rendersItems)
      return { code: 'unsupported', message: `This agent's engine cannot do ${event.type}.`, param: 'type' }
    return this.#command({ type: 'native', event })
  }

  #command(command: EngineCommand): Refusal | undefined {
    return refusedBy(this.#options.port.command(command))
  }

  #refuse({ code, message, param }: Refusal, eventId: string | undefined): void {
    this.#options.leg.send({
      type: 'error',
      error: { type: 'invalid_request_error', code, message, param, event_id: eventId ?? null },
    })
    if (++this.#errors >= maxErrorsInARow) this.#options.onTooManyErrors()
  }
}

/** The client's format is the leg's affair: from the engine comes what every session hears. */
function withoutFormat(raw: Raw, { audio, ...response }: NonNullable<Event<'response.create'>['response']>): Raw {
  if (audio?.output?.format === undefined) return raw
  const { format: _format, ...output } = audio.output
  return { ...raw, response: { ...response, ...(Object.keys(output).length === 0 ? {} : { audio: { output } }) } }
}

/** `subject`: the id of the item that the client named. */
function refusedBy(answer: CommandAnswer, subject?: string): Refusal | undefined {
  return 'reason' in answer ? refusalOf(answer, subject) : undefined
}

function alreadyAnswering(responseId: string): Refusal {
  const message = `Conversation already has an active response in progress: ${responseId}. Wait until the response is finished before creating a new one.`
  return { code: 'conversation_already_has_active_response', message, param: null }
}
