// One peer connection: answers an offer, plays into its track, hears the other end's, and leaves nothing behind.

import type { Clock, Timer } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { type Sink, samplesPerMs } from '../media/sink.ts'
import type { IceServer, Native, NativeAudio, NativeChannel, NativePeer, NativeTrack, PeerState } from './native.ts'
import { withPublicIp } from './sdp.ts'

/** A relay that does not answer must not keep a caller waiting: what was found by then is told. */
const gatherMs = 2_000
const statsMs = 5_000
/** The far end's jitter buffer and sound card, beside what the network takes. */
const farEndMs = 80
const rateHz = samplesPerMs * 1000

export interface PeerOptions {
  readonly native: Native
  readonly clock: Clock
  readonly iceServers: readonly IceServer[]
  readonly ports: { readonly min: number; readonly max: number } | undefined
  readonly publicIp: string | undefined
}

/** Nothing of it can happen before the other end has the answer. */
export interface PeerEvents {
  channel(channel: NativeChannel): void
  audio(audio: NativeAudio): void
  state(state: PeerState): void
}

export class Peer implements Sink {
  readonly continuous = true
  readonly #options: PeerOptions
  readonly #peer: NativePeer
  readonly #source: InstanceType<Native['nonstandard']['RTCAudioSource']>
  readonly #track: NativeTrack
  #ear: InstanceType<Native['nonstandard']['RTCAudioSink']> | undefined
  readonly #polling: Timer
  #events: PeerEvents | undefined
  #networkMs = 0
  #closed = false

  constructor(options: PeerOptions) {
    this.#options = options
    const { native, iceServers, ports, clock } = options
    this.#peer = new native.RTCPeerConnection({ iceServers, ...(ports === undefined ? {} : { portRange: ports }) })
    this.#source = new native.nonstandard.RTCAudioSource()
    this.#track = this.#source.createTrack()
    this.#peer.onconnectionstatechange = () => this.#state()
    this.#peer.ondatachannel = ({ channel }) => this.#events?.channel(channel)
    this.#peer.ontrack = ({ track }) => this.#hear(track)
    this.#polling = clock.every(statsMs, () => void this.#measure())
  }

  listen(events: PeerEvents): void {
    this.#events = events
  }

  get state(): PeerState {
    return this.#closed ? 'closed' : this.#peer.connectionState
  }

  get delayMs(): number {
    return this.#networkMs + farEndMs
  }

  play(samples: Int16Array<ArrayBuffer>): void {
    if (this.#closed) return
    this.#source.onData({
      samples,
      sampleRate: rateHz,
      bitsPerSample: 16,
      channelCount: 1,
      numberOfFrames: samples.length,
    })
  }

  /** Throws `invalid` for an offer that the library does not take. */
  async answer(sdp: string): Promise<string> {
    try {
      await this.#peer.setRemoteDescription({ type: 'offer', sdp })
      this.#peer.addTrack(this.#track, new this.#options.native.MediaStream())
      await this.#peer.setLocalDescription(await this.#peer.createAnswer())
    } catch (cause) {
      throw new Problem('invalid', 'The offer cannot be answered.', { cause })
    }
    await this.#gathered()
    const answer = this.#peer.localDescription?.sdp
    if (this.#closed || answer === undefined) throw new Problem('unavailable')
    const { publicIp } = this.#options
    return publicIp === undefined ? answer : withPublicIp(answer, publicIp)
  }

  #gathered(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel()
        this.#peer.onicegatheringstatechange = null
        resolve()
      }
      const timer = this.#options.clock.after(gatherMs, done)
      const look = (): void => {
        if (this.#closed || this.#peer.iceGatheringState === 'complete') done()
      }
      this.#peer.onicegatheringstatechange = look
      look()
    })
  }

  #hear(track: NativeTrack): void {
    // One voice: a second track of an offer is not listened to.
    if (this.#closed || this.#ear !== undefined || track.kind !== 'audio') return
    this.#ear = new this.#options.native.nonstandard.RTCAudioSink(track)
    this.#ear.ondata = (audio) => {
      if (!this.#closed) this.#events?.audio(audio)
    }
  }

  #state(): void {
    if (!this.#closed) this.#events?.state(this.#peer.connectionState)
  }

  async #measure(): Promise<void> {
    if (this.#peer.connectionState !== 'connected') return
    try {
      for (const each of (await this.#peer.getStats()).values()) {
        if (each.type !== 'remote-inbound-rtp') continue
        const seconds = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)
        this.#networkMs = Math.min(1_000, 500 * seconds(each.roundTripTime) + 2_000 * seconds(each.jitter))
      }
    } catch {
      // Closed meanwhile: the last figure stands.
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#polling.cancel()
    this.#ear?.stop()
    this.#track.stop()
    this.#peer.onconnectionstatechange = null
    this.#peer.ondatachannel = null
    this.#peer.ontrack = null
    this.#peer.close()
    this.#peer.onicegatheringstatechange?.()
  }
}
