// What leaves the gateway: payments, workflows, e-mails and sequences of them.

import { expect } from 'vitest'
import type { FakePayPal } from '../../harness/fake-paypal.ts'
import type { FakeStripe } from '../../harness/fake-stripe.ts'
import { furniture } from './products.ts'
import type { Scene, Told, ToolCase } from './scene.ts'

type Hook = ReturnType<FakeStripe['hook']> | ReturnType<FakePayPal['hook']>

/** As the provider posts it. Returns the status. */
async function post(
  { place, tenantId }: Scene,
  provider: 'stripe' | 'paypal',
  { body, headers }: Hook,
): Promise<number> {
  const { status } = await fetch(`${place.gateway.url}/webhook/${provider}/${tenantId}`, {
    method: 'POST',
    body,
    headers,
  })
  return status
}

const bob = { contact: { email: 'bob@example.com' } }
const amount = { amountMinor: 1_999, currency: 'EUR', description: 'Deposit' }

/** Of the page that the tool answered with, at the provider. */
const pageOf = (told: Told): string => String(told.url).match(/cs_test_\w+|(?<=token=)\w+/)?.[0] ?? ''

export const paymentCases: readonly ToolCase[] = [
  {
    ...{ tool: 'create_checkout_session', id: 'S000-27', with: ['check_payment_status'] },
    says: 'a checkout page is returned, at the catalogue’s prices; the status turns paid after Stripe’s webhook',
    async run(scene) {
      const { stripe } = scene.providers
      await furniture(scene)
      const products = [
        { product: 'alba', quantity: 2 },
        { product: 'stella', quantity: 1 },
      ]
      expect(await scene.call('create_checkout_session', { products })).toMatchObject({
        error: { code: 'unsupported' },
      })
      await scene.secrets(scene.providers.secrets.stripe)
      const made = await scene.call('create_checkout_session', { products }, bob)
      expect(made).toMatchObject({
        ...{ status: 'open', amountMinor: 100_985, currency: 'EUR', provider: 'stripe', test: true },
        url: expect.stringMatching(/^https:\/\/checkout\.stripe\.com\//),
      })
      const session = stripe.session(pageOf(made))
      expect(session).toMatchObject({ amount_total: 100_985, currency: 'eur', metadata: { tenantId: scene.tenantId } })
      const { payment } = made
      stripe.pay(session.id)
      expect(await scene.call('check_payment_status', { payment }, bob)).toMatchObject({ status: 'open' })
      expect(await post(scene, 'stripe', stripe.hook('checkout.session.completed', { ...session }))).toBe(204)
      const paid = await scene.call('check_payment_status', { payment }, bob)
      expect(paid).toMatchObject({ status: 'paid', amountMinor: 100_985, paidAt: expect.any(String) })
      expect(await scene.records('payment')).toMatchObject([{ data: { status: 'paid', amountMinor: 100_985 } }])
    },
  },
  {
    ...{ tool: 'check_payment_status', id: 'S000-27', with: ['create_checkout_session'] },
    says: 'PayPal takes the money once the person agreed, and the status turns paid; another person’s payment is not found',
    async run(scene) {
      const { paypal } = scene.providers
      await scene.secrets(scene.providers.secrets.paypal)
      const made = await scene.call('create_checkout_session', amount, bob)
      expect(made).toMatchObject({ status: 'open', provider: 'paypal', amountMinor: 1_999 })
      const order = pageOf(made)
      paypal.approve(order)
      expect(await post(scene, 'paypal', paypal.hook('CHECKOUT.ORDER.APPROVED', { id: order }))).toBe(204)
      expect(paypal.order(order).captures).toMatchObject([{ amount: { value: '19.99', currency_code: 'EUR' } }])
      const { payment } = made
      expect(await scene.call('check_payment_status', { payment }, bob)).toMatchObject({ status: 'paid' })
      const mallory = { contact: { email: 'mallory@example.com' } }
      expect(await scene.call('check_payment_status', { payment }, mallory)).toMatchObject({
        error: { code: 'not_found' },
      })
    },
  },
]

async function lead({ place, tenantId }: Pick<Scene, 'place' | 'tenantId'>, path: string): Promise<void> {
  const { entities, identity } = place.gateway.app.slices
  const workflows = entities.of(tenantId).as(identity.authFor.system(tenantId)).template('workflow')
  await workflows.create({ data: { name: 'New lead', description: 'Tells sales.', path, requires: ['email'] } })
}

export const workflowCases: readonly ToolCase[] = [
  {
    ...{ tool: 'list_workflows', id: 'S000-28' },
    says: 'the workflows of the tenant are listed with what each needs',
    async run(scene) {
      await lead(await scene.another(), 'canary')
      await lead(scene, 'lead')
      expect(await scene.call('list_workflows', {})).toMatchObject({
        count: 1,
        items: [{ name: 'New lead', description: 'Tells sales.', requires: ['email'] }],
      })
    },
  },
  {
    ...{ tool: 'trigger_workflow', id: 'S000-28', with: ['get_workflow_run'] },
    says: 'the payload is posted once, and the run is recorded',
    async run(scene) {
      const { n8n } = scene.providers
      const path = `lead-${scene.tenantId}`
      n8n.workflow(path, { status: 200, json: { ticket: 7 } })
      await Promise.all([lead(scene, path), scene.secrets(scene.providers.secrets.n8n)])
      expect(await scene.call('trigger_workflow', { workflow: 'New lead' })).toMatchObject({
        error: { code: 'invalid' },
      })
      const payload = { email: 'ann@example.com', note: 'Größe ✓' }
      const run = await scene.call('trigger_workflow', { workflow: 'New lead', payload }, bob)
      expect(run).toMatchObject({ status: 'done', answer: { ticket: 7 } })
      const [posted, ...others] = n8n.runs.filter((each) => each.path === path)
      expect(others).toEqual([])
      expect(JSON.parse(posted?.body ?? '')).toMatchObject({ id: run.id, workflow: 'New lead', payload })
      expect(await scene.records('workflow-run')).toMatchObject([{ data: { status: 'done', payload } }])
      expect(await scene.call('get_workflow_run', { run: run.id }, bob)).toMatchObject({ status: 'done' })
    },
  },
  {
    ...{ tool: 'get_workflow_run', id: 'S000-28', with: ['trigger_workflow'] },
    says: 'a run whose answer was lost is told as unknown, and was posted once',
    async run(scene) {
      const { n8n } = scene.providers
      const path = `lost-${scene.tenantId}`
      n8n.workflow(path).breaks('cut-after')
      await Promise.all([lead(scene, path), scene.secrets(scene.providers.secrets.n8n)])
      const told = await scene.call('trigger_workflow', { workflow: 'New lead', payload: { email: 'a@example.com' } })
      expect(told).toMatchObject({ error: { code: 'unknown' } })
      const [run] = await scene.records('workflow-run')
      expect(await scene.call('get_workflow_run', { run: run?.id })).toMatchObject({ status: 'unknown' })
      expect(n8n.runs.filter((each) => each.path === path)).toHaveLength(1)
    },
  },
]

const mails = ({ providers, tenantId }: Scene) => providers.resend.sent.filter(({ text }) => text?.includes(tenantId))

async function eventTypes({ place, tenantId }: Scene): Promise<readonly string[]> {
  const { items } = await place.gateway.app.slices.events.of(tenantId).list({ limit: 100 })
  return items.map(({ type }) => type).filter((type) => type.startsWith('email.'))
}

export const emailCases: readonly ToolCase[] = [
  {
    ...{ tool: 'send_email', id: 'S000-31' },
    says: 'an e-mail goes out word for word and is logged; without a provider it is told as not sent',
    async run(scene) {
      const letter = { subject: 'Ready', text: `Your sofa is ready. ${scene.tenantId}` }
      expect(await scene.call('send_email', letter, bob)).toMatchObject({ error: { code: 'not_sent' } })
      await scene.secrets(scene.providers.secrets.resend)
      expect(await scene.call('send_email', letter, bob)).toMatchObject({ status: 'sent', provider: 'resend' })
      expect(mails(scene)).toMatchObject([{ to: ['bob@example.com'], from: 'Shop <hello@shop.example>', ...letter }])
      expect(await scene.call('send_email', letter)).toMatchObject({ error: { code: 'invalid' } })
      expect(await scene.records('email')).toMatchObject([
        { data: { status: 'not_sent' } },
        { data: { status: 'sent' } },
      ])
      expect((await eventTypes(scene)).toSorted()).toEqual(['email.not_sent', 'email.sent'])
    },
  },
  {
    ...{ tool: 'send_ai_email', id: 'S000-31' },
    says: 'a text model drafts it, then it is sent; both are logged',
    async run(scene) {
      await scene.secrets(scene.providers.secrets.resend)
      const instructions = `Thank Ann for visiting ${scene.tenantId}.`
      const text = `Dear Ann,\n\nthank you for visiting ${scene.tenantId}.`
      scene.place.model.on(new RegExp(`^Thank Ann for visiting ${scene.tenantId}`), {
        say: `Subject: Thank you\n\n${text}`,
      })
      const told = await scene.call('send_ai_email', { instructions, email: 'ann@example.com', language: 'en' })
      expect(told).toMatchObject({ status: 'sent', subject: 'Thank you' })
      expect(mails(scene)).toMatchObject([{ to: ['ann@example.com'], subject: 'Thank you', text }])
      expect(await scene.records('email')).toMatchObject([{ data: { draftedBy: 'local:m', text, status: 'sent' } }])
      expect(await eventTypes(scene)).toEqual(['email.sent'])
      scene.place.model.on(/^Say nothing/, { say: 'I will not.' })
      expect(
        await scene.call('send_ai_email', { instructions: 'Say nothing.', email: 'ann@example.com' }),
      ).toMatchObject({
        error: { code: 'engine_refused' },
      })
      expect(mails(scene)).toHaveLength(1)
    },
  },
  {
    ...{ tool: 'get_email_status', id: 'S000-31', with: ['send_email'] },
    says: 'what the provider says of an e-mail is told; another person’s is not found',
    async run(scene) {
      await scene.secrets(scene.providers.secrets.resend)
      const { email } = await scene.call('send_email', { subject: 'Hi', text: `Hi ${scene.tenantId}` }, bob)
      const [sent] = mails(scene)
      if (sent !== undefined) sent.lastEvent = 'delivered'
      expect(await scene.call('get_email_status', { email }, bob)).toMatchObject({
        status: 'sent',
        delivery: 'delivered',
      })
      const mallory = { contact: { email: 'mallory@example.com' } }
      expect(await scene.call('get_email_status', { email }, mallory)).toMatchObject({ error: { code: 'not_found' } })
    },
  },
]

async function welcome({ place, tenantId }: Scene): Promise<void> {
  const { entities, identity } = place.gateway.app.slices
  const sequences = entities.of(tenantId).as(identity.authFor.system(tenantId)).template('sequence')
  const steps = [
    { subject: 'Welcome', text: `Welcome to ${tenantId}.` },
    { subject: 'How is it?', text: 'Tell us.', delayMinutes: 2_880 },
  ]
  await sequences.create({ data: { name: 'Welcome', steps } })
}
const sequence = 'Welcome'

export const sequenceCases: readonly ToolCase[] = [
  {
    ...{ tool: 'list_sequences', id: 'S000-29' },
    says: 'the sequences of the tenant are listed',
    async run(scene) {
      await welcome(await scene.another())
      expect(await scene.call('list_sequences', {})).toMatchObject({ count: 0 })
      await welcome(scene)
      expect(await scene.call('list_sequences', {})).toMatchObject({ count: 1, items: [{ name: 'Welcome', steps: 2 }] })
    },
  },
  {
    ...{ tool: 'add_to_sequence', id: 'S000-29', with: ['get_sequence_status'] },
    says: 'the person gets step 1, and the status shows the next step and its time',
    async run(scene) {
      await Promise.all([welcome(scene), scene.secrets(scene.providers.secrets.resend)])
      expect(await scene.call('add_to_sequence', { sequence }, bob)).toMatchObject({
        status: 'active',
        next: { step: 1 },
      })
      await scene.place.gateway.app.slices.effects.sequences.sendDue()
      await expect.poll(() => mails(scene)).toMatchObject([{ to: ['bob@example.com'], subject: 'Welcome' }])
      const status = await scene.call('get_sequence_status', { sequence }, bob)
      expect(status).toMatchObject({
        count: 1,
        items: [{ sent: [{ step: 1, subject: 'Welcome' }], next: { step: 2, subject: 'How is it?' } }],
      })
    },
  },
  {
    ...{ tool: 'get_sequence_status', id: 'S000-29', with: ['add_to_sequence'] },
    says: 'of the person on the other side, whoever the model names',
    async run(scene) {
      await welcome(scene)
      await scene.call('add_to_sequence', { sequence }, bob)
      expect(await scene.call('get_sequence_status', {}, bob)).toMatchObject({ count: 1 })
      const mallory = { contact: { email: 'mallory@example.com' } }
      expect(await scene.call('get_sequence_status', { email: 'bob@example.com' }, mallory)).toMatchObject({ count: 0 })
      expect(await scene.call('get_sequence_status', { email: 'bob@example.com' })).toMatchObject({ count: 1 })
    },
  },
  {
    ...{ tool: 'remove_from_sequence', id: 'S000-29', with: ['add_to_sequence', 'get_sequence_status'] },
    says: 'whoever is taken out gets nothing more',
    async run(scene) {
      await Promise.all([welcome(scene), scene.secrets(scene.providers.secrets.resend)])
      const { providers } = scene
      providers.resend.breaks({
        status: 429,
        json: { statusCode: 429, name: 'rate_limit_exceeded', message: 'Slow down' },
      })
      await scene.call('add_to_sequence', { sequence }, bob)
      expect(await scene.call('remove_from_sequence', { sequence }, bob)).toMatchObject({ removed: 1 })
      const status = await scene.call('get_sequence_status', {}, bob)
      expect(status).toMatchObject({ items: [{ status: 'stopped', reason: 'removed', next: null }] })
    },
  },
]

export const effectCases: readonly ToolCase[] = [...paymentCases, ...workflowCases, ...emailCases, ...sequenceCases]
