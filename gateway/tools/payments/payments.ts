// Payments that agents ask people for. Owns what was asked and how it stands: the one place where `paid` is decided, by what the
// provider's API says after its webhook. The entity that people look at is written from here and never read.

import type { Entities } from '../../entities/entities.ts'
import type { Events } from '../../events/events.ts'
import type { Actor, AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { idOf, type TenantId } from '../../platform/ids.ts'
import type { Log } from '../../platform/log.ts'
import { found, Problem } from '../../platform/problem.ts'
import type { HookRequest, OrderLine, PaymentName, PaymentProvider } from '../providers/payments.ts'
import type { Providers } from '../providers/providers.ts'
import { judged } from './judge.ts'
import type { Payment, paymentStore } from './store.ts'

export interface Wanted {
  readonly description: string
  readonly lines: readonly OrderLine[]
  /** ISO 4217, capitals. */
  readonly currency: string
  readonly provider?: PaymentName | undefined
  readonly email?: string | undefined
  readonly contactId?: string | undefined
  readonly channel?: string | undefined
  readonly conversationId?: string | undefined
  readonly invoiceId?: string | undefined
}

export interface PaymentBy {
  readonly auth: AuthContext
  /** The same key is one payment. */
  readonly key: string
  readonly signal: AbortSignal
}

export interface Payments {
  /** `unsupported` without a provider, `unavailable` when it does not answer: nobody can pay on a page that nobody was told of. */
  open(wanted: Wanted, by: PaymentBy): Promise<Payment>
  /** As its webhooks left it. `not_found` for what the caller may not see. */
  get(auth: AuthContext, id: string): Promise<Payment>
  /** `unauthenticated` for what is not signed, `unavailable` when the provider's API does not answer: it is to be sent again. */
  takeHook(tenantId: TenantId, name: PaymentName, request: HookRequest): Promise<void>
}

export interface PaymentsDeps {
  readonly store: ReturnType<typeof paymentStore.open>
  readonly entities: Entities
  readonly events: Events
  readonly providers: Pick<Providers, 'payments' | 'readHook' | 'returnUrl'>
  readonly system: (tenantId: TenantId, actor: Actor) => AuthContext
  /** Of this gateway: people come back to a page of it where the tenant names none. */
  readonly publicUrl: string
  readonly clock: Clock
  readonly log: Log
}

/** A card payment of more is no matter for an agent. 1,000,000.00 of most currencies. */
const maxMinor = 100_000_000

export function createPayments(deps: PaymentsDeps): Payments {
  return {
    open: (wanted, by) => open(deps, wanted, by),
    async get(auth, id) {
      await deps.entities.of(auth.tenantId).as(auth).template('payment').get(slugOf(id))
      return found(await deps.store.get(auth.tenantId, id))
    },
    takeHook: (tenantId, name, request) => takeHook(deps, { tenantId, name, request }),
  }
}

const slugOf = (id: string) => id.replace('_', '-')

async function open(deps: PaymentsDeps, wanted: Wanted, { auth, key, signal }: PaymentBy): Promise<Payment> {
  const { tenantId } = auth
  if (!auth.may('entities.write', 'payment')) throw new Problem('forbidden')
  const { provider: name, ...facts } = wanted
  const amountMinor = wanted.lines.reduce((sum, { unitMinor, quantity }) => sum + unitMinor * quantity, 0)
  if (amountMinor < 1 || amountMinor > maxMinor) throw new Problem('invalid', 'That is no amount to be paid.')
  const all = await deps.providers.payments(tenantId)
  const chosen = all.find((each) => name === undefined || each.name === name)
  if (chosen === undefined) throw noProvider(name)
  const returnUrl = (await deps.providers.returnUrl(tenantId)) ?? `${deps.publicUrl}/v1/payments/done`
  const id = idOf('pay', tenantId, key)
  const order = { ...facts, id, amountMinor, provider: chosen.name, live: chosen.live }
  const urls = { successUrl: returnUrl, cancelUrl: returnUrl }
  const begun = await deps.store.begin(tenantId, { ...order, ...urls }, new Date(deps.clock.now()))
  if (begun.status === 'opening') {
    // An attempt before may have asked another one: only that one knows the key.
    const provider = all.find((each) => each.name === begun.provider && each.live === begun.live)
    if (provider === undefined) throw noProvider(begun.provider)
    await ask(deps, provider, { tenantId, payment: begun, signal })
  }
  const payment = found(await deps.store.get(tenantId, id))
  await show(deps, auth, payment)
  return payment
}

const noProvider = (name: PaymentName | undefined) =>
  new Problem(
    'unsupported',
    `No payment provider is connected here${name === undefined ? '' : ` by the name ${name}`}.`,
  )

interface Asking {
  readonly tenantId: TenantId
  readonly payment: Payment
  readonly signal: AbortSignal
}

async function ask(
  { store, clock, log }: PaymentsDeps,
  provider: PaymentProvider,
  { tenantId, payment, signal }: Asking,
): Promise<void> {
  const { id: paymentId, ...order } = payment
  // Made of tenant and key: two tenants may use one account.
  const answer = await provider.open({ ...order, paymentId, tenantId }, { key: paymentId, signal })
  if (answer.is === 'opened') {
    const { providerId, url } = answer
    return store.opened(tenantId, paymentId, { providerId, url, now: new Date(clock.now()) })
  }
  log.warn({ tenantId, paymentId, provider: provider.name, why: answer.why }, 'a payment page was not opened')
  if (answer.is === 'unknown')
    throw new Problem('unavailable', 'The payment provider does not answer. Nobody was charged.')
  throw new Problem('unsupported', 'The payment provider did not take it. Nobody was charged.')
}

interface Arriving {
  readonly tenantId: TenantId
  readonly name: PaymentName
  readonly request: HookRequest
}

async function takeHook(deps: PaymentsDeps, { tenantId, name, request }: Arriving): Promise<void> {
  const { store, providers, clock } = deps
  const hook = await providers.readHook(name, request, tenantId)
  if (hook.is === 'forged') throw new Problem('unauthenticated')
  if (hook.is === 'ignored' || (await store.isKnown(tenantId, name, hook.eventId))) return
  const payment = await store.ofProvider(tenantId, name, hook.providerId)
  // The tenant's account serves others than this gateway.
  if (payment === undefined) return
  const provider = (await providers.payments(tenantId)).find((each) => each.name === name)
  if (provider === undefined) throw new Problem('unauthenticated')
  const signal = AbortSignal.timeout(hookTimeoutMs)
  const standing = hook.approved
    ? await provider.capture(hook.providerId, { key: `${payment.id}-capture`, signal })
    : await provider.find(hook.providerId, signal)
  if (standing.is === 'unreachable') throw new Problem('unavailable', undefined, { cause: new Error(standing.why) })
  const judgement = judged(payment, standing.standing)
  if (judgement !== undefined) {
    await store.settle(tenantId, payment.id, judgement, new Date(clock.now()))
    await follow(deps, tenantId, found(await store.get(tenantId, payment.id)))
  }
  await store.know(tenantId, name, { eventId: hook.eventId, now: new Date(clock.now()) })
}

/** The provider waits for our answer and repeats what it gets none for. */
const hookTimeoutMs = 10_000

/** All that follows from how a payment stands. Done again, it changes nothing: whoever dies over it leaves it to the next hook. */
async function follow(deps: PaymentsDeps, tenantId: TenantId, payment: Payment): Promise<void> {
  const { id, provider, status, reason, invoiceId, amountMinor, currency } = payment
  const actor: Actor = { kind: 'webhook', id: provider, name: provider }
  const auth = deps.system(tenantId, actor)
  const record = await show(deps, auth, payment)
  if (status === 'paid' && invoiceId !== undefined) await payInvoice(deps, auth, payment)
  if (status === 'quarantined')
    deps.log.error(
      { tenantId, paymentId: id, provider, reason },
      'a payment is not as it was asked for: somebody must look at it',
    )
  await deps.events.of(tenantId).emit({
    id: idOf('evt', tenantId, id, status),
    type: `payment.${status}`,
    actor,
    entity: { type: 'payment', id: record ?? id },
    payload: { amountMinor, currency, provider, ...(reason === undefined ? {} : { reason }) },
  })
}

async function payInvoice(deps: PaymentsDeps, auth: AuthContext, { invoiceId = '', paidAt, ...payment }: Payment) {
  const invoices = deps.entities.of(auth.tenantId).as(auth).template('invoice')
  const paid = invoices.change(invoiceId, ({ status, totalMinor, currency }) => {
    const isWhole = totalMinor === payment.amountMinor && currency === payment.currency
    return status === 'open' && isWhole ? { status: 'paid', paidAt: paidAt?.toISOString() } : undefined
  })
  await paid.catch((error: unknown) => {
    // Taken away meanwhile: the payment stands all the same.
    if (!(error instanceof Problem && error.code === 'not_found')) throw error
  })
}

/** The record for people, as the payment stands now; its id. */
async function show({ entities }: PaymentsDeps, auth: AuthContext, payment: Payment): Promise<string | undefined> {
  const { id, providerId, status, url, description, amountMinor, currency, live, provider, paidAt, reason } = payment
  if (status === 'opening' || providerId === undefined || url === undefined) return undefined
  const records = entities.of(auth.tenantId).as(auth).template('payment')
  const { email, contactId, channel, conversationId, invoiceId } = payment
  const optional = { email, contactId, channel, conversationId, invoiceId, reason, paidAt: paidAt?.toISOString() }
  const data = {
    ...{ description, amountMinor, currency, provider, status, url, providerRef: providerId, isLive: live },
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  }
  const made = await records.create({ slug: slugOf(id), key: id, data })
  // Whoever read it earlier may write later.
  const isOver = (now: string) => now === status || now === 'paid' || now === 'quarantined'
  await records.change(made.id, (now) => (isOver(now.status) ? undefined : data))
  return made.id
}
