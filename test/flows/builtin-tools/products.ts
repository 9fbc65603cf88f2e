// The catalogue: what there is, in stock and at what price.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

const id = 'S000-25'

export async function furniture({ place, tenantId }: Pick<Scene, 'place' | 'tenantId'>): Promise<void> {
  const shared = { colours: ['red'], currency: 'EUR' }
  await place.gateway.app.slices.entities.of(tenantId).put('product', [
    { slug: 'alba', data: { name: 'Alba', category: 'sofa', priceCents: 49_990, ...shared } },
    { slug: 'luna', data: { name: 'Luna', category: 'lamp', priceCents: 3_995, ...shared, inStock: false } },
    { slug: 'stella', data: { name: 'Stella', category: 'lamp', priceCents: 1_005, ...shared } },
  ])
}

export const productCases: readonly ToolCase[] = [
  {
    ...{ tool: 'search_products', id },
    says: 'products are found by words, colour and price',
    async run(scene) {
      await furniture(scene)
      const told = await scene.call('search_products', { query: 'red lamp under 20' })
      expect(told).toMatchObject({ count: 1, items: [{ slug: 'stella', price: 10.05, currency: 'EUR' }] })
    },
  },
  {
    ...{ tool: 'product_stats', id },
    says: 'lowest, highest and average price are those of the stored products',
    async run(scene) {
      await furniture(scene)
      expect(await scene.call('product_stats', { category: 'lamp' })).toMatchObject({
        count: 2,
        minPrice: 10.05,
        avgPrice: 25,
      })
    },
  },
]
