// Addresses that help two ends to find each other, and the short-lived credentials of the relay among them.

import { createHmac } from 'node:crypto'
import type { IceServer } from './native.ts'

export interface IceConfig {
  /** `stun:`, `turn:`, `turns:` */
  readonly urls: readonly string[]
  /** Shared with the relay (coturn: `use-auth-secret`, `static-auth-secret`). */
  readonly turnSecret: string | undefined
  readonly turnSeconds: number
}

export interface IceGrant {
  readonly servers: readonly IceServer[]
  /** Seconds since epoch; a relay takes the credentials until then. */
  readonly expiresAt: number
}

/** `who` is in the relay's log. */
export function iceGrant({ urls, turnSecret, turnSeconds }: IceConfig, who: string, nowMs: number): IceGrant {
  const expiresAt = Math.floor(nowMs / 1000) + turnSeconds
  const isRelay = (url: string): boolean => /^turns?:/.test(url)
  const plain = urls.filter((url) => !isRelay(url) || turnSecret === undefined)
  const relays = urls.filter((url) => isRelay(url) && turnSecret !== undefined)
  const username = `${expiresAt}:${who}`
  return {
    servers: [
      ...(plain.length === 0 ? [] : [{ urls: plain }]),
      ...(relays.length === 0 || turnSecret === undefined
        ? []
        : [{ urls: relays, username, credential: createHmac('sha1', turnSecret).update(username).digest('base64') }]),
    ],
    expiresAt,
  }
}
