// The agent as a participant of a LiveKit room, over the native client. It hears one caller's microphone and nobody else.

import type { LocalAudioTrack, RemoteAudioTrack, RemoteParticipant, Room } from '@livekit/rtc-node'
import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import { withDeadline } from '../../platform/deadline.ts'
import { sampleRateHz } from '../../protocol/realtime.ts'
import type { AgentState, LineEvents, RoomLine, Words } from './line.ts'
import { forget, type Rtc } from './native.ts'
import { SoundSink, sourceQueueMs } from './sound-sink.ts'
import { stateAttribute } from './tokens.ts'

const chatTopic = 'lk.chat'
/** Of clients from before text streams. */
const oldChatTopic = 'lk-chat-topic'
const transcriptTopic = 'lk.transcription'
export const eventTopic = 'parley'

const frameSizeMs = 20
/** A message of ours has 4,000 characters at most; a stream beyond this ends with an error at the library. */
const mostTextBytes = 32 * 1024
/** A room that does not answer the goodbye is left all the same. */
const leaveMs = 2_000

const oldChat = z.object({ message: z.string(), ignoreLegacy: z.boolean().optional() })

export interface JoinOptions {
  readonly rtc: Rtc
  readonly url: string
  readonly token: string
  /** Identity of whom the agent belongs to. */
  readonly caller: string
  readonly events: LineEvents
  readonly clock: Clock
}

/** Rejects when the room cannot be joined. */
export async function joinRoom(options: JoinOptions): Promise<RoomLine> {
  const line = new NativeLine(options)
  try {
    await line.join()
    return line
  } catch (error) {
    await line.leave()
    throw error
  }
}

type Ears = ReadableStreamDefaultReader<{ readonly data: Int16Array; readonly sampleRate: number }>

class NativeLine implements RoomLine {
  readonly sink: SoundSink
  readonly #options: JoinOptions
  readonly #room: Room
  readonly #track: LocalAudioTrack
  #ear: Ears | undefined
  #left = false

  constructor(options: JoinOptions) {
    const { rtc } = options
    this.#options = options
    this.#room = new rtc.Room()
    const source = new rtc.AudioSource(sampleRateHz, 1, sourceQueueMs)
    this.#track = rtc.LocalAudioTrack.createAudioTrack('agent', source)
    this.sink = new SoundSink(rtc, source)
  }

  get callerHere(): boolean {
    return this.#room.remoteParticipants.has(this.#options.caller)
  }

  get droppedMs(): number {
    return this.sink.droppedMs
  }

  async join(): Promise<void> {
    const { rtc, url, token } = this.#options
    this.#listen()
    await this.#room.connect(url, token, {
      autoSubscribe: false,
      dynacast: false,
      dataStream: { maxPayloadByteLength: mostTextBytes },
    })
    const publish = new rtc.TrackPublishOptions({ source: rtc.TrackSource.SOURCE_MICROPHONE })
    await this.#me.publishTrack(this.#track, publish)
    const caller = this.#room.remoteParticipants.get(this.#options.caller)
    for (const publication of caller?.trackPublications.values() ?? []) this.#published(publication)
  }

  get #me() {
    const { localParticipant } = this.#room
    if (localParticipant === undefined) throw new Error('not in the room')
    return localParticipant
  }

  #listen(): void {
    const { rtc, events } = this.#options
    const { RoomEvent } = rtc
    const room = this.#room
    const ofCaller = (participant: { readonly identity: string } | undefined): boolean =>
      participant?.identity === this.#options.caller
    room.on(RoomEvent.ParticipantConnected, (who) => ofCaller(who) && events.callerJoined())
    room.on(RoomEvent.ParticipantDisconnected, (who) => ofCaller(who) && events.callerGone(this.#howGone(who)))
    room.on(RoomEvent.TrackPublished, (publication, who) => ofCaller(who) && this.#published(publication))
    room.on(RoomEvent.TrackSubscribed, (track, _publication, who) => {
      if (ofCaller(who) && track instanceof rtc.RemoteAudioTrack) this.#hear(track)
    })
    room.on(RoomEvent.ConnectionQualityChanged, (quality, who) => {
      if (ofCaller(who)) events.callerFaint(quality === rtc.ConnectionQuality.QUALITY_LOST)
    })
    room.on(RoomEvent.DtmfReceived, (_code, digit, who) => ofCaller(who) && events.key(digit))
    room.on(RoomEvent.ChatMessage, ({ message }, who) => ofCaller(who) && events.text(message))
    room.on(RoomEvent.DataReceived, (data, who, _kind, topic) => ofCaller(who) && this.#data(data, topic))
    room.on(RoomEvent.Disconnected, (reason) => {
      if (!this.#left) events.gone(this.#isOver(reason) ? 'over' : 'lost')
    })
    room.registerTextStreamHandler(chatTopic, (reader, who) => {
      // Too long, or cut off by a lost connection: nothing that could be taken for what was meant.
      reader.readAll().then(
        (text) => ofCaller(who) && events.text(text),
        () => undefined,
      )
    })
  }

  #published(publication: { readonly kind?: number | undefined; readonly source?: number | undefined }): void {
    const { TrackKind, TrackSource, RemoteTrackPublication } = this.#options.rtc
    const isVoice =
      publication.kind === TrackKind.KIND_AUDIO &&
      (publication.source === TrackSource.SOURCE_MICROPHONE || publication.source === TrackSource.SOURCE_UNKNOWN)
    if (isVoice && publication instanceof RemoteTrackPublication) publication.setSubscribed(true)
  }

  /** The newest track is the microphone in use. */
  #hear(track: RemoteAudioTrack): void {
    this.#deafen()
    const stream = new this.#options.rtc.AudioStream(track, { sampleRate: sampleRateHz, numChannels: 1, frameSizeMs })
    const ear = stream.getReader()
    this.#ear = ear
    void this.#read(ear)
  }

  async #read(ear: Ears): Promise<void> {
    for (;;) {
      const { done, value } = await ear.read().catch(() => ({ done: true, value: undefined }))
      if (done || value === undefined || ear !== this.#ear) return
      this.#options.events.audio(value.data, value.sampleRate)
    }
  }

  #deafen(): void {
    const ear = this.#ear
    this.#ear = undefined
    ear?.cancel().catch(() => undefined)
  }

  #howGone({ disconnectReason }: RemoteParticipant): 'left' | 'lost' {
    const { DisconnectReason } = this.#options.rtc
    const meant: unknown[] = [
      DisconnectReason.CLIENT_INITIATED,
      DisconnectReason.PARTICIPANT_REMOVED,
      DisconnectReason.USER_REJECTED,
      DisconnectReason.USER_UNAVAILABLE,
    ]
    return meant.includes(disconnectReason) ? 'left' : 'lost'
  }

  #isOver(reason: number): boolean {
    const { DisconnectReason } = this.#options.rtc
    const final: number[] = [
      DisconnectReason.ROOM_DELETED,
      DisconnectReason.ROOM_CLOSED,
      DisconnectReason.PARTICIPANT_REMOVED,
      // Another process answers this caller.
      DisconnectReason.DUPLICATE_IDENTITY,
    ]
    return final.includes(reason)
  }

  #data(data: Uint8Array, topic: string | undefined): void {
    if (topic !== chatTopic && topic !== oldChatTopic) return
    if (data.byteLength > mostTextBytes) return
    const text = Buffer.from(data).toString('utf8')
    const chat = oldChat.safeParse(parsed(text))
    if (chat.success) {
      // The same was sent as a text stream too.
      if (chat.data.ignoreLegacy !== true) this.#options.events.text(chat.data.message)
    } else if (topic === chatTopic) this.#options.events.text(text)
  }

  async words({ segmentId, text, final, by }: Words): Promise<void> {
    const writer = await this.#me.streamText({
      topic: transcriptTopic,
      attributes: { 'lk.segment_id': segmentId, 'lk.transcription_final': String(final) },
      ...(by === 'caller' ? { senderIdentity: this.#options.caller } : {}),
    })
    await writer.write(text)
    await writer.close()
  }

  async tell(event: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#me.sendText(JSON.stringify(event), { topic: eventTopic })
  }

  async state(state: AgentState): Promise<void> {
    await this.#me.setAttributes({ [stateAttribute]: state })
  }

  async leave(): Promise<void> {
    if (this.#left) return
    this.#left = true
    this.#deafen()
    this.sink.clear()
    const { clock } = this.#options
    const gone = this.#room.disconnect().catch(() => undefined)
    await withDeadline(gone, { timeoutMs: leaveMs, clock, fallback: () => undefined })
    this.#room.removeAllListeners()
    forget(this.#room)
    await this.sink.close()
    await this.#track.close(false)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
