// One call of the scripted Realtime provider: a peer with the browser's channel, any number of sidebands, one session.

import { randomBytes } from 'node:crypto'
import type { WebSocket } from 'ws'
import { ScriptedPeer } from './scripted-peer.ts'
import type { ScriptedState } from './scripted-realtime.ts'
import { type ClientSocket, ScriptedConnection } from './scripted-realtime-connection.ts'
import type { SessionFields } from './scripted-realtime-wire.ts'

type Listener = (data: Buffer, binary: boolean) => void

/** What the session speaks to: everybody who has hold of the call. */
class CallSocket implements ClientSocket {
  readonly OPEN = 1
  readyState = 1
  readonly #call: ScriptedCall
  readonly #listeners: Listener[] = []

  constructor(call: ScriptedCall) {
    this.#call = call
  }

  onMessage(listener: Listener): void {
    this.#listeners.push(listener)
  }

  took(data: Buffer, binary: boolean): void {
    for (const listener of this.#listeners) listener(data, binary)
  }

  send(text: string): void {
    this.#call.tell(text)
  }

  close(): void {
    this.#call.end()
  }

  terminate(): void {
    this.#call.dropSidebands()
  }

  pause(): void {
    for (const sideband of this.#call.sidebands) sideband.pause()
  }
}

export class ScriptedCall {
  readonly id = `rtc_${randomBytes(10).toString('hex')}`
  readonly connection: ScriptedConnection
  readonly sidebands = new Set<WebSocket>()
  /** What the browser sent over its own channel. */
  readonly fromBrowser: unknown[] = []
  /** Sidebands ever. */
  attachments = 0
  hangUps = 0
  isOver = false
  readonly #socket = new CallSocket(this)
  readonly #peer: ScriptedPeer
  #playing: string | undefined
  /** Frames for sidebands are lost. */
  isDeaf = false

  constructor(model: string, session: SessionFields, state: ScriptedState) {
    this.connection = new ScriptedConnection(this.#socket, {
      model,
      headers: {},
      state,
      session,
      media: {
        play: (place, pcm) => this.#play(place, pcm),
        cut: () => this.#cut(),
      },
    })
    this.#peer = new ScriptedPeer({
      audio: (pcm) => this.connection.hear(pcm),
      message: (text) => {
        this.fromBrowser.push(JSON.parse(text))
        this.#socket.took(Buffer.from(text), false)
      },
      opened: () => this.#peer.send(this.connection.createdFrame()),
      left: () => this.end(),
      played: () => this.#stopped(),
    })
  }

  answer(offer: string): Promise<string> {
    return this.#peer.answer(offer)
  }

  attach(socket: WebSocket): void {
    this.attachments++
    this.sidebands.add(socket)
    socket.on('message', (data: Buffer, binary) => {
      if (!this.isDeaf) this.#socket.took(data, binary)
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', () => this.sidebands.delete(socket))
    socket.send(this.connection.createdFrame())
  }

  /** No audio on either: it is on the track. */
  tell(text: string): void {
    if (!this.isDeaf) for (const sideband of this.sidebands) if (sideband.readyState === 1) sideband.send(text)
    this.#peer.send(text)
  }

  get isPlaying(): boolean {
    return this.#peer.playing !== undefined
  }

  #play({ responseId, itemId }: { responseId: string; itemId: string }, pcm: Buffer): void {
    if (this.#playing !== responseId) {
      this.#playing = responseId
      this.connection.send({ type: 'output_audio_buffer.started', response_id: responseId })
    }
    this.#peer.play(itemId, pcm)
  }

  #stopped(): void {
    const responseId = this.#playing
    if (responseId === undefined || this.connection.isAnswering) return
    this.#playing = undefined
    this.connection.send({ type: 'output_audio_buffer.stopped', response_id: responseId })
  }

  /** What was heard of the item that was being played. */
  #cut(): { readonly itemId: string; readonly heardMs: number } | undefined {
    const itemId = this.#peer.playing
    const responseId = this.#playing
    if (itemId === undefined || responseId === undefined) return undefined
    this.#peer.clear()
    this.#playing = undefined
    this.connection.send({ type: 'output_audio_buffer.cleared', response_id: responseId })
    return { itemId, heardMs: this.#peer.playedMs(itemId) }
  }

  /** The control breaks, the call goes on. */
  dropSidebands(): void {
    for (const sideband of this.sidebands) sideband.terminate()
  }

  end(code = 1000): void {
    if (this.isOver) return
    this.isOver = true
    this.#socket.readyState = 3
    for (const sideband of this.sidebands) sideband.close(code)
    this.#peer.close()
  }
}
