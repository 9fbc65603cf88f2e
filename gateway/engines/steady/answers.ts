// What was asked for and what of it was said: enough to end a broken answer properly and to go on with the rest of it.

import type { Clock } from '../../platform/clock.ts'
import { wordEnd } from '../../platform/words.ts'
import type { Capabilities, EngineCommand, EngineEvent } from '../engines.ts'
import { restOf } from '../rest.ts'

type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>
type Asking = Extract<EngineCommand, { type: 'respond' | 'say' | 'goOn' }>
type Raw = Readonly<Record<string, unknown>>

/** An answer that is due. `speech`: the engine answers by itself what it heard under this item. */
export type Ask =
  | { readonly is: 'respond'; readonly raw?: Raw }
  | { readonly is: 'say'; readonly text: string }
  | { readonly is: 'goOn'; readonly after: string }
  | { readonly is: 'speech'; readonly itemId: string }

export interface SaidItem {
  readonly itemId: string
  text: string
  spoken: boolean
  /** Length of the text that had come before the last of the audio. */
  voiced: number
  audioMs: number
  audioDone: boolean
  final: string | undefined
  /** When its sound began. */
  fromMs: number | undefined
}

export interface Response {
  readonly responseId: string
  readonly ask: Ask | undefined
  readonly items: SaidItem[]
  /** A tool was called: the answer goes on with its result. */
  called: boolean
  /** The person does not want the rest. */
  cut: boolean
}

/** Nobody speaks faster: text that came further ahead of its sound was not heard. */
const fastestMsPerChar = 40
/** Sound without any text cannot be continued; less of it than this is begun anew. */
const unnoticedMs = 300
const asksKept = 8

export class Answers {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #asks: Ask[] = []
  #active: Response | undefined
  #last: SaidItem | undefined
  /** What the person is saying now, to a voice that may answer before its end. */
  #hearing: string | undefined
  /** The answer that began before the end of this speech. */
  #early: { readonly itemId: string; readonly response: Response } | undefined

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  get active(): Response | undefined {
    return this.#active
  }

  get asks(): readonly Ask[] {
    return this.#asks
  }

  /** Something is being said or will be. */
  get due(): boolean {
    return this.#active !== undefined || this.#asks.length > 0
  }

  /** False: too many wait. */
  asked(ask: Ask): boolean {
    if (this.#asks.length >= asksKept) return false
    this.#asks.push(ask)
    return true
  }

  /** To a continuous voice: speech begins, or nobody speaks. */
  hears(itemId: string | undefined): void {
    this.#hearing = itemId
  }

  /** Speech is over and meant; a voice that began to answer it before its end owes nothing more. */
  askedBySpeech(itemId: string): void {
    const isAnswered = this.#early?.itemId === itemId && !this.#early.response.cut
    if (!isAnswered) this.asked({ is: 'speech', itemId })
  }

  /** Takes the first, which failed. */
  refused(): Ask | undefined {
    return this.#asks.shift()
  }

  /** The client's own request was refused, and it knows. Not every client names its requests. */
  refusedOwn(eventId: string | undefined): void {
    const at = this.#asks.findIndex((ask) => ask.is === 'respond' && isOwn(ask) && ask.raw?.event_id === eventId)
    if (at >= 0) this.#asks.splice(at, 1)
  }

  forget(ask: (each: Ask) => boolean): void {
    this.#asks = this.#asks.filter((each) => !ask(each))
  }

  /** Hands over what waits: for another engine. */
  take(): readonly Ask[] {
    const asks = this.#asks
    this.#asks = []
    return asks
  }

  /** An answer to speech answers all of it, and is there before what waits for its turn. */
  started(responseId: string): void {
    const speech = this.#asks.findLast(({ is }) => is === 'speech')
    if (speech !== undefined) this.forget(({ is }) => is === 'speech')
    const ask = speech ?? this.#asks.shift()
    this.#active = { responseId, ask, items: [], called: false, cut: false }
    if (this.#hearing !== undefined) this.#early = { itemId: this.#hearing, response: this.#active }
  }

  done(responseId: string): Response | undefined {
    const response = this.#active
    if (response?.responseId !== responseId) return undefined
    this.#active = undefined
    return response
  }

  /** The one that breaks off now. Of a direct call words come long before their sound: what was not played was not heard. */
  broken(media: Capabilities['media']): Response | undefined {
    this.#hearing = undefined
    const nowMs = this.#clock.monotonicMs()
    for (const item of media === 'direct' ? (this.#active?.items ?? []) : []) {
      const playedMs = Math.min(item.audioMs, nowMs - (item.fromMs ?? nowMs))
      if (playedMs >= item.audioMs) continue
      item.voiced = Math.floor((item.voiced * playedMs) / item.audioMs)
      item.audioMs = playedMs
      item.audioDone = false
      item.final = undefined
    }
    return this.#active
  }

  cut(): void {
    if (this.#active !== undefined) this.#active.cut = true
  }

  item(itemId: string): void {
    this.#item(itemId)
  }

  /** The hot one. True when the item was not the last one talked about. */
  audio(itemId: string, ms: number): boolean {
    const known = this.#last?.itemId === itemId
    const item = known && this.#last !== undefined ? this.#last : this.#item(itemId)
    item.spoken = true
    item.fromMs ??= this.#clock.monotonicMs()
    item.audioMs += ms
    item.voiced = item.text.length
    return !known
  }

  audioDone(itemId: string): void {
    this.#item(itemId).audioDone = true
  }

  text({ itemId, spoken, delta, final }: Event<'agentText'>): void {
    const item = this.#item(itemId)
    item.spoken = spoken
    if (delta !== undefined) item.text += delta
    if (final !== undefined) item.final = final
  }

  called(): void {
    if (this.#active !== undefined) this.#active.called = true
  }

  #item(itemId: string): SaidItem {
    const items = this.#active?.items ?? []
    let item = items.find((each) => each.itemId === itemId)
    if (item === undefined) {
      const nothing = {
        text: '',
        spoken: false,
        voiced: 0,
        audioMs: 0,
        audioDone: false,
        final: undefined,
        fromMs: undefined,
      }
      item = { itemId, ...nothing }
      items.push(item)
    }
    this.#last = item
    return item
  }
}

/** The text of an item that has been heard or read, as well as can be told. */
export function saidOf(item: SaidItem): string {
  const whole = item.final ?? item.text
  if (!item.spoken || item.audioDone) return whole
  return item.text.slice(0, wordEnd(item.text, Math.min(item.voiced, Math.floor(item.audioMs / fastestMsPerChar))))
}

/** Everything an answer said; undefined when there was sound that nobody has the words of. */
export function saidIn(response: Response): string | undefined {
  if (response.items.some((item) => item.audioMs > unnoticedMs && item.text === '' && item.final === undefined)) {
    return undefined
  }
  return joined(response.items.map(saidOf))
}

/** What remains to be asked for of an answer that broke off. */
export function remainder(response: Response): Ask | undefined {
  const said = saidIn(response)
  if (response.cut || response.called || said === undefined) return undefined
  const { ask } = response
  if (ask?.is !== 'say') return { is: 'goOn', after: joined([ask?.is === 'goOn' ? ask.after : '', said]) }
  const text = restOf(ask.text, said)
  return text === '' ? undefined : { is: 'say', text }
}

/**
 * What another engine is asked for: sentences as they are; questions once, and then no old answer is gone on with. A
 * client's own request is repeated to an engine that understands it.
 */
export function renewed(broken: Response | undefined, asks: readonly Ask[]): readonly Ask[] {
  const rest = broken === undefined ? undefined : remainder(broken)
  const questions = asks.filter((ask) => ask.is === 'respond' || ask.is === 'speech')
  const kept: Ask[] = rest === undefined || (rest.is === 'goOn' && questions.length > 0) ? [] : [rest]
  let asked = false
  for (const ask of asks) {
    if (ask.is === 'say' || (ask.is === 'goOn' && questions.length === 0) || isOwn(ask)) kept.push(ask)
    else if (!asked && ask.is !== 'goOn') {
      asked = true
      kept.push({ is: 'goOn', after: '' })
    }
  }
  return kept
}

function isOwn(ask: Ask): boolean {
  return ask.is === 'respond' && ask.raw !== undefined
}

export function commandOf(ask: Ask): Asking | undefined {
  switch (ask.is) {
    case 'respond':
      return { type: 'respond', ...(ask.raw === undefined ? {} : { raw: ask.raw }) }
    case 'say':
      return { type: 'say', text: ask.text }
    case 'goOn':
      return { type: 'goOn', after: ask.after }
    case 'speech':
      return undefined
  }
}

export function askOf(command: Asking): Ask {
  if (command.type === 'say') return { is: 'say', text: command.text }
  if (command.type === 'goOn') return { is: 'goOn', after: command.after }
  return { is: 'respond', ...(command.raw === undefined ? {} : { raw: command.raw }) }
}

/** Somebody asked for it, by a command. */
export function isAsked(ask: Ask): boolean {
  return ask.is !== 'speech'
}

function joined(parts: readonly string[]): string {
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ')
}
