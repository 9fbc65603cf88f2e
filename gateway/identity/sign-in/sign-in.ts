// Signing in by e-mail and password, second factor and passkey. better-auth checks them and is loaded with the first
// request; whoever comes in has the same session as by a one-time link.

import { createHmac, hkdfSync } from 'node:crypto'
import type { Db } from 'mongodb'
import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { sha256 } from '../seal.ts'
import type { createBetter } from './better.ts'
import { passwordFault } from './password-rules.ts'
import { openSignInStore } from './store.ts'

export interface SignInRequest {
  readonly method: 'GET' | 'POST'
  /** Below `/v1/auth`, e.g. `/sign-in/email`. */
  readonly path: string
  readonly body?: unknown
  readonly ip: string
  readonly header: (name: string) => string | undefined
}

export interface SignInAnswer {
  readonly status: number
  readonly body: unknown
  readonly setCookies: readonly string[]
  readonly retryAfterSeconds: number | undefined
}

export interface SignIn {
  serve(request: SignInRequest): Promise<SignInAnswer>
  /** Whom a request of somebody who is not signed in is about, as far as it names anybody who is known. */
  about(request: Pick<SignInRequest, 'path' | 'body' | 'header'>): Promise<string | undefined>
  hasSecondFactor(operatorId: string): Promise<boolean>
  /** `invalid`: the password is too weak; `conflict`: the operator has one. */
  setPassword(operatorId: string, email: string, password: string): Promise<void>
  /** Throws `invalid` with the reason. */
  checkPassword(password: string, email: string): void
  hasPassword(operatorId: string): Promise<boolean>
  /** Nothing is left by which the operator could come in. */
  forget(operatorId: string): Promise<void>
  /** The cookie's value for a session's token: signed as better-auth does, so that it takes every session. */
  cookieOf(token: string): string
}

export interface SignInDeps {
  readonly db: Db
  readonly clock: Clock
  readonly publicUrl: string
  readonly secret: Buffer
  readonly sessionSeconds: number
  readonly idleMs: number
  readonly cookieName: string
}

/** Guesses at one address, from wherever they come. A person who errs that often has another way in: the link. */
const attempts = { max: 10, windowMs: 15 * 60_000 }

export function createSignIn(deps: SignInDeps): SignIn {
  const store = openSignInStore(deps.db)
  const secret = Buffer.from(hkdfSync('sha256', deps.secret, '', 'parley sign-in', 32)).toString('base64url')
  const now = () => deps.clock.now()
  let loading: Promise<ReturnType<typeof createBetter>> | undefined
  const better = () => {
    loading ??= import('./better.ts').then((module) =>
      module.createBetter({
        ...{ db: deps.db, now, idleMs: deps.idleMs, publicUrl: deps.publicUrl, secret },
        sessionSeconds: deps.sessionSeconds,
        cookieName: deps.cookieName,
        async beforeAttempt(email) {
          const count = await store.countAttempt(sha256(email), now(), attempts.windowMs)
          return count > attempts.max ? attempts.windowMs : 0
        },
        afterSuccess: (email) => store.forgetAttempts(sha256(email)),
      }),
    )
    return loading
  }
  const checkPassword = (password: string, email: string): void => {
    const fault = passwordFault(password, email)
    if (fault !== undefined)
      throw new Problem('invalid', fault, { issues: [{ path: 'body.password', message: fault }] })
  }
  return {
    serve: async (request) => answerOf(await (await better()).handler(requestOf(deps.publicUrl, request))),
    about: ({ path, body, header }) =>
      path.startsWith('/two-factor/') ? pendingIn(header('cookie') ?? '', better) : namedIn(body, store),
    hasSecondFactor: (operatorId) => store.hasSecondFactor(operatorId),
    checkPassword,
    async setPassword(operatorId, email, password) {
      checkPassword(password, email)
      if (await store.hasPassword(operatorId)) throw new Problem('conflict', 'There is a password already. Change it.')
      const context = await (await better()).$context
      await context.internalAdapter.createAccount({
        ...{ userId: operatorId, providerId: 'credential', accountId: operatorId },
        password: await context.password.hash(password),
      })
    },
    hasPassword: (operatorId) => store.hasPassword(operatorId),
    forget: (operatorId) => store.forget(operatorId),
    cookieOf(token) {
      return encodeURIComponent(`${token}.${createHmac('sha256', secret).update(token).digest('base64')}`)
    },
  }
}

/** By the address that was typed, or by the passkey that was shown. */
async function namedIn(
  body: unknown,
  store: Pick<ReturnType<typeof openSignInStore>, 'operatorWith'>,
): Promise<string | undefined> {
  const { email, passkey } = named.safeParse(body).data ?? {}
  if (email !== undefined) return store.operatorWith({ email: email.trim().toLowerCase() })
  return passkey === undefined ? undefined : store.operatorWith({ passkey })
}

const named = z
  .object({ email: z.string().optional(), response: z.object({ id: z.string() }).optional() })
  .transform(({ email, response }) => ({ email, passkey: response?.id }))

/** Who has shown a password and is asked for the second factor. */
async function pendingIn(
  cookies: string,
  better: () => Promise<ReturnType<typeof createBetter>>,
): Promise<string | undefined> {
  const context = await (await better()).$context
  const { name } = context.createAuthCookie('two_factor')
  const [signed] = cookies
    .split(/; */)
    .flatMap((each) => (each.startsWith(`${name}=`) ? [each.slice(name.length + 1)] : []))
  // Nobody can guess what stands before the signature: whoever has it has the rest too.
  const [challenge = ''] = signed?.split('.') ?? []
  if (challenge === '') return undefined
  return (await context.internalAdapter.findVerificationValue(challenge))?.value
}

function requestOf(publicUrl: string, { method, path, body, ip, header }: SignInRequest): Request {
  const headers = new Headers({ 'content-type': 'application/json', 'x-parley-client-ip': ip })
  for (const name of ['cookie', 'origin', 'user-agent']) {
    const value = header(name)
    if (value !== undefined) headers.set(name, value)
  }
  const url = new URL(`/v1/auth${path}`, publicUrl)
  return new Request(url, { method, headers, ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }) })
}

async function answerOf(response: Response): Promise<SignInAnswer> {
  const text = await response.text()
  const retry = response.headers.get('x-retry-after')
  return {
    status: response.status,
    body: text === '' ? undefined : withoutToken(JSON.parse(text)),
    setCookies: response.headers.getSetCookie(),
    retryAfterSeconds: retry === null ? undefined : Number(retry),
  }
}

/** The session's secret is in a cookie no script can read: it is in no body either. */
function withoutToken(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'token' && name !== 'session'))
}
