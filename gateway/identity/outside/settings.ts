// From the environment's variables to the providers of identity. Pure.

import type { OutsideSettings } from './outside.ts'

type Given = Readonly<Record<string, string | undefined>>

/** With a sentence for everything that is half there. */
export function readOutside(given: Given): {
  readonly settings: OutsideSettings
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  const clerkIssuer = originOf(given.CLERK_JWT_ISSUER_DOMAIN)
  if (clerkIssuer === null)
    problems.push('CLERK_JWT_ISSUER_DOMAIN: is a domain such as clerk.example.com, or its https address')
  if (given.CLERK_WEBHOOK_SECRET !== undefined && given.CLERK_JWT_ISSUER_DOMAIN === undefined)
    problems.push('CLERK_WEBHOOK_SECRET: needs CLERK_JWT_ISSUER_DOMAIN, whose users the webhooks speak of')
  if ((given.OIDC_ISSUER === undefined) !== (given.OIDC_AUDIENCE === undefined))
    problems.push('OIDC_ISSUER and OIDC_AUDIENCE: set both or neither, or a token meant for anybody would open')
  const parties = given.OIDC_AUTHORIZED_PARTIES?.split(',').map((each) => each.trim()) ?? []
  const clerk =
    typeof clerkIssuer === 'string'
      ? [{ issuer: clerkIssuer, jwksUrl: `${clerkIssuer}/.well-known/jwks.json`, parties }]
      : []
  const oidc =
    given.OIDC_ISSUER === undefined || given.OIDC_AUDIENCE === undefined
      ? []
      : [{ issuer: given.OIDC_ISSUER, audience: given.OIDC_AUDIENCE, parties: [] }]
  return {
    settings: {
      issuers: [...clerk, ...oidc],
      ...(typeof clerkIssuer === 'string' ? { clerkIssuer } : {}),
      ...(given.CLERK_WEBHOOK_SECRET === undefined ? {} : { clerkWebhookSecret: given.CLERK_WEBHOOK_SECRET }),
    },
    problems,
  }
}

/** Null for text that is no address. Keys and tokens travel encrypted, but for this machine's own. */
function originOf(text: string | undefined): string | null | undefined {
  if (text === undefined) return undefined
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `https://${text}`)
  if (url === null || url.pathname !== '/' || url.search !== '') return null
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return url.protocol === 'https:' || isLocal ? url.origin : null
}
