// How a call is asked for: the offer and the whole session in one request; its id stands in the Location.

import { randomBytes } from 'node:crypto'
import { callsAddress, sidebandAddress } from '../../upstream/address.ts'
import type { CallProtocol } from '../../upstream/call.ts'

export interface Provider {
  readonly baseUrl: string
  readonly apiKey: string | undefined
}

export function callProtocol({ baseUrl, apiKey }: Provider, session: Readonly<Record<string, unknown>>): CallProtocol {
  return {
    create: (offer) => ({ address: callsAddress(baseUrl, apiKey), ...multipart(offer, session) }),
    read({ body, location }) {
      const id = location?.split(/[?#]/)[0]?.split('/').filter(Boolean).at(-1)
      return id === undefined ? undefined : { id, answer: body }
    },
    sideband: (id) => sidebandAddress(baseUrl, apiKey, id),
    hangUp: (id) => callsAddress(baseUrl, apiKey, id),
  }
}

function multipart(offer: string, session: Readonly<Record<string, unknown>>): { contentType: string; body: string } {
  // Nobody's offer can hold it: a part of its own would be another configuration.
  const boundary = `parley-${randomBytes(16).toString('hex')}`
  const part = (name: string, type: string, text: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: `${part('sdp', 'application/sdp', offer)}${part('session', 'application/json', JSON.stringify(session))}--${boundary}--\r\n`,
  }
}
