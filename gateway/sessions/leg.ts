// The caller's side of a session, as the session sees it. Implemented in legs/.

import type { Capabilities, CommandAnswer, EngineCommand, EngineEvent } from '../engines/engines.ts'
import type { Problem } from '../platform/problem.ts'
import type { EndReason, ParleyAction, ParleyNotice, ParleySubmitRefused, ParleyVisual } from '../protocol/realtime.ts'
import type { Transport } from '../protocol/rest.ts'
import type { Turn } from '../protocol/turn.ts'
import type { SubmitValues } from '../protocol/visuals/blocks.ts'

/** Without their number and event id. */
export type LegEvent =
  | Omit<ParleyVisual, 'event_id'>
  | Omit<ParleyAction, 'event_id'>
  | Omit<ParleySubmitRefused, 'event_id'>

export interface Leg {
  /** Of the connection in use. */
  readonly kind: Transport
  /** What was played is known, from the peer (`parley.played`) or from a player of ours; otherwise real time is the best guess. */
  readonly reportsPlayback: boolean
  /**
   * The peer knows the original's protocol only: it waits for the end of every item it saw begin, and stops a player by its
   * events for that, not by writing something.
   */
  readonly isStock: boolean
  /** A lost peer may come back over another connection; what it missed is kept for it meanwhile. */
  readonly canReturn: boolean
  /** It comes back to this process only: when that stops, the session ends with a goodbye instead of moving. */
  readonly staysHere?: true
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
  /** For clients that know this gateway; missing: this one does not. */
  readonly tell?: (event: LegEvent) => void
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

/** A client's own event of the GA protocol. */
export type Raw = Readonly<Record<string, unknown>>

/** What a person sends from a visual. */
export interface Submit {
  readonly itemId: string
  /** Of the visual. */
  readonly id: string
  readonly values: SubmitValues
}

/** What a leg reports to its session. */
export interface LegPort {
  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void
  /** The person typed and wants an answer. Happens once per item id, however often it is told. */
  say(itemId: string, text: string): void
  /** The person sent something from a visual: a message too. */
  submit(submit: Submit): void
  /** What the page made of an action. Rejected with `unknown_call` where nobody asked for it. */
  actionResult(callId: string, ok: boolean, result: unknown): CommandAnswer
  /**
   * The person typed (or a client added) a message. Rejected with `item_exists`, and nothing changes, when its id is
   * known: it would be answered, and neither counted nor kept beside the first. Or with what the engine says.
   */
  userText(itemId: string, text: string, raw?: Raw): CommandAnswer
  respond(raw?: Raw): CommandAnswer
  cancel(responseId?: string, raw?: Raw): CommandAnswer
  /**
   * The client says how far an item was heard (GA truncate). Rejected, and nothing changes: `unknown_item`, `no_audio`,
   * `beyond_audio` (more than was sent).
   */
  truncate(itemId: string, heardMs: number): CommandAnswer
  played(itemId: string, playedMs: number, final: boolean): void
  /** The client stops a player of ours: what it had not heard of it, it will not hear. */
  interrupt(): void
  /** Rejected with `unknown_call` for a call that is not the client's. */
  toolResult(callId: string, output: string, raw?: Raw): CommandAnswer
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
