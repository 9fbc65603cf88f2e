// The caller's side of a session, as the session sees it. Implemented in legs/.

import type { CommandAnswer, EngineCommand, EngineEvent } from '../engines/engines.ts'
import type { Problem } from '../platform/problem.ts'
import type { EndReason, ParleyNotice } from '../protocol/realtime.ts'
import type { Turn } from '../protocol/turn.ts'

export interface Leg {
  readonly kind: 'websocket'
  /** The peer tells what its player played (`parley.played`); otherwise real time is the best guess. */
  readonly reportsPlayback: boolean
  /** An engine's event, in order. The leg forwards `wire` where it speaks the same protocol, otherwise renders. */
  engineEvent(event: EngineEvent): void
  /** A turn was stored or changed. */
  turn(turn: Turn): void
  notice(code: ParleyNotice['code'], text: string): void
  heartbeat(n: number): void
  /** Stop playing now (barge-in): everything queued for the player is void. */
  flush(itemId: string): void
  /** Says why and closes. Idempotent. */
  end(reason: EndReason, problem?: Problem): void
}

/** What a leg reports to its session. */
export interface LegPort {
  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void
  /** The person typed (or a client added) a message. `respond`: answer at once. */
  userText(itemId: string, text: string, raw?: Readonly<Record<string, unknown>>): void
  respond(raw?: Readonly<Record<string, unknown>>): void
  cancel(responseId?: string, raw?: Readonly<Record<string, unknown>>): CommandAnswer
  /**
   * The client says how far an item was heard (GA truncate). Rejected, and nothing changes: `unknown_item`, `no_audio`,
   * `beyond_audio` (more than was sent).
   */
  truncate(itemId: string, heardMs: number): CommandAnswer
  played(itemId: string, playedMs: number, final: boolean): void
  /** Rejected with `unknown_call` for a call that is not the client's. */
  toolResult(callId: string, output: string, raw?: Readonly<Record<string, unknown>>): CommandAnswer
  /** Everything else of the engine port, already checked against the brief. */
  command(command: EngineCommand): CommandAnswer
  /** The microphone was opened or closed. Opening greets, once. */
  voice(on: boolean): void
  /** The peer cannot take more (or can again): the engine's socket stops being read. */
  slow(slow: boolean): void
  /** Bytes of the person's audio that the engine has not taken yet. */
  readonly backlogBytes: number
  /** The peer said goodbye. */
  bye(): void
  /** The socket is gone. */
  lost(): void
}
