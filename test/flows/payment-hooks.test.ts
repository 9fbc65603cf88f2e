import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TenantId } from '../../gateway/platform/ids.ts'
import { type FakeProviders, openFakeProviders, setSecrets } from '../harness/fake-providers.ts'
import type { FakeSession } from '../harness/fake-stripe.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let providers: FakeProviders
let gateway: TestGateway
beforeAll(async () => {
  providers = await openFakeProviders()
  gateway = await startGateway({ ...providers.env, PARLEY_DEMO: 'false', PARLEY_RATE_FACTOR: '1000' })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await providers[Symbol.asyncDispose]()
})

type Provider = 'stripe' | 'paypal'
let tenants = 0

async function shop(provider: Provider) {
  const { slices } = gateway.app
  const { id: tenantId } = await slices.tenants.create({ slug: `hooks-${++tenants}`, name: 'Shop' })
  await setSecrets(slices.identity.secrets, tenantId, providers.secrets[provider])
  const auth = slices.identity.authFor.system(tenantId)
  const lines = [{ name: 'Sofa', unitMinor: 49_900, quantity: 1 }]
  const { signal } = new AbortController()
  const open = (key = 'k', over: object = {}) =>
    slices.effects.payments.open({ description: 'Sofa', lines, currency: 'EUR', ...over }, { auth, key, signal })
  const payment = await open()
  const state = async () => (await slices.effects.payments.get(auth, payment.id)).status
  const events = async () => {
    const { items } = await slices.events.of(tenantId).list({ limit: 100 })
    return items.map(({ type }) => type).filter((type) => type.startsWith('payment.'))
  }
  return { tenantId, auth, open, payment, state, events, pageId: payment.providerId ?? '' }
}

interface Hook {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}
async function post(tenantId: TenantId | string, provider: Provider, { body, headers }: Hook): Promise<number> {
  return (await fetch(`${gateway.url}/webhook/${provider}/${tenantId}`, { method: 'POST', body, headers })).status
}
const completed = (id: string, own: Parameters<FakeProviders['stripe']['hook']>[2] = {}) =>
  providers.stripe.hook('checkout.session.completed', { id, object: 'checkout.session', payment_status: 'paid' }, own)
const approved = (id: string) => providers.paypal.hook('CHECKOUT.ORDER.APPROVED', { id, status: 'APPROVED' })

describe('[S000-27] a webhook of Stripe', () => {
  test('without, with a wrong or an empty signature, for another tenant or with a changed byte is refused, and changes nothing', async () => {
    const { tenantId, payment, state, events, pageId } = await shop('stripe')
    providers.stripe.pay(pageId)
    const good = completed(pageId)
    const without = { ...good, headers: { 'content-type': 'application/json' } }
    const empty = { ...good, headers: { ...good.headers, 'stripe-signature': '' } }
    const changed = { ...good, body: good.body.replace('completed', 'Completed') }
    const asked = providers.stripe.received.length
    for (const bad of [without, empty, changed, completed(pageId, { secret: 'whsec_wrong' })])
      expect(await post(tenantId, 'stripe', bad)).toBe(401)
    const other = await shop('paypal')
    expect(await post(other.tenantId, 'stripe', good), 'a tenant without the secret').toBe(401)
    expect(await post('ten_nobody', 'stripe', good), 'a tenant that is not there').toBe(401)
    expect(await post(tenantId, 'stripe', completed(pageId, { at: new Date(Date.now() - 400_000) }))).toBe(401)
    expect(providers.stripe.received).toHaveLength(asked)
    expect([await state(), await events()]).toEqual(['open', []])
    expect(payment.status).toBe('open')
  })

  test('fifty times at once is one effect, and every one is taken', async () => {
    const { tenantId, state, events, pageId } = await shop('stripe')
    providers.stripe.pay(pageId)
    const hook = completed(pageId)
    const all = await Promise.all(Array.from({ length: 50 }, () => post(tenantId, 'stripe', hook)))
    expect(new Set(all)).toEqual(new Set([204]))
    expect([await state(), await events()]).toEqual(['paid', ['payment.paid']])
    const asked = providers.stripe.received.length
    expect(await post(tenantId, 'stripe', hook)).toBe(204)
    expect(providers.stripe.received, 'it is known: nobody is asked').toHaveLength(asked)
  })

  test.each<[string, Partial<FakeSession>]>([
    ['another amount', { amount_total: 1 }],
    ['another currency', { currency: 'usd' }],
    ['another payment', { client_reference_id: 'pay_other' }],
    ['real money for a test', { livemode: true }],
  ])('that says paid where the object has %s is put aside for a person', async (_what, over) => {
    const { tenantId, state, events, pageId } = await shop('stripe')
    providers.stripe.pay(pageId, over)
    expect(await post(tenantId, 'stripe', completed(pageId))).toBe(204)
    expect([await state(), await events()]).toEqual(['quarantined', ['payment.quarantined']])
  })

  test('that lies about what the API says pays nothing; one that comes late takes nothing back', async () => {
    const { tenantId, state, pageId } = await shop('stripe')
    expect(await post(tenantId, 'stripe', completed(pageId)), 'nobody has paid').toBe(204)
    expect(await state()).toBe('open')
    providers.stripe.pay(pageId)
    // The same event again is known by now; a new one is looked up.
    expect(
      await post(
        tenantId,
        'stripe',
        providers.stripe.hook('checkout.session.async_payment_succeeded', { id: pageId, object: 'checkout.session' }),
      ),
    ).toBe(204)
    expect(await state()).toBe('paid')
    providers.stripe.expire(pageId)
    expect(
      await post(
        tenantId,
        'stripe',
        providers.stripe.hook('checkout.session.expired', { id: pageId, object: 'checkout.session' }),
      ),
    ).toBe(204)
    expect(await state()).toBe('paid')
  })

  test('is asked for again when Stripe’s API does not answer, and then counts', async () => {
    const { tenantId, state, pageId } = await shop('stripe')
    providers.stripe.pay(pageId)
    providers.stripe.breaks({ status: 500 }, { status: 503 })
    const hook = completed(pageId)
    expect(await post(tenantId, 'stripe', hook)).toBe(503)
    expect(await state()).toBe('open')
    expect(await post(tenantId, 'stripe', hook)).toBe(204)
    expect(await state()).toBe('paid')
  })

  test('about a page that nobody here made is taken and forgotten', async () => {
    const { tenantId, events } = await shop('stripe')
    expect(await post(tenantId, 'stripe', completed('cs_test_somebody'))).toBe(204)
    const theirs = await shop('stripe')
    providers.stripe.pay(theirs.pageId)
    expect(await post(tenantId, 'stripe', completed(theirs.pageId)), 'of another tenant').toBe(204)
    expect([await theirs.state(), await events(), await theirs.events()]).toEqual(['open', [], []])
  })

  test('pays the invoice it was for, once, and no other sum does', async () => {
    const { tenantId, auth, open } = await shop('stripe')
    const invoices = gateway.app.slices.entities.of(tenantId).as(auth).template('invoice')
    const line = {
      description: 'Sofa',
      quantity: 1,
      unitPriceMinor: 49_900,
      taxBasisPoints: 0,
      netMinor: 49_900,
      taxMinor: 0,
    }
    const data = { number: 'A-1', currency: 'EUR', lines: [line], netMinor: 49_900, taxMinor: 0, totalMinor: 49_900 }
    const invoice = await invoices.create({ data: { ...data, issuedOn: '2026-11-01', dueOn: '2026-12-01' } })
    const payment = await open('invoice', { invoiceId: invoice.id })
    providers.stripe.pay(payment.providerId ?? '')
    await post(tenantId, 'stripe', completed(payment.providerId ?? ''))
    expect((await invoices.get(invoice.id)).data).toMatchObject({ status: 'paid', paidAt: expect.any(String) })
  })
})

describe('[S000-27] a webhook of PayPal', () => {
  test('takes the money once, however often it comes, and then it is paid', async () => {
    const { tenantId, state, events, pageId } = await shop('paypal')
    const { paypal } = providers
    expect(await post(tenantId, 'paypal', approved(pageId)), 'nobody has agreed').toBe(204)
    expect([await state(), paypal.order(pageId).captures]).toEqual(['open', []])
    paypal.approve(pageId)
    const hook = approved(pageId)
    const all = await Promise.all(Array.from({ length: 20 }, () => post(tenantId, 'paypal', hook)))
    expect(new Set(all)).toEqual(new Set([204]))
    expect(paypal.order(pageId).captures).toHaveLength(1)
    expect([await state(), await events()]).toEqual(['paid', ['payment.paid']])
    const other = await shop('paypal')
    expect(await post(other.tenantId, 'paypal', hook)).toBe(204)
    expect(await post((await shop('stripe')).tenantId, 'paypal', hook)).toBe(401)
  })

  test('whose money is under review is open until the capture is complete', async () => {
    const { tenantId, state, pageId } = await shop('paypal')
    const { paypal } = providers
    paypal.captureStatus = 'PENDING'
    paypal.approve(pageId)
    expect(await post(tenantId, 'paypal', approved(pageId))).toBe(204)
    paypal.captureStatus = 'COMPLETED'
    expect(await state()).toBe('open')
    for (const each of paypal.order(pageId).captures) each.status = 'COMPLETED'
    const related = { supplementary_data: { related_ids: { order_id: pageId } } }
    expect(await post(tenantId, 'paypal', paypal.hook('PAYMENT.CAPTURE.COMPLETED', { id: 'CAP1', ...related }))).toBe(
      204,
    )
    expect(await state()).toBe('paid')
  })
})

test('a page for people who have paid, and one that unsubscribes only when it is asked to', async () => {
  const done = await fetch(`${gateway.url}/v1/payments/done`)
  expect([done.status, done.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const nobody = `${gateway.url}/v1/unsubscribe/ten_x/tok_x`
  expect((await fetch(nobody)).status).toBe(200)
  const oneClick = { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) }
  expect((await fetch(nobody, oneClick)).status).toBe(404)
})
