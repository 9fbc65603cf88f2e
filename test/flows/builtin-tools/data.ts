// Questions across the tenant's records.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

async function deals({ place, tenantId }: Scene, mark: string): Promise<void> {
  const { entities, identity } = place.gateway.app.slices
  const all = entities.of(tenantId).as(identity.authFor.system(tenantId)).template('deal')
  const value = { currency: 'EUR', contactName: mark }
  await all.create({ data: { title: `${mark} chairs`, stage: 'proposal', valueMinor: 10_000, ...value } })
  await all.create({ data: { title: `${mark} tables`, stage: 'new', valueMinor: 25_050, ...value } })
  await all.create({ data: { title: `${mark} lamps`, stage: 'won', valueMinor: 99, ...value } })
}

export const dataCases: readonly ToolCase[] = [
  {
    ...{ tool: 'query_data', id: 'S000-33' },
    says: 'counts, sums and groups are those of the own records; simple words need no model, and nothing of another tenant is told',
    async run(scene) {
      await deals(scene, 'Own')
      const other = await scene.another()
      await deals(other, 'Canary')
      await deals(other, 'Canary')
      const ask = (question: string, from = scene) => from.call('query_data', { question })
      const told = [
        await ask('How many deals are open?'),
        await ask('sum of all deals by stage'),
        await ask('list the deals'),
      ]
      expect(told[0]).toMatchObject({ value: 2, query: { type: 'deal' } })
      expect(told[1]).toMatchObject({
        items: [
          { stage: 'new', value: 25_050, count: 1 },
          { stage: 'proposal', value: 10_000 },
          { stage: 'won', value: 99 },
        ],
      })
      expect(told[2]).toMatchObject({ count: 3 })
      expect(JSON.stringify(told)).not.toContain('Canary')
      expect(await ask('what is the weather')).toMatchObject({ error: { code: 'unsupported' } })

      // A model reads what simple words do not; what it writes beyond a question about the own records is nothing.
      const { model } = scene.place
      const query = {
        type: 'deal',
        where: { valueMinor: { gt: 200 } },
        aggregate: { function: 'max', field: 'valueMinor' },
      }
      model.on(/^our fattest deal$/, { say: JSON.stringify(query) })
      expect(await ask('our fattest deal')).toMatchObject({ value: 25_050 })
      model.on(/^hack us$/, { say: '{"type":"deal","where":{"tenantId":"other"},"tenantId":"x"}' })
      expect(await ask('hack us')).toMatchObject({ error: { code: 'unsupported' } })
      model.on(/^another field$/, { say: '{"type":"deal","where":{"tenantId":"other"}}' })
      expect(await ask('another field')).toMatchObject({ error: { code: 'invalid' } })
      // The model was told what can be asked about, and none of the data.
      const asked = model.chats.filter((each) => JSON.stringify(each.messages).includes('our fattest deal'))
      expect(JSON.stringify(asked.map((each) => each.messages[0]))).not.toContain('chairs')

      // Who talks with the agent hears of the own records only.
      const visitor = await scene.call(
        'query_data',
        { question: 'how many deals' },
        { contact: { email: 'v@example.com' } },
      )
      expect(visitor).toMatchObject({ value: 0 })
      expect((await scene.records('deal')).map((each) => each.rev)).toEqual([1, 1, 1])
    },
  },
]
