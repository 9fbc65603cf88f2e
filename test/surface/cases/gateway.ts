// The gateway itself, and the own account of a person.

import type { Cases } from '../case.ts'

const state = { is: 'open', why: 'the state of the gateway' } as const

const account = { is: 'open', why: 'the own account, by the own session or password' } as const

export const gatewayCases: Cases = {
  'GET /health/live': state,
  'GET /health/ready': state,
  'GET /health': state,
  'POST /webhook/clerk': { is: 'open', why: 'signed by Clerk' },
  'POST /webhook/stripe/:tenantId': { is: 'open', why: 'signed by Stripe with the tenant’s own secret' },
  'POST /webhook/paypal/:tenantId': { is: 'open', why: 'signed by PayPal for the tenant’s own webhook' },
  'GET /v1/payments/done': { is: 'open', why: 'the same words for everybody' },
  'GET /v1/unsubscribe/:tenantId/:token': { is: 'open', why: 'the same words for everybody' },
  'POST /v1/unsubscribe/:tenantId/:token': { is: 'open', why: 'the token is in the person’s own e-mail only' },
  'GET /v1/demo/tenants': { is: 'open', why: 'the demo page’s own tenants' },
  'GET /v1/openapi.json': { is: 'open', why: 'says what there is, not what is in it' },
  'POST /v1/auth/sign-in/email': account,
  'POST /v1/auth/set-password': account,
  'POST /v1/auth/change-password': account,
  'POST /v1/auth/two-factor/enable': account,
  'POST /v1/auth/two-factor/disable': account,
  'POST /v1/auth/two-factor/generate-backup-codes': account,
  'POST /v1/auth/two-factor/verify-totp': account,
  'POST /v1/auth/two-factor/verify-backup-code': account,
  'GET /v1/auth/passkey/generate-register-options': account,
  'POST /v1/auth/passkey/verify-registration': account,
  'GET /v1/auth/passkey/generate-authenticate-options': account,
  'POST /v1/auth/passkey/verify-authentication': account,
  'GET /v1/auth/passkeys': account,
  'POST /v1/auth/passkey/delete-passkey': account,
  'GET /v1/auth/sessions': account,
  'DELETE /v1/auth/sessions/:id': account,
  'DELETE /v1/auth/sessions': account,
}
