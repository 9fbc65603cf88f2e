// better-auth as it is used here: accounts by invitation only, our cookie, our store, no mail, no telemetry, no network.

import { passkey } from '@better-auth/passkey'
import { betterAuth } from 'better-auth'
import { APIError, createAuthMiddleware } from 'better-auth/api'
import { twoFactor } from 'better-auth/plugins/two-factor'
import { type AdapterOptions, operatorAdapter, sessionCollection } from './adapter.ts'
import { passwordFault, passwordLength } from './password-rules.ts'

export interface BetterOptions extends AdapterOptions {
  readonly publicUrl: string
  readonly secret: string
  readonly sessionSeconds: number
  readonly cookieName: string
  /** Milliseconds to wait before the next attempt for this address, whether anybody has it or not. */
  readonly beforeAttempt: (email: string) => Promise<number>
  readonly afterSuccess: (email: string) => Promise<void>
}

/** The header that carries the address as our own server saw it: set by us over whatever came. */
export const ipHeader = 'x-parley-client-ip'
export const basePath = '/v1/auth'

const owned = { userId: 'operatorId' }

export function createBetter(options: BetterOptions) {
  const isHttps = options.publicUrl.startsWith('https:')
  return betterAuth({
    appName: 'Parley',
    baseURL: options.publicUrl,
    basePath,
    secrets: [{ version: 1, value: options.secret }],
    database: operatorAdapter(options),
    telemetry: { enabled: false },
    logger: { disabled: true },
    // The server in front has looked at the origin of every request already.
    trustedOrigins: (request) => [request?.headers.get('origin') ?? ''].filter((each) => each !== ''),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: passwordLength.min,
      maxPasswordLength: passwordLength.max,
    },
    user: { modelName: 'operators' },
    account: { modelName: 'operator_accounts', fields: owned },
    verification: { modelName: 'sign_in_challenges', storeIdentifier: 'hashed' },
    session: {
      modelName: sessionCollection,
      fields: owned,
      expiresIn: options.sessionSeconds,
      disableSessionRefresh: true,
      // A way in is added by who has just come in.
      freshAge: 3_600,
    },
    rateLimit: {
      enabled: true,
      window: 60,
      max: 100,
      customRules: { '/sign-in/email': { window: 60, max: 10 }, '/two-factor/*': { window: 60, max: 15 } },
    },
    plugins: [
      twoFactor({
        issuer: 'Parley',
        trustDeviceMaxAge: 30 * 86_400,
        schema: { twoFactor: { modelName: 'operator_second_factors', fields: owned } },
      }),
      passkey({
        rpID: new URL(options.publicUrl).hostname,
        rpName: 'Parley',
        schema: { passkey: { modelName: 'operator_passkeys', fields: owned } },
      }),
    ],
    hooks: { before: beforeHook(options), after: afterHook(options) },
    advanced: {
      cookiePrefix: 'parley',
      useSecureCookies: false,
      defaultCookieAttributes: { sameSite: 'strict', secure: isHttps },
      cookies: { session_token: { name: options.cookieName } },
      ipAddress: { ipAddressHeaders: [ipHeader] },
    },
  })
}

const emailOf = (body: unknown): string | undefined =>
  typeof body === 'object' && body !== null && 'email' in body && typeof body.email === 'string'
    ? body.email.trim().toLowerCase()
    : undefined

function beforeHook({ beforeAttempt }: BetterOptions) {
  return createAuthMiddleware(async (context) => {
    const email = emailOf(context.body)
    if (context.path === '/sign-in/email' && email !== undefined) {
      const waitMs = await beforeAttempt(email)
      if (waitMs > 0)
        throw new APIError('TOO_MANY_REQUESTS', { message: 'Too many attempts. Please wait a few minutes.' })
    }
    if (context.path === '/change-password') {
      const fault = passwordFault(String(context.body?.newPassword ?? ''), '')
      if (fault !== undefined) throw new APIError('BAD_REQUEST', { message: fault })
    }
  })
}

function afterHook({ afterSuccess }: BetterOptions) {
  return createAuthMiddleware(async (context) => {
    const email = emailOf(context.body)
    const isIn = context.context.newSession !== null && context.context.newSession !== undefined
    if (context.path === '/sign-in/email' && email !== undefined && isIn) await afterSuccess(email)
  })
}
