// A server reached over HTTP. Everything goes out through the guard, which bounds what comes back.

import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { GuardedFetch } from '../../platform/fetch-guard/fetch-guard.ts'
import type { Opened, Place } from './place.ts'

export interface HttpServer {
  readonly url: string
  /** Undefined: none. Asked for with every connection. */
  readonly header: { readonly name: string; readonly value: string } | undefined
  readonly fetch: GuardedFetch
}

export function httpPlace(server: HttpServer): Place {
  return {
    isProcess: false,
    open(): Opened {
      const transport = new StreamableHTTPClientTransport(new URL(server.url), {
        fetch: withoutStandingStream(server.fetch),
        ...(server.header === undefined
          ? {}
          : { requestInit: { headers: { [server.header.name]: server.header.value } } }),
        // A call's stream that broke is asked for again, where the server can: not for long, somebody waits.
        reconnectionOptions: {
          initialReconnectionDelay: 250,
          maxReconnectionDelay: 2_000,
          reconnectionDelayGrowFactor: 2,
          maxRetries: 2,
        },
        onInsufficientScope: 'throw',
      })
      return {
        transport,
        // A server that keeps a session is told that it may forget it; whether it listens is its business.
        async end() {
          if (transport.sessionId !== undefined && transport.protocolVersion !== undefined)
            await Promise.race([transport.terminateSession().catch(() => undefined), briefly()])
          await transport.close()
        },
        kill: () => void transport.close(),
      }
    },
  }
}

const briefly = () => new Promise<void>((resolve) => void setTimeout(resolve, 1_000).unref())

/** A standing stream would cost a connection per server for news that nobody here waits for; a call's broken one is resumed. */
function withoutStandingStream(inner: GuardedFetch): GuardedFetch {
  return async (url, init) => {
    const isStanding = init?.method === 'GET' && !new Headers(init.headers).has('last-event-id')
    return isStanding ? new Response(null, { status: 405 }) : inner(url, init)
  }
}
