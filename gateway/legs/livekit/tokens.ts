// Tokens for a LiveKit room: what a caller may do there and what our agent may. The secret never leaves this process.

import { createHash } from 'node:crypto'
import { AccessToken, TrackSource } from 'livekit-server-sdk'

export interface LiveKitKeys {
  readonly apiKey: string
  readonly apiSecret: string
}

/** Long enough to join with; whoever is in the room gets the server's own next ones. */
export const tokenLifeSeconds = 60

/** Attribute of our agents: whom they listen to. */
export const callerAttribute = 'parley.caller'
export const stateAttribute = 'lk.agent.state'

export interface Seat {
  readonly room: string
  readonly identity: string
  readonly name: string
}

/** One room, one microphone, data; no camera, no metadata of one's own, no room but this. */
export async function callerToken(keys: LiveKitKeys, seat: Seat): Promise<string> {
  const token = new AccessToken(keys.apiKey, keys.apiSecret, {
    identity: seat.identity,
    name: seat.name,
    ttl: tokenLifeSeconds,
  })
  token.addGrant({ ...common(seat.room), canUpdateOwnMetadata: false })
  return token.toJwt()
}

/** `agent` by kind, so that clients know whose state and transcripts these are. */
export async function agentToken(keys: LiveKitKeys, seat: Seat & { readonly caller: string }): Promise<string> {
  const token = new AccessToken(keys.apiKey, keys.apiSecret, {
    identity: seat.identity,
    name: seat.name,
    ttl: tokenLifeSeconds,
    attributes: { [stateAttribute]: 'initializing', [callerAttribute]: seat.caller },
  })
  token.kind = 'agent'
  token.addGrant({ ...common(seat.room), canUpdateOwnMetadata: true })
  return token.toJwt()
}

function common(room: string) {
  return {
    roomJoin: true,
    room,
    canPublish: true,
    canPublishSources: [TrackSource.MICROPHONE],
    canSubscribe: true,
    canPublishData: true,
  }
}

/** The same for the same caller: of two processes that answer one caller, the room keeps the later agent only. */
export function agentIdentity(room: string, caller: string): string {
  return `agent-${createHash('sha256')
    .update(JSON.stringify([room, caller]))
    .digest('hex')
    .slice(0, 20)}`
}
