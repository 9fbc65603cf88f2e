// The caller's side of a session, as the session sees it. Implemented in legs/.

import type { Capabilities, CommandAnswer, EngineCommand, EngineEvent } from '../engines/engines.ts'
import type { Problem } from '../platform/problem.ts'
import type { EndReason, ParleyNotice } from '../protocol/realtime.ts'
import type { Turn } from '../protocol/turn.ts'

export interface Leg {
  readonly kind: 'websocket'
  /** The peer tells what its player played (`parley.played`); otherwise real time is the best guess. */
  readonly reportsPlayback: boolean
  /** A lost peer may come back over another connection; what it missed is kept for it meanwhile. */
  readonly canReturn: boolean
  /** Number of the last frame for the peer; 0 where frames have none. */
  readonly lastSeq: number
  /** Frames the peer has not acknowledged, the last one being `lastSeq`. */
  readonly keptFrames: readonly string[]
  /** Goes on where the leg of another process stopped. */
  restore(keptFrames: readonly string[], lastSeq: number): void
  /** An engine's event, in order. The leg forwards `wire` where it speaks the same protocol, otherwise renders. */
  engineEvent(event: EngineEvent): void
  /** A turn was stored or changed. */
  turn(turn: Turn): void
  /** These items are durable in the state last told. */
  committed(itemIds: readonly string[]): void
  notice(code: ParleyNotice['code'], text: string): void
  /** This process stops: the peer shall open a new connection in so many ms. */
  goingAway(reconnectInMs: number, deadlineMs: number): void
  heartbeat(n: number): void
  /** Stop playing now (barge-in): everything queued for the player is void. */
  flush(itemId: string): void
  /** Stop playing until told to go on, nothing being void. Missing: this player cannot; it plays on until it is flushed. */
  readonly hold?: ((on: boolean) => void) | undefined
  /** Says why and closes. Idempotent. */
  end(reason: EndReason, problem?: Problem): void
}

/** What a leg reports to its session. */
export interface LegPort {
  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void
  /** The person typed and wants an answer. Happens once per item id, however often it is told. */
  say(itemId: string, text: string): void
  /** The person typed (or a client added) a message. */
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
  /** Of the engine that serves now: another one may take over during the session. */
  readonly capabilities: Capabilities
  /** Everything said in this session so far, in order. */
  readonly turns: readonly Turn[]
  /** The peer has got everything up to this token, which came with the connection in use. */
  confirmed(resumeToken: string): void
  /** Resolves when nothing more comes of this session here. */
  readonly ended: Promise<void>
  /** The peer said goodbye. */
  bye(): void
  /** The connection is gone; its last byte came at this monotonic time. */
  lost(lastByteAtMs: number): void
  /** The peer is there again, over another connection. */
  back(): void
  /** The connection lives, but the program behind it has not answered since this monotonic time (a frozen tab). */
  asleep(sinceMs: number): void
  awake(): void
}
