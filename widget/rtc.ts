// A call over WebRTC: events on a data channel, sound on tracks. Loaded when the first call begins.

import { subprotocol } from '../gateway/protocol/realtime.ts'
import type { OpenTransport, Transport, TransportEvents, Where } from './transport.ts'

/** The sound of the call. */
export interface CallSound {
  /** Of the microphone; another one may take its place. */
  readonly track: MediaStreamTrack
  onTrack(replace: (track: MediaStreamTrack) => void): void
  /** What the agent says. */
  hear(stream: MediaStream): void
}

/** Addresses that a slow network has not found by then are not waited for. */
const gatherMs = 800
/** Who waits longer than this is better served by a socket. */
const connectMs = 5_000
/** A network that comes back within this is as if nothing had been; the gateway waits a second longer. */
const awayMs = 3_000

export const openCall =
  (sound: CallSound): OpenTransport =>
  (where, events) =>
    new RtcTransport(where, events, sound)

class RtcTransport implements Transport {
  readonly kind = 'webrtc'
  readonly #events: TransportEvents
  #peer: RTCPeerConnection | undefined
  #channel: RTCDataChannel | undefined
  #timer: ReturnType<typeof setTimeout>
  #isClosed = false

  constructor(where: Where, events: TransportEvents, sound: CallSound) {
    this.#events = events
    this.#timer = setTimeout(() => this.#lost(), connectMs)
    this.#call(where, sound).catch(() => this.#lost())
  }

  get state(): Transport['state'] {
    if (this.#isClosed) return 'closed'
    return this.#channel?.readyState === 'open' ? 'open' : 'opening'
  }

  async #call(where: Where, { track, onTrack, hear }: CallSound): Promise<void> {
    const authorization = `Bearer ${where.token}`
    const agent = new URLSearchParams({ agent: where.agent })
    const grant: unknown = await json(await fetch(`/v1/realtime/ice?${agent}`, { headers: { authorization } }))
    if (this.#isClosed) return
    const peer = new RTCPeerConnection({ iceServers: serversIn(grant) })
    this.#peer = peer
    const sender = peer.addTrack(track)
    onTrack((next) => void sender.replaceTrack(next).catch(() => undefined))
    peer.ontrack = ({ track: voice }) => hear(new MediaStream([voice]))
    peer.onconnectionstatechange = () => this.#state(peer.connectionState)
    const channel = peer.createDataChannel('oai-events')
    this.#channel = channel
    channel.onopen = () => clearTimeout(this.#timer)
    channel.onmessage = ({ data }) => this.#events.message(data)
    channel.onclose = () => this.#lost()
    await peer.setLocalDescription()
    await gathered(peer)
    const response = await fetch(`/v1/realtime/calls?${agent}&protocol=${subprotocol.parley}`, {
      method: 'POST',
      headers: {
        authorization,
        'content-type': 'application/sdp',
        ...(where.resume === undefined ? {} : { 'parley-resume': where.resume.slice(subprotocol.resumePrefix.length) }),
      },
      body: peer.localDescription?.sdp ?? '',
    })
    if (!response.ok) throw new Error(String(response.status))
    const sdp = await response.text()
    if (!this.#isClosed) await peer.setRemoteDescription({ type: 'answer', sdp })
  }

  #state(state: RTCPeerConnectionState): void {
    if (state === 'failed' || state === 'closed') this.#lost()
    if (this.#channel?.readyState !== 'open') return
    clearTimeout(this.#timer)
    if (state === 'disconnected') this.#timer = setTimeout(() => this.#lost(), awayMs)
  }

  #lost(): void {
    if (this.#isClosed) return
    this.close()
    this.#events.closed({ code: 1006, reason: '' })
  }

  send(text: string): void {
    this.#channel?.send(text)
  }

  audio(): void {}

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (this.#channel !== undefined) this.#channel.onclose = null
    this.#peer?.close()
  }
}

async function json(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(String(response.status))
  return response.json()
}

function serversIn(grant: unknown): RTCIceServer[] {
  const isGrant = typeof grant === 'object' && grant !== null && 'ice_servers' in grant
  return isGrant && Array.isArray(grant.ice_servers) ? grant.ice_servers : []
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (peer.iceGatheringState === 'complete') resolve()
    }
    peer.onicegatheringstatechange = look
    setTimeout(resolve, gatherMs)
    look()
  })
}
