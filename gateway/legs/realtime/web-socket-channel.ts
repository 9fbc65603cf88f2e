// A WebSocket as the channel of a leg.

import type { RawData, WebSocket } from 'ws'
import { Problem } from '../../platform/problem.ts'
import { subprotocol } from '../../protocol/realtime.ts'
import type { Channel, ChannelEvents, Frame } from './channel.ts'
import { Inbox } from './inbox.ts'

export class WebSocketChannel implements Channel {
  readonly parley: boolean
  readonly #socket: WebSocket
  readonly #inbox: Inbox

  /** Listens from here on: a client may send before its session is open. */
  constructor(socket: WebSocket) {
    this.#socket = socket
    this.parley = socket.protocol === subprotocol.parley
    this.#inbox = new Inbox(() => closeSocket(socket, new Problem('too_many')))
    socket.on('error', () => socket.terminate())
    socket.on('message', (data: RawData, binary: boolean) => this.#inbox.push(toBuffer(data), binary))
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  receive(events: ChannelEvents): void {
    this.#socket.on('pong', () => events.alive())
    this.#inbox.open((data, binary) => events.message(data, binary))
    this.#socket.on('close', () => events.closed())
    if (!this.isOpen) events.closed()
  }

  send(frame: Frame, binary: boolean): void {
    if (this.isOpen) this.#socket.send(frame, { binary, compress: false })
  }

  ping(): void {
    if (this.isOpen) this.#socket.ping()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(problem?: Problem): void {
    closeSocket(this.#socket, problem)
  }

  terminate(): void {
    this.#socket.terminate()
  }
}

/** Close reasons hold at most 123 bytes: the code and, where it helps, when to come back. */
export function closeSocket(socket: WebSocket, problem?: Problem): void {
  if (problem === undefined) socket.close(1000)
  else {
    const retry = problem.details.retryAfterMs
    socket.close(problem.kind.ws, JSON.stringify({ code: problem.code, ...(retry === undefined ? {} : { ra: retry }) }))
  }
  // A peer that does not answer the close is cut off.
  setTimeout(() => socket.terminate(), 2_000).unref()
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
