// The variables WEBRTC_…. Pure.

import type { WebRtcConfig } from './calls.ts'

interface Given {
  readonly WEBRTC: boolean
  readonly WEBRTC_MAX_CALLS: number
  readonly WEBRTC_PUBLIC_IP?: string | undefined
  readonly WEBRTC_ICE_URLS?: string | undefined
  readonly WEBRTC_TURN_SECRET?: string | undefined
  readonly WEBRTC_TURN_SECONDS: number
}

export function portsOf(text: string | undefined): WebRtcConfig['ports'] {
  const [, min, max] = /^(\d{1,5})-(\d{1,5})$/.exec(text ?? '') ?? []
  return min === undefined ? undefined : { min: Number(min), max: Number(max) }
}

export function webRtcOf(data: Given, ports: WebRtcConfig['ports']): WebRtcConfig {
  return {
    on: data.WEBRTC,
    maxPeers: data.WEBRTC_MAX_CALLS,
    publicIp: data.WEBRTC_PUBLIC_IP,
    ports,
    urls: data.WEBRTC_ICE_URLS?.split(',').map((each) => each.trim()) ?? [],
    turnSecret: data.WEBRTC_TURN_SECRET,
    turnSeconds: data.WEBRTC_TURN_SECONDS,
  }
}
