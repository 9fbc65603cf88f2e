// Payments by PayPal: Orders v2. The person agrees on PayPal's page, then the money is taken by a request of its own.

import { z } from 'zod'
import { decimalText, minorOf } from './minor-units.ts'
import { askKeyed, type Fetch, type OutsideAnswer } from './outside-call.ts'
import {
  type Found,
  type Opening,
  type Order,
  type PaymentProvider,
  paymentTimeoutMs,
  type Standing,
} from './payments.ts'

const money = z.object({ currency_code: z.string(), value: z.string() })
const capture = z.object({ id: z.string(), status: z.string(), amount: money })
const orderShape = z.object({
  id: z.string().min(1).max(100),
  status: z.string(),
  links: z.array(z.object({ rel: z.string(), href: z.url() })).default([]),
  purchase_units: z
    .array(
      z.object({
        custom_id: z.string().optional(),
        amount: money.optional(),
        payments: z.object({ captures: z.array(capture).optional() }).optional(),
      }),
    )
    .default([]),
})
type PayPalOrder = z.output<typeof orderShape>
const tokenShape = z.object({ access_token: z.string(), expires_in: z.number() })
const refusal = z.object({
  message: z.string(),
  details: z.array(z.object({ issue: z.string().optional() })).optional(),
})

export interface PayPalNeeds {
  readonly fetch: Fetch
  /** https://api-m.paypal.com or https://api-m.sandbox.paypal.com */
  readonly baseUrl: string
  readonly live: boolean
  readonly clientId: string
  readonly clientSecret: string
  /** Shared by all who ask with the same keys. */
  readonly tokens: PayPalTokens
  readonly nowMs: () => number
}

/** Access tokens by client: they live for hours. */
export type PayPalTokens = Map<string, { readonly token: string; readonly untilMs: number }>

const maxTokens = 500
const earlierMs = 60_000

export function createPayPal(needs: PayPalNeeds): PaymentProvider {
  const order = async (path: string, on: Asking): Promise<OutsideAnswer> => ask(needs, `/v2/checkout/orders${path}`, on)
  const find: PaymentProvider['find'] = async (providerId, signal) =>
    foundOf(needs, await order(`/${encodeURIComponent(providerId)}`, { method: 'GET', signal }))
  return {
    name: 'paypal',
    live: needs.live,
    async open(wanted, { key, signal }): Promise<Opening> {
      const body = orderBody(wanted)
      if (body === undefined) return { is: 'refused', why: `PayPal takes no fractions of ${wanted.currency}` }
      const answer = await order('', { method: 'POST', key, signal, body })
      const made = orderOf(answer)
      const link = made?.links.find(({ rel }) => rel === 'payer-action' || rel === 'approve')
      if (made !== undefined && link !== undefined) return { is: 'opened', providerId: made.id, url: link.href }
      const isOpen = answer.is === 'lost' || (answer.is === 'answered' && answer.status >= 500)
      return { is: isOpen ? 'unknown' : 'refused', why: whyOf(answer) }
    },
    find,
    async capture(providerId, { key, signal }) {
      const path = `/${encodeURIComponent(providerId)}/capture`
      const answer = await order(path, { method: 'POST', key, signal, body: {} })
      if (orderOf(answer) !== undefined) return foundOf(needs, answer)
      // It was done before, or is not agreed to yet: the order itself tells where it stands.
      const now = await find(providerId, signal)
      const isSaid = answer.is === 'answered' && answer.status < 500
      const isOver = now.is === 'found' && now.standing.state !== 'open'
      return isSaid || isOver ? now : { is: 'unreachable', why: whyOf(answer) }
    },
  }
}

interface Asking {
  readonly method: 'GET' | 'POST'
  readonly key?: string
  readonly signal: AbortSignal
  readonly body?: object
}

async function ask(needs: PayPalNeeds, path: string, { method, key, signal, body }: Asking): Promise<OutsideAnswer> {
  const token = await tokenFor(needs, signal)
  if (typeof token !== 'string') return token
  return askKeyed(needs.fetch, {
    ...{ method, url: `${needs.baseUrl}${path}`, signal, timeoutMs: paymentTimeoutMs },
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      prefer: 'return=representation',
      ...(key === undefined ? {} : { 'paypal-request-id': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

/** Nothing of the matter itself has happened where there is no token. */
async function tokenFor(needs: PayPalNeeds, signal: AbortSignal): Promise<string | OutsideAnswer> {
  const { fetch, baseUrl, clientId, clientSecret, tokens, nowMs } = needs
  const name = JSON.stringify([baseUrl, clientId, clientSecret])
  const known = tokens.get(name)
  if (known !== undefined && known.untilMs > nowMs()) return known.token
  const answer = await askKeyed(fetch, {
    ...{ method: 'POST', url: `${baseUrl}/v1/oauth2/token`, signal, timeoutMs: paymentTimeoutMs },
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  })
  const made = answer.is === 'answered' && answer.status === 200 ? tokenShape.safeParse(answer.json).data : undefined
  if (made === undefined) {
    if (answer.is === 'answered') return { is: 'unsent', why: `PayPal refused the keys (${answer.status})` }
    return { is: 'unsent', why: answer.why }
  }
  if (tokens.size >= maxTokens) tokens.clear()
  tokens.set(name, { token: made.access_token, untilMs: nowMs() + made.expires_in * 1_000 - earlierMs })
  return made.access_token
}

function orderBody({ paymentId, lines, amountMinor, currency, successUrl, cancelUrl }: Order): object | undefined {
  const value = decimalText(amountMinor, currency)
  if (value === undefined) return undefined
  const description = lines
    .map(({ name, quantity }) => (quantity === 1 ? name : `${quantity} × ${name}`))
    .join(', ')
    .slice(0, 127)
  const experience = { return_url: successUrl, cancel_url: cancelUrl, user_action: 'PAY_NOW' }
  return {
    intent: 'CAPTURE',
    purchase_units: [
      { reference_id: 'default', custom_id: paymentId, description, amount: { currency_code: currency, value } },
    ],
    payment_source: { paypal: { experience_context: experience } },
  }
}

function orderOf(answer: OutsideAnswer): PayPalOrder | undefined {
  if (answer.is !== 'answered' || answer.status >= 300) return undefined
  return orderShape.safeParse(answer.json).data
}

function whyOf(answer: OutsideAnswer): string {
  if (answer.is !== 'answered') return answer.why
  const said = refusal.safeParse(answer.json).data
  const issue = said?.details?.[0]?.issue ?? said?.message
  return `PayPal answered ${answer.status}${issue === undefined ? '' : `: ${issue.slice(0, 200)}`}`
}

function foundOf({ live }: PayPalNeeds, answer: OutsideAnswer): Found {
  const order = orderOf(answer)
  return order === undefined
    ? { is: 'unreachable', why: whyOf(answer) }
    : { is: 'found', standing: standingOf(order, live) }
}

/** Paid is what was captured: an order can be complete while its money is still under review. */
function standingOf(order: PayPalOrder, live: boolean): Standing {
  const [unit] = order.purchase_units
  const captures = unit?.payments?.captures ?? []
  const done = captures.find((each) => each.status === 'COMPLETED')
  const amount = done?.amount ?? unit?.amount
  const isRefused = captures.length > 0 && captures.every((each) => ['DECLINED', 'FAILED'].includes(each.status))
  return {
    providerId: order.id,
    paymentId: unit?.custom_id,
    state: done !== undefined ? 'paid' : order.status === 'VOIDED' ? 'expired' : isRefused ? 'failed' : 'open',
    amountMinor: amount === undefined ? undefined : minorOf(amount.value, amount.currency_code),
    currency: amount?.currency_code,
    live,
  }
}
