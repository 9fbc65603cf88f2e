// HTTP of signing in: each door of better-auth that is open here as a route of ours, and the sessions of who is in.

import { z } from 'zod'
import { isOwnOrigin, type RequestFacts, type Route, type RouteReply, route } from '../../platform/http.ts'
import { pageOf } from '../../platform/page.ts'
import { Problem } from '../../platform/problem.ts'
import type { ProblemCode } from '../../protocol/codes.ts'
import type { Identity, Operator } from '../identity.ts'
import { operatorView, signInSessionView } from '../views.ts'
import type { SignInAnswer } from './sign-in.ts'

export interface SignInRoutesDeps {
  readonly identity: Identity
  readonly operatorReply: (operator: Operator) => RouteReply
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
}

/** One endpoint of better-auth, with our schema before it and our problems behind it. */
function door(identity: Identity, { method, path, access, summary, body }: Door): Route {
  return route({
    ...{ method, path: `/v1/auth${path}`, access, summary, reply: done },
    ...(body === undefined ? {} : { body }),
    async run({ body: given, facts }) {
      checkOrigin(facts)
      const answer = await identity.signIns.serve({ method, path, body: given, ip: facts.ip, header: facts.header })
      if (answer.status >= 400) throw problemOf(answer)
      return { json: answer.body ?? {}, headers: noStore, setCookies: answer.setCookies }
    },
  })
}

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

function passwordRoutes({ identity, operatorReply }: SignInRoutesDeps): Route[] {
  return [
    door(identity, {
      ...{ method: 'POST', path: '/sign-in/email', access: 'public' },
      summary: 'Signs in by e-mail and password; `twoFactorRedirect` asks for the second factor first',
      body: z.strictObject({ email: z.email().max(254), password }),
    }),
    route({
      method: 'POST',
      path: '/v1/auth/set-password',
      access: 'operator',
      summary: 'Gives the signed-in operator a first password, and an address where there is none',
      body: z.strictObject({ email: z.email().max(254).optional(), password }),
      reply: operatorView,
      async run({ body, facts }) {
        const operator = await signedIn(identity, facts)
        const email = await identity.addressFor(operator.operatorId, body.email)
        await identity.signIns.setPassword(operator.operatorId, email, body.password)
        return operatorReply(operator)
      },
    }),
    door(identity, {
      ...{ method: 'POST', path: '/change-password', access: 'operator' },
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
      ...{ method: 'POST', path: '/two-factor/enable', access: 'operator' },
      summary:
        'Begins an authenticator app: its address and ten backup codes, told this once; a first code confirms it',
      body: withPassword,
    }),
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/disable', access: 'operator' },
      summary: 'Takes the second factor away',
      body: withPassword,
    }),
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/generate-backup-codes', access: 'operator' },
      summary: 'Makes ten new backup codes; the old ones end',
      body: withPassword,
    }),
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/verify-totp', access: 'public' },
      summary: 'The code of the authenticator app: ends a sign-in that waits for it, or confirms a new app',
      body: withCode,
    }),
    door(identity, {
      ...{ method: 'POST', path: '/two-factor/verify-backup-code', access: 'public' },
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
      summary: 'Keeps a passkey that the browser has made',
      body: z.strictObject({ response: credential, name: z.string().trim().min(1).max(80).optional() }),
    }),
    door(identity, {
      ...{ method: 'GET', path: '/passkey/generate-authenticate-options', access: 'public' },
      summary: 'What the browser needs to sign in by passkey',
    }),
    door(identity, {
      ...{ method: 'POST', path: '/passkey/verify-authentication', access: 'public' },
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
      ...{ method: 'POST', path: '/passkey/delete-passkey', access: 'operator' },
      summary: 'Removes a passkey',
      body: z.strictObject({ id }),
    }),
  ]
}

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
      method: 'DELETE',
      path: '/v1/auth/sessions/:id',
      access: 'operator',
      summary: 'Ends one of the operator’s sessions at once',
      params: z.strictObject({ id: z.string().min(1).max(64) }),
      async run({ params, facts }) {
        const { operatorId } = await signedIn(identity, facts)
        if (!(await identity.endSession(operatorId, params.id))) throw new Problem('not_found')
        return {}
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/auth/sessions',
      access: 'operator',
      summary: 'Ends all other sessions of the operator at once',
      async run({ facts }) {
        const { operatorId } = await signedIn(identity, facts)
        await identity.endSessions(operatorId, cookieOf(facts))
        return {}
      },
    }),
  ]
}

async function signedIn(identity: Identity, facts: RequestFacts): Promise<Operator> {
  const operator = await identity.operatorBehind(facts.header)
  if (operator === undefined) throw new Problem('unauthenticated')
  return operator
}
