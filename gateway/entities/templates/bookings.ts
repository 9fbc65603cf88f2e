// What can be booked, and bookings of it.

import { z } from 'zod'
import { idText, longText, moment, originFields, personFields, shortText, template } from './template.ts'

const time = z.string().regex(/^([01][0-9]|2[0-4]):[0-5][0-9]$/)

export const bookingResource = template(
  {
    slug: 'booking-resource',
    name: 'Booking resource',
    description: 'What can be booked: a person’s calendar, a room, a table. Its hours are local to its time zone.',
    searchFields: ['name', 'description'],
    titleField: 'name',
  },
  z.strictObject({
    name: shortText,
    description: longText.optional(),
    /** IANA name. */
    timezone: z.string().min(1).max(60),
    /** Several on one day: a pause between them. `to` may be 24:00. */
    hours: z
      .array(z.strictObject({ weekdays: z.array(z.int().min(1).max(7)).min(1).max(7), from: time, to: time }))
      .max(40)
      .describe('Weekdays as in ISO 8601: 1 is Monday, 7 Sunday.'),
    slotMinutes: z.int().min(5).max(1_440).default(30),
    /** Kept free after each booking. */
    bufferMinutes: z.int().min(0).max(480).default(0),
    /** How long before it begins a booking is still taken. */
    noticeMinutes: z.int().min(0).max(43_200).default(0),
    /** How far ahead one can book. */
    horizonDays: z.int().min(1).max(730).default(90),
    closedOn: z.array(z.iso.date()).max(400).optional(),
    isClosed: z.boolean().default(false),
    /** Of a Cal.com event type: then its calendar decides, not these hours. */
    calComEventTypeId: z.int().min(1).optional(),
  }),
)

export const bookingStates = ['confirmed', 'cancelled'] as const

export const booking = template(
  {
    slug: 'booking',
    name: 'Booking',
    description: 'Appointments and reservations.',
    searchFields: ['resourceName', 'name', 'subject', 'notes'],
    titleField: 'subject',
  },
  z.strictObject({
    subject: shortText,
    status: z.enum(bookingStates).default('confirmed'),
    resourceId: idText,
    resourceName: shortText.optional(),
    /** In UTC, the end not included. */
    startsAt: moment,
    endsAt: moment,
    timezone: z.string().max(60).optional(),
    ...personFields,
    guests: z.int().min(1).max(1_000).optional(),
    notes: longText.optional(),
    cancelReason: z.string().max(500).optional(),
    /** Under which its time is taken in the calendar. */
    hold: z.string().max(100).optional(),
    /** Of the calendar it stands in, where that is not ours. */
    provider: z.string().max(40).optional(),
    providerRef: z.string().max(200).optional(),
    ...originFields,
  }),
)
