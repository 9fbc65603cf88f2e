// LiveKit: our agents as participants of its rooms. Owns rooms, tokens, webhooks and the native client; never decides
// what is said. Off unless configured.

import type { Route } from '../../platform/http.ts'
import type { Log } from '../../platform/log.ts'
import { Desk, type DeskDeps } from './desk.ts'
import { Native } from './native.ts'
import { Rooms } from './rooms.ts'
import { livekitRoutes } from './routes.ts'
import type { LiveKitKeys } from './tokens.ts'

export interface LiveKitSettings extends LiveKitKeys {
  readonly url: string
  readonly publicUrl: string
}

export interface LiveKit {
  readonly routes: readonly Route[]
  /** Calls that hold something in this process. */
  readonly size: number
  /** After the sessions were drained. */
  close(): Promise<void>
}

/** `settings` undefined: off; its routes say so. */
export function createLiveKit(
  settings: LiveKitSettings | undefined,
  deps: Omit<DeskDeps, 'keys' | 'url' | 'rooms' | 'native'> & { readonly log: Log },
): LiveKit {
  if (settings === undefined) return { routes: livekitRoutes(undefined), size: 0, close: async () => undefined }
  const { apiKey, apiSecret, url, publicUrl } = settings
  const keys = { apiKey, apiSecret }
  const rooms = new Rooms({ ...keys, url: withProtocol(url, 'http'), log: deps.log })
  const native = new Native(deps.log)
  const deskDeps = { ...deps, keys, url: withProtocol(url, 'ws'), rooms, native }
  const desk = new Desk(deskDeps)
  return {
    routes: livekitRoutes({ ...deskDeps, desk, publicUrl: withProtocol(publicUrl, 'ws') }),
    get size() {
      return desk.size
    },
    close: () => desk.close(),
  }
}

/** The API is asked over http(s), rooms over ws(s): either may be configured. */
function withProtocol(url: string, wanted: 'http' | 'ws'): string {
  const { protocol } = new URL(url)
  const secure = protocol === 'https:' || protocol === 'wss:' ? 's' : ''
  return url.replace(/^\w+:/, `${wanted}${secure}:`).replace(/\/$/, '')
}
