// The visitor's token: a JWT that only this gateway writes and reads. Pure but for the clock it is given.
// One algorithm, one issuer, one audience, one type, our own key ids: everything else is refused unread.

import { type CryptoKey, errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { asTenantId, type TenantId } from '../platform/ids.ts'

export interface VisitorClaims {
  readonly tenantId: TenantId
  readonly agentId: string
  readonly channel: 'widget' | 'api'
  /** The page that may use the token; null: any (minted for a customer's backend without one). */
  readonly origin: string | null
  readonly visitorId: string
  readonly contactId: string
  /** The site key or API key behind the token. */
  readonly keyId: string
  readonly tokenId: string
  /** Seconds since epoch. */
  readonly expiresAt: number
  readonly scopes: readonly string[]
  /** The backend that asked for the token has bound a session's settings to it. */
  readonly bound?: true
  /** The key that signed it. */
  readonly signingKeyId: string
}

export const tokenLifeSeconds = 900
const leewaySeconds = 30
const algorithm = 'EdDSA'
const tokenType = 'parley-visitor+jwt'
const audience = 'parley:visitor'
/** Ours are about 700; a longer one is not looked at. */
const maxTokenChars = 4_096

const header = z.strictObject({
  alg: z.literal(algorithm),
  typ: z.literal(tokenType),
  kid: z.string().regex(/^kid_[a-z0-9]{19}$/),
})

const payload = z.strictObject({
  iss: z.string(),
  aud: z.literal(audience),
  sub: z.string().regex(/^ten_[a-z0-9]{19}$/),
  jti: z.string().min(1),
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  agt: z.string().min(1),
  chn: z.enum(['widget', 'api']),
  org: z.string().nullable(),
  vis: z.string().min(1),
  con: z.string().min(1),
  key: z.string().min(1),
  scp: z.array(z.string()),
  ses: z.literal(true).optional(),
})

export interface SignRequest {
  readonly claims: Omit<VisitorClaims, 'signingKeyId' | 'expiresAt'>
  readonly lifeSeconds: number
  readonly issuer: string
  readonly nowMs: number
  readonly key: { readonly kid: string; readonly privateKey: CryptoKey }
}

export async function signVisitorToken(request: SignRequest): Promise<{ token: string; expiresAt: number }> {
  const { claims } = request
  const now = Math.floor(request.nowMs / 1000)
  const expiresAt = now + Math.min(request.lifeSeconds, tokenLifeSeconds)
  const token = await new SignJWT({
    iss: request.issuer,
    aud: audience,
    sub: claims.tenantId,
    jti: claims.tokenId,
    iat: now,
    nbf: now,
    exp: expiresAt,
    agt: claims.agentId,
    chn: claims.channel,
    org: claims.origin,
    vis: claims.visitorId,
    con: claims.contactId,
    key: claims.keyId,
    scp: [...claims.scopes],
    ...(claims.bound === true ? { ses: true } : {}),
  })
    .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: request.key.kid })
    .sign(request.key.privateKey)
  return { token, expiresAt }
}

export interface VerifyRequest {
  readonly issuer: string
  readonly nowMs: number
  /** Looks a key id up among the keys in force; never a path, never a query of the token's making. */
  readonly keyOf: (kid: string) => Promise<CryptoKey | undefined>
}

/** Undefined for anything that is not a token of ours, in force now. */
export async function readVisitorToken(token: string, request: VerifyRequest): Promise<VisitorClaims | undefined> {
  const [head, body] = parts(token)
  const checkedHead = header.safeParse(head)
  const claims = payload.safeParse(body)
  if (!checkedHead.success || !claims.success) return undefined
  // Signed by us or not: nothing we write lives longer.
  if (claims.data.exp - claims.data.iat > tokenLifeSeconds) return undefined
  const key = await request.keyOf(checkedHead.data.kid)
  if (key === undefined) return undefined
  try {
    await jwtVerify(token, key, {
      algorithms: [algorithm],
      typ: tokenType,
      issuer: request.issuer,
      audience,
      clockTolerance: leewaySeconds,
      currentDate: new Date(request.nowMs),
    })
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
  return claimsOf(claims.data, checkedHead.data.kid)
}

function claimsOf(claims: z.output<typeof payload>, signingKeyId: string): VisitorClaims {
  return {
    tenantId: asTenantId(claims.sub),
    agentId: claims.agt,
    channel: claims.chn,
    origin: claims.org,
    visitorId: claims.vis,
    contactId: claims.con,
    keyId: claims.key,
    tokenId: claims.jti,
    expiresAt: claims.exp,
    scopes: claims.scp,
    ...(claims.ses === true ? { bound: true } : {}),
    signingKeyId,
  }
}

/** Header and payload, each undefined unless it is canonical JSON. */
function parts(token: string): readonly [unknown, unknown] {
  const pieces = token.length > maxTokenChars ? [] : token.split('.')
  const [head, body] = pieces
  return pieces.length === 3 ? [canonical(head), canonical(body)] : [undefined, undefined]
}

/** Our signer writes compact JSON: text that does not survive a round trip has a claim twice or was not ours. */
function canonical(part: string | undefined): unknown {
  if (part === undefined || !/^[A-Za-z0-9_-]+$/.test(part)) return undefined
  const text = Buffer.from(part, 'base64url').toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === text ? value : undefined
  } catch {
    return undefined
  }
}
