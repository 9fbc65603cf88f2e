// The agent's place in one LiveKit room, as the rest of this folder sees it. Implemented over the native client in
// room-line.ts; a double in tests.

import type { Sink } from '../media/sink.ts'

export type AgentState = 'initializing' | 'listening' | 'thinking' | 'speaking'

export interface LineEvents {
  callerJoined(): void
  callerGone(how: 'left' | 'lost'): void
  /** The network of the caller went silent (`false`: it is heard again). That it is gone is known only much later. */
  callerFaint(faint: boolean): void
  /** Of the caller's microphone, mono. */
  audio(samples: Int16Array, rateHz: number): void
  text(text: string): void
  /** Of a phone's keypad. */
  key(digit: string): void
  /** `lost`: the connection. `over`: the room was closed, or we were sent out. */
  gone(how: 'lost' | 'over'): void
}

/** The words of one turn so far: a later one of the same segment replaces the earlier. */
export interface Words {
  readonly segmentId: string
  readonly text: string
  readonly final: boolean
  readonly by: 'agent' | 'caller'
}

export interface RoomLine {
  readonly callerHere: boolean
  readonly sink: Sink
  /** Of what the sink was given, ms that it could not take. */
  readonly droppedMs: number
  /** Rejects when the room is gone. */
  words(words: Words): Promise<void>
  /** JSON for clients that know this gateway. Rejects when the room is gone. */
  tell(event: Readonly<Record<string, unknown>>): Promise<void>
  /** Rejects when the room is gone. */
  state(state: AgentState): Promise<void>
  /** Resolves when nothing of it is left in this process. Never rejects. */
  leave(): Promise<void>
}
