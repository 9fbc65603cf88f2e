// Stripe as the gateway meets it: Checkout Sessions in form encoding with idempotency keys, and webhooks signed as Stripe signs.

import { randomBytes } from 'node:crypto'
import Stripe from 'stripe'
import { z } from 'zod'
import { type Answered, FakeProvider, KeyedAnswers, type Received } from './fake-provider.ts'

const amount = z.coerce.number().int().min(0)
const metadata = z.record(z.string().max(40), z.string().max(500)).optional()
const createSession = z.strictObject({
  mode: z.enum(['payment', 'subscription', 'setup']),
  client_reference_id: z.string().max(200).optional(),
  metadata,
  payment_intent_data: z.strictObject({ metadata }).optional(),
  line_items: z.record(
    z.string().regex(/^\d+$/),
    z.strictObject({
      price_data: z.strictObject({
        currency: z.string().regex(/^[a-z]{3}$/),
        unit_amount: amount,
        product_data: z.strictObject({ name: z.string().min(1) }),
      }),
      quantity: z.coerce.number().int().min(1),
    }),
  ),
  customer_email: z.email().optional(),
  success_url: z.url().optional(),
  cancel_url: z.url().optional(),
})

export interface FakeSession {
  id: string
  object: 'checkout.session'
  amount_total: number
  currency: string
  client_reference_id: string | null
  livemode: boolean
  metadata: Record<string, string>
  mode: string
  payment_intent: string | null
  payment_status: 'paid' | 'unpaid'
  status: 'open' | 'complete' | 'expired'
  success_url: string | null
  url: string | null
}

const problem = (status: number, type: string, message: string, param?: string): Answered => ({
  status,
  json: { error: { type, message, ...(param === undefined ? {} : { param }) } },
})

export class FakeStripe extends FakeProvider {
  readonly secretKey = 'sk_test_1'
  readonly webhookSecret = `whsec_${randomBytes(24).toString('hex')}`
  readonly sessions = new Map<string, FakeSession>()
  readonly #keys = new KeyedAnswers()

  static async open(): Promise<FakeStripe> {
    return new FakeStripe().start()
  }

  protected answer({ method, path, headers, bytes }: Received): Answered {
    if (headers.authorization !== `Bearer ${this.secretKey}`)
      return problem(401, 'invalid_request_error', 'Invalid API Key provided')
    const id = /^\/v1\/checkout\/sessions\/(cs_\w+)$/.exec(path)?.[1]
    if (method === 'GET' && id !== undefined) {
      const session = this.sessions.get(id)
      return session === undefined
        ? problem(404, 'invalid_request_error', `No such checkout.session: '${id}'`, 'session')
        : { status: 200, json: session }
    }
    if (method !== 'POST' || path !== '/v1/checkout/sessions')
      return problem(404, 'invalid_request_error', 'Unrecognized request URL')
    const body = bytes.toString('utf8')
    const key = headers['idempotency-key']
    if (typeof key !== 'string') return this.#create(body)
    // The same parameters, in whatever order and encoding.
    const same = JSON.stringify([...new URLSearchParams(body)].toSorted())
    const known = this.#keys.of(key, same)
    if (known === 'other')
      return problem(400, 'idempotency_error', 'Keys for idempotent requests can only be used with the same parameters')
    if (known !== undefined) return { ...known, headers: { 'idempotent-replayed': 'true' } }
    return this.#keys.keep(key, same, this.#create(body))
  }

  #create(body: string): Answered {
    const parsed = createSession.safeParse(nested(new URLSearchParams(body)))
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      return problem(400, 'invalid_request_error', issue?.message ?? 'wrong', issue?.path.join('.'))
    }
    const { line_items: lines, client_reference_id: reference, mode, success_url: success } = parsed.data
    const items = Object.values(lines)
    const id = `cs_test_${randomBytes(20).toString('hex')}`
    const session: FakeSession = {
      ...{ id, object: 'checkout.session', mode, livemode: false, payment_status: 'unpaid', status: 'open' },
      amount_total: items.reduce((sum, each) => sum + each.price_data.unit_amount * each.quantity, 0),
      currency: items[0]?.price_data.currency ?? '',
      client_reference_id: reference ?? null,
      metadata: parsed.data.metadata ?? {},
      payment_intent: null,
      success_url: success ?? null,
      url: `https://checkout.stripe.com/c/pay/${id}`,
    }
    this.sessions.set(id, session)
    return { status: 200, json: { ...session } }
  }

  session(id: string): FakeSession {
    const found = this.sessions.get(id)
    if (found === undefined) throw new Error(`no session ${id}`)
    return found
  }

  /** Somebody pays on the page. */
  pay(id: string, over: Partial<FakeSession> = {}): void {
    Object.assign(this.session(id), {
      ...{ status: 'complete', payment_status: 'paid', payment_intent: 'pi_1', url: null },
      ...over,
    })
  }

  expire(id: string): void {
    Object.assign(this.session(id), { status: 'expired', url: null })
  }

  /** What Stripe posts about a session: body and headers. `object`: what the event says of it, true or not. */
  hook(type: string, object: object, own: { id?: string; secret?: string; at?: Date } = {}) {
    const { id = `evt_${randomBytes(12).toString('hex')}`, secret = this.webhookSecret, at = new Date() } = own
    const created = Math.floor(at.getTime() / 1_000)
    const event = {
      ...{ id, object: 'event', api_version: '2026-10-28.endive', created, type, livemode: false, pending_webhooks: 1 },
      request: { id: null, idempotency_key: null },
      data: { object },
    }
    const body = JSON.stringify(event, null, 2)
    const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: created })
    return { id, body, headers: { 'content-type': 'application/json', 'stripe-signature': signature } }
  }
}

type Nested = { [name: string]: string | Nested }

/** `a[b][0]=c` → `{ a: { b: { 0: c } } }` */
function nested(params: URLSearchParams): Nested {
  const root: Nested = {}
  for (const [name, value] of params) {
    const path = [...name.matchAll(/[^[\]]+/g)].map(([part]) => part)
    let at = root
    for (const part of path.slice(0, -1)) {
      const inside = at[part]
      const next: Nested = typeof inside === 'object' ? inside : {}
      at[part] = next
      at = next
    }
    at[path.at(-1) ?? ''] = value
  }
  return root
}
