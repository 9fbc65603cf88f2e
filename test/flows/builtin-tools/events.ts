// Events and who comes to them.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

const id = 'S000-32'
const who = (name: string) => ({ contact: { email: `${name}@example.com` } })
const evening = {
  name: 'Open evening',
  startsOn: '2031-05-01',
  startsAt: '18:30',
  timezone: 'Europe/Berlin',
  capacity: 1,
}

async function event(scene: Scene, over: object = {}): Promise<string> {
  const { entities, identity } = scene.place.gateway.app.slices
  const mine = entities.of(scene.tenantId).as(identity.authFor.system(scene.tenantId))
  const data = { ...evening, endsOn: evening.startsOn, venue: 'Hall', city: 'Berlin', ...over }
  return (await mine.create('event', { data })).id
}

export const eventCases: readonly ToolCase[] = [
  {
    ...{ tool: 'create_event', id, with: ['list_events'] },
    says: 'an event is kept as a record of the tenant and listed with its seats',
    async run(scene) {
      expect(await scene.call('create_event', { ...evening, timezone: 'Berlin' })).toMatchObject({
        error: { code: 'invalid' },
      })
      const made = await scene.call('create_event', evening)
      expect(made).toMatchObject({ name: 'Open evening', endsOn: '2031-05-01', venue: 'Online', seatsLeft: 1 })
      expect(await scene.call('list_events', {})).toMatchObject({ count: 1, items: [{ id: made.id }] })
    },
  },
  {
    ...{ tool: 'update_event', id, with: ['register_for_event', 'list_registrations'] },
    says: 'a larger hall has room for those who wait; an event that was called off takes nobody',
    async run(scene) {
      const of = await event(scene)
      await scene.call('register_for_event', { event: of }, who('ann'))
      expect(await scene.call('register_for_event', { event: of }, who('bob'))).toMatchObject({ status: 'waiting' })
      expect(await scene.call('update_event', { event: of, capacity: 5 })).toMatchObject({
        registered: 2,
        seatsLeft: 3,
      })
      await scene.call('update_event', { event: of, isCancelled: true })
      expect(await scene.call('register_for_event', { event: of }, who('cem'))).toMatchObject({
        error: { code: 'unsupported' },
      })
    },
  },
  {
    ...{ tool: 'list_events', id },
    says: 'what is over is listed when it is asked for; nothing of another tenant is',
    async run(scene) {
      await event(await scene.another(), { name: 'Canary' })
      await event(scene)
      await event(scene, { name: 'Long ago', startsOn: '2020-01-01', endsOn: '2020-01-01' })
      expect(await scene.call('list_events', {})).toMatchObject({ count: 1, items: [{ name: 'Open evening' }] })
      expect(await scene.call('list_events', { past: true })).toMatchObject({ count: 1, items: [{ name: 'Long ago' }] })
    },
  },
  {
    ...{ tool: 'register_for_event', id },
    says: 'registration respects the capacity, once per person',
    async run(scene) {
      const of = await event(scene)
      const first = await scene.call('register_for_event', { event: of }, who('ann'))
      expect(first).toMatchObject({ status: 'registered', event: 'Open evening' })
      expect(await scene.call('register_for_event', { event: of }, who('ann'))).toMatchObject({
        registration: first.registration,
      })
      expect(await scene.call('register_for_event', { event: of }, who('bob'))).toMatchObject({ status: 'waiting' })
      const past = await event(scene, { startsOn: '2020-01-01', endsOn: '2020-01-01' })
      expect(await scene.call('register_for_event', { event: past }, who('ann'))).toMatchObject({
        error: { code: 'unsupported' },
      })
    },
  },
  {
    ...{ tool: 'cancel_registration', id, with: ['register_for_event', 'list_registrations'] },
    says: 'the own registration is cancelled, never another person’s; the seat goes to whoever waits',
    async run(scene) {
      const of = await event(scene)
      await scene.call('register_for_event', { event: of }, who('ann'))
      await scene.call('register_for_event', { event: of }, who('bob'))
      const stolen = await scene.call('cancel_registration', { event: of, email: 'ann@example.com' }, who('mallory'))
      expect(stolen).toMatchObject({ wasRegistered: false })
      expect(await scene.call('cancel_registration', { event: of }, who('ann'))).toMatchObject({ wasRegistered: true })
      expect(await scene.call('list_registrations', { event: of })).toMatchObject({
        ...{ registered: 1, waiting: 0 },
        items: [{ email: 'bob@example.com', status: 'registered' }],
      })
    },
  },
  {
    ...{ tool: 'list_registrations', id, with: ['register_for_event'] },
    says: 'who comes is told to whoever sees contacts; who talks with the agent hears of the own registration only',
    async run(scene) {
      const of = await event(scene, { capacity: 2 })
      for (const name of ['ann', 'bob', 'cem']) await scene.call('register_for_event', { event: of }, who(name))
      const all = await scene.call('list_registrations', { event: of })
      expect(all).toMatchObject({ registered: 2, waiting: 1 })
      expect(all.items).toHaveLength(3)
      const told = await scene.call('list_registrations', { event: of }, who('ann'))
      expect(told.items).toMatchObject([{ status: 'registered' }])
      expect(JSON.stringify(told)).not.toMatch(/bob|cem/)
    },
  },
]
