// Payments as people look at them. What counts is kept by the tools themselves: a record that somebody edits pays nothing.

import { z } from 'zod'
import { currency, idText, minorAmount, moment, originFields, personFields, template } from './template.ts'

/** `quarantined`: the provider says paid, and something about it is not as it was asked for. A person looks at it. */
export const paymentStates = ['open', 'paid', 'expired', 'failed', 'quarantined'] as const

export const payment = template(
  {
    slug: 'payment',
    name: 'Payment',
    description: 'Payments that agents asked for, as the payment provider says they stand. Shown here, decided there.',
    searchFields: ['description', 'name', 'email'],
    titleField: 'description',
  },
  z.strictObject({
    description: z.string().min(1).max(500),
    status: z.enum(paymentStates).default('open'),
    amountMinor: minorAmount,
    currency,
    provider: z.enum(['stripe', 'paypal']),
    providerRef: z.string().max(200),
    /** False: test keys. */
    isLive: z.boolean(),
    url: z.string().max(4_000),
    paidAt: moment.optional(),
    reason: z.string().max(500).optional(),
    invoiceId: idText.optional(),
    ...personFields,
    ...originFields,
  }),
)
