// LiveKit's native client, loaded by the first caller that needs it: a gateway without rooms never touches it, and one
// without a build for its system (musl) still serves everything else.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Room } from '@livekit/rtc-node'
import { z } from 'zod'
import type { Log } from '../../platform/log.ts'

export type Rtc = typeof import('@livekit/rtc-node')

/** The library keeps one native client per process, so its users are counted per process too. */
let users = 0

export class Native {
  readonly #log: Log
  #loading: Promise<Rtc | undefined> | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** Undefined: there is none for this system. */
  load(): Promise<Rtc | undefined> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  async #load(): Promise<Rtc | undefined> {
    try {
      silence()
      const rtc = await import('@livekit/rtc-node')
      users++
      return rtc
    } catch (error) {
      this.#log.error({ err: error }, 'the native client of LiveKit cannot be loaded: no rooms in this process')
      return undefined
    }
  }

  /** Leaves no thread behind. Call when every room was left. */
  async dispose(): Promise<void> {
    const rtc = await this.#loading
    this.#loading = undefined
    if (rtc === undefined || --users > 0) return
    await rtc.dispose()
    // It is made once per process; whoever comes later needs a new one.
    globalThis._ffiClientInstance = undefined
  }
}

/** A room that the server closed still hears every event of every other room: the library forgets only rooms it left itself. */
export function forget(room: Room): void {
  // biome-ignore lint/complexity/useLiteralKeys: the library hides it.
  globalThis._ffiClientInstance?.off('ffi_event', room['onFfiEvent'])
}

const logger = z.object({ log: z.object({ level: z.string() }) })

/** It logs to stdout past our log, with identities in it that may be phone numbers. */
function silence(): void {
  const require = createRequire(import.meta.url)
  const own: unknown = require(join(dirname(require.resolve('@livekit/rtc-node')), 'log.cjs'))
  if (logger.safeParse(own).success) Object.assign((own as z.infer<typeof logger>).log, { level: 'silent' })
}
