// Where operators are signed in: one kind of session, whatever they came in by. Owns no HTTP.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import type { SignInSessionView } from '../protocol/team.ts'
import type { operatorSessionStore } from './operator-session-store.ts'
import { sha256 } from './seal.ts'

/** The cookie's value and how long the browser keeps it. */
export interface NewSession {
  readonly cookie: string
  readonly maxAgeSeconds: number
}

export interface From {
  readonly ip: string
  readonly userAgent: string
}

export interface OperatorSessions {
  /** For who has shown who they are. */
  startSession(operatorId: string, from?: From): Promise<NewSession>
  signOut(cookie: string): Promise<void>
  /** The open ones of the operator, newest first; `current` is the one of this cookie. */
  sessionsOf(operatorId: string, cookie: string): Promise<readonly SignInSessionView[]>
  /** False for one the operator does not have. */
  endSession(operatorId: string, sessionId: string): Promise<boolean>
  /** All but the one of this cookie. */
  endSessions(operatorId: string, exceptCookie?: string): Promise<void>
}

export const sessionLifeMs = 12 * 3_600_000
export const idleMs = 2 * 3_600_000
/** How stale `lastSeenAt` may be: one write a minute instead of one a request. */
const touchMs = 60_000
/** 256 random bits in base64url; a session that began with a password has 190 in 32 letters and digits. */
export const secretPattern = /^[A-Za-z0-9_-]{32,43}$/

export const newSecret = () => randomBytes(32).toString('base64url')

export interface OperatorSessionsDeps {
  readonly sessions: ReturnType<typeof operatorSessionStore.open>
  readonly clock: Clock
  /** The cookie's value for a session's token. */
  readonly cookieOf: (token: string) => string
}

export function createOperatorSessions(deps: OperatorSessionsDeps): OperatorSessions {
  const { sessions, clock } = deps
  return {
    async startSession(operatorId, from) {
      const now = clock.now()
      const token = newSecret()
      await sessions.addSession(sha256(token), {
        operatorId,
        lastSeenAt: new Date(now),
        expiresAt: new Date(now + sessionLifeMs),
        ipAddress: from?.ip ?? '',
        userAgent: from?.userAgent ?? '',
      })
      return { cookie: deps.cookieOf(token), maxAgeSeconds: sessionLifeMs / 1000 }
    },
    async signOut(cookie) {
      const token = tokenIn(cookie)
      if (token !== undefined) await sessions.removeSession(sha256(token))
    },
    async sessionsOf(operatorId, cookie) {
      const own = sha256(tokenIn(cookie) ?? '')
      const now = clock.now()
      const open = (await sessions.sessionsOf(operatorId)).filter(
        (each) => each.expiresAt.getTime() > now && now - each.lastSeenAt.getTime() <= idleMs,
      )
      return open.map(({ id, createdAt, lastSeenAt, ipAddress, userAgent }) => ({
        ...{ id, createdAt: createdAt.toISOString(), lastSeenAt: lastSeenAt.toISOString() },
        ...{ ip: ipAddress ?? '', userAgent: userAgent ?? '', current: id === own },
      }))
    },
    endSession: (operatorId, sessionId) => sessions.removeSessionOf(operatorId, sessionId),
    endSessions: (operatorId, exceptCookie) =>
      sessions.removeSessionsOf(operatorId, sha256(tokenIn(exceptCookie ?? '') ?? '')),
  }
}

/** Whose open session the cookie is of. Tells the store at most once a minute that it was seen. */
export async function sessionOf(
  { sessions, clock }: Pick<OperatorSessionsDeps, 'sessions' | 'clock'>,
  cookie: string,
): Promise<{ readonly operatorId: string; readonly csrf: string } | undefined> {
  const token = tokenIn(cookie)
  if (token === undefined) return undefined
  const hash = sha256(token)
  const session = await sessions.session(hash)
  const now = clock.now()
  if (session === undefined || session.expiresAt.getTime() <= now) return undefined
  const quietMs = now - session.lastSeenAt.getTime()
  if (quietMs > idleMs) return undefined
  if (quietMs > touchMs) await sessions.touchSession(hash, new Date(now))
  // Whoever knows the cookie can compute it; a foreign page can make the browser send the cookie but never read it.
  return { operatorId: session.operatorId, csrf: sha256(`csrf:${token}`) }
}

/** Behind the token stands a signature; the token alone is what nobody can guess. */
function tokenIn(cookie: string): string | undefined {
  const [token = ''] = cookie.split('.')
  return secretPattern.test(token) ? token : undefined
}
