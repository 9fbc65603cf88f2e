// Provider events → port events, with the little state that takes: what is being answered, produced, cut off, called.

import type { z } from 'zod'
import { bytesPerMs } from '../../protocol/realtime.ts'
import type { EngineEvent, Meters } from '../engines.ts'
import { Recent } from '../recent.ts'
import { Calls } from './calls.ts'
import { isMissed, isOwn } from './commands.ts'
import * as events from './events.ts'
import { type AudioDelta, base64Bytes, WireAudio } from './frame.ts'
import { UsageMeters } from './meters.ts'

/** Races that are lost without harm: the answer had ended, the buffer was empty, an answer was under way. */
const benign = new Set([
  'response_cancel_not_active',
  'input_audio_buffer_commit_empty',
  'conversation_already_has_active_response',
])

interface Item {
  bytes: number
  truncated: boolean
}

type Events = readonly EngineEvent[]
type Read = (event: unknown, wire: Buffer) => Events | undefined

const said = 'provider'

export class Reader {
  /** Responses that write to the conversation and have not ended. */
  readonly #active = new Set<string>()
  /** Responses outside of the conversation: a client's own affair, forwarded without being read. */
  readonly #outOfBand = new Recent<true>()
  readonly #items = new Recent<Item>()
  /** Items the gateway added by itself (notes, history): never shown to the client. */
  readonly #own = new Recent<true>()
  readonly #shown = new Recent<true>()
  readonly #calls = new Calls()
  readonly #meters = new UsageMeters()
  readonly #table: ReadonlyMap<string, Read>
  /** Whether speech stops the answer: follows the turn detection asked for. */
  interrupts: boolean
  /** Speech was asked to stop nothing. */
  keeps = false
  /** What the provider's detector waits after the last sound; undefined where it goes by the meaning. */
  silenceMs: number | undefined

  constructor(interrupts: boolean) {
    this.interrupts = interrupts
    this.#table = this.#readers()
  }

  get answering(): boolean {
    return this.#active.size > 0
  }

  /** Milliseconds of audio that arrived for the item. */
  producedMs(itemId: string): number {
    return Math.floor((this.#items.get(itemId)?.bytes ?? 0) / bytesPerMs)
  }

  /** From now on nothing of the item is passed on: what is in flight was never heard. */
  cutOff(itemId: string): void {
    const item = this.#items.get(itemId)
    if (item === undefined) this.#items.set(itemId, { bytes: 0, truncated: true })
    else item.truncated = true
  }

  own(itemId: string): void {
    this.#own.set(itemId, true)
  }

  /** An answer that was given while nobody listened: over, and what it cost was told to nobody. */
  lost(responseId: string): Events {
    this.#active.delete(responseId)
    return metered(this.#meters.untold('response', responseId))
  }

  /** The same of words that were understood meanwhile. */
  lostWords(itemId: string): Events {
    return metered(this.#meters.untold('transcription', itemId))
  }

  /** The hot frame. Undefined: of a cut-off item, dropped. */
  audio(delta: AudioDelta, wire: Buffer): EngineEvent | undefined {
    if (this.#outOfBand.has(delta.responseId)) return native('response.output_audio.delta', wire)
    let item = this.#items.get(delta.itemId)
    if (item === undefined) {
      item = { bytes: 0, truncated: false }
      this.#items.set(delta.itemId, item)
    }
    if (item.truncated) return undefined
    const bytes = base64Bytes(wire, delta.from, delta.to)
    item.bytes += bytes
    return new WireAudio(wire, delta, bytes)
  }

  /** Any other frame, parsed. Its `wire` is on one of the events, or on none when it is not for clients. */
  read(event: z.output<typeof events.anyEvent>, wire: Buffer): Events {
    const responseId = event.response_id ?? event.response?.id
    if (responseId !== undefined && this.#outOfBand.has(responseId)) return this.#aside(event, wire)
    return this.#table.get(event.type)?.(event, wire) ?? [native(event.type, wire)]
  }

  #aside(event: z.output<typeof events.anyEvent>, wire: Buffer): Events {
    const done = event.type === 'response.done' ? events.responseDone.safeParse(event) : undefined
    const usage = done?.data === undefined ? [] : this.#usage(done.data.response)
    return [...usage, native(event.type, wire)]
  }

  #readers(): ReadonlyMap<string, Read> {
    const spoken = on(events.delta, (e, wire) => this.#text(e, true, wire))
    const spokenDone = on(events.transcriptDone, (e, wire) => [textDone(e, e.transcript, true, wire)])
    const written = on(events.delta, (e, wire) => this.#text(e, false, wire))
    const writtenDone = on(events.textDone, (e, wire) => [textDone(e, e.text, false, wire)])
    const audio = on(events.delta, (e, wire) => this.#parsedAudio(e, wire))
    const audioDone = on(events.ids, (e, wire) => [
      { type: 'audioDone', source: said, wire, responseId: e.response_id, itemId: e.item_id },
    ])
    const callDelta = on(events.callDelta, (e, wire) => [
      native('response.function_call_arguments.delta', wire, this.#calls.toolOf(e.item_id, e.call_id)),
    ])
    const callDone = on(events.callDone, (e, wire) => [
      native('response.function_call_arguments.done', wire, this.#calls.argumentsDone(e)),
    ])
    const added = (type: string) => on(events.conversationItem, (e, wire) => this.#item(type, e.item, wire))
    return new Map<string, Read>([
      ['session.updated', () => [{ type: 'native', source: said, name: 'session.updated' }]],
      ['session.created', () => [{ type: 'native', source: said, name: 'session.created' }]],
      ['response.output_audio.delta', audio],
      ['response.output_audio.done', audioDone],
      ['response.output_audio_transcript.delta', spoken],
      ['response.output_audio_transcript.done', spokenDone],
      ['response.output_text.delta', written],
      ['response.output_text.done', writtenDone],
      ['response.created', on(events.responseCreated, (e, wire) => this.#started(e, wire))],
      ['response.done', on(events.responseDone, (e, wire) => this.#done(e, wire))],
      ['response.output_item.added', on(events.outputItem, (e, wire) => this.#outputBegins(e, wire))],
      ['response.output_item.done', on(events.outputItem, (e, wire) => this.#outputEnds(e, wire))],
      ['response.function_call_arguments.delta', callDelta],
      ['response.function_call_arguments.done', callDone],
      ['conversation.item.added', added('conversation.item.added')],
      ['conversation.item.done', added('conversation.item.done')],
      ['conversation.item.retrieved', added('conversation.item.retrieved')],
      ...this.#hearingReaders(),
    ])
  }

  #hearingReaders(): readonly [string, Read][] {
    const heard = 'conversation.item.input_audio_transcription'
    return [
      ['input_audio_buffer.speech_started', on(events.speechStarted, (e, wire) => this.#speech(e, wire))],
      [
        'input_audio_buffer.speech_stopped',
        on(events.speechStopped, (e, wire) => [
          {
            type: 'userSpeech',
            source: said,
            wire,
            phase: 'stop',
            itemId: e.item_id,
            atMs: e.audio_end_ms,
            silenceMs: this.silenceMs,
            interrupts: false,
          },
        ]),
      ],
      ['input_audio_buffer.committed', on(events.committed, (e, wire) => this.#committed(e.item_id, wire))],
      [
        `${heard}.delta`,
        on(events.heardDelta, (e, wire) => [
          { type: 'userText', source: said, wire, itemId: e.item_id, delta: e.delta },
        ]),
      ],
      [`${heard}.completed`, on(events.heardDone, (e, wire) => this.#heard(e, wire))],
      [
        `${heard}.failed`,
        on(events.heardFailed, (e, wire) => {
          this.#meters.free('transcription', e.item_id)
          const failed = e.error.code ?? 'transcription_failed'
          return [{ type: 'userText', source: said, wire, itemId: e.item_id, failed }]
        }),
      ],
      [
        'conversation.item.truncated',
        on(events.truncated, (e, wire) => [
          { type: 'truncated', source: said, wire, itemId: e.item_id, heardMs: e.audio_end_ms },
        ]),
      ],
      ['rate_limits.updated', on(events.rateLimits, (e, wire) => rateLimited(e, wire))],
      ['error', on(events.error, (e, wire) => problem(e, wire))],
    ]
  }

  #parsedAudio(e: z.output<typeof events.delta>, wire: Buffer): Events {
    const itemId = e.item_id
    const item = this.#items.get(itemId) ?? { bytes: 0, truncated: false }
    this.#items.set(itemId, item)
    if (item.truncated) return []
    const pcm = Buffer.from(e.delta, 'base64')
    item.bytes += pcm.length
    return [{ type: 'audio', source: said, wire, responseId: e.response_id, itemId, pcm, ms: pcm.length / bytesPerMs }]
  }

  #text(e: z.output<typeof events.delta>, spoken: boolean, wire: Buffer): Events {
    if (this.#items.get(e.item_id)?.truncated === true) return []
    return [
      {
        type: 'agentText',
        source: said,
        wire,
        responseId: e.response_id,
        itemId: e.item_id,
        spoken,
        delta: e.delta,
      },
    ]
  }

  #started(e: z.output<typeof events.responseCreated>, wire: Buffer): Events {
    const responseId = e.response.id
    this.#meters.begins('response', responseId)
    // Null is the wire's word for "outside of the conversation"; servers that say nothing mean the default one.
    if (e.response.conversation_id === null) {
      this.#outOfBand.set(responseId, true)
      return [native('response.created', wire)]
    }
    this.#active.add(responseId)
    return [{ type: 'responseStarted', source: said, wire, responseId }]
  }

  #done(e: z.output<typeof events.responseDone>, wire: Buffer): Events {
    const { id: responseId, status, status_details: details, output } = e.response
    this.#active.delete(responseId)
    const calls = this.#calls.responseDone(responseId, status === 'completed', output ?? [])
    const reason = details?.reason ?? details?.error?.code ?? details?.error?.type ?? undefined
    const limited: Events =
      reason === 'rate_limit_exceeded' ? [{ type: 'rateLimited', source: said, retryAfterMs: null }] : []
    return [
      ...calls,
      ...limited,
      ...this.#usage(e.response),
      { type: 'responseDone', source: said, wire, responseId, status, ...(reason === undefined ? {} : { reason }) },
    ]
  }

  #usage({ id, status, output, usage }: z.output<typeof events.responseDone>['response']): Events {
    if (usage != null) return metered(this.#meters.response(id, usage))
    // Refused before anything of it was made: nobody charges for that.
    if (status === 'failed' && (output ?? []).length === 0) this.#meters.free('response', id)
    return metered(this.#meters.untold('response', id))
  }

  /** The connection is over: what was under way is charged, and nobody will tell how much. */
  close(): Events {
    return metered(this.#meters.close())
  }

  #outputBegins(e: z.output<typeof events.outputItem>, wire: Buffer): Events {
    if (e.item.type === 'message') {
      return [{ type: 'agentItem', source: said, wire, responseId: e.response_id, itemId: e.item.id }]
    }
    this.#calls.begins(e.item)
    return [native('response.output_item.added', wire, e.item.name)]
  }

  #outputEnds(e: z.output<typeof events.outputItem>, wire: Buffer): Events {
    const { item } = e
    if (item.type !== 'function_call') return [native('response.output_item.done', wire)]
    const call = this.#calls.ends(e.response_id, item)
    return call === undefined ? [native('response.output_item.done', wire, item.name)] : [{ ...call, wire }]
  }

  #item(type: string, item: z.output<typeof events.item>, wire: Buffer): Events {
    if (this.#own.has(item.id)) return []
    const tool = this.#calls.toolOf(item.id, item.call_id) ?? item.name
    if (item.type !== 'message' || item.role !== 'user' || this.#shown.has(item.id)) {
      return [native(type, wire, tool)]
    }
    this.#shown.set(item.id, true)
    const spoken = item.content?.some((part) => part.type === 'input_audio') ?? false
    return [{ type: 'userItem', source: said, wire, itemId: item.id, spoken }]
  }

  #committed(itemId: string, wire: Buffer): Events {
    this.#meters.begins('transcription', itemId)
    if (this.#shown.has(itemId)) return [native('input_audio_buffer.committed', wire)]
    this.#shown.set(itemId, true)
    return [{ type: 'userItem', source: said, wire, itemId, spoken: true }]
  }

  #speech(e: z.output<typeof events.speechStarted>, wire: Buffer): Events {
    const interrupts = this.interrupts && this.answering
    return [
      {
        type: 'userSpeech',
        source: said,
        wire,
        phase: 'start',
        itemId: e.item_id,
        atMs: e.audio_start_ms,
        interrupts,
        ...(this.keeps ? { keeps: true } : {}),
      },
    ]
  }

  #heard(e: z.output<typeof events.heardDone>, wire: Buffer): Events {
    const { item_id: itemId, usage: told } = e
    const usage = metered(
      told === undefined ? this.#meters.untold('transcription', itemId) : this.#meters.transcription(itemId, told),
    )
    return [...usage, { type: 'userText', source: said, wire, itemId: e.item_id, final: e.transcript }]
  }
}

function on<S extends z.ZodType>(schema: S, read: (event: z.output<S>, wire: Buffer) => Events): Read {
  return (event, wire) => {
    const parsed = schema.safeParse(event)
    return parsed.success ? read(parsed.data, wire) : undefined
  }
}

function native(name: string, wire: Buffer, tool?: string): EngineEvent {
  return { type: 'native', source: said, wire, name, ...(tool === undefined ? {} : { tool }) }
}

function metered(meters: Meters | undefined): Events {
  return meters === undefined ? [] : [{ type: 'usage', source: said, meters }]
}

function textDone(e: z.output<typeof events.ids>, final: string, spoken: boolean, wire: Buffer): EngineEvent {
  return { type: 'agentText', source: said, wire, responseId: e.response_id, itemId: e.item_id, spoken, final }
}

function rateLimited(e: z.output<typeof events.rateLimits>, wire: Buffer): Events {
  const spent = e.rate_limits.filter((limit) => limit.remaining <= 0)
  if (spent.length === 0) return [native('rate_limits.updated', wire)]
  const retryAfterMs = Math.max(...spent.map((limit) => limit.reset_seconds)) * 1000
  return [{ type: 'rateLimited', source: said, wire, retryAfterMs }]
}

function problem({ error }: z.output<typeof events.error>, wire: Buffer): Events {
  const code = error.code ?? error.type
  const limited: Events =
    code === 'rate_limit_exceeded' ? [{ type: 'rateLimited', source: said, retryAfterMs: null }] : []
  return [
    ...limited,
    {
      type: 'error',
      source: said,
      ...(isOwn(error.event_id) ? {} : { wire }),
      code,
      message: error.message,
      // Of our own frames only a request for an answer is missed.
      benign: benign.has(code) || (error.event_id != null && isOwn(error.event_id) && !isMissed(error.event_id)),
      ...(error.event_id == null ? {} : { eventId: error.event_id }),
    },
  ]
}
