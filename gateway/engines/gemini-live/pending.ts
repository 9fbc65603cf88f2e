// What the provider is to be told, and when: the wire answers whatever is complete, at once, and stops speaking for it. So
// words, notes and results wait here until an answer is asked for, and one answer waits for the end of the other.

import { newId } from '../../platform/ids.ts'
import { Recent } from '../recent.ts'
import * as commands from './commands.ts'
import type { FunctionCall } from './events.ts'
import type { Turn } from './hearing.ts'

/** A client's own request. */
export type Raw = Readonly<Record<string, unknown>>

export type Ask =
  | { readonly what: 'respond'; readonly raw?: Raw }
  | { readonly what: 'say'; readonly text: string }
  | { readonly what: 'goOn'; readonly after: string }

const asksKept = 8
const textsKept = 64

interface OpenCall {
  /** The provider's own id; not every model gives one. */
  readonly id: string | undefined
  readonly name: string
  cancelled: boolean
}

export class Pending {
  readonly #asyncTools: boolean
  #asks: Ask[] = []
  #texts: string[] = []
  #turns: Turn[] = []
  #results: commands.CallResult[] = []
  readonly #calls = new Recent<OpenCall>()

  constructor(asyncTools: boolean) {
    this.#asyncTools = asyncTools
  }

  /** False: too many wait. */
  ask(ask: Ask): boolean {
    if (this.#asks.length >= asksKept) return false
    this.#asks.push(ask)
    return true
  }

  get empty(): boolean {
    return this.#asks.length + this.#turns.length + this.#results.length === 0
  }

  /** A tool works, and the provider waits for it. */
  get waitsForTool(): boolean {
    return [...this.#calls.entries()].some(([, call]) => !call.cancelled) || this.#results.length > 0
  }

  forgetAsks(): void {
    this.#asks = []
  }

  /** False: too many wait. */
  text(text: string): boolean {
    if (this.#texts.length >= textsKept) return false
    this.#texts.push(text)
    return true
  }

  turn(turn: Turn): void {
    this.#turns.push(turn)
  }

  /** Returns our id of the call. */
  called({ id, name }: FunctionCall): string {
    const callId = id ?? newId('call')
    this.#calls.set(callId, { id, name, cancelled: false })
    return callId
  }

  cancelled(ids: readonly string[]): void {
    for (const [, call] of this.#calls.entries()) {
      if (call.id !== undefined && ids.includes(call.id)) call.cancelled = true
    }
  }

  /** False: nobody made this call. One that the provider gave up was run all the same: the model must know. */
  result(callId: string, output: string): boolean {
    const call = this.#calls.get(callId)
    if (call === undefined) return false
    this.#calls.delete(callId)
    if (call.cancelled) return this.text(commands.foreignText(call.name, output))
    this.#results.push({ id: call.id, name: call.name, output })
    return true
  }

  /** What was said and noted so far, without asking for an answer. */
  background(): Json | undefined {
    const texts = this.#texts.splice(0)
    return texts.length === 0 ? undefined : JSON.stringify(commands.contents(texts, false))
  }

  /** The next answer that was asked for; undefined: none was. */
  next(): Request | undefined {
    const ask = this.#asks.shift()
    if (ask === undefined) return undefined
    if (ask.what === 'say') this.#texts.push(commands.sayText(ask.text))
    if (ask.what === 'goOn') this.#texts.push(commands.goOnText(ask.after))
    const texts = this.#texts.splice(0)
    const turns = this.#turns.splice(0)
    const results = this.#results.splice(0)
    const frames = [
      ...this.#resultFrames(results, texts.length + turns.length === 0),
      ...(turns.length === 0 ? textFrames(texts, results.length === 0) : spokenFrames(turns, texts)),
    ]
    const raw = ask.what === 'respond' ? ask.raw : undefined
    return { frames, spokenItemId: turns.at(-1)?.itemId, resumes: results.length > 0, raw }
  }

  #resultFrames(results: readonly commands.CallResult[], alone: boolean): readonly Json[] {
    if (results.length === 0) return []
    // The answer to what was said answers the result too.
    const scheduling = alone ? 'INTERRUPT' : 'SILENT'
    return [JSON.stringify(commands.toolResponse(results, this.#asyncTools ? scheduling : undefined))]
  }
}

/** A frame as it goes out. */
type Json = string

export interface Request {
  readonly frames: readonly Json[]
  /** The last turn of speech among them. */
  readonly spokenItemId: string | undefined
  /** Results are among them. */
  readonly resumes: boolean
  readonly raw: Raw | undefined
}

/** A result is answered by itself. */
function textFrames(texts: readonly string[], due: boolean): readonly Json[] {
  return due || texts.length > 0 ? [JSON.stringify(commands.contents(texts, true))] : []
}

/** The end of the speech is what asks: everything else goes before it. */
function spokenFrames(turns: readonly Turn[], texts: readonly string[]): readonly Json[] {
  const before = texts.length === 0 ? [] : [JSON.stringify(commands.contents(texts, false))]
  const sound = turns.flatMap(({ pcm }) => [...pieces(pcm)].map(commands.audio))
  return [...before, JSON.stringify(commands.activityStart), ...sound, JSON.stringify(commands.activityEnd)]
}

/** One second each. */
function* pieces(pcm: Buffer): Generator<Buffer> {
  const size = 32_000
  for (let at = 0; at < pcm.length; at += size) yield pcm.subarray(at, at + size)
}
