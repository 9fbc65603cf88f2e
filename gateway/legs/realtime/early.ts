// What a client sends while its session is being opened: kept in order, bounded.

import type { RawData, WebSocket } from 'ws'
import { Problem } from '../../platform/problem.ts'
import { closeSocket } from './websocket-leg.ts'

/** Frames a client may send before its session is open; more is a client that does not listen. */
const maxEarlyBytes = 512 * 1024

export class Early {
  readonly #socket: WebSocket
  #frames: { data: Buffer; binary: boolean }[] = []
  #bytes = 0
  readonly #listener: (data: RawData, binary: boolean) => void

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.#listener = (data, binary) => {
      const frame = toBuffer(data)
      this.#bytes += frame.length
      if (this.#bytes > maxEarlyBytes) closeSocket(socket, new Problem('too_many'))
      else this.#frames.push({ data: frame, binary })
    }
    socket.on('message', this.#listener)
  }

  handOver(take: (data: Buffer, binary: boolean) => void): void {
    this.#socket.off('message', this.#listener)
    for (const { data, binary } of this.#frames.splice(0)) take(data, binary)
    this.#socket.on('message', (data: RawData, binary: boolean) => take(toBuffer(data), binary))
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
