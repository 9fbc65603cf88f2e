// What a leg says its events over and hears its client's: a WebSocket, a data channel, the data messages of a room.

import { newId } from '../../platform/ids.ts'
import type { Problem } from '../../platform/problem.ts'

export type Frame = string | Uint8Array

export interface ChannelEvents {
  message(data: Buffer, binary: boolean): void
  /** A sign of life that is no message. */
  alive(): void
  closed(): void
}

export interface Channel {
  /** The peer speaks `parley.v1`; otherwise nothing but the original's events. */
  readonly parley: boolean
  readonly isOpen: boolean
  /** Accepted for sending and not yet sent. */
  readonly bufferedBytes: number
  /** What came before is handed over first. Called once; a channel that is closed by then says so at once. */
  receive(events: ChannelEvents): void
  send(frame: Frame, binary: boolean): void
  /** Asks for a sign of life. */
  ping(): void
  /** The peer is too fast: what it sends waits, bounded. */
  pause(): void
  resume(): void
  /** Says why, where the channel can. */
  close(problem?: Problem): void
  terminate(): void
}

/** Sends an event with its id, in the shape of the provider's own. */
export function sendEvent(channel: Pick<Channel, 'send'>, event: Readonly<Record<string, unknown>>): void {
  channel.send(JSON.stringify({ event_id: newId('event'), ...event }), false)
}
