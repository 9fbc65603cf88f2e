// The conversation as the model is shown it: what was heard instead of what was generated, each call with its one output, and
// nothing that a provider refuses.

import { splitHeard, type TextSpan } from '../../platform/heard.ts'
import type { EngineBrief } from '../engines.ts'
import type { Call, Message } from '../text/model.ts'

/** Some 12,000 tokens: beyond it the oldest is forgotten. */
const longestChars = 48_000
/** What an agent is told about the page or the caller; older notes are overtaken. */
const notesKept = 8

type Entry =
  | { readonly is: 'user'; readonly text: string; readonly itemId?: string | undefined }
  | { readonly is: 'agent'; readonly said: Said }
  | { readonly is: 'call'; readonly call: Call; output: string | undefined }

/** One item of the agent, while it is said and after. */
export class Said {
  readonly itemId: string
  text = ''
  /** Milliseconds of sound that have left. */
  audioMs = 0
  readonly #spans: TextSpan[] = []
  #firstAtMs: number | undefined
  #heardMs: number | undefined
  /** The gateway said how much was heard; what we conclude ourselves no longer counts. */
  #isTold = false

  constructor(itemId: string, text = '') {
    this.itemId = itemId
    this.text = text
  }

  words(delta: string): void {
    if (this.audioMs > 0) this.#spans.push({ textEnd: this.text.length, audioMs: this.audioMs })
    this.text += delta
  }

  sound(ms: number, nowMs: number): void {
    this.#firstAtMs ??= nowMs
    this.audioMs += ms
  }

  /** A person cut in: without a player's word, what real time allows to have been played. */
  cut(nowMs: number): void {
    if (this.#isTold || this.#firstAtMs === undefined || this.#heardMs !== undefined) return
    const playedMs = nowMs - this.#firstAtMs
    if (playedMs < this.audioMs) this.#heardMs = playedMs
  }

  /** The player's word. Returns what it can be at most, whole milliseconds. */
  truncate(heardMs: number): number {
    this.#isTold = true
    this.#heardMs = Math.max(0, Math.min(Math.floor(heardMs), Math.floor(this.audioMs)))
    return this.#heardMs
  }

  /** What the person knows of it. */
  get heard(): string {
    const playedMs = this.#heardMs
    if (playedMs === undefined) return this.text
    return splitHeard(this.text, { spans: this.#spans, audioMs: this.audioMs, playedMs, audioDone: false }).heard
  }
}

export class Conversation {
  #entries: Entry[]
  #notes: string[] = []
  #last: Said | undefined

  constructor(history: EngineBrief['history']) {
    this.#entries = history.map(({ role, text }, i) =>
      role === 'user' ? { is: 'user', text } : { is: 'agent', said: new Said(`history_${i}`, text) },
    )
  }

  /** `itemId`: as clients know it. */
  user(text: string, itemId?: string): void {
    this.#entries.push({ is: 'user', text, itemId })
    this.#trim()
  }

  /** A line of somebody else's making. */
  told(role: 'user' | 'agent', text: string): void {
    if (role === 'user') this.user(text)
    else this.#entries.push({ is: 'agent', said: new Said('', text) })
  }

  /** Takes an item over from another conversation. False: it is not there, or no words. */
  copy(itemId: string, from: Conversation): boolean {
    const entry = from.#entries.find((each) =>
      each.is === 'user' ? each.itemId === itemId : each.is === 'agent' && each.said.itemId === itemId,
    )
    if (entry !== undefined) this.#entries.push(entry)
    return entry !== undefined
  }

  agent(said: Said): void {
    this.#entries.push({ is: 'agent', said })
    this.#last = said
    this.#trim()
  }

  /** The item that may still be playing. */
  get last(): Said | undefined {
    return this.#last
  }

  /** An item of this engine's own. */
  said(itemId: string): Said | undefined {
    const entry = this.#entries.findLast((each) => each.is === 'agent' && each.said.itemId === itemId)
    return entry?.is === 'agent' ? entry.said : undefined
  }

  call(call: Call): void {
    this.#entries.push({ is: 'call', call, output: undefined })
  }

  hasCall(callId: string): boolean {
    return this.#entries.some((entry) => entry.is === 'call' && entry.call.callId === callId)
  }

  /** False: no such call, or it has its output. A call whose result came late stands where its result came. */
  result(callId: string, output: string): boolean {
    const at = this.#entries.findIndex((entry) => entry.is === 'call' && entry.call.callId === callId)
    const entry = this.#entries[at]
    if (entry?.is !== 'call' || entry.output !== undefined) return false
    entry.output = output
    if (this.#entries.slice(at + 1).some(({ is }) => is !== 'call')) {
      this.#entries.splice(at, 1)
      this.#entries.push(entry)
    }
    this.#trim()
    return true
  }

  note(text: string): void {
    this.#notes = [...this.#notes.slice(1 - notesKept), text]
  }

  get notes(): readonly string[] {
    return this.#notes
  }

  /** Names of the tools that have not answered yet. */
  get running(): readonly string[] {
    return this.#entries.flatMap((entry) =>
      entry.is === 'call' && entry.output === undefined ? [entry.call.name] : [],
    )
  }

  /** Calls of tools that are not `known` any more are told as facts. Of `except` nothing is shown. */
  messages(known: ReadonlySet<string>, except?: Said): readonly Message[] {
    const messages: Message[] = []
    for (const entry of this.#entries) {
      const message = entry.is === 'agent' && entry.said === except ? undefined : messageOf(entry, known)
      const last = messages.at(-1)
      if (message === undefined) continue
      if (message.role !== 'call' && last !== undefined && last.role === message.role) {
        messages[messages.length - 1] = {
          role: message.role,
          text: `${last.text}${message.role === 'user' ? '\n' : ' '}${message.text}`,
        }
      } else messages.push(message)
    }
    return messages
  }

  #trim(): void {
    let chars = 0
    const from = this.#entries.findLastIndex((entry) => {
      chars += sizeOf(entry)
      return chars > longestChars
    })
    if (from >= 0)
      this.#entries = this.#entries.filter(
        (entry, i) => i > from || (entry.is === 'call' && entry.output === undefined),
      )
  }
}

function messageOf(entry: Entry, known: ReadonlySet<string>): Message | undefined {
  if (entry.is === 'call') {
    const { call, output } = entry
    // Told beside the conversation while it runs: a call without an output is refused everywhere.
    if (output === undefined) return undefined
    return known.has(call.name) ? { role: 'call', call, output } : { role: 'user', text: fact(call.name, output) }
  }
  const text = entry.is === 'user' ? entry.text : entry.said.heard.trim()
  return text === '' ? undefined : { role: entry.is, text }
}

function sizeOf(entry: Entry): number {
  if (entry.is === 'user') return entry.text.length
  if (entry.is === 'agent') return entry.said.text.length
  return entry.call.arguments.length + (entry.output?.length ?? 0)
}

/** The result of a call that this model did not make, or may not make any more. */
export function fact(tool: string, output: string): string {
  return `(The tool ${tool} was called for the person's last request and has answered: ${output})`
}
