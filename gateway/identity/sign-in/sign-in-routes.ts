// HTTP of signing in: each door of better-auth that is open here as a route of ours, and the sessions of who is in.

import { z } from 'zod'
import { isOwnOrigin, type RequestFacts, type Route, type RouteReply, route } from '../../platform/http.ts'
import { pageOf } from '../../platform/page.ts'
import { Problem } from '../../platform/problem.ts'
import type { ProblemCode } from '../../protocol/codes.ts'
import type { Identity, Operator } from '../identity.ts'
import { operatorView, signInSessionView } from '../views.ts'
import type { AuthAct } from './notes.ts'
import type { SignIn, SignInAnswer } from './sign-in.ts'

export interface SignInRoutesDeps {
  readonly identity: Identity
  readonly operatorReply: (operator: Operator) => Promise<RouteReply>
}

const password = z.string().min(1).max(128)
const code = z.string().trim().min(6).max(20)
const credential = z.record(z.string().max(64), z.unknown())
const done = z.looseObject({})
const noStore = { 'cache-control': 'no-store' }

export function signInRoutes(deps: SignInRoutesDeps): Route[] {
  const { identity } = deps
  return [...passwordRoutes(deps), ...factorRoutes(identity), ...passkeyRoutes(identity), ...sessionRoutes(identity)]
}

interface Door {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** `operator`: for who is in; their CSRF token is asked for. */
  readonly access: 'public' | 'operator'
  readonly summary: string
  readonly body?: z.ZodType
  /** What the log calls it; missing: it changes nothing. `sign-in`: see `noteComing`. */
  readonly act?: 'sign-in' | `auth.${string}`
}

/** One endpoint of better-auth, with our schema before it and our problems behind it. */
function door(identity: Identity, { method, path, access, summary, body, act }: Door): Route {
  return route({
    ...{ method, path: `/v1/auth${path}`, access, summary, reply: done },
    ...(body === undefined ? {} : { body }),
    async run({ body: given, facts }) {
      checkOrigin(facts)
      const request = { method, path, body: given, ip: facts.ip, header: facts.header }
      const who = act === undefined ? undefined : await identity.operatorBehind(facts)
      const about = act === 'sign-in' ? await aboutWhom(identity, request, who) : undefined
      const answer = await identity.signIns.serve(request)
      const problem = answer.status >= 400 ? problemOf(answer) : undefined
      const noted = { door: { method, path: `/v1/auth${path}` }, ip: facts.ip, problem }
      if (act === 'sign-in') await noteComing(identity, about, { answer, noted })
      else if (act !== undefined && who !== undefined) await identity.notes.note(who, { ability: act, ...noted })
      if (problem !== undefined) throw problem
      return { json: answer.body ?? {}, headers: noStore, setCookies: answer.setCookies }
    },
  })
}

interface About {
  readonly operatorId: string
  /** What a right answer means, and what a wrong one. */
  readonly done: `auth.${string}`
  readonly refused: `auth.${string}`
}

/** Asked before: what they show may be spent by it. */
async function aboutWhom(
  { signIns }: Identity,
  request: Parameters<SignIn['about']>[0],
  who: Operator | undefined,
): Promise<About | undefined> {
  const isSecond = request.path.startsWith('/two-factor/')
  if (isSecond && who !== undefined) {
    const { operatorId } = who
    const isConfirming = request.path === '/two-factor/verify-totp' && !(await signIns.hasSecondFactor(operatorId))
    const ability = isConfirming ? 'auth.two-factor-on' : 'auth.second-factor'
    return { operatorId, done: ability, refused: ability }
  }
  const operatorId = await signIns.about(request)
  if (operatorId === undefined) return undefined
  return { operatorId, done: 'auth.sign-in', refused: isSecond ? 'auth.second-factor' : 'auth.sign-in' }
}

/** What had to wait (429) was not looked at, and is not noted: the guesses before it are. */
async function noteComing(
  { notes }: Identity,
  about: About | undefined,
  { answer, noted }: { readonly answer: SignInAnswer; readonly noted: Omit<AuthAct, 'ability'> },
): Promise<void> {
  if (about === undefined || answer.status === 429) return
  const { operatorId, done: came, refused } = about
  if (noted.problem !== undefined) return notes.noteLater(operatorId, { ability: refused, ...noted })
  const isHalf = firstFactor.safeParse(answer.body).success
  await notes.note(operatorId, { ability: isHalf ? 'auth.first-factor' : came, ...noted })
}

const firstFactor = z.object({ twoFactorRedirect: z.literal(true) })

/** Another page can make a browser send the cookie: it is told by its origin. A program without cookies has neither. */
function checkOrigin(facts: RequestFacts): void {
  if (facts.origin === undefined && facts.header('cookie') === undefined) return
  if (facts.origin === undefined && facts.header('sec-fetch-site') === 'same-origin') return
  if (!isOwnOrigin(facts.origin, facts.header('host'))) throw new Problem('origin_refused')
}

const codes: Readonly<Record<number, ProblemCode>> = {
  ...{ 400: 'invalid', 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found', 422: 'invalid', 429: 'too_many' },
}

function problemOf({ status, body, retryAfterSeconds }: SignInAnswer): Problem {
  const message =
    typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string'
      ? body.message
      : undefined
  if (codes[status] === undefined) return new Problem('internal', undefined, { cause: new Error(`sign-in: ${status}`) })
  const details = retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 }
  return new Problem(codes[status], message, details)
}

const firstPassword = { method: 'POST', path: '/v1/auth/set-password' } as const

function passwordRoutes({ identity, operatorReply }: SignInRoutesDeps): Route[] {
  return [
    door(identity, {
      ...{ method: 'POST', path: '/sign-in/email', access: 'public', act: 'sign-in' },
      summary: 'Signs in by e-mail and password; `twoFactorRedirect` asks for the second factor first',
      body: z.strictObject({ email: z.email().max(254), password }),
    }),
    route({
      ...firstPassword,
      access: 'operator',
      summary: 'Gives the signed-in operator a first password, and an address where there is none',
      body: z.strictObject({ email: z.email().max(254).optional(), password }),
      reply: operatorView,
      async run({ body, facts }) {
        const operator = await signedIn(identity, facts)
        const email = await identity.addressFor(operator.operatorId, body.email)
        await identity.signIns.setPassword(operator.operatorId, email, body.password)
        await identity.notes.note(operator, { ability: 'auth.password-set', door: firstPassword, ip: facts.ip })
        return operatorReply(operator)
      },
    }),
    door(identity, {
      ...{ method: 'POST', path: '/change-password', access: 'operator', act: 'auth.password-change' },
      summary: 'Exchanges the password; every other session can be ended with it',
      body: z.strictObject({
        currentPassword: password,
        newPassword: password,
        revokeOtherSessions: z.boolean().default(true),
      }),
    }),
  ]
}

function factorRoutes(identity: Identity): Route[] {
  const withPassword = z.strictObject({ password })
  const withCode = z.strictObject({ code, trustDevice: z.boolean().optional() })
  return [
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/enable', access: 'operator', act: 'auth.two-factor-begin' },
      summary:
        'Begins an authenticator app: its address and ten backup codes, told this once; a first code confirms it',
      body: withPassword,
    }),
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/disable', access: 'operator', act: 'auth.two-factor-off' },
      summary: 'Takes the second factor away',
      body: withPassword,
    }),
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/generate-backup-codes', access: 'operator' },
      act: 'auth.backup-codes',
      summary: 'Makes ten new backup codes; the old ones end',
      body: withPassword,
    }),
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/verify-totp', access: 'public', act: 'sign-in' },
      summary: 'The code of the authenticator app: ends a sign-in that waits for it, or confirms a new app',
      body: withCode,
    }),
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/verify-backup-code', access: 'public', act: 'sign-in' },
      summary: 'A backup code in place of the app; each works once',
      body: withCode,
    }),
  ]
}

function passkeyRoutes(identity: Identity): Route[] {
  const id = z.string().min(1).max(64)
  return [
    door(identity, {
      ...{ method: 'GET', path: '/passkey/generate-register-options', access: 'operator' },
      summary: 'What the browser needs to make a passkey',
    }),
    door(identity, {
      ...{ method: 'POST', path: '/passkey/verify-registration', access: 'operator' },
      act: 'auth.passkey-add',
      summary: 'Keeps a passkey that the browser has made',
      body: z.strictObject({ response: credential, name: z.string().trim().min(1).max(80).optional() }),
    }),
    door(identity, {
      ...{ method: 'GET', path: '/passkey/generate-authenticate-options', access: 'public' },
      summary: 'What the browser needs to sign in by passkey',
    }),
    door(identity, {
      ...{ method: 'POST', path: '/passkey/verify-authentication', access: 'public', act: 'sign-in' },
      summary: 'Signs in by passkey',
      body: z.strictObject({ response: credential }),
    }),
    route({
      method: 'GET',
      path: '/v1/auth/passkeys',
      access: 'operator',
      summary: 'The passkeys of the signed-in operator',
      reply: pageOf(z.looseObject({ id: z.string() })),
      async run({ facts }) {
        const path = '/passkey/list-user-passkeys'
        const answer = await identity.signIns.serve({ method: 'GET', path, ip: facts.ip, header: facts.header })
        if (answer.status >= 400) throw problemOf(answer)
        return { json: { items: answer.body, next: null } }
      },
    }),
    door(identity, {
      ...{ method: 'POST', path: '/passkey/delete-passkey', access: 'operator', act: 'auth.passkey-remove' },
      summary: 'Removes a passkey',
      body: z.strictObject({ id }),
    }),
  ]
}

const endOne = { method: 'DELETE', path: '/v1/auth/sessions/:id' } as const
const endOthers = { method: 'DELETE', path: '/v1/auth/sessions' } as const

function sessionRoutes(identity: Identity): Route[] {
  const cookieOf = (facts: RequestFacts) => identity.sessionCookie(facts.header('cookie')) ?? ''
  return [
    route({
      method: 'GET',
      path: '/v1/auth/sessions',
      access: 'operator',
      summary: 'Where the signed-in operator is signed in',
      reply: pageOf(signInSessionView),
      async run({ facts }) {
        const { operatorId } = await signedIn(identity, facts)
        return { json: { items: await identity.sessionsOf(operatorId, cookieOf(facts)), next: null } }
      },
    }),
    route({
      ...endOne,
      access: 'operator',
      summary: 'Ends one of the operator’s sessions at once',
      params: z.strictObject({ id: z.string().min(1).max(64) }),
      async run({ params, facts }) {
        const operator = await signedIn(identity, facts)
        if (!(await identity.endSession(operator.operatorId, params.id))) throw new Problem('not_found')
        await identity.notes.note(operator, { ability: 'auth.session-end', door: endOne, ip: facts.ip })
        return {}
      },
    }),
    route({
      ...endOthers,
      access: 'operator',
      summary: 'Ends all other sessions of the operator at once',
      async run({ facts }) {
        const operator = await signedIn(identity, facts)
        await identity.endSessions(operator.operatorId, cookieOf(facts))
        await identity.notes.note(operator, { ability: 'auth.sessions-end', door: endOthers, ip: facts.ip })
        return {}
      },
    }),
  ]
}

async function signedIn(identity: Identity, facts: RequestFacts): Promise<Operator> {
  const operator = await identity.operatorBehind(facts)
  if (operator === undefined) throw new Problem('unauthenticated')
  return operator
}
