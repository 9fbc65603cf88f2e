// PayPal as the gateway meets it: access tokens, Orders v2 with PayPal-Request-Id, and webhooks signed by a certificate of its own.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { type Answered, FakeProvider, KeyedAnswers, type Received } from './fake-provider.ts'
import { certificateOf } from './tls-front.ts'

const money = z.strictObject({
  currency_code: z.string().regex(/^[A-Z]{3}$/),
  value: z.string().regex(/^\d+(\.\d{2})?$/),
})
const createOrder = z.strictObject({
  intent: z.enum(['CAPTURE', 'AUTHORIZE']),
  purchase_units: z
    .array(
      z.strictObject({
        reference_id: z.string().max(256).optional(),
        custom_id: z.string().max(127).optional(),
        description: z.string().max(127).optional(),
        amount: money,
      }),
    )
    .min(1),
  payment_source: z
    .strictObject({
      paypal: z.strictObject({
        experience_context: z.strictObject({
          return_url: z.url(),
          cancel_url: z.url(),
          user_action: z.enum(['PAY_NOW', 'CONTINUE']),
        }),
      }),
    })
    .optional(),
})

interface FakeOrder {
  readonly id: string
  readonly created: z.output<typeof createOrder>
  status: 'PAYER_ACTION_REQUIRED' | 'APPROVED' | 'COMPLETED' | 'VOIDED'
  captures: { id: string; status: string; amount: z.output<typeof money> }[]
}

const problem = (status: number, name: string, issue: string): Answered => ({
  status,
  json: { name, message: 'The request could not be served.', debug_id: 'f1', details: [{ issue, description: issue }] },
})

export class FakePayPal extends FakeProvider {
  readonly clientId = 'client-1'
  readonly clientSecret = 'secret-1'
  readonly webhookId = 'WH-8BW12345AB678901C'
  readonly orders = new Map<string, FakeOrder>()
  /** What the next captures come to. */
  captureStatus = 'COMPLETED'
  readonly #keys = new KeyedAnswers()
  readonly #pair = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  readonly #certificate = certificateOf(this.#pair.publicKey)

  static async open(): Promise<FakePayPal> {
    return new FakePayPal().start()
  }

  protected override isMatter({ path }: Received): boolean {
    return path.startsWith('/v2/')
  }

  protected answer(request: Received): Answered {
    const { method, path, headers } = request
    if (path === '/certs/1.pem') return { status: 200, text: this.#certificate }
    if (path === '/v1/oauth2/token') return this.#token(request)
    if (headers.authorization !== 'Bearer A21AA') return problem(401, 'AUTHENTICATION_FAILURE', 'INVALID_TOKEN')
    const [, id, action] = /^\/v2\/checkout\/orders(?:\/(\w+))?(\/capture)?$/.exec(path) ?? []
    if (id === undefined && method === 'POST') return this.#keyed(request, (body) => this.#create(body))
    const order = this.orders.get(id ?? '')
    if (order === undefined) return problem(404, 'RESOURCE_NOT_FOUND', 'INVALID_RESOURCE_ID')
    if (action === undefined) return { status: 200, json: this.#view(order) }
    return this.#keyed(request, () => this.#capture(order))
  }

  #token({ headers, bytes }: Received): Answered {
    const basic = `Basic ${Buffer.from(`${this.clientId}:${this.clientSecret}`).toString('base64')}`
    if (headers.authorization !== basic || bytes.toString() !== 'grant_type=client_credentials')
      return { status: 401, json: { error: 'invalid_client', error_description: 'Client Authentication failed' } }
    return { status: 200, json: { access_token: 'A21AA', token_type: 'Bearer', expires_in: 32_400 } }
  }

  #keyed({ path, headers, bytes }: Received, make: (body: string) => Answered): Answered {
    const body = bytes.toString('utf8')
    const key = headers['paypal-request-id']
    if (typeof key !== 'string') return problem(400, 'INVALID_REQUEST', 'PAYPAL_REQUEST_ID_REQUIRED')
    if (key.length > 108) return problem(400, 'INVALID_REQUEST', 'PAYPAL_REQUEST_ID_TOO_LONG')
    const known = this.#keys.of(`${path} ${key}`, body)
    if (known === 'other') return problem(422, 'UNPROCESSABLE_ENTITY', 'PAYPAL_REQUEST_ID_PREVIOUSLY_USED')
    if (known !== undefined) return { ...known, status: 200 }
    const answer = make(body)
    return answer.status < 300 ? this.#keys.keep(`${path} ${key}`, body, answer) : answer
  }

  #create(body: string): Answered {
    const parsed = createOrder.safeParse(JSON.parse(body))
    if (!parsed.success) return problem(400, 'INVALID_REQUEST', JSON.stringify(parsed.error.issues[0]))
    const id = randomBytes(9).toString('hex').toUpperCase()
    const order: FakeOrder = { id, created: parsed.data, status: 'PAYER_ACTION_REQUIRED', captures: [] }
    this.orders.set(id, order)
    return { status: 200, json: this.#view(order) }
  }

  #capture(order: FakeOrder): Answered {
    if (order.status === 'COMPLETED') return problem(422, 'UNPROCESSABLE_ENTITY', 'ORDER_ALREADY_CAPTURED')
    if (order.status !== 'APPROVED') return problem(422, 'UNPROCESSABLE_ENTITY', 'ORDER_NOT_APPROVED')
    const amount = order.created.purchase_units[0]?.amount ?? { currency_code: 'EUR', value: '0.00' }
    order.captures.push({ id: randomBytes(9).toString('hex').toUpperCase(), status: this.captureStatus, amount })
    order.status = 'COMPLETED'
    return { status: 201, json: this.#view(order) }
  }

  #view({ id, status, created, captures }: FakeOrder): object {
    const own = (rel: string, href: string, method: string) => ({ rel, href, method })
    const self = `https://api.sandbox.paypal.com/v2/checkout/orders/${id}`
    return {
      ...{ id, status, intent: created.intent },
      purchase_units: created.purchase_units.map((unit) => ({
        ...unit,
        ...(captures.length === 0 ? {} : { payments: { captures } }),
      })),
      links: [
        own('self', self, 'GET'),
        ...(status === 'PAYER_ACTION_REQUIRED'
          ? [own('payer-action', `https://www.sandbox.paypal.com/checkoutnow?token=${id}`, 'GET')]
          : []),
      ],
    }
  }

  order(id: string): FakeOrder {
    const found = this.orders.get(id)
    if (found === undefined) throw new Error(`no order ${id}`)
    return found
  }

  /** Somebody agrees on PayPal's page. */
  approve(id: string): void {
    this.order(id).status = 'APPROVED'
  }

  /** What PayPal posts: body and headers. */
  hook(type: string, resource: object, own: { id?: string; webhookId?: string; certUrl?: string } = {}) {
    const { id = `WH-${randomBytes(12).toString('hex')}`, webhookId = this.webhookId } = own
    const { certUrl = `${this.url}/certs/1.pem` } = own
    const time = new Date().toISOString()
    const body = JSON.stringify({ id, create_time: time, event_type: type, summary: 'Ünïcode ✓', resource, links: [] })
    const transmission = randomBytes(16).toString('hex')
    const signed = `${transmission}|${time}|${webhookId}|${crc32(Buffer.from(body))}`
    return {
      id,
      body,
      headers: {
        'content-type': 'application/json',
        'paypal-transmission-id': transmission,
        'paypal-transmission-time': time,
        'paypal-transmission-sig': sign('sha256', Buffer.from(signed), this.#pair.privateKey).toString('base64'),
        'paypal-cert-url': certUrl,
        'paypal-auth-algo': 'SHA256withRSA',
      },
    }
  }
}
