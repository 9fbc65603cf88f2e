// The provider's end of a WebRTC call: answers an offer, hears samples, plays samples in real time, has the browser's channel.

import wrtc from '@roamhq/wrtc'
import type { Native, NativeChannel, NativePeer } from '../../gateway/legs/webrtc/native.ts'
import { Resampler } from '../../gateway/platform/resample.ts'

const native: Native = wrtc

const rateHz = 24_000
const frameMs = 10
const frameSamples = (rateHz * frameMs) / 1000
/** Whoever listens takes 20 ms at a time. */
const earBytes = 960

export interface ScriptedPeerEvents {
  /** PCM16 24 kHz, in stretches of 20 ms. */
  audio(pcm: Buffer): void
  message(text: string): void
  opened(): void
  /** The browser left. */
  left(): void
  /** Everything that was to be played has been. */
  played(): void
}

export class ScriptedPeer {
  /** Of this process: a test looks for what was left open. */
  static open = 0
  readonly #on: ScriptedPeerEvents
  readonly #peer: NativePeer
  readonly #source = new native.nonstandard.RTCAudioSource()
  readonly #track = this.#source.createTrack()
  #sink: InstanceType<Native['nonstandard']['RTCAudioSink']> | undefined
  #channel: NativeChannel | undefined
  #queue: { readonly key: string; readonly samples: Int16Array }[] = []
  readonly #playedMs = new Map<string, number>()
  #heard = Buffer.alloc(0)
  #timer: NodeJS.Timeout | undefined
  #startedMs = 0
  #frames = 0
  #closed = false

  constructor(on: ScriptedPeerEvents) {
    this.#on = on
    ScriptedPeer.open++
    this.#peer = new native.RTCPeerConnection({ iceServers: [] })
    this.#peer.ontrack = ({ track }) => this.#listen(track)
    this.#peer.ondatachannel = ({ channel }) => this.#channelOf(channel)
    this.#peer.onconnectionstatechange = () => {
      if (['failed', 'closed'].includes(this.#peer.connectionState) && !this.#closed) this.#on.left()
    }
  }

  async answer(offer: string): Promise<string> {
    await this.#peer.setRemoteDescription({ type: 'offer', sdp: offer })
    this.#peer.addTrack(this.#track, new native.MediaStream())
    await this.#peer.setLocalDescription(await this.#peer.createAnswer())
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#peer.iceGatheringState === 'complete') resolve()
      }
      this.#peer.onicegatheringstatechange = look
      look()
    })
    this.#timer = setInterval(() => this.#playNext(), frameMs)
    return this.#peer.localDescription?.sdp ?? ''
  }

  #listen(track: Parameters<NonNullable<NativePeer['ontrack']>>[0]['track']): void {
    let heardHz = 0
    let resampler: Resampler | undefined
    this.#sink = new native.nonstandard.RTCAudioSink(track)
    this.#sink.ondata = ({ samples, sampleRate }) => {
      if (sampleRate !== heardHz) {
        heardHz = sampleRate
        resampler = new Resampler(sampleRate, rateHz)
      }
      const piece = resampler?.push(samples)
      if (piece !== undefined && !this.#closed)
        this.#hear(Buffer.from(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.byteLength)))
    }
  }

  #hear(pcm: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, pcm])
    const bytes = this.#heard.length - (this.#heard.length % earBytes)
    if (bytes === 0) return
    this.#on.audio(this.#heard.subarray(0, bytes))
    this.#heard = this.#heard.subarray(bytes)
  }

  #channelOf(channel: NativeChannel): void {
    this.#channel = channel
    channel.onmessage = ({ data }) => {
      if (!this.#closed) this.#on.message(typeof data === 'string' ? data : Buffer.from(data).toString('utf8'))
    }
    channel.onclose = () => {
      if (!this.#closed) this.#on.left()
    }
    if (channel.readyState === 'open') this.#on.opened()
    else channel.onopen = () => this.#on.opened()
  }

  send(text: string): void {
    if (this.#closed || this.#channel?.readyState !== 'open') return
    try {
      this.#channel.send(text)
    } catch {
      // The browser left between the question and the answer.
    }
  }

  /** Queues PCM16 24 kHz; `key` names what it belongs to. */
  play(key: string, pcm: Buffer): void {
    const samples = new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + (pcm.length & ~1)))
    for (let at = 0; at < samples.length; at += frameSamples) {
      const frame = new Int16Array(frameSamples)
      frame.set(samples.subarray(at, at + frameSamples))
      this.#queue.push({ key, samples: frame })
    }
  }

  /** Milliseconds of it that were played. */
  playedMs(key: string): number {
    return this.#playedMs.get(key) ?? 0
  }

  /** What it belongs to that is being played. */
  get playing(): string | undefined {
    return this.#queue[0]?.key
  }

  clear(): void {
    this.#queue = []
  }

  #playNext(): void {
    this.#startedMs ||= performance.now()
    const until = Math.floor((performance.now() - this.#startedMs) / frameMs)
    const due = Math.min(20, until - this.#frames)
    this.#frames = until
    for (let i = 0; i < due; i++) {
      const next = this.#queue.shift()
      if (next !== undefined) this.#playedMs.set(next.key, this.playedMs(next.key) + frameMs)
      this.#source.onData({
        samples: next?.samples ?? new Int16Array(frameSamples),
        sampleRate: rateHz,
        bitsPerSample: 16,
        channelCount: 1,
        numberOfFrames: frameSamples,
      })
      if (next !== undefined && this.#queue.length === 0) this.#on.played()
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    ScriptedPeer.open--
    clearInterval(this.#timer)
    this.#sink?.stop()
    this.#track.stop()
    this.#channel?.close()
    this.#peer.close()
  }
}
