// Orders of products.

import { z } from 'zod'
import { currency, longText, minorAmount, originFields, personFields, shortText, template } from './template.ts'

export const orderStates = ['new', 'confirmed', 'paid', 'shipped', 'cancelled'] as const

export const order = template(
  {
    slug: 'order',
    name: 'Order',
    description: 'What people ordered, at the prices of that moment.',
    searchFields: ['number', 'name', 'address', 'notes'],
    titleField: 'number',
  },
  z.strictObject({
    number: z.string().min(1).max(40),
    status: z.enum(orderStates).default('new'),
    ...personFields,
    address: z.string().max(1_000).optional(),
    currency,
    items: z
      .array(
        z.strictObject({
          /** Slug of the product. */
          product: z.string().min(1).max(80),
          name: shortText,
          quantity: z.int().min(1).max(10_000),
          unitPriceMinor: minorAmount,
          colour: z.string().max(40).optional(),
        }),
      )
      .min(1)
      .max(100),
    totalMinor: minorAmount,
    notes: longText.optional(),
    ...originFields,
  }),
)
