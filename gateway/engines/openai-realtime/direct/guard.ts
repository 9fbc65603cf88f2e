// What a browser does at the provider behind our back. Its data channel has every right there, so each change that is not
// ours is seen here and put back; who goes on loses the call.

import { newId } from '../../../platform/ids.ts'
import { Recent } from '../../recent.ts'
import { ownEventId, type WireEvent } from '../commands.ts'

type Json = Readonly<Record<string, unknown>>

/** Once is a client that does not know better. */
const toleratedOffences = 3
/** Of the session: the provider's own, or of the moment. */
const volatile = ['id', 'object', 'expires_at', 'client_secret', 'type', 'model']
/** Compared and set again as a whole. */
const wholes = new Set([
  ...['tools', 'tool_choice', 'turn_detection', 'output_modalities', 'voice', 'prompt', 'truncation', 'tracing'],
  ...['transcription', 'noise_reduction', 'format'],
])

export interface GuardEvents {
  putBack(event: WireEvent): void
  offence(what: string): void
  /** Too many. */
  unbearable(what: string): void
}

export class Guard {
  readonly #on: GuardEvents
  readonly #items = new Recent<true>()
  readonly #deleted = new Recent<true>()
  readonly #own = new Recent<true>()
  /** Updates of ours that were not echoed yet. */
  #pending: string[] = []
  #wanted: Json = {}
  /** As the session was before anybody else could change it. */
  #first: Json | undefined
  #asides = 0
  #offences = 0
  /** After a gap in the control: items may be of answers that nobody here saw begin. */
  #isUnsure = false
  #count = 0

  constructor(on: GuardEvents) {
    this.#on = on
  }

  /** Marks a frame of ours. Returns it as it has to be sent. */
  sent(event: WireEvent): WireEvent {
    if (event.type === 'session.update') return this.#configured(event)
    if (event.type === 'conversation.item.create') return this.#creates(event)
    if (event.type === 'conversation.item.delete') this.#deleted.set(String(event.item_id), true)
    if (event.type === 'response.create' && record(event.response).conversation === 'none') this.#asides++
    return event
  }

  #configured(event: WireEvent): WireEvent {
    const id = typeof event.event_id === 'string' ? event.event_id : ownEventId(`update_${++this.#count}`)
    this.#pending.push(id)
    const { type: _, ...wanted } = record(event.session)
    this.#wanted = merged(this.#wanted, wanted)
    return { ...event, event_id: id }
  }

  #creates(event: WireEvent): WireEvent {
    const item = record(event.item)
    const id = typeof item.id === 'string' ? item.id : newId('item')
    this.#own.set(id, true)
    return { ...event, item: { ...item, id } }
  }

  /** The control was away: what happened meanwhile nobody saw. */
  gap(): void {
    this.#pending = []
    this.#isUnsure = true
  }

  /** Whether it is of the gateway's making, not of the browser's. */
  owns(itemId: string): boolean {
    return this.#own.has(itemId)
  }

  saw(event: Json & { readonly type: string }): void {
    switch (event.type) {
      case 'session.created':
      case 'session.updated':
        this.#session(record(event.session), event.type === 'session.updated')
        return
      case 'error':
        this.#refused(record(event.error).event_id)
        return
      case 'response.created':
        this.#response(record(event.response))
        return
      case 'response.output_item.added':
        this.#items.set(String(record(event.item).id), true)
        return
      case 'conversation.item.added':
      case 'conversation.item.created':
        this.#item(record(event.item))
        return
      case 'conversation.item.deleted':
        if (!this.#deleted.has(String(event.item_id))) this.#offence('an item of the conversation was deleted')
        return
    }
  }

  #session(session: Json, isEcho: boolean): void {
    if (isEcho) this.#pending.shift()
    const steady = Object.fromEntries(Object.entries(session).filter(([key]) => !volatile.includes(key)))
    if (this.#first === undefined) {
      if (isEcho) this.#first = steady
      return
    }
    // What is on its way will be judged when it has come back.
    if (this.#pending.length > 0) return
    const changed = deviation(steady, this.#first, this.#wanted)
    if (changed === undefined) return
    this.#put({ type: 'session.update', session: { type: 'realtime', ...record(changed) } })
    this.#offence('the configuration of the session was changed')
  }

  #refused(eventId: unknown): void {
    this.#pending = this.#pending.filter((each) => each !== eventId)
  }

  #response({ id, conversation_id: conversation }: Json): void {
    if (conversation !== null) {
      this.#isUnsure = false
      return
    }
    if (this.#asides > 0) this.#asides--
    else {
      this.#put({ type: 'response.cancel', response_id: id })
      this.#offence('an answer outside of the conversation was asked for')
    }
  }

  /** A person's words may come from the browser; whatever speaks for the agent, its tools or its owner may not. */
  #item({ id, type, role }: Json): void {
    const itemId = String(id)
    if (this.#own.has(itemId) || this.#items.has(itemId) || (type === 'message' && role === 'user')) return
    if (this.#isUnsure && (role === 'assistant' || type === 'function_call')) return
    this.#put({ type: 'conversation.item.delete', item_id: itemId })
    this.#offence(`an item was added in the name of ${type === 'message' ? String(role) : String(type)}`)
  }

  #put(event: WireEvent): void {
    this.#on.putBack(this.sent({ event_id: ownEventId(`put_back_${++this.#count}`), ...event }))
  }

  #offence(what: string): void {
    this.#offences++
    if (this.#offences > toleratedOffences) this.#on.unbearable(what)
    else this.#on.offence(what)
  }
}

/** What has to be set again; undefined when everything is as it should be. */
function deviation(now: Json, first: Json, wanted: Json): Json | undefined {
  const back: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(now), ...Object.keys(first), ...Object.keys(wanted)])) {
    const [is, was, ours] = [now[key], first[key], wanted[key]]
    const inside = !wholes.has(key) && [is, was, ours].some(isRecord) && [is, was, ours].every(isRecordOrNothing)
    if (inside) {
      const deeper = deviation(record(is), record(was), record(ours))
      if (deeper !== undefined) back[key] = deeper
    } else if (ours === undefined ? canonical(is) !== canonical(was) : !covers(is, ours)) {
      back[key] = ours === undefined ? (was ?? null) : ours
    }
  }
  return Object.keys(back).length === 0 ? undefined : back
}

/** The provider fills in defaults: what was asked for has to be there, more may be. */
function covers(is: unknown, ours: unknown): boolean {
  if (Array.isArray(ours)) {
    return Array.isArray(is) && is.length === ours.length && ours.every((each, i) => covers(is[i], each))
  }
  if (!isRecord(ours)) return is === ours || (ours === null && is === undefined)
  return isRecord(is) && Object.entries(ours).every(([key, value]) => covers(is[key], value))
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isRecord(value)) return JSON.stringify(value ?? null)
  const keys = Object.keys(value).toSorted()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`
}

function merged(base: Json, change: Json): Json {
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(change)) {
    const before = result[key]
    result[key] = isRecord(before) && isRecord(value) && !wholes.has(key) ? merged(before, value) : value
  }
  return result
}

function record(value: unknown): Json {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isRecordOrNothing(value: unknown): boolean {
  return value === undefined || value === null || isRecord(value)
}
