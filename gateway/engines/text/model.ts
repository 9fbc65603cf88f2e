// What a language model is asked and what it answers, whoever serves it.

import type { Tally } from './tally.ts'

export interface EngineTool {
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
}

/** Thinks of an answer. */
export interface Llm {
  readonly name: string
  /** Throws PartFailure, or the signal's reason. Calls come last, each once, when the answer is whole. */
  answer(prompt: Prompt, on: { readonly signal: AbortSignal; readonly tally: Tally }): AsyncIterable<Piece>
}

export type Piece =
  | { readonly is: 'text'; readonly delta: string }
  | { readonly is: 'call'; readonly call: Call }
  | { readonly is: 'end'; readonly reason: 'stop' | 'length' | 'content_filter' }

export interface Call {
  /** The provider's own; empty where it gave none. */
  readonly callId: string
  readonly name: string
  /** JSON as the model wrote it. */
  readonly arguments: string
  /** What the part named `by` wants to get back with the call: signatures of its thoughts. */
  readonly keep?: { readonly by: string; readonly value: unknown }
}

export type Message =
  | { readonly role: 'user' | 'agent'; readonly text: string }
  | { readonly role: 'call'; readonly call: Call; readonly output: string }

/** Begins with a message of the person and ends with one of the person or a tool's result; neighbours of one role are one. */
export interface Prompt {
  readonly system: string
  readonly messages: readonly Message[]
  readonly tools: readonly EngineTool[]
  readonly toolChoice: 'auto' | 'none' | 'required'
  /** Missing: as many as the model likes. */
  readonly maxTokens?: number
  /** Missing: the model's own. */
  readonly temperature?: number
}
