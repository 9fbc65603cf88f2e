// One GPT-Live session with a browser: a peer whose channel may do what its lists allow, and sidebands that hear everything.

import type { WebSocket } from 'ws'
import type { LiveState } from './scripted-live.ts'
import { type LiveSocket, ScriptedLiveConnection } from './scripted-live-connection.ts'
import type { CallFields } from './scripted-live-wire.ts'
import { ScriptedPeer } from './scripted-peer.ts'

/** Repeated to a sideband that attaches. */
const repeatedMs = 3_000

class CallSocket implements LiveSocket {
  readonly OPEN = 1
  readyState = 1
  readonly #call: ScriptedLiveCall
  readonly #listeners: ((data: Buffer, binary: boolean) => void)[] = []
  readonly #closed: (() => void)[] = []

  constructor(call: ScriptedLiveCall) {
    this.#call = call
  }

  onMessage(listener: (data: Buffer, binary: boolean) => void): void {
    this.#listeners.push(listener)
  }

  onClose(listener: () => void): void {
    this.#closed.push(listener)
  }

  took(data: Buffer): void {
    for (const listener of this.#listeners) listener(data, false)
  }

  over(): void {
    this.readyState = 3
    for (const listener of this.#closed) listener()
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

export class ScriptedLiveCall {
  readonly connection: ScriptedLiveConnection
  readonly sidebands = new Set<WebSocket>()
  /** What reached the browser over its channel. */
  readonly toBrowser: string[] = []
  /** What it sent and may not. */
  readonly refused: string[] = []
  attachments = 0
  hangUps = 0
  isOver = false
  /** Sidebands hear nothing and are not heard. */
  isDeaf = false
  readonly #socket = new CallSocket(this)
  readonly #peer: ScriptedPeer
  readonly #fields: CallFields
  #recent: { readonly atMs: number; readonly text: string }[] = []

  constructor(fields: CallFields, state: LiveState) {
    this.#fields = fields
    const { client: _, ...session } = fields
    this.connection = new ScriptedLiveConnection(
      this.#socket,
      state,
      {},
      {
        session,
        play: (pcm) => this.#peer.play('voice', pcm),
        stop: () => this.#peer.clear(),
      },
    )
    this.#peer = new ScriptedPeer({
      audio: (pcm) => {
        this.#sideband(JSON.stringify({ type: 'session.input_audio.append', audio: pcm.toString('base64') }))
        this.connection.hear(pcm)
      },
      message: (text) => this.#fromBrowser(text),
      opened: () => this.connection.started(),
      left: () => this.connection.end('remote_hangup'),
      played: () => undefined,
    })
  }

  get id(): string {
    return this.connection.id
  }

  answer(offer: string): Promise<string> {
    return this.#peer.answer(offer)
  }

  #fromBrowser(text: string): void {
    const { type }: { type: string } = JSON.parse(text)
    const { allowed_client_events: allowed } = this.#fields.client.data_channel
    if (allowed === 'all' || allowed.includes(type)) this.#socket.took(Buffer.from(text))
    else {
      this.refused.push(type)
      this.#peer.send(
        JSON.stringify({ type: 'info', code: 'data_channel_permissions', message: `${type} is not allowed.` }),
      )
    }
  }

  attach(socket: WebSocket): void {
    this.attachments++
    const sinceMs = performance.now() - repeatedMs
    if (!this.isDeaf) for (const { atMs, text } of this.#recent) if (atMs >= sinceMs) socket.send(text)
    this.sidebands.add(socket)
    socket.on('message', (data: Buffer) => {
      if (!this.isDeaf) this.#socket.took(data)
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', () => this.sidebands.delete(socket))
  }

  tell(text: string): void {
    this.#sideband(text)
    const { type }: { type: string } = JSON.parse(text)
    const { allowed_server_events: allowed } = this.#fields.client.data_channel
    if (allowed !== 'all' && !allowed.some((each) => each.type === type)) return
    this.toBrowser.push(type)
    this.#peer.send(text)
  }

  #sideband(text: string): void {
    const nowMs = performance.now()
    if (!text.startsWith('{"type":"session.input_audio.append"')) this.#recent.push({ atMs: nowMs, text })
    this.#recent = this.#recent.filter(({ atMs }) => atMs >= nowMs - repeatedMs)
    if (this.isDeaf) return
    for (const sideband of this.sidebands) if (sideband.readyState === 1) sideband.send(text)
  }

  dropSidebands(): void {
    for (const sideband of this.sidebands) sideband.terminate()
  }

  /** Like a call that broke where `code` says so. */
  end(code = 1000): void {
    if (this.isOver) return
    this.isOver = true
    for (const sideband of this.sidebands) sideband.close(code)
    this.#socket.over()
    this.#peer.close()
  }
}
