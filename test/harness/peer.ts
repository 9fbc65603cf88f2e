// A WebRTC client of the gateway, on the same library: a microphone that plays samples, an ear that keeps what it heard.

import wrtc from '@roamhq/wrtc'
import type { Native, NativeChannel, NativePeer } from '../../gateway/legs/webrtc/native.ts'
import type { ServerEvent } from './client.ts'

const native: Native & { readonly RTCPeerConnection: new (config: object) => OfferingPeer } = wrtc

interface OfferingPeer extends NativePeer {
  createDataChannel(label: string, options?: { readonly protocol?: string }): NativeChannel
  createOffer(): ReturnType<NativePeer['createAnswer']>
}

const rateHz = 24_000
const frameMs = 10
const frameSamples = (rateHz * frameMs) / 1000
/** Louder than what a codec makes of silence. */
const loud = 300

export interface PeerClientOptions {
  readonly url: string
  readonly token: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Undefined: no data channel. */
  readonly label?: string | undefined
  /** Instead of the offer alone: the form with `session`. */
  readonly session?: unknown
  /** Sends next to nothing while the microphone is silent, as phones do: twenty callers fit on a small machine. */
  readonly saves?: boolean
  /** A network of the test's own between the two. */
  readonly way?: { offer(sdp: string): string; answer(sdp: string): string }
}

export class PeerClient implements AsyncDisposable {
  readonly events: ServerEvent[] = []
  callId = ''
  /** Of the answer. */
  headers = new Headers()
  readonly #peer: OfferingPeer
  readonly #source = new native.nonstandard.RTCAudioSource()
  readonly #track = this.#source.createTrack()
  readonly #channel: NativeChannel | undefined
  readonly #wakers = new Set<() => void>()
  #sink: InstanceType<Native['nonstandard']['RTCAudioSink']> | undefined
  #microphone: Int16Array[] = []
  #muted = false
  #spoken: PromiseWithResolvers<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** What came out of the loudspeaker, in stretches of sound. */
  readonly sounds: { fromMs: number; toMs: number }[] = []
  channelClosed = false
  /** Of all sound so far, pauses left out. */
  loudMs = 0
  /** Each 10 ms that came out of the loudspeaker. */
  onFrame: ((isLoud: boolean) => void) | undefined

  constructor(label: string | undefined) {
    this.#peer = new native.RTCPeerConnection({})
    this.#peer.addTrack(this.#track, new native.MediaStream())
    this.#channel = label === undefined ? undefined : this.#peer.createDataChannel(label)
    if (this.#channel !== undefined) {
      this.#channel.onmessage = ({ data }) => this.#took(data)
      this.#channel.onclose = () => {
        this.channelClosed = true
        this.#wake()
      }
    }
    this.#peer.ontrack = ({ track }) => this.#listen(track)
  }

  get state(): string {
    return this.#peer.connectionState
  }

  static async call(options: PeerClientOptions): Promise<PeerClient> {
    const client = new PeerClient('label' in options ? options.label : 'oai-events')
    try {
      await client.#connect(options)
      return client
    } catch (error) {
      await client[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Complete, as a browser sends it. */
  async offer(): Promise<string> {
    await this.#peer.setLocalDescription(await this.#peer.createOffer())
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#peer.iceGatheringState === 'complete') resolve()
      }
      this.#peer.onicegatheringstatechange = look
      look()
    })
    return this.#peer.localDescription?.sdp ?? ''
  }

  /** Connects to whoever answered. */
  async take(answer: string): Promise<void> {
    await this.#peer.setRemoteDescription({ type: 'answer', sdp: answer })
    this.#timer = setInterval(() => this.#speakNext(), 2 * frameMs)
    if (this.#channel !== undefined)
      await this.until(() => this.#channel?.readyState === 'open' || undefined, 'channel')
    else await this.until(() => this.state === 'connected' || undefined, 'connection')
  }

  async #connect(options: PeerClientOptions): Promise<void> {
    const sdp = await this.offer()
    const { body, type } = bodyOf(options.way?.offer(sdp) ?? sdp, options.session)
    const response = await fetch(`${options.url}/v1/realtime/calls${options.query ?? ''}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${options.token}`,
        ...(type === undefined ? {} : { 'content-type': type }),
        ...options.headers,
      },
      body,
    })
    const text = await response.text()
    if (response.status !== 201) throw new Refused(response.status, text)
    this.callId = response.headers.get('location')?.split('/').at(-1) ?? ''
    this.headers = response.headers
    const passed = options.way?.answer(text) ?? text
    await this.take(options.saves === true ? passed.replace('useinbandfec=1', 'useinbandfec=1;usedtx=1') : passed)
  }

  #took(data: string | ArrayBuffer): void {
    const event: ServerEvent = JSON.parse(typeof data === 'string' ? data : Buffer.from(data).toString('utf8'))
    this.events.push(event)
    if (event.type === 'parley.heartbeat') this.send({ type: 'parley.heartbeat', n: event.n })
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }

  #listen(track: Parameters<NonNullable<NativePeer['ontrack']>>[0]['track']): void {
    this.#sink = new native.nonstandard.RTCAudioSink(track)
    this.#sink.ondata = ({ samples, sampleRate }) => {
      const isLoud = samples.some((sample) => Math.abs(sample) > loud)
      if (isLoud) this.loudMs += (samples.length / sampleRate) * 1000
      if (isLoud) this.#sounded(performance.now())
      this.onFrame?.(isLoud)
    }
  }

  #sounded(nowMs: number): void {
    const last = this.sounds.at(-1)
    // Pauses between words belong to what is said.
    if (last !== undefined && nowMs - last.toMs < 400) last.toMs = nowMs
    else this.sounds.push({ fromMs: nowMs, toMs: nowMs })
  }

  get isHearing(): boolean {
    return performance.now() - (this.sounds.at(-1)?.toMs ?? Number.NEGATIVE_INFINITY) < 150
  }

  /** Queues PCM16 24 kHz for the microphone, which is silent otherwise. Resolves when it is said. */
  async say(pcm: Buffer): Promise<void> {
    const samples = new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + (pcm.length & ~1)))
    for (let at = 0; at < samples.length; at += frameSamples) {
      const frame = new Int16Array(frameSamples)
      frame.set(samples.subarray(at, at + frameSamples))
      this.#microphone.push(frame)
    }
    this.#spoken ??= Promise.withResolvers()
    await this.#spoken.promise
    this.#spoken = undefined
  }

  mute(muted: boolean): void {
    this.#muted = muted
  }

  #startedMs = 0
  #frames = 0
  #speakNext(): void {
    this.#startedMs ||= performance.now()
    const due = Math.min(10, Math.floor((performance.now() - this.#startedMs) / frameMs) - this.#frames)
    this.#frames = Math.floor((performance.now() - this.#startedMs) / frameMs)
    for (let i = 0; i < due; i++) {
      const frame = this.#microphone.shift()
      const samples = frame === undefined || this.#muted ? new Int16Array(frameSamples) : frame
      this.#source.onData({
        samples,
        sampleRate: rateHz,
        bitsPerSample: 16,
        channelCount: 1,
        numberOfFrames: frameSamples,
      })
    }
    if (this.#microphone.length === 0) this.#spoken?.resolve()
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.sendText(JSON.stringify(event))
  }

  sendText(text: string): void {
    this.#channel?.send(text)
  }

  ask(text: string): void {
    this.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
    })
    this.send({ type: 'response.create' })
  }

  ofType(type: string): ServerEvent[] {
    return this.events.filter((event) => event.type === type)
  }

  event(type: string, count = 1, timeoutMs = 15_000): Promise<ServerEvent> {
    return this.until(() => this.ofType(type)[count - 1], `${type} × ${count}`, timeoutMs)
  }

  async until<T>(find: () => T | undefined, what: string, timeoutMs = 15_000): Promise<T> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      const left = deadline - Date.now()
      if (left <= 0)
        throw new Error(
          `waited ${timeoutMs} ms for ${what}; got ${this.events.map((event) => event.type).join(', ')}; ${this.state}`,
        )
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          this.#wakers.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, Math.min(left, 50))
        this.#wakers.add(wake)
      })
    }
  }

  /** As a page does that is done. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    this.#sink?.stop()
    this.#track.stop()
    this.#peer.close()
    this.#spoken?.resolve()
    this.#wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await Promise.resolve()
  }
}

/** The gateway's answer to an offer that it did not take. */
export class Refused extends Error {
  readonly status: number
  readonly body: unknown
  constructor(status: number, text: string) {
    super(`refused with ${status}: ${text}`)
    this.status = status
    this.body = JSON.parse(text)
  }
}

function bodyOf(sdp: string, session: unknown): { body: string | FormData; type?: string } {
  if (session === undefined) return { body: sdp, type: 'application/sdp' }
  const body = new FormData()
  body.set('sdp', new Blob([sdp], { type: 'application/sdp' }))
  body.set('session', typeof session === 'string' ? session : JSON.stringify(session))
  return { body }
}
