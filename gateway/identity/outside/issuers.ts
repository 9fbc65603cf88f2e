// Tokens of identity providers outside: whose they are, and whether they are genuine. Keys are fetched when the first token
// comes, kept, and fetched again for a key id nobody has seen.

import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'

export interface Issuer {
  /** As `iss` says it, to the letter. */
  readonly issuer: string
  /** Undefined: asked for at the provider's discovery address. */
  readonly jwksUrl?: string
  /** Undefined: the provider puts none in (Clerk). */
  readonly audience?: string
  /** Pages the token may have been made for (`azp`). Empty: any. */
  readonly parties: readonly string[]
}

/** Who the token speaks of, as the provider vouches for it. */
export interface OutsidePerson {
  /** `issuer|subject`: one operator has it. */
  readonly externalId: string
  readonly name: string | undefined
}

export interface Issuers {
  /** Undefined for a token that is not genuine, has ended, or is of nobody we know. Throws `unavailable` when no key can be had. */
  verify(token: string): Promise<OutsidePerson | undefined>
}

/** Only keys of two halves: with a shared one whoever checks could sign, and a public key could be taken for it. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
/** Clocks of two machines. */
const toleranceSeconds = 5
const maxTokenChars = 8_192
const timeoutMs = 5_000
/** A key id nobody has seen makes the keys be fetched again, at most this often: made-up ids are no way to load the provider. */
const cooldownMs = 30_000
const keepMs = 10 * 60_000

const discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.url() })
type KeyOf = ReturnType<typeof createRemoteJWKSet>

export function externalIdOf(issuer: string, subject: string): string {
  return `${issuer}|${subject}`
}

export function createIssuers(deps: {
  readonly issuers: readonly Issuer[]
  readonly clock: Clock
  readonly fetch?: typeof fetch
  readonly cooldownMs?: number
}): Issuers {
  const keys = new Map<string, Promise<KeyOf>>()
  const keysOf = (each: Issuer): Promise<KeyOf> => {
    const known = keys.get(each.issuer)
    if (known !== undefined) return known
    const made = makeKeys(each, deps)
    keys.set(each.issuer, made)
    // A provider that cannot be reached now may be later.
    made.catch(() => keys.delete(each.issuer))
    return made
  }
  return {
    async verify(token) {
      const found = deps.issuers.find((each) => each.issuer === issuerIn(token))
      if (found === undefined) return undefined
      try {
        const { payload } = await jwtVerify(token, await keysOf(found), {
          issuer: found.issuer,
          ...(found.audience === undefined ? {} : { audience: found.audience }),
          algorithms,
          clockTolerance: toleranceSeconds,
          currentDate: new Date(deps.clock.now()),
          requiredClaims: ['sub', 'exp', 'iat'],
        })
        return personIn(payload, found)
      } catch (error) {
        if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw error
        return undefined
      }
    },
  }
}

function issuerIn(token: string): string | undefined {
  if (token.length > maxTokenChars) return undefined
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

function personIn(payload: JWTPayload, { issuer, parties }: Issuer): OutsidePerson | undefined {
  const { sub, azp, name } = payload
  if (sub === undefined || sub === '' || sub.length > 255) return undefined
  if (parties.length > 0 && !(typeof azp === 'string' && parties.includes(azp))) return undefined
  return {
    externalId: externalIdOf(issuer, sub),
    name: typeof name === 'string' && name.trim() !== '' ? name.trim().slice(0, 120) : undefined,
  }
}

async function makeKeys(
  { issuer, jwksUrl }: Issuer,
  deps: { readonly fetch?: typeof fetch; readonly cooldownMs?: number },
): Promise<KeyOf> {
  const url = jwksUrl ?? (await discoveredKeys(issuer, deps.fetch ?? fetch))
  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: deps.cooldownMs ?? cooldownMs,
    cacheMaxAge: keepMs,
  })
}

async function discoveredKeys(issuer: string, get: typeof fetch): Promise<string> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await get(address, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' })
  const found = discovery.parse(await response.json())
  if (found.issuer !== issuer) throw new Error(`${address} is of another issuer`)
  return found.jwks_uri
}
