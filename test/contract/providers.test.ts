// The ports to providers against servers that speak the providers' own wire. Those are held to it by the official package, where
// there is one.

import { Webhook } from 'standardwebhooks'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Email } from '../../gateway/tools/providers/email.ts'
import { formBody } from '../../gateway/tools/providers/form-body.ts'
import { decimalText, minorOf } from '../../gateway/tools/providers/minor-units.ts'
import { createN8n } from '../../gateway/tools/providers/n8n.ts'
import type { Fetch } from '../../gateway/tools/providers/outside-call.ts'
import type { Order, PaymentProvider } from '../../gateway/tools/providers/payments.ts'
import { createPayPal } from '../../gateway/tools/providers/paypal.ts'
import { readPayPalHook } from '../../gateway/tools/providers/paypal-hook.ts'
import { createResend } from '../../gateway/tools/providers/resend.ts'
import { createSendGrid } from '../../gateway/tools/providers/sendgrid.ts'
import { createStripe, readStripeHook } from '../../gateway/tools/providers/stripe.ts'
import { FakeN8n } from '../harness/fake-n8n.ts'
import { FakePayPal } from '../harness/fake-paypal.ts'
import { FakeResend } from '../harness/fake-resend.ts'
import { FakeSendGrid } from '../harness/fake-sendgrid.ts'
import { FakeStripe } from '../harness/fake-stripe.ts'

let resend: FakeResend
let sendgrid: FakeSendGrid
let stripe: FakeStripe
let paypal: FakePayPal
let n8n: FakeN8n
beforeAll(async () => {
  ;[resend, sendgrid, stripe, paypal, n8n] = await Promise.all([
    FakeResend.open(),
    FakeSendGrid.open(),
    FakeStripe.open(),
    FakePayPal.open(),
    FakeN8n.open(),
  ])
  const gone = await FakeN8n.open()
  nowhere = gone.url
  await gone[Symbol.asyncDispose]()
})
afterAll(() => Promise.all([resend, sendgrid, stripe, paypal, n8n].map((each) => each[Symbol.asyncDispose]())))

const fetchNow: Fetch = (url, init) => fetch(url, init)
const { signal } = new AbortController()
/** Nobody listens there any more. */
let nowhere: string
let keys = 0
const on = (key = `key-${keys++}`) => ({ key, signal })
const email: Email = {
  ...{ from: '"Shop" <hello@shop.example>', to: 'ann@example.com', subject: 'Grüße', text: 'Your sofa is ready.' },
  unsubscribeUrl: 'https://talk.example/u/1',
}

describe('[S000-31] e-mail', () => {
  const byResend = (baseUrl = resend.url, apiKey = resend.apiKey) => createResend({ fetch: fetchNow, baseUrl, apiKey })
  const bySendGrid = (baseUrl = sendgrid.url, apiKey = sendgrid.apiKey) =>
    createSendGrid({ fetch: fetchNow, baseUrl, apiKey })

  test('reaches Resend once per key, also when the answer was lost', async () => {
    const before = resend.sent.length
    const first = await byResend().send(email, on('mail-1'))
    expect(first).toMatchObject({ is: 'sent' })
    expect(await byResend().send(email, on('mail-1'))).toEqual(first)
    resend.breaks('cut-after')
    expect(await byResend().send(email, on('mail-2'))).toMatchObject({ is: 'sent' })
    expect(resend.sent).toHaveLength(before + 2)
    expect(resend.sent.at(-1)).toMatchObject({
      subject: 'Grüße',
      headers: { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
    })
    expect(await byResend().send({ ...email, text: 'Another.' }, on('mail-2'))).toMatchObject({ is: 'refused' })
  })

  test('of Resend has a state; one of SendGrid has none to be asked for', async () => {
    const sent = await byResend().send(email, on())
    const id = sent.is === 'sent' ? sent.providerId : ''
    expect(await byResend().state(id, signal)).toEqual({ is: 'known', state: 'sent' })
    expect(await byResend().state('another', signal)).toEqual({ is: 'unknown' })
    expect(await bySendGrid().state('x', signal)).toEqual({ is: 'unknown' })
  })

  test('that SendGrid may have taken is unknown and not sent again', async () => {
    const before = sendgrid.sent.length
    expect(await bySendGrid().send(email, on('mail-3'))).toMatchObject({ is: 'sent', providerId: /.+/ })
    sendgrid.breaks('cut-after')
    expect(await bySendGrid().send(email, on('mail-4'))).toMatchObject({ is: 'unknown' })
    expect(sendgrid.sent).toHaveLength(before + 2)
    expect(sendgrid.sent.at(-1)).toMatchObject({
      from: { email: 'hello@shop.example', name: 'Shop' },
      personalizations: [{ to: [{ email: 'ann@example.com' }], custom_args: { parley_key: 'mail-4' } }],
    })
  })

  test.each([
    ['a wrong key', () => byResend(undefined, 're_wrong'), /^the provider answered 401: API key is invalid$/],
    ['a wrong key', () => bySendGrid(undefined, 'SG.wrong'), /^the provider answered 401/],
    ['nobody there', () => byResend(nowhere), /^no connection .ECONNREFUSED.$/],
    ['nobody there', () => bySendGrid(nowhere), /^no connection .ECONNREFUSED.$/],
  ] as const)('surely not sent says so: %s', async (_why, provider, why) => {
    expect(await provider().send(email, on())).toEqual({ is: 'refused', why: expect.stringMatching(why) })
  })
})

const order: Order = {
  ...{ paymentId: 'pay_1', tenantId: 'ten_1', amountMinor: 100_098, currency: 'EUR' },
  lines: [
    { name: 'Sofa “Alba” & co', unitMinor: 49_999, quantity: 2 },
    { name: 'Care set', unitMinor: 100, quantity: 1 },
  ],
  ...{ successUrl: 'https://shop.example/thanks?a=1&b=2', cancelUrl: 'https://shop.example/cart' },
}
const stripePort = (baseUrl = stripe.url) => createStripe({ fetch: fetchNow, baseUrl, secretKey: stripe.secretKey })
const paypalPort = (over: Partial<Parameters<typeof createPayPal>[0]> = {}) =>
  createPayPal({
    ...{ fetch: fetchNow, baseUrl: paypal.url, live: false, tokens: new Map(), nowMs: Date.now },
    ...{ clientId: paypal.clientId, clientSecret: paypal.clientSecret, ...over },
  })

describe.each([
  ['Stripe', () => stripe, () => stripePort(), () => stripe.sessions.size],
  ['PayPal', () => paypal, () => paypalPort(), () => paypal.orders.size],
] as const)('[S000-27] payment by %s', (_name, fake, port, count) => {
  const opened = async (provider: PaymentProvider, key: string) => {
    const answer = await provider.open({ ...order, paymentId: `pay_${key}` }, on(key))
    if (answer.is !== 'opened') throw new Error(JSON.stringify(answer))
    return answer
  }

  test('the same key gives the same page, also when the answer was lost', async () => {
    const before = count()
    const first = await opened(port(), 'pay-1')
    expect(first.url).toMatch(/^https:/)
    expect(await opened(port(), 'pay-1')).toEqual(first)
    fake().breaks('cut-after')
    await opened(port(), 'pay-2')
    expect(count()).toBe(before + 2)
  })

  test('is open until it is paid, and says the amount and whose it is', async () => {
    const provider = port()
    const { providerId } = await opened(provider, 'pay-3')
    const facts = { providerId, paymentId: 'pay_pay-3', amountMinor: 100_098, currency: 'EUR', live: false }
    expect(await provider.find(providerId, signal)).toEqual({ is: 'found', standing: { ...facts, state: 'open' } })
    if (provider.name === 'stripe') stripe.pay(providerId)
    else paypal.approve(providerId)
    expect(await provider.capture(providerId, on('take-1'))).toEqual({
      is: 'found',
      standing: { ...facts, state: 'paid' },
    })
    // Twice, by another key and by the same one: it was taken once.
    expect(await provider.capture(providerId, on('take-2'))).toMatchObject({ standing: { state: 'paid' } })
    expect(await provider.capture(providerId, on('take-1'))).toMatchObject({ standing: { state: 'paid' } })
    if (provider.name === 'paypal') expect(paypal.order(providerId).captures).toHaveLength(1)
  })

  test('whose provider is not there says so', async () => {
    fake().breaks({ status: 500 }, { status: 502 })
    expect(await port().open(order, on())).toMatchObject({ is: 'unknown' })
    expect(await port().find('nothing', signal)).toMatchObject({ is: 'unreachable' })
  })
})

test('[S000-27] the official package of Stripe sends what we send, and reads what our fake answers', async () => {
  const { port } = new URL(stripe.url)
  const sdk = new Stripe(stripe.secretKey, {
    host: '127.0.0.1',
    port: Number(port),
    protocol: 'http',
    telemetry: false,
  })
  const metadata = { tenantId: order.tenantId, paymentId: order.paymentId }
  const made = await sdk.checkout.sessions.create(
    {
      ...{ mode: 'payment', client_reference_id: order.paymentId, metadata, payment_intent_data: { metadata } },
      line_items: order.lines.map(({ name, unitMinor, quantity }) => ({
        price_data: { currency: 'eur', unit_amount: unitMinor, product_data: { name } },
        quantity,
      })),
      ...{ success_url: order.successUrl, cancel_url: order.cancelUrl },
    },
    { idempotencyKey: 'by-sdk' },
  )
  expect(made).toMatchObject({ object: 'checkout.session', amount_total: 100_098, status: 'open' })
  const theirs = stripe.received.at(-1)
  // The same key with the same words is the same session: what we send does not differ.
  const ours = await stripePort().open(order, on('by-sdk'))
  expect(ours).toEqual({ is: 'opened', providerId: made.id, url: made.url })
  const fields = (bytes: Buffer | undefined) => [...new URLSearchParams(bytes?.toString())].toSorted()
  expect(fields(stripe.received.at(-1)?.bytes)).toEqual(fields(theirs?.bytes))
  expect(theirs?.headers['stripe-version']).toBe(stripe.received.at(-1)?.headers['stripe-version'])
  expect((await sdk.checkout.sessions.retrieve(made.id)).payment_status).toBe('unpaid')
})

test('a form is nested by brackets, as Stripe reads it', () => {
  const fields = { a: 'x y', b: [{ c: 1 }, { c: 2 }], d: { e: { f: true } }, left: undefined }
  expect(decodeURIComponent(formBody(fields))).toBe('a=x+y&b[0][c]=1&b[1][c]=2&d[e][f]=true')
})

test.each([
  [0, 'EUR', '0.00'],
  [5, 'EUR', '0.05'],
  [123_456, 'USD', '1234.56'],
  [500, 'JPY', '500'],
  [12_300, 'HUF', '123'],
  [12_345, 'HUF', undefined],
  [1_234, 'KWD', '1.234'],
])('%i of %s is %s at PayPal, and back again', (minor, currency, text) => {
  expect(decimalText(minor, currency)).toBe(text)
  if (text !== undefined) expect(minorOf(text, currency)).toBe(minor)
})

test.each(['1e3', '-1.00', '1.005', '1,00', '', '99999999999999.00'])('%j is no amount', (text) => {
  expect(minorOf(text, 'EUR')).toBeUndefined()
})

describe('[S000-27] a webhook', () => {
  const asked = (
    hook: { body: string; headers: Readonly<Record<string, string>> },
    over: Partial<Record<string, string>> = {},
  ) => ({
    bytes: Buffer.from(hook.body),
    header: (name: string) => ({ ...hook.headers, ...over })[name],
  })
  const stripeHook = () => stripe.hook('checkout.session.completed', { id: 'cs_test_1', object: 'checkout.session' })
  const paypalHook = () => paypal.hook('CHECKOUT.ORDER.APPROVED', { id: 'ORDER1', status: 'APPROVED' })
  const readPayPal = (request: ReturnType<typeof asked>, webhookId: string | undefined = paypal.webhookId) =>
    readPayPalHook(request, {
      ...{ fetch: fetchNow, baseUrl: paypal.url, webhookId, certificates: new Map(), nowMs: Date.now },
    })
  const forged = { is: 'forged' }

  test('signed by Stripe is read; a changed byte, another secret, an old or future time and no secret are forged', () => {
    const hook = stripeHook()
    const now = Date.now()
    const read = (request = asked(hook), secret: string | undefined = stripe.webhookSecret, nowMs = now) =>
      readStripeHook(request, secret, nowMs)
    expect(read()).toEqual({ is: 'about', eventId: hook.id, providerId: 'cs_test_1', approved: false })
    expect(read(asked({ ...hook, body: hook.body.replace('cs_test_1', 'cs_test_2') }))).toEqual(forged)
    expect(read(asked({ ...hook, body: JSON.stringify(JSON.parse(hook.body)) })), 're-serialised').toEqual(forged)
    expect(read(asked(hook), 'whsec_other')).toEqual(forged)
    expect(read(asked(hook), '')).toEqual(forged)
    expect(readStripeHook(asked(hook), undefined, now)).toEqual(forged)
    expect(read(undefined, undefined, now + 302_000)).toEqual(forged)
    expect(read(undefined, undefined, now - 302_000)).toEqual(forged)
    for (const header of [
      '',
      't=1',
      'v1=00',
      `t=${Math.floor(now / 1000)},v1=zz`,
      hook.headers['stripe-signature'].replace('v1', 'v0'),
    ])
      expect(read(asked(hook, { 'stripe-signature': header })), header).toEqual(forged)
    const rotated = `${hook.headers['stripe-signature']},v1=${'0'.repeat(64)}`
    expect(read(asked(hook, { 'stripe-signature': rotated }))).toMatchObject({ is: 'about' })
    const other = stripe.hook('customer.created', { id: 'cus_1', object: 'customer' })
    expect(read(asked(other))).toEqual({ is: 'ignored', eventId: other.id })
  })

  test('signed by PayPal is read; a changed body, another webhook’s id, a certificate of somebody else and no id are forged', async () => {
    const hook = paypalHook()
    expect(await readPayPal(asked(hook))).toEqual({
      is: 'about',
      eventId: hook.id,
      providerId: 'ORDER1',
      approved: true,
    })
    expect(await readPayPal(asked({ ...hook, body: hook.body.replace('ORDER1', 'ORDER2') }))).toEqual(forged)
    expect(await readPayPal(asked(hook), 'WH-other')).toEqual(forged)
    expect(await readPayPal(asked(hook), '')).toEqual(forged)
    await using theirs = await FakePayPal.open()
    for (const url of [
      `${theirs.url}/certs/1.pem`,
      'https://paypal.com.evil.example/1.pem',
      'http://api.paypal.com/1.pem',
      'nonsense',
      '',
    ])
      expect(await readPayPal(asked(hook, { 'paypal-cert-url': url })), url).toEqual(forged)
    expect(theirs.received, 'nobody else’s certificate is even fetched').toEqual([])
    expect(await readPayPal(asked(hook, { 'paypal-auth-algo': 'none' }))).toEqual(forged)
    expect(await readPayPal(asked(hook, { 'paypal-transmission-sig': '' }))).toEqual(forged)
    const captured = paypal.hook('PAYMENT.CAPTURE.COMPLETED', {
      id: 'CAP1',
      supplementary_data: { related_ids: { order_id: 'ORDER1' } },
    })
    expect(await readPayPal(asked(captured))).toMatchObject({ is: 'about', providerId: 'ORDER1', approved: false })
  })
})

describe('[S000-28] a workflow', () => {
  const secret = 'signing-secret-of-ours'
  const port = (over: Partial<Parameters<typeof createN8n>[0]> = {}) =>
    createN8n({
      ...{ fetch: fetchNow, baseUrl: `${n8n.url}/`, authorization: n8n.authorization, signingSecret: secret },
      ...{ nowMs: Date.now, ...over },
    })
  const payload = { order: '1042', note: 'Größe ✓' }

  test('is started with its key, the tenant’s header and our signature over the very bytes', async () => {
    n8n.workflow('crm/new-lead')
    const done = await port().trigger({ path: 'crm/new-lead', payload, ...on('run-1') })
    expect(done).toEqual({ is: 'done', status: 200, answer: { message: 'Workflow got started.' } })
    const run = n8n.runs.at(-1)
    expect(run?.headers['idempotency-key']).toBe('run-1')
    const headers = Object.fromEntries(Object.entries(run?.headers ?? {}).map(([name, value]) => [name, String(value)]))
    expect(new Webhook(secret, { format: 'raw' }).verify(run?.body ?? '', headers)).toEqual(payload)
  })

  test('that may have run is unknown and is not started again; one that surely did not says why', async () => {
    n8n.workflow('slow')
    const before = n8n.runs.length
    n8n.breaks('cut-after')
    expect(await port().trigger({ path: 'slow', payload, ...on() })).toMatchObject({ is: 'unknown' })
    expect(n8n.runs).toHaveLength(before + 1)
    n8n.workflow('broken', { status: 500, json: { message: 'Error in workflow' } })
    expect(await port().trigger({ path: 'broken', payload, ...on() })).toMatchObject({
      is: 'unknown',
      why: 'the workflow answered 500: Error in workflow',
    })
    expect(await port().trigger({ path: 'nothing', payload, ...on() })).toMatchObject({
      is: 'refused',
      why: expect.stringContaining('not registered'),
    })
    const wrong = port({ authorization: 'Bearer other' })
    expect(await wrong.trigger({ path: 'slow', payload, ...on() })).toMatchObject({ is: 'refused' })
    expect(await port({ baseUrl: nowhere }).trigger({ path: 'slow', payload, ...on() })).toMatchObject({
      is: 'refused',
      why: 'no connection (ECONNREFUSED)',
    })
  })

  test('that answers with nothing, or with a book, is done all the same', async () => {
    n8n
      .workflow('empty', { status: 204, text: '' })
      .workflow('long', { status: 200, json: { text: 'x'.repeat(50_000) } })
    expect(await port().trigger({ path: 'empty', payload, ...on() })).toMatchObject({ is: 'done', answer: null })
    expect(await port().trigger({ path: 'long', payload, ...on() })).toMatchObject({
      answer: { omitted: '50011 characters' },
    })
  })
})
