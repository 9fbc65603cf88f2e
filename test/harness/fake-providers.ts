// Every provider outside, on loopback, and what a gateway and a tenant must know to be sent there.

import type { TenantId } from '../../gateway/platform/ids.ts'
import type { ProviderSecret, ProviderSettings } from '../../gateway/tools/providers/providers.ts'
import { FakeN8n } from './fake-n8n.ts'
import { FakePayPal } from './fake-paypal.ts'
import { FakeResend } from './fake-resend.ts'
import { FakeSendGrid } from './fake-sendgrid.ts'
import { FakeStripe } from './fake-stripe.ts'

export interface FakeProviders extends AsyncDisposable {
  readonly resend: FakeResend
  readonly sendgrid: FakeSendGrid
  readonly stripe: FakeStripe
  readonly paypal: FakePayPal
  readonly n8n: FakeN8n
  /** Of the gateway. */
  readonly env: Readonly<Record<string, string>>
  readonly settings: ProviderSettings
  readonly secrets: Readonly<Record<'resend' | 'sendgrid' | 'stripe' | 'paypal' | 'n8n', Secrets>>
}

export type Secrets = Readonly<Partial<Record<ProviderSecret, string>>>

export async function openFakeProviders(): Promise<FakeProviders> {
  const [resend, sendgrid, stripe, paypal, n8n] = await Promise.all([
    FakeResend.open(),
    FakeSendGrid.open(),
    FakeStripe.open(),
    FakePayPal.open(),
    FakeN8n.open(),
  ])
  const from = { EMAIL_FROM: 'Shop <hello@shop.example>' }
  return {
    ...{ resend, sendgrid, stripe, paypal, n8n },
    env: {
      RESEND_BASE_URL: resend.url,
      SENDGRID_BASE_URL: sendgrid.url,
      STRIPE_BASE_URL: stripe.url,
      PAYPAL_BASE_URL: paypal.url,
      PARLEY_FETCH_ALLOW: new URL(n8n.url).host,
    },
    settings: {
      ...{ email: {}, resendUrl: resend.url, sendGridUrl: sendgrid.url },
      ...{ stripeUrl: stripe.url, payPalUrl: paypal.url },
    },
    secrets: {
      resend: { RESEND_API_KEY: resend.apiKey, ...from },
      sendgrid: { SENDGRID_API_KEY: sendgrid.apiKey, ...from },
      stripe: { STRIPE_SECRET_KEY: stripe.secretKey, STRIPE_WEBHOOK_SECRET: stripe.webhookSecret },
      paypal: {
        ...{ PAYPAL_CLIENT_ID: paypal.clientId, PAYPAL_CLIENT_SECRET: paypal.clientSecret },
        ...{ PAYPAL_WEBHOOK_ID: paypal.webhookId, PAYPAL_SANDBOX: 'true' },
      },
      n8n: { N8N_BASE_URL: n8n.url, N8N_AUTHORIZATION: n8n.authorization },
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([resend, sendgrid, stripe, paypal, n8n].map((each) => each[Symbol.asyncDispose]()))
    },
  }
}

interface Vault {
  of(tenantId: TenantId): { put(name: string, value: string, by: string): Promise<unknown> }
}

export async function setSecrets(vault: Vault, tenantId: TenantId, secrets: Secrets): Promise<void> {
  for (const [name, value] of Object.entries(secrets)) await vault.of(tenantId).put(name, value, 'Test')
}
