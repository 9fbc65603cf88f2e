// Forms that agents fill in with people, and what was filled in.

import { z } from 'zod'
import { idText, moment, originFields, personFields, shortText, template } from './template.ts'

export const formFieldTypes = ['text', 'email', 'phone', 'number', 'boolean', 'date', 'choice'] as const

export const form = template(
  {
    slug: 'form',
    name: 'Form',
    description: 'Questions whose answers are checked and kept.',
    searchFields: ['title', 'description'],
    titleField: 'title',
  },
  z.strictObject({
    title: shortText,
    description: z.string().max(2_000).optional(),
    fields: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,59}$/),
          label: z.string().max(200).optional(),
          type: z.enum(formFieldTypes).default('text'),
          required: z.boolean().default(false),
          choices: z.array(z.string().min(1).max(200)).max(100).optional(),
        }),
      )
      .min(1)
      .max(60),
    isClosed: z.boolean().default(false),
  }),
)

export const submission = template(
  {
    slug: 'submission',
    name: 'Form submission',
    description: 'Filled in forms.',
    searchFields: ['formTitle', 'name'],
    titleField: 'formTitle',
  },
  z.strictObject({
    formId: idText,
    formTitle: shortText.optional(),
    /** By the names of the form's fields. */
    values: z.looseObject({}),
    submittedAt: moment,
    ...personFields,
    ...originFields,
  }),
)
