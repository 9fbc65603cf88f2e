// A conversation as every client sees it.

export type Channel =
  | 'widget'
  | 'console'
  | 'voice'
  | 'api'
  | 'whatsapp'
  | 'sms'
  | 'email'
  | 'instagram'
  | 'facebook_messenger'
  | 'webchat'
  | 'telegram'
  | 'pushover'

export type TurnRole = 'user' | 'agent' | 'tool' | 'system'

/** `partial`: still being spoken or written. `interrupted`: the person cut in; `text` was heard, `unheard` was not. */
export type TurnState = 'partial' | 'final' | 'interrupted' | 'failed'

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
    readonly state: 'running' | 'ok' | 'failed'
  }
  /** Of an agent turn: how much was sent and how much the player reported, in milliseconds of audio. */
  readonly audio?: { readonly sentMs: number; readonly playedMs: number }
  /** End of the person's speech (or text) to the first audio (or text) sent, in milliseconds. */
  readonly latencyMs?: number
  /** ISO 8601. When speech began. Kept for ever. */
  readonly createdAt: string
  readonly updatedAt: string
}
