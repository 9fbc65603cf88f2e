// Appointments.

import { expect } from 'vitest'
import { callEach, type Scene, type ToolCase } from './scene.ts'

const id = 'S000-23'
const idOf = (value: unknown): string => (value as { id: string }).id

/** Open on every day from ten to twelve, in slots of an hour; a day that is far enough ahead. */
async function salon({ place, tenantId }: Scene): Promise<string> {
  const { entities, identity } = place.gateway.app.slices
  const hours = [{ weekdays: [1, 2, 3, 4, 5, 6, 7], from: '10:00', to: '12:00' }]
  const data = { name: 'Salon', timezone: 'Europe/Berlin', hours, slotMinutes: 60 }
  await entities.of(tenantId).as(identity.authFor.system(tenantId)).template('booking-resource').create({ data })
  return new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10)
}
const bob = { contact: { email: 'bob@example.com' } }
const ann = { contact: { email: 'ann@example.com' } }

export const bookingCases: readonly ToolCase[] = [
  {
    ...{ tool: 'check_availability', id, with: ['create_booking'] },
    says: 'free times are told as the clocks of the place show them; a booked one is not free',
    async run(scene) {
      const day = await salon(scene)
      const free = { resource: 'Salon', count: 2, items: [{ start: `${day}T10:00` }, { start: `${day}T11:00` }] }
      expect(await scene.call('check_availability', { from: day })).toMatchObject(free)
      await scene.call('create_booking', { start: `${day}T10:00` })
      expect(await scene.call('check_availability', { from: day })).toMatchObject({
        count: 1,
        items: [{ start: `${day}T11:00` }],
      })
    },
  },
  {
    ...{ tool: 'create_booking', id },
    says: 'the same slot is booked once, also by ten people at the same time',
    async run(scene) {
      const day = await salon(scene)
      const calls = Array.from({ length: 10 }, (_, i) => ({
        args: { resource: 'salon', start: `${day} 10:00`, name: `Guest ${i}` },
        options: { contact: { email: `guest${i}@example.com` } },
      }))
      const told = await callEach(scene, 'create_booking', calls)
      expect(told.filter((each) => each.error === undefined)).toMatchObject([
        { booking: { localStart: `${day}T10:00`, data: { status: 'confirmed', resourceName: 'Salon' } } },
      ])
      expect(new Set(told.flatMap((each) => each.error?.code ?? []))).toEqual(new Set(['conflict']))
      const stored = await scene.records('booking')
      expect(stored.filter((each) => each.data.status === 'confirmed')).toHaveLength(1)
      expect(await scene.call('create_booking', { start: `${day}T13:00` })).toMatchObject({
        error: { code: 'invalid' },
      })
    },
  },
  {
    ...{ tool: 'cancel_booking', id, with: ['create_booking'] },
    says: 'a cancelled time is free again; nobody cancels another person’s booking',
    async run(scene) {
      const day = await salon(scene)
      const { booking } = await scene.call('create_booking', { start: `${day}T10:00` }, ann)
      const stolen = await scene.call('cancel_booking', { booking: idOf(booking) }, bob)
      expect(stolen).toMatchObject({ error: { code: 'not_found' } })
      const told = await scene.call('cancel_booking', { booking: idOf(booking), reason: 'ill' }, ann)
      expect(told).toMatchObject({ booking: { data: { status: 'cancelled', cancelReason: 'ill' } } })
      expect(await scene.call('create_booking', { start: `${day}T10:00` }, bob)).toMatchObject({ booking: {} })
    },
  },
  {
    ...{ tool: 'reschedule_booking', id, with: ['create_booking'] },
    says: 'a booking moves to a free time and stays where it was when that is taken',
    async run(scene) {
      const day = await salon(scene)
      const { booking } = await scene.call('create_booking', { start: `${day}T10:00` }, ann)
      await scene.call('create_booking', { start: `${day}T11:00`, minutes: 30 }, bob)
      const move = (start: string) =>
        scene.call('reschedule_booking', { booking: idOf(booking), start, minutes: 30 }, ann)
      expect(await move(`${day}T11:15`)).toMatchObject({ error: { code: 'conflict' } })
      expect(await move(`${day}T11:30`)).toMatchObject({ booking: { localStart: `${day}T11:30` } })
      const stored = (await scene.records('booking')).map((each) => each.data.startsAt)
      expect(new Set(stored).size).toBe(2)
    },
  },
  {
    ...{ tool: 'list_upcoming_bookings', id, with: ['create_booking', 'cancel_booking'] },
    says: 'what is to come is listed, the next one first; who talks with the agent hears of the own ones only',
    async run(scene) {
      const day = await salon(scene)
      await scene.call('create_booking', { start: `${day}T11:00`, subject: 'Ann’s cut' }, ann)
      const { booking } = await scene.call('create_booking', { start: `${day}T10:00`, subject: 'Bob’s cut' }, bob)
      const all = { count: 2, items: [{ title: 'Bob’s cut' }, { title: 'Ann’s cut' }] }
      expect(await scene.call('list_upcoming_bookings', {})).toMatchObject(all)
      const own = await scene.call('list_upcoming_bookings', {}, ann)
      expect(own).toMatchObject({ count: 1, items: [{ title: 'Ann’s cut' }] })
      expect(JSON.stringify(own)).not.toContain('Bob')
      await scene.call('cancel_booking', { booking: idOf(booking) }, bob)
      expect(await scene.call('list_upcoming_bookings', { resource: 'salon' })).toMatchObject({ count: 1 })
    },
  },
  {
    ...{ tool: 'create_booking', id, with: ['check_availability', 'reschedule_booking', 'cancel_booking'] },
    says: 'what stands in the tenant’s calendar at Cal.com is booked there, moved there and cancelled there',
    async run(scene) {
      const day = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10)
      const fake = scene.place.calCom
      fake.offers(`${day}T08:00:00Z`, `${day}T09:00:00Z`)
      const { entities, identity } = scene.place.gateway.app.slices
      await identity.secrets.of(scene.tenantId).put('CALCOM_API_KEY', fake.apiKey, 'test')
      const data = { name: 'Coach', timezone: 'UTC', hours: [], calComEventTypeId: fake.eventTypeId }
      const resources = entities
        .of(scene.tenantId)
        .as(identity.authFor.system(scene.tenantId))
        .template('booking-resource')
      await resources.create({ data })
      expect(await scene.call('check_availability', { from: day })).toMatchObject({ count: 2 })
      const who = { name: 'Ann', email: 'ann@example.com' }
      const { booking } = await scene.call('create_booking', { start: `${day}T08:00`, ...who })
      expect(booking).toMatchObject({ localStart: `${day}T08:00`, data: { provider: 'cal.com' } })
      expect(await scene.call('create_booking', { start: `${day}T08:00`, ...who })).toMatchObject({
        error: { code: 'conflict' },
      })
      const to = { booking: idOf(booking), start: `${day}T09:00` }
      expect(await scene.call('reschedule_booking', to)).toMatchObject({ booking: { localStart: `${day}T09:00` } })
      const told = await scene.call('cancel_booking', { booking: idOf(booking) })
      expect(told).toMatchObject({ booking: { data: { status: 'cancelled' } } })
      expect(fake.bookings.map((each) => each.status)).toEqual(['cancelled', 'cancelled'])
      fake.breaks('cut-after')
      expect(await scene.call('create_booking', { start: `${day}T08:00`, ...who })).toMatchObject({
        error: { code: 'unknown' },
      })
    },
  },
]
