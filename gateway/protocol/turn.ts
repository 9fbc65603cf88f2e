// A conversation as every client sees it.

import type { Citation } from './citation.ts'
import type { ShownVisual } from './visuals/visual.ts'

export const channels = [
  'widget',
  'console',
  'voice',
  'api',
  'whatsapp',
  'sms',
  'email',
  'instagram',
  'facebook_messenger',
  'webchat',
  'telegram',
  'pushover',
] as const
export type Channel = (typeof channels)[number]

export type TurnRole = 'user' | 'agent' | 'tool' | 'system'

/** `partial`: still being spoken or written. `interrupted`: the person cut in; `text` was heard, `unheard` was not. */
export type TurnState = 'partial' | 'final' | 'interrupted' | 'failed'

export const toolStates = ['running', 'waiting', 'ok', 'failed', 'unknown'] as const
export type ToolState = (typeof toolStates)[number]

/** Where the wait for an answer went, in milliseconds; what nobody could measure is missing. The parts sum to `latencyMs`. */
export interface TurnLatency {
  /** From the last sound of the person's speech until the detector took it for the end. Unknown with semantic detection. */
  readonly endpointingMs?: number
  /** Recognition, where the model waits for it. */
  readonly sttMs?: number
  /** The model: until its first word, or until its first sound where no other one speaks for it. */
  readonly modelMs?: number
  readonly toolsMs?: number
  /** From the model's first word to the first sound of the voice. */
  readonly ttsMs?: number
  /** From sending the first sound until the player reports that it plays. Unknown for players that do not report. */
  readonly transportMs?: number
}

/** Cached tokens are a part of the input. */
export interface TurnUsage {
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Micro-dollars that the provider charges; null: not known. */
  readonly costUsdMicro: number | null
  /** Micro-credits that the tenant was charged, tools included. */
  readonly creditsMicro: number
}

export interface Turn {
  readonly id: string
  readonly sessionId: string
  readonly conversationId: string
  readonly channel: Channel
  readonly role: TurnRole
  readonly state: TurnState
  /** Position in the conversation: ordered by when speech (or typing) began. Never changes once given. */
  readonly seq: number
  /** What the other side heard or read. */
  readonly text: string
  /** Generated but never heard, after an interruption. */
  readonly unheard?: string
  readonly voice: boolean
  /** The engine's item id: joins live events with the stored turn. */
  readonly itemId: string
  readonly tool?: {
    readonly name: string
    readonly callId: string
    readonly arguments: string
    readonly output?: string
    /** `waiting`: for a person's approval. `unknown`: it was begun and nobody knows whether it was done. */
    readonly state: ToolState
  }
  /** What was shown with it, or changed. A client draws each id once, as the last turn has it. */
  readonly visual?: ShownVisual
  /** Of an agent's turn in writing: the tools it asked for. Each answer is a tool turn of the same call. */
  readonly toolCalls?: readonly { readonly callId: string; readonly name: string; readonly arguments: string }[]
  /** Of an agent's turn: what its look-ups gave it to answer from. */
  readonly citations?: readonly Citation[]
  /** Of an agent's turn in writing: what it took. */
  readonly usage?: TurnUsage
  /** Of an agent turn: how much was sent and how much the player reported, in milliseconds of audio. */
  readonly audio?: { readonly sentMs: number; readonly playedMs: number }
  /** From the last sound of the person's speech (or the end of their text) to the first sound (or word) of this turn, ms. */
  readonly latencyMs?: number
  readonly latency?: TurnLatency
  /** ISO 8601. When speech began. Kept for ever. */
  readonly createdAt: string
  readonly updatedAt: string
}
