// What an answer is made of: ears, mind and mouth, whoever serves them.

import type { EngineTool } from '../engines.ts'
import type { Tally, Transcript } from './tally.ts'

/** Puts speech into words. */
export interface Stt {
  readonly name: string
  /** `pcm`: PCM16 24 kHz. Throws PartFailure, or the signal's reason. */
  hear(
    speech: { readonly pcm: Buffer; readonly language: string; readonly hint?: string | undefined },
    signal: AbortSignal,
  ): Promise<Transcript>
}

/** Speaks one sentence. */
export interface Tts {
  readonly name: string
  /**
   * PCM16 24 kHz in pieces of any even length, as they come. Calls `taken` once the provider has accepted the text, which it
   * then charges. Throws PartFailure, or the signal's reason.
   */
  say(
    sentence: { readonly text: string; readonly voice: string },
    on: { readonly signal: AbortSignal; taken(): void },
  ): AsyncIterable<Buffer>
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
}
