// What rides beside the OpenAI Realtime GA events on /v1/realtime. A client that offers the subprotocol `parley.v1`
// instead of `realtime` gets these events and binary audio; any other client sees pure GA.

import type { ProblemBody } from './codes.ts'
import type { Turn } from './turn.ts'
import type { SubmitValues } from './visuals/blocks.ts'
import type { ShownVisual } from './visuals/visual.ts'

/**
 * Subprotocols a client may offer, next to `openai-insecure-api-key.<token>`. A client that lost its connection offers
 * `parley-resume.<session id>.<resume token>.<seq of the last frame it took>` too and gets the same session back, or `gone`.
 */
export const subprotocol = {
  parley: 'parley.v1',
  openai: 'realtime',
  tokenPrefix: 'openai-insecure-api-key.',
  resumePrefix: 'parley-resume.',
} as const

/** PCM16 little-endian mono on every Parley leg. */
export const sampleRateHz = 24_000
export const bytesPerMs = 48

export const limits = {
  /** Larger text frames are refused with close code 1009. */
  textFrameBytes: 512 * 1024,
  userTextChars: 4_000,
  /** Of the JSON of what a visual sends: a file of 256 KB in base64. */
  submitChars: 400 * 1024,
  /** Of the JSON that a page answers an action with. */
  actionResultChars: 16 * 1024,
  /** The gateway's own beat towards clients and Redis. */
  heartbeatMs: 5_000,
  /** A client that sends no frame and no pong for this long is gone. */
  silentMs: 30_000,
  /** A client that can resume is taken for lost sooner: it loses nothing by it. */
  silentResumableMs: 12_000,
  /** How long a session waits for a client that was lost, by what it was doing. */
  resumeWindowMs: { voice: 45_000, chat: 120_000 },
  /** What is kept for replay; a client further behind gets the turns instead and is told of the gap. */
  replayFrames: 2_000,
  replayBytes: 512 * 1024,
  /** A client acknowledges at least this often while frames come in. */
  ackEveryMs: 1_000,
  ackEveryFrames: 32,
} as const

/**
 * Every text frame to a parley client carries `seq` as its first field, counting from 1 without holes within one epoch,
 * except `session.created`, `parley.session`, `parley.heartbeat`, `parley.hold` and audio deltas. Audio is never replayed.
 */
interface Numbered {
  readonly seq?: number
}

/** Gateway → client, first, right after `session.created`. */
export interface ParleySession {
  readonly type: 'parley.session'
  readonly event_id: string
  readonly session_id: string
  readonly conversation_id: string
  readonly engine: { readonly kind: string; readonly demo: boolean; readonly hears: 'words' | 'speech' }
  readonly heartbeat_ms: number
  /** Earlier turns of the same conversation, oldest first (at most 20); of a resumed session with a gap, all its turns too. */
  readonly history: readonly Turn[]
  /** Grows when another process takes the session over; numbers start anew. */
  readonly epoch: number
  /** Number of the last frame before this one. What follows is `seq + 1` (after a resume without a gap: the replay of what was missed comes first). */
  readonly seq: number
  /** Single use: every `parley.session` brings the next one. `window_ms` counts from the loss of the connection. */
  readonly resume: { readonly token: string; readonly window_ms: number }
  /**
   * Present when this is a session that goes on. `gap`: frames were lost; `history` is the truth, and what the client
   * shows of this session beyond it never became part of the conversation.
   */
  readonly resumed?: { readonly gap: boolean }
}

/** Gateway → client: these items are stored for good, in the state last told. Only now a message counts as sent. */
export interface ParleyCommitted {
  readonly type: 'parley.committed'
  readonly event_id: string
  readonly item_ids: readonly string[]
}

/**
 * Gateway → client: this process stops. Open a second connection with the resume token after `reconnect_in_ms`, keep taking
 * frames from this one until the new one has sent `parley.session`; the gateway then closes the old one with 1012.
 */
export interface ParleyGoingAway {
  readonly type: 'parley.going_away'
  readonly event_id: string
  readonly reconnect_in_ms: number
  readonly deadline_ms: number
}

/** Gateway → client whenever a turn is stored or changes: the truth, including what was heard of an interrupted answer. */
export interface ParleyTurn {
  readonly type: 'parley.turn'
  readonly event_id: string
  readonly turn: Turn
}

export interface ParleyNotice {
  readonly type: 'parley.notice'
  readonly event_id: string
  readonly code:
    | 'demo_engine'
    | 'heard_speech'
    | 'credit_low'
    | 'wrapping_up'
    | 'ended'
    | 'tool_running'
    /** The model is being exchanged or does not answer: the agent will go on in a moment. */
    | 'engine_trouble'
    /** The direct call to the engine's provider is gone: sound goes over a connection to the gateway from now on. */
    | 'media_lost'
  readonly text: string
}

/** Gateway → client before it closes the socket for cause. */
export interface ParleyEnd {
  readonly type: 'parley.end'
  readonly event_id: string
  readonly reason: EndReason
  readonly problem?: ProblemBody
}

/** Gateway → client; the client answers with the same `n` from its message handler (never from a timer). */
export interface ParleyHeartbeat {
  readonly type: 'parley.heartbeat'
  readonly n: number
}

/** Gateway → client: stop playing this item now and report its last position. */
export interface ParleyFlush {
  readonly type: 'parley.flush'
  readonly event_id: string
  readonly item_id: string
}

/**
 * Gateway → client: somebody may be cutting in. Pause the player where it is, nothing being void, until told to go on. A flush
 * and the loss of the connection end it too.
 */
export interface ParleyHold {
  readonly type: 'parley.hold'
  readonly on: boolean
}

/** Gateway → client: shows something, or changes what is shown under this id. The turn that it belongs to keeps it. */
export interface ParleyVisual extends ShownVisual {
  readonly type: 'parley.visual'
  readonly event_id: string
}

/** Gateway → client: the page shall do this and answer by `parley.action.result`; after `timeout_ms` nobody waits for it. */
export interface ParleyAction {
  readonly type: 'parley.action'
  readonly event_id: string
  readonly call_id: string
  readonly action: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly timeout_ms: number
}

/** Gateway → client: what was sent from a visual was not taken, and why. `issues`: fields by name. */
export interface ParleySubmitRefused {
  readonly type: 'parley.visual.refused'
  readonly event_id: string
  readonly item_id: string
  readonly id: string
  readonly code: 'unknown_visual' | 'invalid' | 'failed'
  readonly issues: readonly { readonly path: string; readonly message: string }[]
}

export type ParleyServerEvent = Numbered &
  (
    | ParleySession
    | ParleyTurn
    | ParleyCommitted
    | ParleyNotice
    | ParleyEnd
    | ParleyHeartbeat
    | ParleyFlush
    | ParleyHold
    | ParleyGoingAway
    | ParleyVisual
    | ParleyAction
    | ParleySubmitRefused
  )

/**
 * Client → gateway: position of the player. `final` when the item was flushed or played to its end. A client that lost its
 * connection repeats the final ones of the session over the next, before `parley.voice`: one may have been lost with it,
 * and what counts as unheard is said again.
 */
export interface ParleyPlayed {
  readonly type: 'parley.played'
  readonly item_id: string
  readonly played_ms: number
  readonly final: boolean
}

/** Client → gateway: the person pressed the button; the microphone is on (or off again). */
export interface ParleyVoice {
  readonly type: 'parley.voice'
  readonly on: boolean
}

/** Client → gateway: ends the session in order (a page change does not). */
export interface ParleyBye {
  readonly type: 'parley.bye'
}

/**
 * Client → gateway: what the person wrote, and a wish for an answer, as one. The id makes it happen once, however often it
 * is sent: a client repeats what was not committed after each resume.
 */
export interface ParleySay {
  readonly type: 'parley.say'
  readonly item_id: string
  readonly text: string
}

/** Client → gateway: every frame up to this number was taken. */
export interface ParleyAck {
  readonly type: 'parley.ack'
  readonly seq: number
}

/**
 * Client → gateway: what the person sent from a visual of this session: a message of theirs, and a wish for an answer. Its
 * `item_id` makes it happen once, as with `parley.say`.
 */
export interface ParleySubmit {
  readonly type: 'parley.visual.submit'
  readonly item_id: string
  readonly id: string
  readonly values: SubmitValues
}

/** Client → gateway: what the page made of an action. `result` is any JSON. */
export interface ParleyActionResult {
  readonly type: 'parley.action.result'
  readonly call_id: string
  readonly ok: boolean
  readonly result: unknown
}

export type ParleyClientEvent =
  | ParleyPlayed
  | ParleyVoice
  | ParleyBye
  | ParleyHeartbeat
  | ParleySay
  | ParleyAck
  | ParleySubmit
  | ParleyActionResult

export type EndReason =
  | 'client_ended'
  | 'client_gone'
  | 'idle'
  | 'duration_cap'
  | 'out_of_credit'
  | 'operator'
  | 'revoked'
  | 'engine_failed'
  | 'engine_ended'
  | 'drain'
  | 'janitor'
  /** Continued over a newer connection of the same person. */
  | 'replaced'
  | 'internal'

/**
 * Binary audio frame: [1][id length][item id, ASCII][0 or 1 byte so that samples start even][PCM16 24 kHz].
 * Client → gateway the id is empty.
 */
export function encodeAudio(itemId: string, pcm: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = 2 + itemId.length + (itemId.length & 1)
  const frame = new Uint8Array(head + pcm.byteLength)
  frame[0] = 1
  frame[1] = itemId.length
  for (let i = 0; i < itemId.length; i++) frame[2 + i] = itemId.charCodeAt(i) & 0x7f
  frame.set(pcm, head)
  return frame
}

/** Returns undefined for anything that is not a whole audio frame. */
export function decodeAudio(frame: Uint8Array): { itemId: string; pcm: Uint8Array } | undefined {
  const idLength = frame[1]
  if (frame[0] !== 1 || idLength === undefined) return undefined
  const head = 2 + idLength + (idLength & 1)
  if (frame.byteLength < head || (frame.byteLength - head) % 2 !== 0) return undefined
  let itemId = ''
  for (let i = 0; i < idLength; i++) itemId += String.fromCharCode(frame[2 + i] ?? 0)
  return { itemId, pcm: frame.subarray(head) }
}
