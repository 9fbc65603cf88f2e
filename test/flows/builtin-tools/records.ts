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

const idOf = (value: unknown): string => (value as { id: string }).id
const forbidden = { error: { code: 'forbidden' } }

/** The same agent in another shop, where its tools have a role that only reads. */
async function readerOf(
  scene: Scene,
  fill: (all: Awaited<ReturnType<typeof leads>>) => Promise<unknown> = async () => undefined,
): Promise<Scene> {
  const reads = {
    tool: '*',
    role: 'client',
    identity: 'configured' as const,
    roles: [],
    actions: null,
    deniedFields: [],
  }
  const reader = await scene.another({ toolPermissions: [reads] })
  await fill(await leads(reader))
  return reader
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
  {
    ...{ tool: 'entity_create', id },
    says: 'a record is made whose data fits its type; without the right to write none is',
    async run(scene) {
      await leads(scene)
      const made = await scene.call('entity_create', { type: 'lead', slug: 'ann', data: { name: 'Ann' } })
      expect(made).toMatchObject({ entity: { slug: 'ann', title: 'Ann' } })
      const wrong = await scene.call('entity_create', { type: 'lead', data: { owner: 1 } })
      expect(wrong).toMatchObject({ error: { code: 'invalid', issues: [{}, {}] } })
      const reader = await readerOf(scene)
      expect(await reader.call('entity_create', { type: 'lead', data: { name: 'No' } })).toMatchObject(forbidden)
      expect(await scene.records('lead')).toHaveLength(1)
    },
  },
  {
    ...{ tool: 'entity_update', id },
    says: 'fields are changed and taken away; a record that was changed meanwhile stays',
    async run(scene) {
      const all = await leads(scene)
      await all.create('lead', { slug: 'ann', data: { name: 'Ann', owner: 'bob' } })
      const patch = { type: 'lead', id: 'ann', data: { name: 'Anna', owner: null }, rev: 1 }
      expect(await scene.call('entity_update', patch)).toMatchObject({ entity: { data: { name: 'Anna' }, rev: 2 } })
      expect(await scene.call('entity_update', patch)).toMatchObject({ error: { code: 'conflict' } })
      const reader = await readerOf(scene, (own) => own.create('lead', { slug: 'x', data: { name: 'X' } }))
      expect(await reader.call('entity_update', { ...patch, id: 'x' })).toMatchObject(forbidden)
    },
  },
  {
    ...{ tool: 'entity_delete', id },
    says: 'a record is removed, by whoever may',
    async run(scene) {
      const all = await leads(scene)
      await all.create('lead', { slug: 'ann', data: { name: 'Ann' } })
      expect(await scene.call('entity_delete', { type: 'lead', id: 'ann' })).toEqual({ removed: true })
      expect(await scene.records('lead')).toEqual([])
      const reader = await readerOf(scene, (own) => own.create('lead', { slug: 'x', data: { name: 'X' } }))
      expect(await reader.call('entity_delete', { type: 'lead', id: 'x' })).toMatchObject(forbidden)
    },
  },
  {
    ...{ tool: 'entity_link', id, with: ['entity_get'] },
    says: 'two records are related, and the relation is read with them',
    async run(scene) {
      const all = await leads(scene)
      for (const slug of ['ann', 'bob']) await all.create('lead', { slug, data: { name: slug } })
      const link = { type: 'lead', id: 'ann', relation: 'knows', toType: 'lead', to: 'bob' }
      expect(await scene.call('entity_link', link)).toMatchObject({ relation: { entity: { slug: 'bob' } } })
      const told = await scene.call('entity_get', { type: 'lead', id: 'ann' })
      expect(told).toMatchObject({ relations: [{ relation: 'knows', direction: 'out' }] })
      const gone = await scene.call('entity_link', { ...link, to: 'nobody' })
      expect(gone).toMatchObject({ error: { code: 'not_found' } })
      const reader = await readerOf(scene, (own) => own.create('lead', { slug: 'ann', data: { name: 'X' } }))
      expect(await reader.call('entity_link', { ...link, to: 'ann' })).toMatchObject(forbidden)
    },
  },
  {
    ...{ tool: 'entity_unlink', id },
    says: 'a relation is taken away, and only it',
    async run(scene) {
      const all = await leads(scene)
      for (const slug of ['ann', 'bob']) await all.create('lead', { slug, data: { name: slug } })
      const to = { type: 'lead', key: 'bob' }
      for (const relation of ['knows', 'likes']) await all.link('lead', 'ann', { relation, to })
      const link = { type: 'lead', id: 'ann', relation: 'knows', toType: 'lead', to: 'bob' }
      expect(await scene.call('entity_unlink', link)).toEqual({ removed: true })
      expect(await all.relations('lead', 'ann', { limit: 9 })).toMatchObject({ items: [{ relation: 'likes' }] })
      const reader = await readerOf(scene, (own) => own.create('lead', { slug: 'ann', data: { name: 'X' } }))
      expect(await reader.call('entity_unlink', { ...link, to: 'ann' })).toMatchObject(forbidden)
    },
  },
  {
    ...{ tool: 'event_emit', id, with: ['event_query'] },
    says: 'what an agent tells stands in the log under its name; what only the gateway tells is refused',
    async run(scene) {
      const told = await scene.call('event_emit', { type: 'lead.qualified', payload: { score: 7 } })
      expect(told).toMatchObject({ event: { type: 'lead.qualified', actorType: 'agent', payload: { score: 7 } } })
      expect(await scene.call('event_query', { type: 'lead.qualified' })).toMatchObject({ count: 1 })
      expect(await scene.call('event_emit', { type: 'entity.created' })).toMatchObject({ error: { code: 'forbidden' } })
      expect(await (await readerOf(scene)).call('event_emit', { type: 'lead.won' })).toMatchObject(forbidden)
    },
  },
  {
    ...{ tool: 'job_enqueue', id, with: ['job_status', 'event_query'] },
    says: 'a job is done once, in the name of the agent; without the right to what it does none is taken',
    async run(scene) {
      const args = { kind: 'event.emit', payload: { type: 'lead.reminded', payload: { n: 1 } } }
      const { job } = await scene.call('job_enqueue', args)
      await expect
        .poll(() => scene.call('job_status', { id: idOf(job) }), { timeout: 20_000 })
        .toMatchObject({
          job: { state: 'done', attempts: 1, result: { eventId: expect.any(String) } },
        })
      const told = await scene.call('event_query', { type: 'lead.reminded' })
      expect(told).toMatchObject({ count: 1, items: [{ actorType: 'agent', payload: { n: 1 } }] })
      expect(await scene.call('job_enqueue', { ...args, payload: {} })).toMatchObject({ error: { code: 'invalid' } })
      expect(await (await readerOf(scene)).call('job_enqueue', args)).toMatchObject(forbidden)
      const types = await scene.call('job_enqueue', { kind: 'entity.reindex', payload: { type: 'lead' } })
      expect(types).toMatchObject(forbidden)
    },
  },
  {
    ...{ tool: 'job_status', id, with: ['job_enqueue'] },
    says: 'a job that waits is told to wait; another tenant’s is not found',
    async run(scene) {
      const args = { kind: 'event.emit', payload: { type: 'lead.reminded' }, delaySeconds: 3_600 }
      const { job } = await scene.call('job_enqueue', args)
      const told = await scene.call('job_status', { id: idOf(job) })
      expect(told).toMatchObject({ job: { state: 'queued', attempts: 0, result: null } })
      const other = await scene.another()
      expect(await other.call('job_status', { id: idOf(job) })).toMatchObject({ error: { code: 'not_found' } })
    },
  },
]
