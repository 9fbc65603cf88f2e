// How a session with a browser is asked for: JSON both ways.

import { z } from 'zod'
import { attachAddress, liveCallsAddress } from '../../upstream/address.ts'
import type { CallProtocol } from '../../upstream/call.ts'

export interface Provider {
  readonly baseUrl: string
  readonly apiKey: string | undefined
}

const made = z.object({
  session: z.object({ id: z.string().min(1) }),
  transport: z.object({ sdp: z.string() }),
})

export function liveCallProtocol(
  { baseUrl, apiKey }: Provider,
  session: Readonly<Record<string, unknown>>,
): CallProtocol {
  return {
    create: (sdp) => ({
      address: liveCallsAddress(baseUrl, apiKey),
      contentType: 'application/json',
      body: JSON.stringify({ session, transport: { type: 'webrtc', sdp } }),
    }),
    read({ body }) {
      const read = made.safeParse(json(body))
      return read.success ? { id: read.data.session.id, answer: read.data.transport.sdp } : undefined
    },
    sideband: (id) => attachAddress(baseUrl, apiKey, id),
    hangUp: (id) => liveCallsAddress(baseUrl, apiKey, id),
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
