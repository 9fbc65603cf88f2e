// E-mails that were sent or should have been, and sequences of them.

import { z } from 'zod'
import { idText, moment, originFields, shortText, template } from './template.ts'

/** `not_sent`: nobody is there who sends. `failed`: surely not sent. `unknown`: perhaps. */
export const emailStates = ['queued', 'sending', 'sent', 'not_sent', 'failed', 'unknown'] as const

export const email = template(
  {
    slug: 'email',
    name: 'E-mail',
    description: 'Every e-mail of the agents, and what became of it.',
    searchFields: ['to', 'subject', 'text'],
    titleField: 'subject',
  },
  z.strictObject({
    to: z.email().max(254),
    from: z.string().max(320).optional(),
    subject: z.string().min(1).max(200),
    text: z.string().min(1).max(20_000),
    status: z.enum(emailStates).default('queued'),
    /** Why it is not sent. */
    reason: z.string().max(500).optional(),
    provider: z.string().max(40).optional(),
    providerRef: z.string().max(200).optional(),
    /** Since when somebody is at it; afterwards when it was sent. */
    sentAt: moment.optional(),
    /** The text model that wrote it. Missing: the agent said what to send, word for word. */
    draftedBy: z.string().max(120).optional(),
    purpose: z.string().max(60).default('message'),
    contactId: idText.optional(),
    ...originFields,
  }),
)

export const sequenceStates = ['active', 'paused'] as const

export const sequence = template(
  {
    slug: 'sequence',
    name: 'E-mail sequence',
    description:
      'E-mails that follow one another, each some time after the one before. {{name}} stands for the person’s name.',
    searchFields: ['name', 'description'],
    titleField: 'name',
  },
  z.strictObject({
    name: shortText,
    description: z.string().max(1_000).optional(),
    /** Paused: nobody comes in, and nothing is sent until it goes on. */
    status: z.enum(sequenceStates).default('active'),
    steps: z
      .array(
        z.strictObject({
          /** After the step before; of the first: after somebody was added. 525,600 is a year. */
          delayMinutes: z.int().min(0).max(525_600).default(0),
          subject: z.string().min(1).max(200),
          text: z.string().min(1).max(10_000),
        }),
      )
      .min(1)
      .max(30),
  }),
)
