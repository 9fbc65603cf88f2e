// Payments by Stripe: hosted Checkout pages over plain HTTP. Its package is 23 MB for the three requests that are made here; that
// what is sent is what the package would send, and that it reads our fake, is tested with it.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { formBody } from './form-body.ts'
import { askKeyed, type Fetch, type OutsideAnswer } from './outside-call.ts'
import {
  type Found,
  type Hook,
  type HookRequest,
  type Order,
  type PaymentProvider,
  paymentTimeoutMs,
  type Standing,
} from './payments.ts'

/** Shapes of objects and events are those of this version. */
const apiVersion = '2026-10-28.endive'

const checkoutSession = z.object({
  id: z.string().startsWith('cs_').max(200),
  object: z.literal('checkout.session'),
  url: z.url().nullable(),
  status: z.enum(['open', 'complete', 'expired']).nullable(),
  payment_status: z.enum(['paid', 'unpaid', 'no_payment_required']),
  amount_total: z.int().nullable(),
  currency: z.string().nullable(),
  livemode: z.boolean(),
  client_reference_id: z.string().nullable(),
})
const refusal = z.object({ error: z.object({ message: z.string() }) })

export interface StripeNeeds {
  readonly fetch: Fetch
  /** https://api.stripe.com */
  readonly baseUrl: string
  readonly secretKey: string
}

export function createStripe({ fetch, baseUrl, secretKey }: StripeNeeds): PaymentProvider {
  const headers = { authorization: `Bearer ${secretKey}`, 'stripe-version': apiVersion }
  const read = { headers, timeoutMs: paymentTimeoutMs }
  const find: PaymentProvider['find'] = async (providerId, signal) => {
    const url = `${baseUrl}/v1/checkout/sessions/${encodeURIComponent(providerId)}`
    return foundOf(await askKeyed(fetch, { ...read, method: 'GET', url, signal }))
  }
  return {
    name: 'stripe',
    live: /^[sr]k_live_/.test(secretKey),
    async open(order, { key, signal }) {
      const answer = await askKeyed(fetch, {
        ...{ method: 'POST', url: `${baseUrl}/v1/checkout/sessions`, signal, timeoutMs: paymentTimeoutMs },
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': key },
        body: formBody(sessionFields(order)),
      })
      const session = sessionOf(answer)
      if (session?.url !== undefined && session.url !== null)
        return { is: 'opened', providerId: session.id, url: session.url }
      if (answer.is === 'lost' || (answer.is === 'answered' && answer.status >= 500))
        return { is: 'unknown', why: whyOf(answer) }
      return { is: 'refused', why: whyOf(answer) }
    },
    find,
    // Checkout takes the money itself.
    capture: (providerId, { signal }) => find(providerId, signal),
  }
}

function sessionFields({ paymentId, tenantId, lines, currency, email, successUrl, cancelUrl }: Order) {
  const metadata = { tenantId, paymentId }
  return {
    mode: 'payment',
    client_reference_id: paymentId,
    // Metadata is not copied from one object to the next.
    metadata,
    payment_intent_data: { metadata },
    line_items: lines.map(({ name, unitMinor, quantity }) => ({
      price_data: { currency: currency.toLowerCase(), unit_amount: unitMinor, product_data: { name } },
      quantity,
    })),
    customer_email: email,
    success_url: successUrl,
    cancel_url: cancelUrl,
  }
}

function sessionOf(answer: OutsideAnswer): z.output<typeof checkoutSession> | undefined {
  if (answer.is !== 'answered' || answer.status >= 300) return undefined
  return checkoutSession.safeParse(answer.json).data
}

function whyOf(answer: OutsideAnswer): string {
  if (answer.is !== 'answered') return answer.why
  const said = refusal.safeParse(answer.json)
  return `Stripe answered ${answer.status}${said.success ? `: ${said.data.error.message.slice(0, 200)}` : ''}`
}

function foundOf(answer: OutsideAnswer): Found {
  const session = sessionOf(answer)
  return session === undefined
    ? { is: 'unreachable', why: whyOf(answer) }
    : { is: 'found', standing: standingOf(session) }
}

function standingOf(session: z.output<typeof checkoutSession>): Standing {
  const isPaid = session.status === 'complete' && session.payment_status === 'paid'
  return {
    providerId: session.id,
    paymentId: session.client_reference_id ?? undefined,
    state: isPaid ? 'paid' : session.status === 'expired' ? 'expired' : 'open',
    amountMinor: session.amount_total ?? undefined,
    currency: session.currency?.toUpperCase(),
    live: session.livemode,
  }
}

/** Both ways: a signature that is older was perhaps copied, one from the future is not by Stripe's clock. */
const toleranceSeconds = 300

const hookEvent = z.object({
  id: z.string().startsWith('evt_').max(200),
  type: z.string(),
  data: z.object({ object: z.looseObject({ id: z.string().max(200).optional(), object: z.string().optional() }) }),
})

/** `secret` undefined or empty: forged, whatever it is. */
export function readStripeHook(request: HookRequest, secret: string | undefined, nowMs: number): Hook {
  if (!isSigned(request, secret, nowMs)) return { is: 'forged' }
  const event = hookEvent.safeParse(parsed(request.bytes))
  // Signed, so it is Stripe's own; of a shape that says nothing here.
  if (!event.success) return { is: 'ignored', eventId: '' }
  const { id: eventId, type, data } = event.data
  const isOurs = type.startsWith('checkout.session.') && data.object.object === 'checkout.session'
  if (!isOurs || data.object.id === undefined) return { is: 'ignored', eventId }
  return { is: 'about', eventId, providerId: data.object.id, approved: false }
}

function isSigned({ bytes, header }: HookRequest, secret: string | undefined, nowMs: number): boolean {
  if (secret === undefined || secret.trim() === '') return false
  const parts = (header('stripe-signature') ?? '').split(',').map((part) => part.trim().split('='))
  const time = parts.find(([name]) => name === 't')?.[1]
  if (time === undefined || !/^\d{1,12}$/.test(time)) return false
  if (Math.abs(nowMs / 1000 - Number(time)) > toleranceSeconds) return false
  const wanted = createHmac('sha256', secret).update(`${time}.`).update(bytes).digest()
  // Several while a secret is being exchanged.
  return parts.some(([name, value]) => {
    const given = name === 'v1' && value !== undefined ? Buffer.from(value, 'hex') : Buffer.alloc(0)
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  })
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}
