import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { ManualClock } from '../../test/harness/clock.ts'
import { type FakeProviders, openFakeProviders, type Secrets } from '../../test/harness/fake-providers.ts'
import { QueryWatch } from '../../test/harness/indexed.ts'
import { recordsIn } from '../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import type { TextModels } from '../engines/engines.ts'
import { entityCollections } from '../entities/entities.ts'
import { eventCollections } from '../events/events.ts'
import { asTenantId, newId, type TenantId } from '../platform/ids.ts'
import { ensureIndexes, type Mongo, openMongo } from '../platform/mongo.ts'
import { createEffects, type Effects, effectCollections } from './effects.ts'
import type { Fetch } from './providers/outside-call.ts'

const watch = new QueryWatch()
let store: TestStore
let mongo: Mongo
let providers: FakeProviders
let tenantId: TenantId
let clock: ManualClock
let secrets: Secrets
let replies: Date[]

beforeAll(async () => {
  providers = await openFakeProviders()
  store = await openTestStore()
  mongo = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  await ensureIndexes(mongo.db, [...entityCollections, ...eventCollections, ...effectCollections])
})
afterAll(async () => {
  await mongo.close()
  await store[Symbol.asyncDispose]()
  await providers[Symbol.asyncDispose]()
})
beforeEach(() => {
  tenantId = asTenantId(newId('ten'))
  clock = new ManualClock(new Date().toISOString())
  secrets = {}
  replies = []
})

const noModels = { chain: () => [] } as unknown as TextModels

/** As one process has them. */
function effects(fetching: Fetch = (url, init) => fetch(url, init)): Effects {
  const records = recordsIn(mongo.db)
  const everything = (tenant: TenantId) => authAs(tenant)
  return createEffects({
    ...{ db: mongo.db, ...records, models: noModels, settings: providers.settings, clock },
    ...{ fetch: fetching, guarded: () => fetching, publicUrl: 'https://talk.example', log: pino({ level: 'silent' }) },
    identity: {
      contacts: async () => [],
      authFor: { system: everything } as never,
      secrets: {
        of: () => ({ get: async (name: string) => Object.entries(secrets).find(([key]) => key === name)?.[1] }),
      } as never,
    },
    transcript: {
      of: () => ({
        conversations: {
          list: async () => ({ items: replies.map((at) => ({ id: 'c', updatedAt: at.toISOString() })) }),
        },
        ofConversation: async () =>
          replies.map((at) => ({ role: 'user', channel: 'email', createdAt: at.toISOString() })),
      }),
    } as never,
  })
}

/** A process that dies when the provider has answered: nothing is written down after that. */
function dying(): { readonly effects: Effects; readonly died: Promise<void> } {
  const { promise: died, resolve } = Promise.withResolvers<void>()
  const mortal = effects(async (url, init) => {
    await fetch(url, { ...init, signal: new AbortController().signal })
    resolve()
    return new Promise<never>(() => {})
  })
  return { effects: mortal, died }
}

const by = (key: string) => ({ auth: authAs(tenantId), key, signal: new AbortController().signal })
const records = (type: string) =>
  recordsIn(mongo.db).entities.of(tenantId).as(authAs(tenantId)).list(type, { limit: 100 })
const told = async (type: string) => (await recordsIn(mongo.db).events.of(tenantId).list({ type, limit: 100 })).items
const letter = { to: 'ann@example.com', subject: 'Your sofa', text: 'It is ready.' }

describe('[S000-31] an e-mail', () => {
  test('is one record, one e-mail and one event per key, also twenty times at once', async () => {
    secrets = providers.secrets.resend
    const before = providers.resend.sent.length
    const { mail } = effects()
    const all = await Promise.all(Array.from({ length: 20 }, () => mail.send(letter, by('k'))))
    expect(providers.resend.sent).toHaveLength(before + 1)
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    expect((await mail.send({ ...letter, text: 'Something else.' }, by('k'))).status).toBe('sent')
    expect(providers.resend.sent).toHaveLength(before + 1)
    expect((await records('email')).items).toMatchObject([
      { data: { status: 'sent', to: 'ann@example.com', provider: 'resend', purpose: 'message' } },
    ])
    expect(await told('email.sent')).toHaveLength(1)
  })

  test('without a provider is written down as not sent, with the reason', async () => {
    const mailed = await effects().mail.send(letter, by('k'))
    expect(mailed).toMatchObject({ status: 'not_sent', reason: expect.stringContaining('RESEND_API_KEY') })
    expect(await told('email.not_sent')).toHaveLength(1)
    secrets = { RESEND_API_KEY: providers.resend.apiKey }
    expect(await effects().mail.send(letter, by('k2'))).toMatchObject({ reason: expect.stringContaining('EMAIL_FROM') })
  })

  test('whose process died after the provider had it: Resend is asked again with its key, SendGrid is not', async () => {
    for (const [name, status] of [
      ['resend', 'sent'],
      ['sendgrid', 'unknown'],
    ] as const) {
      secrets = providers.secrets[name]
      const before = providers[name].sent.length
      const { effects: mortal, died } = dying()
      void mortal.mail.send(letter, by(name))
      await died
      expect((await records('email')).items[0]).toMatchObject({ data: { status: 'sending' } })
      const second = await effects().mail.send(letter, by(name))
      expect(second.status, name).toBe(status)
      expect((await effects().mail.send(letter, by(name))).status).toBe(status)
      expect(providers[name].sent, name).toHaveLength(before + 1)
    }
  })

  test('that Resend has forgotten the key of by now is not sent again', async () => {
    secrets = providers.secrets.resend
    const { effects: mortal, died } = dying()
    void mortal.mail.send(letter, by('old'))
    await died
    await clock.advance(24 * 3_600_000)
    const before = providers.resend.sent.length
    expect((await effects().mail.send(letter, by('old'))).status).toBe('unknown')
    expect(providers.resend.sent).toHaveLength(before)
  })

  test('that was refused says why and is not sent', async () => {
    secrets = { ...providers.secrets.resend, RESEND_API_KEY: 're_wrong' }
    expect(await effects().mail.send(letter, by('k'))).toMatchObject({ status: 'failed', reason: /API key is invalid/ })
    expect(await told('email.failed')).toHaveLength(1)
    const nobody = { ...letter, to: 'nobody' }
    await expect(effects().mail.send(nobody, by('k3'))).rejects.toMatchObject({ code: 'invalid' })
  })

  test('needs the right to write one down', async () => {
    secrets = providers.secrets.resend
    const auth = authAs(tenantId, { may: (ability) => ability !== 'entities.write' })
    await expect(effects().mail.send(letter, { ...by('k'), auth })).rejects.toMatchObject({ code: 'forbidden' })
  })
})

const wanted = { description: 'Sofa', lines: [{ name: 'Sofa', unitMinor: 49_900, quantity: 1 }], currency: 'EUR' }

describe.each(['stripe', 'paypal'] as const)('[S000-27] a payment by %s', (name) => {
  beforeEach(() => {
    secrets = providers.secrets[name]
  })
  const count = () => (name === 'stripe' ? providers.stripe.sessions.size : providers.paypal.orders.size)

  test('is one page per key, also when its process died after the provider had made it', async () => {
    const before = count()
    const { effects: mortal, died } = dying()
    // PayPal's first answer is a token: it dies over the second one.
    if (name === 'paypal') await effects().payments.open(wanted, by('token'))
    void mortal.payments.open(wanted, by('k'))
    await died
    const payment = await effects().payments.open(wanted, by('k'))
    expect(payment).toMatchObject({
      status: 'open',
      amountMinor: 49_900,
      live: false,
      url: expect.stringMatching(/^https/),
    })
    expect(await effects().payments.open(wanted, by('k'))).toEqual(payment)
    expect(count()).toBe(before + (name === 'paypal' ? 2 : 1))
    expect((await records('payment')).items.filter(({ data }) => data.providerRef === payment.providerId)).toHaveLength(
      1,
    )
  })

  test('that nobody may pay for is refused', async () => {
    const free = { ...wanted, lines: [{ name: 'Air', unitMinor: 0, quantity: 1 }] }
    await expect(effects().payments.open(free, by('free'))).rejects.toMatchObject({ code: 'invalid' })
    secrets = {}
    await expect(effects().payments.open(wanted, by('none'))).rejects.toMatchObject({ code: 'unsupported' })
  })
})

describe('[S000-28] a workflow', () => {
  const start = { workflow: 'Lead', payload: { email: 'ann@example.com' }, agent: { id: 'agt_1', name: 'Agent' } }
  beforeEach(async () => {
    secrets = providers.secrets.n8n
    const mine = recordsIn(mongo.db).entities.of(tenantId).as(authAs(tenantId)).template('workflow')
    await mine.create({ data: { name: 'Lead', path: 'lead', requires: ['email'] } })
    providers.n8n.workflow('lead')
  })

  test('is started once per key, also twenty times at once, and its run is recorded', async () => {
    const before = providers.n8n.runs.length
    const all = await Promise.all(Array.from({ length: 20 }, () => effects().workflows.trigger(start, by('k'))))
    expect(providers.n8n.runs).toHaveLength(before + 1)
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    const [run] = (await records('workflow-run')).items
    expect(run?.data.workflowName).toBe('Lead')
  })

  test('whose process died after it was posted is unknown, and is not started again', async () => {
    const before = providers.n8n.runs.length
    const { effects: mortal, died } = dying()
    void mortal.workflows.trigger(start, by('k'))
    await died
    const again = await effects().workflows.trigger(start, by('k'))
    expect(again).toMatchObject({ status: 'unknown' })
    expect(await effects().workflows.run(authAs(tenantId), again.id)).toMatchObject({ status: 'unknown' })
    expect(providers.n8n.runs).toHaveLength(before + 1)
  })

  test('that is switched off, not there, or without a server is refused before anything is sent', async () => {
    const { workflows } = effects()
    const before = providers.n8n.received.length
    await expect(workflows.trigger({ ...start, workflow: 'none' }, by('a'))).rejects.toMatchObject({
      code: 'not_found',
    })
    secrets = {}
    await expect(workflows.trigger(start, by('c'))).rejects.toMatchObject({ code: 'unsupported' })
    await expect(records('workflow-run'), 'not even their type is there').rejects.toMatchObject({ code: 'not_found' })
    expect(providers.n8n.received).toHaveLength(before)
  })
})

describe('[S000-29] a sequence', () => {
  const person = { email: 'Ann@example.com', name: 'Ann', contactId: 'cont_1' }
  const auth = () => authAs(tenantId)
  let sequences: Effects['sequences']
  const got = () => providers.resend.sent.filter(({ headers }) => headers?.['List-Unsubscribe']?.includes(tenantId))
  beforeEach(async () => {
    secrets = providers.secrets.resend
    ;({ sequences } = effects())
    const mine = recordsIn(mongo.db).entities.of(tenantId).as(auth()).template('sequence')
    const steps = [
      { subject: 'Welcome {{name}}', text: 'Hello {{name}}, good to have you.' },
      { subject: 'How is it?', text: 'Tell us.', delayMinutes: 60 },
      { subject: 'Bye', text: 'Last one.', delayMinutes: 1_440 },
    ]
    await mine.create({ data: { name: 'Welcome', steps } })
  })
  const add = (key = 'k') => sequences.add(auth(), { sequence: 'Welcome', person, key })
  const status = async () => (await sequences.status(auth(), { person }))[0]

  test('sends step 1, then shows the next step and its time, then goes on by the clock to its end', async () => {
    const nowMs = clock.now()
    expect(await add()).toMatchObject({ status: 'active', sent: [], next: { step: 1, subject: 'Welcome Ann' } })
    expect(await sequences.sendDue()).toEqual({ sent: 1, held: 0 })
    expect(got()).toMatchObject([{ subject: 'Welcome Ann', to: ['ann@example.com'] }])
    expect(got()[0]?.text).toMatch(
      /^Hello Ann, good to have you\.\n\n--\nUnsubscribe: https:\/\/talk\.example\/v1\/unsubscribe\//,
    )
    expect(await status()).toMatchObject({
      status: 'active',
      sent: [{ step: 1, subject: 'Welcome Ann', status: 'sent' }],
      next: { step: 2, subject: 'How is it?', at: new Date(nowMs + 3_600_000).toISOString() },
    })
    expect(await sequences.sendDue()).toEqual({ sent: 0, held: 0 })
    await clock.advance(3_600_000)
    await sequences.sendDue()
    await clock.advance(86_400_000)
    await sequences.sendDue()
    await clock.advance(86_400_000)
    expect(await sequences.sendDue()).toEqual({ sent: 0, held: 0 })
    expect(got().map(({ subject }) => subject)).toEqual(['Welcome Ann', 'How is it?', 'Bye'])
    expect(await status()).toMatchObject({ status: 'done', next: null })
    expect(await told('sequence.added')).toHaveLength(1)
    expect(await told('sequence.done')).toHaveLength(1)
  })

  test('sends each step once, by ten processes at once and after one that died over it', async () => {
    await add()
    const { effects: mortal, died } = dying()
    void mortal.sequences.sendDue()
    await died
    await Promise.all(Array.from({ length: 10 }, () => effects().sequences.sendDue()))
    expect(got()).toHaveLength(1)
    // It was claimed for five minutes by the one that died.
    await clock.advance(5 * 60_000)
    await Promise.all(Array.from({ length: 10 }, () => effects().sequences.sendDue()))
    expect(got()).toHaveLength(1)
    expect(await status()).toMatchObject({ sent: [{ step: 1, status: 'sent' }], next: { step: 2 } })
  })

  test('stays where it is for whoever is in; whoever was through may come in again, once per call', async () => {
    await add('first')
    await sequences.sendDue()
    expect(await add('second')).toMatchObject({ next: { step: 2 } })
    expect(await sequences.remove(auth(), { person })).toBe(1)
    expect(await sequences.remove(auth(), { person })).toBe(0)
    expect(await add('first'), 'a call that is repeated').toMatchObject({ status: 'stopped', reason: 'removed' })
    expect(await add('third')).toMatchObject({ status: 'active', sent: [], next: { step: 1 } })
    await sequences.sendDue()
    expect(got()).toHaveLength(2)
  })

  test('ends with unsubscribing, by the address in the e-mail only, and for good', async () => {
    await add()
    await sequences.sendDue()
    const url = got()[0]?.headers?.['List-Unsubscribe'] ?? ''
    const [, tenant = '', token = ''] = /unsubscribe\/(\w+)\/(\w+)>/.exec(url) ?? []
    expect(await sequences.unsubscribe(tenantId, 'tok_other')).toBe(false)
    expect(await sequences.unsubscribe(asTenantId('ten_other'), token)).toBe(false)
    expect(await sequences.unsubscribe(asTenantId(tenant), token)).toBe(true)
    expect(await status()).toMatchObject({ status: 'stopped', reason: 'unsubscribed', next: null })
    await clock.advance(3_600_000)
    await sequences.sendDue()
    expect(got()).toHaveLength(1)
    await expect(add('again')).rejects.toMatchObject({ code: 'unsupported' })
  })

  test('ends when the person answers by e-mail', async () => {
    await add()
    await sequences.sendDue()
    replies.push(new Date(clock.now() + 60_000))
    await clock.advance(3_600_000)
    expect(await sequences.sendDue()).toEqual({ sent: 0, held: 1 })
    expect(await status()).toMatchObject({ status: 'stopped', reason: 'replied' })
    expect(got()).toHaveLength(1)
  })

  test('tries again what surely was not sent, three times, then stops and says so', async () => {
    secrets = {}
    await add()
    for (const minutes of [0, 10, 60]) {
      await clock.advance(minutes * 60_000)
      await sequences.sendDue()
    }
    expect(await status()).toMatchObject({ status: 'stopped', reason: 'failed', next: null })
    expect((await records('email')).items.map(({ data }) => data.status)).toEqual(['not_sent', 'not_sent', 'not_sent'])
    secrets = providers.secrets.resend
    await add('now')
    await sequences.sendDue()
    expect(await status()).toMatchObject({ status: 'active', sent: [{ step: 1 }] })
  })

  test('that is paused sends nothing and takes nobody in, until it goes on', async () => {
    await add()
    const mine = recordsIn(mongo.db).entities.of(tenantId).as(auth()).template('sequence')
    const [view] = (await mine.list({ limit: 1 })).items
    await mine.update(view?.id ?? '', { data: { status: 'paused' } })
    expect(await sequences.sendDue()).toEqual({ sent: 0, held: 1 })
    await expect(
      sequences.add(auth(), { sequence: 'Welcome', person: { email: 'b@example.com' }, key: 'b' }),
    ).rejects.toMatchObject({
      code: 'unsupported',
    })
    await mine.update(view?.id ?? '', { data: { status: 'active' } })
    await clock.advance(15 * 60_000)
    expect(await sequences.sendDue()).toEqual({ sent: 1, held: 0 })
  })
})

describe('[S000-32] registrations', () => {
  const actor = authAs('x').actor
  const eventId = 'ent_hall'
  const registering = (email: string, capacity: number | undefined = 20) => ({
    ...{ tenantId, eventId, capacity, person: { email }, actor },
  })

  test('fifty at once for twenty seats: twenty are in, thirty wait, nobody twice', async () => {
    const { registrations } = effects()
    const emails = Array.from({ length: 50 }, (_, n) => `p${n}@example.com`)
    const all = await Promise.all(emails.map((email) => registrations.register(registering(email))))
    expect(await registrations.attendance(tenantId, eventId)).toEqual({ registered: 20, waiting: 30 })
    const seats = all.flatMap(({ seat }) => (seat === undefined ? [] : [seat]))
    expect(new Set(seats).size).toBe(20)
    const again = await Promise.all(emails.map((email) => registrations.register(registering(email.toUpperCase()))))
    expect(again.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
    expect(await registrations.attendance(tenantId, eventId)).toEqual({ registered: 20, waiting: 30 })
    expect(await told('registration.registered')).toHaveLength(20)
  })

  test('one person fifty times at once is one registration', async () => {
    const { registrations } = effects()
    const all = await Promise.all(
      Array.from({ length: 50 }, () => registrations.register(registering('a@example.com', 2))),
    )
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    expect(await registrations.attendance(tenantId, eventId)).toEqual({ registered: 1, waiting: 0 })
  })

  test('a seat that comes free goes to whoever has waited longest', async () => {
    const { registrations } = effects()
    for (const name of ['a', 'b', 'c', 'd']) {
      await registrations.register(registering(`${name}@example.com`, 2))
      await clock.advance(1_000)
    }
    expect(await registrations.cancel(registering('a@example.com', 2))).toEqual({ promoted: true })
    expect(await registrations.cancel(registering('a@example.com', 2))).toBeUndefined()
    const emails = async () =>
      (await registrations.list(tenantId, eventId, 10)).map(({ email, status }) => [email?.[0], status])
    expect(await emails()).toEqual([
      ['b', 'registered'],
      ['c', 'registered'],
      ['d', 'waiting'],
    ])
    expect(await registrations.register(registering('a@example.com', 2))).toMatchObject({ status: 'waiting' })
    expect(await registrations.fill(tenantId, eventId, { capacity: 3, actor })).toBe(1)
    expect(await registrations.attendance(tenantId, eventId)).toEqual({ registered: 3, waiting: 1 })
  })

  test('a capacity that was lowered takes nobody in before enough have gone', async () => {
    const { registrations } = effects()
    for (const name of ['a', 'b', 'c']) await registrations.register(registering(`${name}@example.com`, 3))
    expect(await registrations.register(registering('d@example.com', 2))).toMatchObject({ status: 'waiting' })
    expect(await registrations.cancel(registering('a@example.com', 2))).toEqual({ promoted: false })
    expect(await registrations.cancel(registering('b@example.com', 2))).toEqual({ promoted: true })
    expect(await registrations.attendance(tenantId, eventId)).toEqual({ registered: 2, waiting: 0 })
  })

  test('without a capacity everybody may come', async () => {
    const { registrations } = effects()
    const all = Array.from({ length: 30 }, (_, n) =>
      registrations.register({ ...registering(`p${n}@example.com`), capacity: undefined }),
    )
    await Promise.all(all)
    expect(await registrations.attendance(tenantId, eventId)).toEqual({ registered: 30, waiting: 0 })
  })
})

test('every query of these stores has an index', async () => {
  expect(watch.seen).toBeGreaterThan(20)
  expect(
    await watch.scans(
      mongo.db,
      effectCollections.map(({ name }) => name),
    ),
  ).toEqual([])
})
