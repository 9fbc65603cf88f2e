// Work for the voice, done by a Responses model at the provider. Its calls come back to the session; it goes on when every
// call of the session is answered, because the provider refuses it before and nobody asks a second time.

import { z } from 'zod'
import type { CommandAnswer, EngineEvent, Meters } from '../engines.ts'
import { Recent } from '../recent.ts'
import { callOutput, userItem, type WireEvent } from './commands.ts'
import { backendUsage, type LiveMeters } from './meters.ts'

const response = z.object({
  response: z.object({
    id: z.string().min(1),
    model: z.string().min(1).optional().catch(undefined),
    usage: backendUsage.nullish().catch(undefined),
    error: z.object({ code: z.string().nullish() }).nullish().catch(undefined),
    incomplete_details: z.object({ reason: z.string().nullish() }).nullish().catch(undefined),
  }),
})
const call = z.object({
  item: z.object({
    id: z.string().optional(),
    type: z.literal('function_call'),
    call_id: z.string().min(1),
    name: z.string().min(1),
    arguments: z.string(),
  }),
})

export interface BackendEvents {
  send(event: WireEvent): boolean
  called(call: Extract<EngineEvent, { type: 'toolCall' }>): void
  /** A response of the backend is over and nothing of it is left to do. */
  done(): void
  failed(code: string): void
  usage(meters: Meters): void
}

/** Asking again may help. */
const busy = new Set(['rate_limit_exceeded', 'server_error', 'insufficient_quota'])

const full: CommandAnswer = { is: 'rejected', reason: 'queue_full' }

export class Backend {
  readonly #model: string
  readonly #meters: LiveMeters
  readonly #on: BackendEvents
  readonly #running = new Set<string>()
  /** Asked for, and not begun. */
  #asked = 0
  /** Calls without an answer, by the response that made them. */
  readonly #open = new Map<string, string>()
  readonly #seen = new Recent<true>()
  /** Answers and questions the backend has not been asked about. */
  #news = 0
  #wanted = false
  #newest = ''

  constructor(model: string, meters: LiveMeters, on: BackendEvents) {
    this.#model = model
    this.#meters = meters
    this.#on = on
  }

  get working(): boolean {
    return this.#running.size > 0 || this.#asked > 0 || this.#open.size > 0 || this.#wanted
  }

  wrote(text: string): CommandAnswer {
    if (!this.#on.send(userItem(text))) return full
    this.#news++
    return { is: 'accepted' }
  }

  result(callId: string, output: string): CommandAnswer {
    if (!this.#open.has(callId)) return { is: 'rejected', reason: 'unknown_call' }
    if (!this.#on.send(callOutput(callId, output))) return full
    this.#open.delete(callId)
    this.#news++
    this.#next()
    return { is: 'accepted' }
  }

  respond(): CommandAnswer {
    this.#wanted = true
    this.#next()
    return { is: 'accepted' }
  }

  /** Session-wide: nothing runs, nothing is unanswered, and there is something new. */
  #next(): void {
    if (!this.#wanted || this.#running.size > 0 || this.#asked > 0 || this.#open.size > 0) return
    this.#wanted = false
    if (this.#news === 0) {
      this.#on.done()
      return
    }
    this.#news = 0
    this.#asked = 1
    if (!this.#on.send({ type: 'response.create', event_id: 'event_parley_respond' })) this.#asked = 0
  }

  /** True when the error was about a response that was asked for. */
  refused(eventId: string | undefined, code: string): boolean {
    if (eventId !== 'event_parley_respond' || this.#asked === 0) return false
    this.#asked = 0
    // A response of the voice's own has taken what was new: it answers that too.
    if (busy.has(code)) this.#on.failed(code)
    else this.#on.done()
    return true
  }

  /** One event of the Responses stream. False: in a shape that says nothing. */
  nested(event: Readonly<Record<string, unknown>> & { readonly type: string }): boolean {
    switch (event.type) {
      case 'response.created':
        return this.#created(event)
      case 'response.output_item.done':
        return this.#item(event)
      case 'response.completed':
      case 'response.failed':
      case 'response.incomplete':
        return this.#over(event)
      default:
        return true
    }
  }

  #created(event: unknown): boolean {
    const parsed = response.safeParse(event)
    if (!parsed.success) return false
    this.#newest = parsed.data.response.id
    this.#asked = 0
    this.#running.add(this.#newest)
    return true
  }

  /** Items name no response: the newest one is theirs. */
  #item(event: Readonly<Record<string, unknown>>): boolean {
    const { item } = event
    if (typeof item !== 'object' || item === null || !('type' in item)) return false
    if (item.type !== 'function_call') return true
    const parsed = call.safeParse(event)
    if (!parsed.success) return false
    const { call_id: callId, name, id, arguments: input } = parsed.data.item
    if (this.#seen.has(callId)) return true
    this.#seen.set(callId, true)
    this.#open.set(callId, this.#newest)
    const itemId = id ?? callId
    this.#on.called({
      type: 'toolCall',
      source: 'provider',
      responseId: this.#newest,
      itemId,
      callId,
      name,
      arguments: input,
    })
    return true
  }

  #over(event: { readonly type: string }): boolean {
    const parsed = response.safeParse(event)
    if (!parsed.success) return false
    const { id, usage, model = this.#model, error, incomplete_details: details } = parsed.data.response
    this.#running.delete(id)
    const isKnown = usage != null || event.type !== 'response.completed'
    const meters = isKnown && usage == null ? undefined : this.#meters.backend(id, model, usage ?? undefined)
    if (meters !== undefined) this.#on.usage(meters)
    if (event.type !== 'response.completed') {
      // What a response called that did not end well nobody waits for.
      for (const [callId, by] of this.#open) if (by === id) this.#open.delete(callId)
    }
    if (event.type === 'response.failed') this.#on.failed(error?.code ?? details?.reason ?? 'failed')
    this.#next()
    if (!this.working) this.#on.done()
    return true
  }
}
