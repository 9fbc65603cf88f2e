// The native WebRTC library, as far as it is used here. It is loaded when the first call comes: where there is no build of
// it (Alpine, other platforms) the gateway runs without.

import type { Log } from '../../platform/log.ts'

export interface NativeTrack {
  readonly kind: string
  stop(): void
}

export interface NativeChannel {
  readonly label: string
  readonly readyState: 'connecting' | 'open' | 'closing' | 'closed'
  readonly bufferedAmount: number
  binaryType: string
  onopen: (() => void) | null
  onclose: (() => void) | null
  onmessage: ((event: { readonly data: string | ArrayBuffer }) => void) | null
  send(data: string | Uint8Array): void
  close(): void
}

export interface Description {
  readonly type: 'offer' | 'answer'
  readonly sdp: string
}

export type PeerState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed'

export interface NativePeer {
  readonly connectionState: PeerState
  readonly iceGatheringState: 'new' | 'gathering' | 'complete'
  readonly localDescription: Description | null
  onconnectionstatechange: (() => void) | null
  onicegatheringstatechange: (() => void) | null
  ondatachannel: ((event: { readonly channel: NativeChannel }) => void) | null
  ontrack: ((event: { readonly track: NativeTrack }) => void) | null
  setRemoteDescription(description: Description): Promise<void>
  setLocalDescription(description: Description): Promise<void>
  createAnswer(): Promise<Description>
  /** Browser code takes the track from its stream: one in none is not heard. */
  addTrack(track: NativeTrack, stream: object): unknown
  getStats(): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>>
  close(): void
}

export interface NativeAudio {
  readonly samples: Int16Array
  readonly sampleRate: number
  readonly channelCount?: number
}

export interface IceServer {
  readonly urls: readonly string[]
  readonly username?: string
  readonly credential?: string
}

export interface Native {
  readonly MediaStream: new () => object
  readonly RTCPeerConnection: new (config: {
    readonly iceServers: readonly IceServer[]
    readonly portRange?: { readonly min: number; readonly max: number }
  }) => NativePeer
  readonly nonstandard: {
    readonly RTCAudioSource: new () => {
      createTrack(): NativeTrack
      onData(data: NativeAudio & { readonly bitsPerSample: 16; readonly numberOfFrames: number }): void
    }
    readonly RTCAudioSink: new (track: NativeTrack) => { ondata: ((data: NativeAudio) => void) | null; stop(): void }
  }
}

/** Undefined: not to be had on this machine, which is logged once. */
export type LoadNative = () => Promise<Native | undefined>

export function nativeLoader(log: Pick<Log, 'warn'>, load: () => Promise<Native> = loadLibrary): LoadNative {
  let loading: Promise<Native | undefined> | undefined
  return () => {
    loading ??= load().catch((error: unknown) => {
      log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'no WebRTC on this machine')
      return undefined
    })
    return loading
  }
}

async function loadLibrary(): Promise<Native> {
  const { default: native }: { readonly default: Native } = await import('@roamhq/wrtc')
  return native
}
