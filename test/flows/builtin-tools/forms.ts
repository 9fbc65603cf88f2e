// Forms and what was filled in.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

const id = 'S000-26'

async function survey({ place, tenantId }: Scene, own: object = {}): Promise<void> {
  const { entities, identity } = place.gateway.app.slices
  const fields = [
    { name: 'name', type: 'text' as const, required: true },
    { name: 'people', type: 'number' as const },
  ]
  const data = { title: 'Survey', fields, ...own }
  const forms = entities.of(tenantId).as(identity.authFor.system(tenantId)).template('form')
  await forms.create({ slug: String(Reflect.get(own, 'title') ?? 'survey').toLowerCase(), data })
}

export const formCases: readonly ToolCase[] = [
  {
    ...{ tool: 'list_forms', id },
    says: 'open forms are told with their fields',
    async run(scene) {
      await survey(scene)
      await survey(scene, { title: 'Old', isClosed: true })
      const told = await scene.call('list_forms', {})
      expect(told).toMatchObject({
        count: 1,
        items: [{ slug: 'survey', fields: [{ name: 'name', required: true }, {}] }],
      })
    },
  },
  {
    ...{ tool: 'create_form_submission', id, with: ['get_form_responses'] },
    says: 'what the agent hands in is what is read from the responses; what does not fit the form is not kept',
    async run(scene) {
      await survey(scene)
      const told = await scene.call('create_form_submission', { form: 'survey', values: { name: 'Ann', people: '4' } })
      expect(told).toMatchObject({ submission: { values: { name: 'Ann', people: 4 } } })
      const wrong = await scene.call('create_form_submission', { form: 'survey', values: { people: 'many', x: 1 } })
      expect(wrong).toMatchObject({ error: { code: 'invalid', issues: [{ path: 'values.x' }, {}, {}] } })
      const responses = await scene.call('get_form_responses', { form: 'survey' })
      expect(responses).toMatchObject({ form: 'Survey', count: 1, items: [{ values: { name: 'Ann', people: 4 } }] })
      expect(await scene.records('submission')).toHaveLength(1)
    },
  },
  {
    ...{ tool: 'get_form_responses', id, with: ['create_form_submission'] },
    says: 'who talks with the agent reads the own answers only',
    async run(scene) {
      await survey(scene)
      const [ann, bob] = ['ann', 'bob'].map((each) => ({ contact: { email: `${each}@example.com` } }))
      await scene.call('create_form_submission', { form: 'survey', values: { name: 'Ann Secret' } }, ann)
      await scene.call('create_form_submission', { form: 'survey', values: { name: 'Bob' } }, bob)
      const told = await scene.call('get_form_responses', { form: 'survey' }, bob)
      expect(told).toMatchObject({ count: 1, items: [{ values: { name: 'Bob' } }] })
      expect(JSON.stringify(told)).not.toContain('Secret')
    },
  },
]
