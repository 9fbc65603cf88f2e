// What a LiveKit server tells us. Only one event matters, somebody entering a room that names an agent; all else about a
// session comes from the room itself. So missing, late, repeated and unknown events do no harm.

import { type WebhookEvent, WebhookReceiver } from 'livekit-server-sdk'
import type { LiveKitKeys } from './tokens.ts'

/** By number in the protocol's `ParticipantInfo.Kind`. */
const sipKind = 3
/** Ingress, egress, agents: no callers. */
const machineKinds: readonly number[] = [1, 2, 4]

export interface Entered {
  readonly room: string
  readonly identity: string
  readonly sip: boolean
}

export type Hook =
  | ({ readonly is: 'entered' } & Entered)
  | { readonly is: 'ignored'; readonly event: string }
  /** Signed by the server, and not of a shape known here. */
  | { readonly is: 'unreadable' }
  | { readonly is: 'forged' }

/** `authorization`: a JWT under our key whose `sha256` is the hash of the very bytes of `body`. */
export async function readHook(keys: LiveKitKeys, body: string, authorization: string | undefined): Promise<Hook> {
  let event: WebhookEvent
  try {
    event = await new WebhookReceiver(keys.apiKey, keys.apiSecret).receive(body, authorization)
  } catch (error) {
    // The body is parsed only after it was verified.
    return { is: error instanceof SyntaxError || isDecoding(error) ? 'unreadable' : 'forged' }
  }
  const { room, participant } = event
  if (event.event !== 'participant_joined' || room === undefined || participant === undefined)
    return { is: 'ignored', event: event.event }
  if (machineKinds.includes(participant.kind)) return { is: 'ignored', event: event.event }
  return { is: 'entered', room: room.name, identity: participant.identity, sip: participant.kind === sipKind }
}

function isDecoding(error: unknown): boolean {
  return error instanceof Error && /^cannot decode /.test(error.message)
}
