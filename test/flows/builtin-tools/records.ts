// Records of any type, what happened to them, and jobs.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

const id = 'S001-31'

async function leads(scene: Scene) {
  const { place, tenantId } = scene
  const { identity, entities } = place.gateway.app.slices
  const all = entities.of(tenantId).as(identity.authFor.system(tenantId))
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' }, owner: { type: 'string' } },
    required: ['name'],
  }
  await all.createType('lead', { name: 'Lead', description: '', schema, searchFields: null, titleField: 'name' })
  return all
}

export const recordCases: readonly ToolCase[] = [
  {
    ...{ tool: 'entity_query', id },
    says: 'records are found by words and by the values of their fields',
    async run(scene) {
      const all = await leads(scene)
      for (const owner of ['ann', 'bob']) await all.create('lead', { data: { name: `Lead of ${owner}`, owner } })
      const told = await scene.call('entity_query', { type: 'lead', where: '{"owner":"bob"}' })
      expect(told).toMatchObject({ count: 1, items: [{ title: 'Lead of bob' }] })
      expect(await scene.call('entity_query', { type: 'nothing' })).toMatchObject({ error: { code: 'not_found' } })
    },
  },
  {
    ...{ tool: 'entity_get', id },
    says: 'one record is read by its slug',
    async run(scene) {
      const all = await leads(scene)
      await all.create('lead', { slug: 'ann', data: { name: 'Ann' } })
      const told = await scene.call('entity_get', { type: 'lead', id: 'ann' })
      expect(told).toMatchObject({ entity: { title: 'Ann' }, relations: [] })
    },
  },
  {
    ...{ tool: 'event_query', id },
    says: 'what happened is told, newest first',
    async run(scene) {
      const all = await leads(scene)
      await all.create('lead', { data: { name: 'Ann' } })
      const told = await scene.call('event_query', { type: 'entity.created' })
      expect(told).toMatchObject({ count: 1, items: [{ type: 'entity.created', entity: { type: 'lead' } }] })
    },
  },
]
