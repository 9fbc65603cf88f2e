// HTTP of what tools began and others end: webhooks of payment providers, the page after paying, unsubscribing.

import { z } from 'zod'
import { type Route, type RouteReply, rawBody, route } from '../platform/http.ts'
import { asTenantId } from '../platform/ids.ts'
import { found } from '../platform/problem.ts'
import type { Effects } from './effects.ts'
import type { PaymentName } from './providers/payments.ts'

interface Deps {
  readonly effects: Pick<Effects, 'payments' | 'sequences'>
}

const tenantId = z
  .string()
  .regex(/^ten_[a-z0-9]{1,40}$/)
  .transform(asTenantId)
const personal = { tenantId, token: z.string().regex(/^tok_[a-z0-9]{1,40}$/) }

export function effectRoutes({ effects }: Deps): Route[] {
  return [
    paymentHook(effects.payments, 'stripe', 'Stripe'),
    paymentHook(effects.payments, 'paypal', 'PayPal'),
    route({
      method: 'GET',
      path: '/v1/payments/done',
      access: 'public',
      summary: 'The page that people come back to after paying, where their tenant has none of its own.',
      replies: [{ type: 'text/html' }],
      run: async () =>
        page(
          'Thank you',
          '<p>You can close this page. Whether your payment has arrived is told where you came from.</p>',
        ),
    }),
    route({
      method: 'GET',
      path: '/v1/unsubscribe/:tenantId/:token',
      access: 'public',
      summary: 'Asks whether somebody wants no more e-mails of a sequence: looking at it changes nothing.',
      params: z.strictObject(personal),
      replies: [{ type: 'text/html' }],
      run: async () =>
        page(
          'Unsubscribe',
          '<form method="post"><p>Do you want no more of these e-mails?</p><button>Unsubscribe</button></form>',
        ),
    }),
    route({
      method: 'POST',
      path: '/v1/unsubscribe/:tenantId/:token',
      access: 'public',
      summary: 'No more e-mails of sequences for whoever got this address; one click in mail programs (RFC 8058).',
      params: z.strictObject(personal),
      replies: [{ type: 'text/html' }],
      async run({ params }) {
        found((await effects.sequences.unsubscribe(params.tenantId, params.token)) || undefined)
        return page('Unsubscribed', '<p>You get no more of these e-mails.</p>')
      },
    }),
  ]
}

function paymentHook(payments: Effects['payments'], name: PaymentName, title: string): Route {
  return route({
    method: 'POST',
    path: `/webhook/${name}/:tenantId`,
    access: 'public',
    summary: `Events of the tenant’s account at ${title}, signed by it: what they say is looked up there; a replay does nothing`,
    params: z.strictObject({ tenantId }),
    raw: true,
    accepts: ['application/json'],
    busy: true,
    body: rawBody,
    async run({ params, body, facts }) {
      await payments.takeHook(params.tenantId, name, { bytes: body.bytes, header: (each) => facts.header(each) })
      return {}
    },
  })
}

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
}
const style =
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}'

/** Words of ours only: nothing that anybody sent stands in it. */
function page(title: string, body: string): RouteReply {
  const text = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style><h1>${title}</h1>${body}</html>`
  return { text, headers }
}
