// Cal.com's API v2 as the gateway meets it: slots and bookings, each with the version of its endpoint.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Answered, FakeProvider, type Received } from './fake-provider.ts'

const booking = z.strictObject({
  start: z.iso.datetime(),
  eventTypeId: z.int(),
  attendee: z.strictObject({
    name: z.string().min(1),
    email: z.email(),
    timeZone: z.string().min(1),
    phoneNumber: z.string().optional(),
    language: z.string().optional(),
  }),
  metadata: z.record(z.string(), z.string().max(500)).optional(),
})
const reschedule = z.strictObject({ start: z.iso.datetime() })
const cancellation = z.strictObject({ cancellationReason: z.string().optional() })

interface Kept {
  readonly uid: string
  start: string
  status: 'accepted' | 'cancelled'
  readonly attendee: z.output<typeof booking>['attendee']
}

const problem = (status: number, message: string): Answered => ({
  status,
  json: {
    status: 'error',
    timestamp: new Date().toISOString(),
    path: '/',
    error: { code: 'BadRequestException', message },
  },
})
const success = (status: number, data: object): Answered => ({ status, json: { status: 'success', data } })
const isTaken = 'User either already has booking at this time or is not available'

export class FakeCalCom extends FakeProvider {
  readonly apiKey = 'cal_test_1'
  readonly eventTypeId = 77
  /** Of the event type. */
  readonly minutes = 30
  readonly bookings: Kept[] = []
  /** Beginnings that somebody is there for. */
  offered: readonly string[] = []

  static async open(...offered: readonly string[]): Promise<FakeCalCom> {
    return (await new FakeCalCom().start()).offers(...offered)
  }

  offers(...offered: readonly string[]): this {
    this.offered = offered.map((each) => new Date(each).toISOString())
    return this
  }

  protected answer({ method, path, headers, bytes }: Received): Answered {
    if (headers.authorization !== `Bearer ${this.apiKey}`) return problem(401, 'Invalid API Key')
    const url = new URL(path, this.url)
    const version = headers['cal-api-version']
    if (method === 'GET' && url.pathname === '/v2/slots')
      return version === '2024-09-04' ? this.#slots(url.searchParams) : problem(404, 'Cannot GET /v2/slots')
    if (version !== '2024-08-13') return problem(404, `Cannot ${method} ${url.pathname}`)
    const body: unknown = JSON.parse(bytes.toString('utf8') || '{}')
    if (method === 'POST' && url.pathname === '/v2/bookings') return this.#book(body)
    const [, uid, verb] = /^\/v2\/bookings\/([\w-]+)\/(cancel|reschedule)$/.exec(url.pathname) ?? []
    const kept = this.bookings.find((each) => each.uid === uid)
    if (method !== 'POST' || kept === undefined) return problem(404, 'Booking not found')
    return verb === 'cancel' ? this.#cancel(kept, body) : this.#move(kept, body)
  }

  #isFree(start: string): boolean {
    return (
      this.offered.includes(start) && !this.bookings.some((each) => each.start === start && each.status === 'accepted')
    )
  }

  #slots(query: URLSearchParams): Answered {
    const [from = '', to = ''] = [query.get('start') ?? '', query.get('end') ?? '']
    if (query.get('eventTypeId') !== String(this.eventTypeId)) return problem(404, 'Event type not found')
    const free = this.offered.filter(
      (each) => this.#isFree(each) && each.slice(0, 10) >= from && each.slice(0, 10) <= to,
    )
    const days = Map.groupBy(free, (each) => each.slice(0, 10))
    const data = [...days].map(([day, starts]) => [
      day,
      starts.map((start) => ({ start: start.replace('Z', '+00:00') })),
    ])
    return success(200, Object.fromEntries(data))
  }

  #book(given: unknown): Answered {
    const parsed = booking.safeParse(given)
    if (!parsed.success) return problem(400, parsed.error.issues[0]?.message ?? 'bad')
    if (parsed.data.eventTypeId !== this.eventTypeId) return problem(404, 'Event type not found')
    const start = new Date(parsed.data.start).toISOString()
    if (!this.#isFree(start)) return problem(400, isTaken)
    const kept: Kept = { uid: randomUUID(), start, status: 'accepted', attendee: parsed.data.attendee }
    this.bookings.push(kept)
    return success(201, this.#shown(kept))
  }

  #move(kept: Kept, given: unknown): Answered {
    const parsed = reschedule.safeParse(given)
    if (!parsed.success) return problem(400, 'bad')
    const start = new Date(parsed.data.start).toISOString()
    if (!this.#isFree(start)) return problem(400, isTaken)
    kept.status = 'cancelled'
    const moved: Kept = { ...kept, uid: randomUUID(), start, status: 'accepted' }
    this.bookings.push(moved)
    return success(201, this.#shown(moved))
  }

  #cancel(kept: Kept, given: unknown): Answered {
    if (!cancellation.safeParse(given).success) return problem(400, 'bad')
    if (kept.status === 'cancelled') return problem(400, 'This booking has already been cancelled')
    kept.status = 'cancelled'
    return success(200, this.#shown(kept))
  }

  #shown({ uid, start, status, attendee }: Kept): object {
    const end = new Date(Date.parse(start) + this.minutes * 60_000).toISOString()
    return { id: 1, uid, status, start, end, attendees: [attendee], eventTypeId: this.eventTypeId }
  }
}
