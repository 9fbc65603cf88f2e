// What rides beside the OpenAI Realtime GA events on /v1/realtime. A client that offers the subprotocol `parley.v1`
// instead of `realtime` gets these events and binary audio; any other client sees pure GA.

import type { ProblemBody } from './codes.ts'
import type { Turn } from './turn.ts'

/** Subprotocols a client may offer, next to `openai-insecure-api-key.<token>`. */
export const subprotocol = { parley: 'parley.v1', openai: 'realtime', tokenPrefix: 'openai-insecure-api-key.' } as const

/** PCM16 little-endian mono on every Parley leg. */
export const sampleRateHz = 24_000
export const bytesPerMs = 48

export const limits = {
  /** Larger text frames are refused with close code 1009. */
  textFrameBytes: 512 * 1024,
  userTextChars: 4_000,
  /** The gateway's own beat towards clients and Redis. */
  heartbeatMs: 5_000,
  /** A client that sends no frame and no pong for this long is gone. */
  silentMs: 30_000,
} as const

/** Gateway → client, first, right after `session.created`. */
export interface ParleySession {
  readonly type: 'parley.session'
  readonly event_id: string
  readonly session_id: string
  readonly conversation_id: string
  readonly engine: { readonly kind: string; readonly demo: boolean; readonly hears: 'words' | 'speech' }
  readonly heartbeat_ms: number
  /** Earlier turns of the same conversation, oldest first (at most 20). */
  readonly history: readonly Turn[]
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
  readonly code: 'demo_engine' | 'heard_speech' | 'credit_low' | 'wrapping_up' | 'going_away' | 'ended' | 'tool_running'
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

export type ParleyServerEvent = ParleySession | ParleyTurn | ParleyNotice | ParleyEnd | ParleyHeartbeat | ParleyFlush

/** Client → gateway: position of the player. `final` when the item was flushed or played to its end. */
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

export type ParleyClientEvent = ParleyPlayed | ParleyVoice | ParleyBye | ParleyHeartbeat

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
