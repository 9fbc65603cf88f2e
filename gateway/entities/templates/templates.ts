// Every template there is. One more: a file beside this one, and a line here.

import type { z } from 'zod'
import { booking, bookingResource } from './bookings.ts'
import { company, deal } from './crm.ts'
import { form, submission } from './forms.ts'
import { invoice } from './invoices.ts'
import { email, sequence } from './mail.ts'
import { media } from './media.ts'
import { order } from './orders.ts'
import { payment } from './payments.ts'
import { workflow, workflowRun } from './workflows.ts'

export const templates = {
  company,
  deal,
  'booking-resource': bookingResource,
  booking,
  invoice,
  form,
  submission,
  order,
  payment,
  email,
  sequence,
  workflow,
  'workflow-run': workflowRun,
  media,
} as const

export type TemplateName = keyof typeof templates
/** As the gateway's tools read it. */
export type TemplateData<T extends TemplateName> = z.output<(typeof templates)[T]['data']>
/** As they write it: what has a default may be left out. */
export type TemplateInput<T extends TemplateName> = z.input<(typeof templates)[T]['data']>

/** Those whose records say which contact they are about. */
export const personalTypes: ReadonlySet<string> = new Set(
  Object.values(templates).flatMap(({ slug, data }) => ('contactId' in data.shape ? [slug] : [])),
)
