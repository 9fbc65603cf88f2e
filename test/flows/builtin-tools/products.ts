// The catalogue: what there is, in stock and at what price.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

const id = 'S000-25'

export async function furniture({ place, tenantId }: Pick<Scene, 'place' | 'tenantId'>): Promise<void> {
  const shared = { colours: ['red'], currency: 'EUR' }
  await place.gateway.app.slices.entities.of(tenantId).put('product', [
    { slug: 'alba', data: { name: 'Alba', category: 'sofa', priceCents: 49_990, sku: 'S-1', stock: 3, ...shared } },
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
  {
    ...{ tool: 'list_products', id },
    says: 'the products of a category are listed page by page',
    async run(scene) {
      await furniture(scene)
      const first = await scene.call('list_products', { limit: 2 })
      expect(first).toMatchObject({
        count: 2,
        items: [{ slug: 'alba', price: '499.90', sku: 'S-1' }, { slug: 'luna' }],
      })
      const rest = await scene.call('list_products', { limit: 2, cursor: first.next })
      expect(rest).toMatchObject({ count: 1, items: [{ slug: 'stella' }], next: null })
      expect(await scene.call('list_products', { category: 'Lamp' })).toMatchObject({ count: 2 })
    },
  },
  {
    ...{ tool: 'check_inventory', id },
    says: 'what is told is what is stored: how many there are, or only whether there are any',
    async run(scene) {
      await furniture(scene)
      const stock = (args: object) => scene.call('check_inventory', args)
      expect(await stock({ product: 'Alba' })).toMatchObject({ inStock: true, stock: 3, enough: true })
      expect(await stock({ product: 'S-1', quantity: 4 })).toMatchObject({ slug: 'alba', stock: 3, enough: false })
      expect(await stock({ product: 'luna' })).toMatchObject({ inStock: false, stock: 0, enough: false })
      expect(await stock({ product: 'stella', quantity: 9 })).toMatchObject({
        inStock: true,
        stock: null,
        enough: true,
      })
      expect(await stock({ product: 'lamp' })).toMatchObject({ error: { code: 'invalid' } })
      expect(await stock({ product: 'nothing' })).toMatchObject({ error: { code: 'not_found' } })
    },
  },
  {
    ...{ tool: 'get_pricing', id },
    says: 'prices are those that are stored, and what several come to is exact',
    async run(scene) {
      await furniture(scene)
      const told = await scene.call('get_pricing', { product: 'stella', quantity: 3 })
      expect(told).toMatchObject({ price: '10.05', currency: 'EUR', total: '30.15' })
    },
  },
]
