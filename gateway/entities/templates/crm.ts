// Companies and deals. People are contacts, which are identity's.

import { z } from 'zod'
import { currency, idText, longText, minorAmount, personFields, shortText, template } from './template.ts'

export const company = template(
  {
    slug: 'company',
    name: 'Company',
    description: 'Organisations that do business with this one.',
    searchFields: ['name', 'domain', 'industry', 'city', 'notes'],
    titleField: 'name',
  },
  z.strictObject({
    name: shortText,
    /** As in its e-mail addresses, lower-case. */
    domain: z.string().max(253).optional(),
    industry: z.string().max(100).optional(),
    employees: z.int().min(0).max(10_000_000).optional(),
    email: personFields.email,
    phone: personFields.phone,
    website: z.string().max(500).optional(),
    address: z.string().max(500).optional(),
    city: z.string().max(100).optional(),
    country: z.string().max(100).optional(),
    notes: longText.optional(),
    tags: z.array(z.string().max(60)).max(40).optional(),
  }),
)

/** The pipeline. A tenant changes it in the type's schema. */
export const dealStages = ['new', 'qualified', 'proposal', 'negotiation', 'won', 'lost'] as const

export const deal = template(
  {
    slug: 'deal',
    name: 'Deal',
    description: 'Sales in the pipeline: open until won or lost.',
    searchFields: ['title', 'companyName', 'contactName', 'notes'],
    titleField: 'title',
  },
  z.strictObject({
    title: shortText,
    /** One of those that the tenant's type allows. */
    stage: z
      .string()
      .max(60)
      .default('new')
      .meta({ enum: [...dealStages] }),
    valueMinor: minorAmount.optional(),
    currency: currency.optional(),
    contactId: idText.optional(),
    contactName: shortText.optional(),
    companyId: idText.optional(),
    companyName: shortText.optional(),
    /** In percent. */
    probability: z.int().min(0).max(100).optional(),
    expectedCloseOn: z.iso.date().optional(),
    closedAt: z.iso.datetime().optional(),
    lostReason: z.string().max(500).optional(),
    notes: longText.optional(),
  }),
)
