// What agents show, and the order that is made of a form: the reply brings the visual, the conversation keeps it.

import { expect } from 'vitest'
import { z } from 'zod'
import { blocksOf } from '../../../gateway/protocol/visuals/visual.ts'
import { visuals } from '../../../gateway/protocol/visuals/visuals.ts'
import { furniture } from './products.ts'
import type { Scene, ToolCase } from './scene.ts'

const shown = z.object({ id: z.string(), visual: z.string(), data: z.record(z.string(), z.unknown()) })
const reply = z.object({ conversationId: z.string(), visuals: z.array(shown) })

let messages = 0

/** The agent shows it in one message; what the reply holds, what the stream told and what is stored. */
async function show({ place, shop, tenantId }: Scene, tool: string, args: object) {
  const message = `show message ${++messages}`
  place.model.on(new RegExp(`^${message}$`), { calls: [{ name: tool, arguments: JSON.stringify(args) }] })
  const { body } = await shop.post('/v1/chat', { agentId: shop.agentId, message })
  const { conversationId, visuals: inReply } = reply.parse(body)
  const turns = await place.gateway.app.slices.transcript.of(tenantId).ofConversation(conversationId, 50)
  return { inReply, inTurns: turns.flatMap(({ visual }) => visual ?? []) }
}

async function speakers({ place, tenantId }: Scene): Promise<void> {
  const ada = { slug: 'ada', data: { name: 'Ada Byron', company: 'Engines' } }
  await place.gateway.app.slices.entities.of(tenantId).put('speaker', [ada])
}

/** What a model gives, where that is not the example itself. */
const asked: Readonly<Record<string, object>> = {
  product_cards: { products: ['alba', 'luna'] },
  order_form: { product: 'alba', quantity: 2 },
  speakers: { names: ['ada'] },
}

const shows: readonly ToolCase[] = visuals.map(({ name, title, example }) => ({
  ...{ tool: `show_${name}`, id: name === 'order_form' ? 'S002-19' : 'S002-2' },
  says: `an agent shows: ${title.toLowerCase()}`,
  async run(scene) {
    await furniture(scene)
    await speakers(scene)
    const { inReply, inTurns } = await show(scene, `show_${name}`, asked[name] ?? example)
    expect(inReply).toMatchObject([{ visual: name }])
    expect(inTurns).toEqual(inReply)
    expect(inReply.flatMap((each) => blocksOf(each, visuals)).length).toBeGreaterThan(0)
  },
}))

export const visualCases: readonly ToolCase[] = [
  ...shows,
  {
    ...{ tool: 'place_order', id: 'S002-19', with: ['show_order_form'] },
    says: 'an order is made of the product’s own price, and told as it is stored',
    async run(scene) {
      await furniture(scene)
      const person = { name: 'Ada Byron', email: 'ada@example.com', address: '1 Mill Street' }
      const told = await scene.call('place_order', { product: 'alba', quantity: 3, ...person })
      expect(told).toMatchObject({ placed: true, totalMinor: 149_970, currency: 'EUR' })
      expect(await scene.records('order')).toMatchObject([
        {
          data: {
            ...{ number: told.order, totalMinor: 149_970, name: 'Ada Byron' },
            items: [{ product: 'alba', quantity: 3, unitPriceMinor: 49_990 }],
          },
        },
      ])
      expect(await scene.call('place_order', { product: 'luna', ...person })).toMatchObject({
        error: { code: 'conflict' },
      })
      expect(await scene.call('place_order', { product: 'stella' })).toMatchObject({ error: { code: 'invalid' } })
    },
  },
]
