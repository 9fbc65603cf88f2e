// What was missed while the control of a call was away, and its media went on: asked for item by item, sent again where
// nobody can know whether it arrived, and closed where nothing more comes of it.

import { z } from 'zod'
import type { Clock, Timer } from '../../../platform/clock.ts'
import { newId } from '../../../platform/ids.ts'
import type { EngineEvent } from '../../engines.ts'
import { Recent } from '../../recent.ts'
import { isOwn, ownEventId, type WireEvent } from '../commands.ts'
import type { anyEvent, item } from '../events.ts'
import * as events from '../events.ts'
import type { Reader } from '../reader.ts'

type Raw = z.output<typeof anyEvent>
type Events = readonly EngineEvent[]

/** An answer of which nothing is heard for this long after the control is back has ended before. */
const settleMs = 2_000
const sentKept = 64

const content = z.array(z.looseObject({ transcript: z.string().nullish(), text: z.string().nullish() }))

interface Open {
  readonly items: Set<string>
  /** Heard of since the control is back. */
  isSure: boolean
}

export class CatchUp {
  readonly #clock: Clock
  readonly #reader: Reader
  /** Answers that have begun. */
  readonly #open = new Map<string, Open>()
  readonly #ended = new Recent<true>()
  readonly #items = new Recent<true>()
  /** Speech without words yet. */
  readonly #wordless = new Set<string>()
  /** Items of ours that the provider has not confirmed, oldest first. */
  readonly #sent = new Map<string, string>()
  /** The answer that was asked for last, and has not begun. */
  #asked: string | undefined
  /** Speech ended, and its answer has not begun. */
  #isDue = false
  #isAway = false
  /** Items that were asked for, with the answer they belong to. */
  readonly #awaited = new Map<string, string | undefined>()
  #timer: Timer | undefined

  constructor(clock: Clock, reader: Reader) {
    this.#clock = clock
    this.#reader = reader
  }

  sent(event: WireEvent): void {
    const frame = JSON.stringify(event)
    const id =
      event.type === 'conversation.item.create' ? events.conversationItem.safeParse(event).data?.item.id : undefined
    if (id !== undefined) this.#sent.set(id, frame)
    if (event.type === 'response.create' && !frame.includes('"conversation":"none"')) this.#asked = frame
    for (const [oldest] of this.#sent) {
      if (this.#sent.size <= sentKept) break
      this.#sent.delete(oldest)
    }
  }

  /** Before the reader has it. True: an answer to a question of ours, that nobody else needs to see. */
  saw(event: Raw): boolean {
    const id = events.conversationItem.safeParse(event).data?.item.id
    if (event.type === 'conversation.item.added' || event.type === 'conversation.item.created')
      this.#sent.delete(id ?? '')
    else if (event.type === 'input_audio_buffer.speech_stopped') this.#isDue = true
    else if (
      event.type === 'response.created' &&
      events.responseCreated.safeParse(event).data?.response.conversation_id !== null
    ) {
      this.#asked = undefined
      this.#isDue = false
    } else if (event.type === 'error') return this.#refused(event)
    return event.type === 'conversation.item.retrieved' && id !== undefined && this.#awaited.has(id)
  }

  /** A repetition that was not needed, an item that is not there any more. */
  #refused(event: Raw): boolean {
    const { event_id: from, code } = events.error.safeParse(event).data?.error ?? {}
    if (!isOwn(from) || from?.startsWith(ownEventId('again')) !== true) {
      if (isOwn(from)) this.#asked = undefined
      return false
    }
    return code !== 'rate_limit_exceeded'
  }

  /** What the reader made of a frame, with what went before it and was missed. */
  events(event: EngineEvent): Events {
    switch (event.type) {
      case 'responseStarted':
        this.#open.set(event.responseId, { items: new Set(), isSure: true })
        return [event]
      case 'agentItem':
        return [...this.#began(event.responseId, event.itemId, false), event]
      case 'agentText':
      case 'audioDone':
        return [...this.#began(event.responseId, event.itemId, true), event]
      case 'toolCall':
        return [...this.#began(event.responseId, undefined, false), event]
      case 'responseDone':
        return this.#done(event)
      case 'userItem':
        if (event.spoken) this.#wordless.add(event.itemId)
        return [event]
      case 'userText':
        if (event.final !== undefined || event.failed !== undefined) this.#wordless.delete(event.itemId)
        return [event]
      default:
        return [event]
    }
  }

  #began(responseId: string, itemId: string | undefined, tellsItem: boolean): Events {
    if (this.#ended.has(responseId)) return []
    const open = this.#open.get(responseId) ?? { items: new Set<string>(), isSure: true }
    const isNew = !this.#open.has(responseId)
    this.#open.set(responseId, open)
    open.isSure = true
    if (isNew) this.#isDue = false
    const begun: EngineEvent[] = isNew ? [{ type: 'responseStarted', source: 'inferred', responseId }] : []
    if (itemId === undefined || open.items.has(itemId)) return begun
    open.items.add(itemId)
    const isTold = this.#items.has(itemId)
    this.#items.set(itemId, true)
    return tellsItem && !isTold ? [...begun, { type: 'agentItem', source: 'inferred', responseId, itemId }] : begun
  }

  #done(event: Extract<EngineEvent, { type: 'responseDone' }>): Events {
    if (this.#ended.has(event.responseId)) return []
    const begun = this.#began(event.responseId, undefined, false)
    this.#open.delete(event.responseId)
    this.#ended.set(event.responseId, true)
    return [...begun, event]
  }

  away(): void {
    this.#isAway = true
    this.#timer?.cancel()
    for (const open of this.#open.values()) open.isSure = false
  }

  /** The control is back: what has to be sent over it first. */
  back(tell: (events: Events) => void): readonly string[] {
    if (!this.#isAway) return []
    this.#isAway = false
    this.#awaited.clear()
    for (const [responseId, { items }] of this.#open) for (const id of items) this.#awaited.set(id, responseId)
    for (const itemId of this.#wordless) this.#awaited.set(itemId, undefined)
    const questions = [...this.#awaited.keys()].map((itemId, i) =>
      JSON.stringify({ type: 'conversation.item.retrieve', event_id: ownEventId(`again_${i}`), item_id: itemId }),
    )
    this.#timer = this.#clock.after(settleMs, () => tell(this.#settle()))
    const asked = this.#asked === undefined ? [] : [again(this.#asked)]
    return [...[...this.#sent.values()].map(again), ...questions, ...asked]
  }

  retrieved(event: Raw, wire: Buffer): Events {
    const found = events.conversationItem.safeParse(event).data?.item
    if (found === undefined) return []
    const responseId = this.#awaited.get(found.id)
    this.#awaited.delete(found.id)
    return responseId === undefined ? this.#words(found, event) : this.#part(found, responseId, { event, wire })
  }

  /** Of an answer: it goes on, or this much of it was given. */
  #part(
    found: z.output<typeof item>,
    responseId: string,
    { event, wire }: { readonly event: Raw; readonly wire: Buffer },
  ): Events {
    const open = this.#open.get(responseId)
    if (found.status === 'in_progress') {
      if (open !== undefined) open.isSure = true
      return []
    }
    if (found.type === 'function_call') {
      // As it would have been told.
      return this.#reader.read({ type: 'response.output_item.done', response_id: responseId, item: event.item }, wire)
    }
    const final = textOf(event)
    if (final === undefined) return []
    const spoken = found.content?.some((part) => part.type.includes('audio')) ?? false
    return [{ type: 'agentText', source: 'provider', responseId, itemId: found.id, spoken, final }]
  }

  #words(found: z.output<typeof item>, event: Raw): Events {
    const final = textOf(event)
    if (final === undefined || !this.#wordless.delete(found.id)) return []
    return [...this.#reader.lostWords(found.id), { type: 'userText', source: 'provider', itemId: found.id, final }]
  }

  /** Whatever nothing was heard of has ended while nobody listened. */
  #settle(): Events {
    const told: EngineEvent[] = []
    for (const [responseId, { isSure, items }] of this.#open) {
      if (isSure) continue
      const status = items.size === 0 ? 'incomplete' : 'completed'
      told.push(...this.#reader.lost(responseId), ...this.#over(responseId, status))
    }
    if (this.#isDue) {
      this.#isDue = false
      // Its answer was given without us: who waits for it need not wait any longer.
      const responseId = newId('resp')
      told.push({ type: 'responseStarted', source: 'inferred', responseId })
      this.#open.set(responseId, { items: new Set(), isSure: true })
      told.push(...this.#reader.lost(responseId), ...this.#over(responseId, 'completed'))
    }
    return told
  }

  #over(responseId: string, status: 'completed' | 'incomplete'): Events {
    return this.#done({ type: 'responseDone', source: 'inferred', responseId, status, reason: 'control_gap' })
  }

  /** Answers that were being given cost something that nobody will tell. */
  close(): Events {
    this.#timer?.cancel()
    return [...this.#open.keys()].flatMap((responseId) => this.#reader.lost(responseId))
  }
}

/** The same frame under a name by which its refusal is known to mean nothing. */
function again(frame: string): string {
  const event: unknown = JSON.parse(frame)
  return JSON.stringify({ ...(typeof event === 'object' ? event : {}), event_id: ownEventId('again') })
}

/** The words of the item that an event tells of. */
export function textOf(event: Raw): string | undefined {
  const parts = z.looseObject({ item: z.looseObject({ content }) }).safeParse(event).data?.item.content
  const words = parts?.flatMap(({ transcript, text }) => transcript ?? text ?? [])
  return words === undefined || words.length === 0 ? undefined : words.join('')
}
