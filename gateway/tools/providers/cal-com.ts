// Bookings in a tenant's calendar at Cal.com (API v2). Its versions are per endpoint. It knows no idempotency keys: what was perhaps
// booked is told as unknown, never tried again.

import { z } from 'zod'
import { askOutside, type Fetch, type OutsideAnswer } from './outside-call.ts'

export interface Attendee {
  readonly name: string
  readonly email: string
  readonly phone?: string | undefined
  /** IANA name. */
  readonly timezone: string
}

export type OutsideBooking =
  | { readonly is: 'booked'; readonly ref: string; readonly startMs: number; readonly endMs: number }
  | { readonly is: 'taken' }
  | { readonly is: 'refused'; readonly why: string }
  /** Nobody knows. */
  | { readonly is: 'unknown'; readonly why: string }

/** The port: a calendar that is not ours. */
export interface OutsideCalendar {
  readonly name: 'cal.com'
  /** Beginnings of free times on local days, both included. Undefined: it does not answer. */
  free(days: {
    readonly from: string
    readonly to: string
    readonly timezone: string
  }): Promise<readonly number[] | undefined>
  book(booking: {
    readonly startMs: number
    readonly attendee: Attendee
    readonly key: string
  }): Promise<OutsideBooking>
  move(ref: string, startMs: number): Promise<OutsideBooking>
  /** What was cancelled before counts as cancelled. */
  cancel(
    ref: string,
    reason: string,
  ): Promise<Exclude<OutsideBooking, { is: 'booked' | 'taken' }> | { readonly is: 'cancelled' }>
}

export interface CalComNeeds {
  readonly fetch: Fetch
  /** https://api.cal.com */
  readonly baseUrl: string
  readonly apiKey: string
  readonly eventTypeId: number
  readonly signal: AbortSignal
}

const slotsVersion = '2024-09-04'
const bookingsVersion = '2024-08-13'
/** A tool has ten seconds. */
const timeoutMs = 6_000

const slots = z.object({ data: z.record(z.string(), z.array(z.object({ start: z.iso.datetime({ offset: true }) }))) })
const booked = z.object({
  data: z.object({
    uid: z.string().min(1).max(200),
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
})
const refusal = z.object({ error: z.object({ message: z.string() }) })

export function createCalCom({ fetch, baseUrl, apiKey, eventTypeId, signal }: CalComNeeds): OutsideCalendar {
  const ask = (method: 'GET' | 'POST', path: string, version: string, body?: object) =>
    askOutside(fetch, {
      ...{ method, url: `${baseUrl}/v2${path}`, signal, timeoutMs },
      headers: {
        ...{ authorization: `Bearer ${apiKey}`, 'cal-api-version': version },
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    name: 'cal.com',
    async free({ from, to, timezone }) {
      const query = new URLSearchParams({ eventTypeId: String(eventTypeId), start: from, end: to, timeZone: timezone })
      const answer = await ask('GET', `/slots?${query}`, slotsVersion)
      const found = answer.is === 'answered' && answer.status === 200 ? slots.safeParse(answer.json) : undefined
      if (found?.success !== true) return undefined
      return Object.values(found.data.data).flatMap((day) => day.map((each) => Date.parse(each.start)))
    },
    async book({ startMs, attendee: { name, email, phone, timezone }, key }) {
      const attendee = { name, email, timeZone: timezone, ...(phone === undefined ? {} : { phoneNumber: phone }) }
      const start = new Date(startMs).toISOString()
      return outcome(
        await ask('POST', '/bookings', bookingsVersion, { start, eventTypeId, attendee, metadata: { key } }),
      )
    },
    async move(ref, startMs) {
      const body = { start: new Date(startMs).toISOString() }
      return outcome(await ask('POST', `/bookings/${encodeURIComponent(ref)}/reschedule`, bookingsVersion, body))
    },
    async cancel(ref, reason) {
      const body = { cancellationReason: reason }
      const answer = await ask('POST', `/bookings/${encodeURIComponent(ref)}/cancel`, bookingsVersion, body)
      if (answer.is === 'answered' && answer.status < 300) return { is: 'cancelled' }
      const failed = notDone(answer)
      return failed.is === 'refused' && /already.*cancel/i.test(failed.why) ? { is: 'cancelled' } : failed
    },
  }
}

function outcome(answer: OutsideAnswer): OutsideBooking {
  const made = answer.is === 'answered' && answer.status < 300 ? booked.safeParse(answer.json) : undefined
  if (made?.success === true) {
    const { uid, start, end } = made.data.data
    return { is: 'booked', ref: uid, startMs: Date.parse(start), endMs: Date.parse(end) }
  }
  const failed = notDone(answer)
  return failed.is === 'refused' && /already has booking|not available|no available/i.test(failed.why)
    ? { is: 'taken' }
    : failed
}

function notDone(answer: OutsideAnswer): { readonly is: 'refused' | 'unknown'; readonly why: string } {
  if (answer.is === 'unsent') return { is: 'refused', why: answer.why }
  if (answer.is === 'lost') return { is: 'unknown', why: answer.why }
  const said = refusal.safeParse(answer.json).data?.error.message.slice(0, 200)
  const why = `Cal.com answered ${answer.status}${said === undefined ? '' : `: ${said}`}`
  // An answer that is none, or a server that failed behind the effect.
  return answer.status >= 500 || answer.status < 300 ? { is: 'unknown', why } : { is: 'refused', why }
}
