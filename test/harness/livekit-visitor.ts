// A person in a LiveKit room: speaks, types, mutes, hears, and keeps what it was told.

import type { AudioSource, LocalAudioTrack, LocalTrackPublication, Room } from '@livekit/rtc-node'
import { pino } from 'pino'
import { forget, Native, type Rtc } from '../../gateway/legs/livekit/native.ts'
import { pieces } from './speech.ts'

export interface Seat {
  readonly url: string
  readonly token: string
}

/** Quieter than this is silence: a decoder's noise. */
const loudPeak = 300

export interface Said {
  readonly by: string
  readonly text: string
  readonly final: boolean
}

type Ears = ReadableStreamDefaultReader<{ readonly data: Int16Array }>

export class LiveKitVisitor implements AsyncDisposable {
  readonly room: Room
  /** `performance.now()` of each 10 ms of the agent's audio that was loud. */
  readonly loudAt: number[] = []
  /** The agent's states as told, with their time. */
  readonly states: { readonly state: string; readonly atMs: number }[] = []
  /** Latest words by segment. */
  readonly said = new Map<string, Said>()
  readonly events: Record<string, unknown>[] = []
  /** Set once the room was left. */
  disconnected: number | undefined
  /** Connections that were made anew. */
  reconnected = 0
  readonly #native: Native
  readonly #rtc: Rtc
  readonly #source: AudioSource
  readonly #track: LocalAudioTrack
  readonly #ears = new Set<Ears>()
  #publication: LocalTrackPublication | undefined

  private constructor(native: Native, rtc: Rtc) {
    this.#native = native
    this.#rtc = rtc
    this.room = new rtc.Room()
    this.#source = new rtc.AudioSource(24_000, 1, 200)
    this.#track = rtc.LocalAudioTrack.createAudioTrack('microphone', this.#source)
    this.#listen()
  }

  static async join(seat: Seat, options: { readonly microphone?: boolean } = {}): Promise<LiveKitVisitor> {
    const native = new Native(pino({ level: 'silent' }))
    const rtc = await native.load()
    if (rtc === undefined) throw new Error('no native client')
    const visitor = new LiveKitVisitor(native, rtc)
    await visitor.room.connect(seat.url, seat.token, { autoSubscribe: true, dynacast: false })
    for (const [, who] of visitor.room.remoteParticipants) visitor.#state(who.attributes)
    if (options.microphone !== false) await visitor.unmute()
    return visitor
  }

  #listen(): void {
    const { RoomEvent, RemoteAudioTrack, AudioStream, ParticipantKind } = this.#rtc
    this.room.on(RoomEvent.TrackSubscribed, (track, _publication, who) => {
      if (who.kind !== ParticipantKind.AGENT || !(track instanceof RemoteAudioTrack)) return
      void this.#hear(new AudioStream(track, { sampleRate: 24_000, numChannels: 1, frameSizeMs: 10 }).getReader())
    })
    this.room.on(RoomEvent.ParticipantAttributesChanged, (changed) => this.#state(changed))
    this.room.on(RoomEvent.Reconnected, () => this.reconnected++)
    this.room.on(RoomEvent.Disconnected, (reason) => (this.disconnected = reason))
    this.room.registerTextStreamHandler('lk.transcription', async (reader, { identity }) => {
      const { attributes = {} } = reader.info
      const text = await whole(reader)
      const final = attributes['lk.transcription_final'] === 'true'
      if (text !== undefined) this.said.set(attributes['lk.segment_id'] ?? '', { by: identity, text, final })
    })
    this.room.registerTextStreamHandler('parley', async (reader) => {
      const event: unknown = JSON.parse((await whole(reader)) ?? 'null')
      if (typeof event === 'object' && event !== null) this.events.push({ ...event })
    })
  }

  #state(attributes: Readonly<Record<string, string>>): void {
    const state = attributes['lk.agent.state']
    if (state !== undefined) this.states.push({ state, atMs: performance.now() })
  }

  async #hear(ear: Ears): Promise<void> {
    this.#ears.add(ear)
    for (;;) {
      const { done, value } = await ear.read()
      if (done) return
      if (value.data.some((sample) => Math.abs(sample) > loudPeak)) this.loudAt.push(performance.now())
    }
  }

  /** Resolves when it was said, at the pace of speech. */
  async speak(pcm: Buffer): Promise<void> {
    for (const piece of pieces(pcm, 20)) {
      const samples = new Int16Array(480)
      for (let i = 0; i < piece.length / 2; i++) samples[i] = piece.readInt16LE(i * 2)
      await this.#source.captureFrame(new this.#rtc.AudioFrame(samples, 24_000, 1, samples.length))
    }
  }

  get agentHere(): boolean {
    const { ParticipantKind } = this.#rtc
    return [...this.room.remoteParticipants.values()].some(({ kind }) => kind === ParticipantKind.AGENT)
  }

  /** Rejects where the token does not allow it. */
  async publishCamera(): Promise<void> {
    const { VideoSource, LocalVideoTrack, TrackPublishOptions, TrackSource } = this.#rtc
    const source = new VideoSource(64, 64)
    const track = LocalVideoTrack.createVideoTrack('camera', source)
    try {
      await this.room.localParticipant?.publishTrack(
        track,
        new TrackPublishOptions({ source: TrackSource.SOURCE_CAMERA }),
      )
    } finally {
      await track.close()
    }
  }

  /** Milliseconds of the agent's voice that came since. */
  heardMs(sinceMs = 0): number {
    return this.loudAt.filter((atMs) => atMs >= sinceMs).length * 10
  }

  async type(text: string): Promise<void> {
    await this.room.localParticipant?.sendText(text, { topic: 'lk.chat' })
  }

  async unmute(): Promise<void> {
    const options = new this.#rtc.TrackPublishOptions({ source: this.#rtc.TrackSource.SOURCE_MICROPHONE })
    this.#publication = await this.room.localParticipant?.publishTrack(this.#track, options)
  }

  async mute(): Promise<void> {
    const sid = this.#publication?.sid
    if (sid !== undefined) await this.room.localParticipant?.unpublishTrack(sid, false)
  }

  texts(by: 'agent' | 'caller'): string[] {
    const own = this.room.localParticipant?.identity
    return [...this.said.values()].filter((each) => (each.by === own) === (by === 'caller')).map(({ text }) => text)
  }

  /** Leaves on purpose. */
  async leave(): Promise<void> {
    await this.room.disconnect()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const ear of this.#ears) await ear.cancel()
    await this.room.disconnect()
    this.room.removeAllListeners()
    forget(this.room)
    await this.#source.close()
    await this.#track.close(false)
    await this.#native.dispose()
  }
}

/** Undefined: the room was left in the middle of it. */
function whole(reader: { readAll(): Promise<string> }): Promise<string | undefined> {
  return reader.readAll().catch(() => undefined)
}

/** Waits until `find` gives something other than undefined. */
export async function until<T>(find: () => T | undefined, what: string, timeoutMs = 15_000): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = find()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
