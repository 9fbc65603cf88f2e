// What a replacement must be told beside the conversation: changed settings, notes, results of tools nobody spoke about yet.

import { withFields } from '../client-frame.ts'
import type { Engine, EngineBrief, EngineCommand } from '../engines.ts'
import { Recent } from '../recent.ts'

type Of<T extends EngineCommand['type']> = Extract<EngineCommand, { type: T }>
type Json = Readonly<Record<string, unknown>>

/** What an agent is told about the page or the caller; older notes are overtaken. */
const notesKept = 8
const resultsKept = 16

export class Memory {
  #brief: EngineBrief
  /** The client's own settings of the provider's session, as one. */
  #settings: Json | undefined
  #notes: string[] = []
  #results: { readonly callId: string; readonly output: string; readonly name: string; answering: boolean }[] = []
  /** Which engine made a call. */
  readonly #calls = new Recent<{ readonly name: string; readonly engine: Engine }>()
  readonly #open = new Recent<true>()

  constructor(brief: EngineBrief) {
    this.#brief = brief
  }

  get brief(): EngineBrief {
    return this.#brief
  }

  /** Whether speech that ends is answered without being asked for. */
  get answersSpeech(): boolean {
    return this.#brief.turnDetection !== 'none' && this.#brief.settings?.turns?.createsResponse !== false
  }

  get waitsForTool(): boolean {
    return !this.#open.entries().next().done || this.#results.length > 0
  }

  update(fields: Of<'update'>['fields']): void {
    this.#brief = withFields(this.#brief, fields)
  }

  native(event: Of<'native'>['event']): void {
    if (event.type === 'session.update' && isRecord(event.session)) {
      this.#settings = merged(this.#settings ?? {}, event.session)
    }
  }

  note(text: string): void {
    this.#notes = [...this.#notes.slice(1 - notesKept), text]
  }

  called(callId: string, name: string, engine: Engine): void {
    this.#calls.set(callId, { name, engine })
    this.#open.set(callId, true)
  }

  /** The command as `engine` understands it: to another than the one that called, the result is a fact. */
  result(command: Of<'toolResult'>, engine: Engine | undefined): Of<'toolResult'> {
    const { callId, output } = command
    const call = this.#calls.get(callId)
    if (call === undefined) return command
    this.#open.delete(callId)
    this.#results = [...this.#results.slice(1 - resultsKept), { callId, output, name: call.name, answering: false }]
    if (call.engine === engine) return command
    return { type: 'toolResult', callId, output, foreign: call.name }
  }

  /** A refused result is still awaited. */
  unresult(callId: string): void {
    if (!this.#results.some((result) => result.callId === callId)) return
    this.#results = this.#results.filter((result) => result.callId !== callId)
    this.#open.set(callId, true)
  }

  /** The answer that begins now knows the results given so far. */
  answerBegins(): void {
    for (const result of this.#results) result.answering = true
  }

  answered(): void {
    this.#results = this.#results.filter((result) => !result.answering)
  }

  /** To a new engine, before anything else. */
  retell(engine: Engine): void {
    if (this.#settings !== undefined && engine.capabilities.dialect !== 'none') {
      engine.send({ type: 'native', event: { type: 'session.update', session: this.#settings } })
    }
    for (const text of this.#notes) engine.send({ type: 'note', text })
    for (const { callId, output, name } of this.#results) {
      engine.send({ type: 'toolResult', callId, output, foreign: name })
    }
  }
}

function merged(base: Json, change: Json): Json {
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(change)) {
    const before = result[key]
    // Tools and turn detection are replaced as a whole, as the provider does.
    const inside = isRecord(before) && isRecord(value) && key !== 'turn_detection'
    result[key] = inside ? merged(before, value) : value
  }
  return result
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
