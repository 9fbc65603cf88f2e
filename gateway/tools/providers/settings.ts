// The operator's variables of providers.

import { z } from 'zod'
import type { ProviderSettings } from './providers.ts'

const url = z.url({ protocol: /^https?$/ })

export const providerVariables = {
  EMAIL_FROM: z
    .string()
    .regex(/@/, 'is an e-mail address, with a name in front or not')
    .optional()
    .describe(
      'Sender of e-mails of tenants without an e-mail provider of their own, e.g. `Shop <hello@shop.example>`.',
    ),
  RESEND_API_KEY: z
    .string()
    .optional()
    .describe(
      'Sends those e-mails through Resend; needs EMAIL_FROM. Without a provider they are written down as not sent.',
    ),
  RESEND_BASE_URL: url.default('https://api.resend.com').describe('Address of Resend, or of a relay.'),
  SENDGRID_API_KEY: z.string().optional().describe('Sends them through SendGrid, where RESEND_API_KEY is not set.'),
  SENDGRID_BASE_URL: url.default('https://api.sendgrid.com').describe('Address of SendGrid, or of a relay.'),
  STRIPE_BASE_URL: url.default('https://api.stripe.com').describe('Address of Stripe, or of a relay.'),
  PAYPAL_BASE_URL: url
    .optional()
    .describe('Address of PayPal, or of a relay. Default: PayPal’s own, its sandbox for tenants that say so.'),
  CALCOM_BASE_URL: url
    .default('https://api.cal.com')
    .describe('Address of Cal.com, for tenants with a secret CALCOM_API_KEY; without the path.'),
} as const

type Variables = z.output<z.ZodObject<typeof providerVariables>>

export function providerSettings(given: Variables): ProviderSettings {
  return {
    email: { from: given.EMAIL_FROM, resendKey: given.RESEND_API_KEY, sendGridKey: given.SENDGRID_API_KEY },
    resendUrl: given.RESEND_BASE_URL,
    sendGridUrl: given.SENDGRID_BASE_URL,
    stripeUrl: given.STRIPE_BASE_URL,
    payPalUrl: given.PAYPAL_BASE_URL,
  }
}

/** A sentence for what is half there. */
export function providerProblems(given: Readonly<Record<string, string | undefined>>): readonly string[] {
  const isHalf = given.EMAIL_FROM === undefined && (given.RESEND_API_KEY ?? given.SENDGRID_API_KEY) !== undefined
  return isHalf ? ['RESEND_API_KEY and SENDGRID_API_KEY: need EMAIL_FROM, the sender'] : []
}
