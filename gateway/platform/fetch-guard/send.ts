// One request over one connection of its own, to an address that was checked. Nothing is shared between requests: no
// socket, no cookie, no proxy of the environment.

import type { LookupFunction } from 'node:net'
import { type Response as Answer, buildConnector, Client, fetch as send } from 'undici'
import type { Target } from './target.ts'

export interface Outgoing {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer> | undefined
}

export interface Exchange {
  readonly answer: Answer
  /** Ends the connection, whatever is still to come. */
  end(): void
}

export interface SendOptions {
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** The connection stands: from here on the other side may have the request. */
  readonly onConnected: () => void
}

const maxHeaderSize = 16 * 1024
const connectMs = 5_000

/** Rejects with what undici says. */
export async function exchange(target: Target, request: Outgoing, options: SendOptions): Promise<Exchange> {
  const connect = buildConnector({ lookup: pinned(target), allowH2: false, timeout: connectMs, maxCachedSessions: 0 })
  const client = new Client(target.url.origin, {
    maxHeaderSize,
    // Of what is on the wire; what it unpacks to is counted where it is read.
    maxResponseSize: options.maxBytes,
    // The whole has its own deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (wanted, done) =>
      connect(wanted, (...outcome) => {
        if (outcome[0] === null) options.onConnected()
        done(...outcome)
      }),
  })
  const end = (): void => void client.destroy().catch(() => undefined)
  try {
    const answer = await send(target.url, {
      method: request.method,
      headers: [...request.headers],
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: 'manual',
      dispatcher: client,
      signal: options.signal,
    })
    return { answer, end }
  } catch (error) {
    end()
    throw error
  }
}

/** Node asks it for names only; an address that stands in the URL was checked as it stands. */
function pinned({ addresses }: Target): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses
    if (first === undefined) done(new Error('no address'), '', 0)
    else if (all === true) done(null, [...addresses])
    else done(null, first.address, first.family)
  }
}
