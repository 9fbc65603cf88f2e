// What is booked, and the records that say so.

import type { CallerEntities, TemplateData, TemplateInput, TemplateRecords } from '../../entities/entities.ts'
import type { Span } from './hours.ts'

export type Resource = TemplateData<'booking-resource'> & { readonly id: string }

export interface NewBooking {
  readonly resource: Resource
  readonly span: Span
  readonly data: Omit<TemplateInput<'booking'>, 'resourceId' | 'startsAt' | 'endsAt'>
  /** Idempotency key: the same booking, however often it is tried. */
  readonly key: string
}

export type Bookings = TemplateRecords<'booking'>
export const bookingsAs = (caller: CallerEntities): Bookings => caller.template('booking')
