// What visitors look up: the programme of a conference, and what the business and the gateway wrote down.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

const entitiesOf = ({ place, tenantId }: Scene) => place.gateway.app.slices.entities.of(tenantId)

async function conference(scene: Scene): Promise<void> {
  const entities = entitiesOf(scene)
  const dates = { startsOn: '2027-05-01', endsOn: '2027-05-02', timezone: 'Europe/Berlin' }
  await entities.put('event', [{ slug: 'conf', data: { name: 'Conf', venue: 'Hall', city: 'Berlin', ...dates } }])
  await entities.put('speaker', [{ slug: 'ada', data: { name: 'Ada Byron', company: 'Engines' } }])
  const talk = { title: 'On engines', track: 'Main', room: 'A', day: '2027-05-01', speakers: ['ada'] }
  await entities.put('session', [{ slug: 'talk', data: { ...talk, startsAt: '10:00', endsAt: '11:00' } }])
}

export const lookupCases: readonly ToolCase[] = [
  {
    ...{ tool: 'get_program', id: 'S000-21' },
    says: 'the programme is told by time of day',
    async run(scene) {
      await conference(scene)
      expect(await scene.call('get_program', { at: '10:30 am' })).toMatchObject({ count: 1, items: [{ slug: 'talk' }] })
      expect(await scene.call('get_program', { at: '12:00' })).toMatchObject({ count: 0 })
    },
  },
  {
    ...{ tool: 'get_speakers', id: 'S000-21' },
    says: 'speakers are found by a part of their name',
    async run(scene) {
      await conference(scene)
      expect(await scene.call('get_speakers', { name: 'byr' })).toMatchObject({ items: [{ name: 'Ada Byron' }] })
    },
  },
  {
    ...{ tool: 'get_event_info', id: 'S000-21' },
    says: 'what, when and where the event is',
    async run(scene) {
      expect(await scene.call('get_event_info', {})).toEqual({ event: null })
      await conference(scene)
      expect(await scene.call('get_event_info', {})).toMatchObject({ event: { venue: 'Hall', startsOn: '2027-05-01' } })
    },
  },
  {
    ...{ tool: 'search_knowledge', id: 'S000-21' },
    says: 'what this business wrote down is found, and nothing of another one',
    async run(scene) {
      const { knowledge } = scene.place.gateway.app.slices
      const other = await scene.another()
      await knowledge.of(scene.tenantId).put([{ key: 'hours', title: 'Hours', text: 'We open at nine.', kind: 'faq' }])
      await knowledge.of(other.tenantId).put([{ key: 'hours', title: 'Hours', text: 'Canary opens.', kind: 'faq' }])
      const told = await scene.call('search_knowledge', { query: 'open' })
      expect(JSON.stringify(told)).toContain('nine')
      expect(JSON.stringify(told)).not.toContain('Canary')
    },
  },
  {
    ...{ tool: 'search_system_knowledge', id: 'S000-21' },
    says: 'the gateway’s own papers are looked into',
    async run(scene) {
      expect((await scene.call('search_system_knowledge', { query: 'objections' })).count).toBeGreaterThan(0)
    },
  },
]
