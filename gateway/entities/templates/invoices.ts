// Invoices. Amounts are integers in the currency's smallest unit; what is summed is written down, so that it is never computed anew.

import { z } from 'zod'
import { currency, idText, longText, minorAmount, moment, personFields, shortText, template } from './template.ts'

export const invoiceStates = ['open', 'paid', 'void'] as const

export const invoice = template(
  {
    slug: 'invoice',
    name: 'Invoice',
    description: 'Bills to customers, numbered without gaps.',
    searchFields: ['number', 'name', 'companyName', 'notes'],
    titleField: 'number',
  },
  z.strictObject({
    number: z.string().min(1).max(40),
    status: z.enum(invoiceStates).default('open'),
    ...personFields,
    companyId: idText.optional(),
    companyName: shortText.optional(),
    currency,
    lines: z
      .array(
        z.strictObject({
          description: shortText,
          /** To three decimals. */
          quantity: z.number().min(0.001).max(1_000_000),
          unitPriceMinor: minorAmount,
          /** Hundredths of a percent: 1900 is 19 %. */
          taxBasisPoints: z.int().min(0).max(10_000),
          netMinor: minorAmount,
          taxMinor: minorAmount,
        }),
      )
      .min(1)
      .max(100),
    netMinor: minorAmount,
    taxMinor: minorAmount,
    totalMinor: minorAmount,
    issuedOn: z.iso.date(),
    dueOn: z.iso.date(),
    paidAt: moment.optional(),
    /** Once per request: `ref` says for which. */
    reminders: z
      .array(z.strictObject({ at: moment, to: z.string().max(254), ref: z.string().max(100) }))
      .max(100)
      .default([]),
    notes: longText.optional(),
  }),
)
