// Whom a tenant's effects go through, by the keys that it has. Keys are the tenant's secrets, by the names below; e-mail may go
// through the operator's own account too. Money never does: it would come to the wrong account.

import type { Clock } from '../../platform/clock.ts'
import type { TenantId } from '../../platform/ids.ts'
import type { EmailProvider } from './email.ts'
import { createN8n, type WorkflowProvider } from './n8n.ts'
import type { Fetch } from './outside-call.ts'
import type { Hook, HookRequest, PaymentName, PaymentProvider } from './payments.ts'
import { createPayPal, type PayPalTokens } from './paypal.ts'
import { type PayPalCertificates, readPayPalHook } from './paypal-hook.ts'
import { createResend } from './resend.ts'
import { createSendGrid } from './sendgrid.ts'
import { createStripe, readStripeHook } from './stripe.ts'

/** What a tenant sets under these names, and what for. The README's table is this one. */
export const providerSecrets = {
  EMAIL_FROM: 'Sender of e-mails: `Shop <hello@shop.example>`',
  RESEND_API_KEY: 'E-mail through Resend',
  SENDGRID_API_KEY: 'E-mail through SendGrid, where no key of Resend is set',
  STRIPE_SECRET_KEY: 'Payments through Stripe Checkout',
  STRIPE_WEBHOOK_SECRET: 'Signing secret of the webhook endpoint at Stripe',
  PAYPAL_CLIENT_ID: 'Payments through PayPal; needs the next two as well',
  PAYPAL_CLIENT_SECRET: 'Secret of that app',
  PAYPAL_WEBHOOK_ID: 'Id of the webhook at PayPal',
  PAYPAL_SANDBOX: '`true`: the keys are for PayPal’s sandbox',
  PAYMENT_RETURN_URL: 'Page that people come back to after paying. Default: a page of the gateway',
  N8N_BASE_URL: 'Address of the tenant’s n8n, without `/webhook`',
  N8N_AUTHORIZATION: 'Whole value of the Authorization header that its webhooks ask for',
  WORKFLOW_SIGNING_SECRET: 'Signs what is posted to workflows, as Standard Webhooks says',
} as const
export type ProviderSecret = keyof typeof providerSecrets

export interface ProviderSettings {
  /** The operator's own account, for tenants without one. */
  readonly email: {
    readonly from?: string | undefined
    readonly resendKey?: string | undefined
    readonly sendGridKey?: string | undefined
  }
  readonly resendUrl: string
  readonly sendGridUrl: string
  readonly stripeUrl: string
  /** Undefined: PayPal's own, sandbox or not as the tenant's keys are. */
  readonly payPalUrl?: string | undefined
}

export type Mailer =
  | { readonly is: 'on'; readonly provider: EmailProvider; readonly from: string }
  | { readonly is: 'off'; readonly why: string }

export interface Providers {
  mailer(tenantId: TenantId): Promise<Mailer>
  /** Those that the tenant has keys for, in the order they are asked. */
  payments(tenantId: TenantId): Promise<readonly PaymentProvider[]>
  /** Fails closed: without a tenant's secret every hook is forged. */
  readHook(name: PaymentName, request: HookRequest, tenantId: TenantId): Promise<Hook>
  /** Undefined: the tenant has named none. */
  workflows(tenantId: TenantId): Promise<WorkflowProvider | undefined>
  returnUrl(tenantId: TenantId): Promise<string | undefined>
}

export interface ProvidersDeps {
  readonly secrets: { of(tenantId: TenantId): { get(name: string): Promise<string | undefined> } }
  readonly settings: ProviderSettings
  /** To providers that the gateway names itself. */
  readonly fetch: Fetch
  /** To addresses that a tenant names. */
  readonly guarded: (tenantId: TenantId) => Fetch
  readonly clock: Clock
}

type Get = (name: ProviderSecret) => Promise<string | undefined>

export function createProviders(deps: ProvidersDeps): Providers {
  const { settings, fetch, clock } = deps
  const tokens: PayPalTokens = new Map()
  const certificates: PayPalCertificates = new Map()
  const nowMs = () => clock.now()
  const getter = (tenantId: TenantId): Get => {
    const secrets = deps.secrets.of(tenantId)
    return async (name) => (await secrets.get(name))?.trim() || undefined
  }
  return {
    mailer: (tenantId) => mailerOf(deps, getter(tenantId)),
    payments: async (tenantId) => {
      const get = getter(tenantId)
      const [secretKey, payPal] = await Promise.all([get('STRIPE_SECRET_KEY'), payPalKeys(settings, get)])
      return [
        ...(secretKey === undefined ? [] : [createStripe({ fetch, baseUrl: settings.stripeUrl, secretKey })]),
        ...(payPal === undefined ? [] : [createPayPal({ fetch, tokens, nowMs, ...payPal })]),
      ]
    },
    async readHook(name, request, tenantId) {
      const get = getter(tenantId)
      if (name === 'stripe') return readStripeHook(request, await get('STRIPE_WEBHOOK_SECRET'), nowMs())
      const payPal = await payPalKeys(settings, get)
      if (payPal === undefined) return { is: 'forged' }
      const webhookId = await get('PAYPAL_WEBHOOK_ID')
      return readPayPalHook(request, { fetch, baseUrl: payPal.baseUrl, webhookId, certificates, nowMs })
    },
    async workflows(tenantId) {
      const get = getter(tenantId)
      const baseUrl = await get('N8N_BASE_URL')
      if (baseUrl === undefined) return undefined
      const [authorization, signingSecret] = await Promise.all([
        get('N8N_AUTHORIZATION'),
        get('WORKFLOW_SIGNING_SECRET'),
      ])
      return createN8n({ fetch: deps.guarded(tenantId), baseUrl, authorization, signingSecret, nowMs })
    },
    returnUrl: (tenantId) => getter(tenantId)('PAYMENT_RETURN_URL'),
  }
}

async function mailerOf({ settings, fetch }: ProvidersDeps, get: Get): Promise<Mailer> {
  const own = { resendKey: await get('RESEND_API_KEY'), sendGridKey: await get('SENDGRID_API_KEY') }
  const isOwn = own.resendKey !== undefined || own.sendGridKey !== undefined
  const { resendKey, sendGridKey } = isOwn ? own : settings.email
  // Nobody writes in a tenant's name from the operator's account, nor the other way round.
  const from = isOwn ? await get('EMAIL_FROM') : settings.email.from
  if (resendKey === undefined && sendGridKey === undefined)
    return { is: 'off', why: 'no e-mail provider: RESEND_API_KEY or SENDGRID_API_KEY is not set' }
  if (from === undefined) return { is: 'off', why: 'no sender: EMAIL_FROM is not set' }
  const provider =
    resendKey === undefined
      ? createSendGrid({ fetch, baseUrl: settings.sendGridUrl, apiKey: sendGridKey ?? '' })
      : createResend({ fetch, baseUrl: settings.resendUrl, apiKey: resendKey })
  return { is: 'on', provider, from }
}

async function payPalKeys(settings: ProviderSettings, get: Get) {
  const [clientId, clientSecret, sandbox] = await Promise.all([
    get('PAYPAL_CLIENT_ID'),
    get('PAYPAL_CLIENT_SECRET'),
    get('PAYPAL_SANDBOX'),
  ])
  if (clientId === undefined || clientSecret === undefined) return undefined
  const live = sandbox !== 'true'
  const baseUrl = settings.payPalUrl ?? `https://api-m.${live ? '' : 'sandbox.'}paypal.com`
  return { clientId, clientSecret, live, baseUrl }
}
