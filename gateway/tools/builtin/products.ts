// Looking into the tenant's products. Prices are told in whole units of the currency, as people say them.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

/** Models send prices as text now and then. */
const price = z.preprocess(
  (value) => (typeof value === 'string' && /^\$?\d+(\.\d+)?$/.test(value) ? Number(value.replace('$', '')) : value),
  z.number().min(0).max(1_000_000),
)
const name = z.string().max(80)

const productFields = {
  query: z
    .string()
    .max(300)
    .describe('What the person is looking for, in their words, e.g. "red sofa under 500"')
    .optional(),
  colour: name.describe('A basic colour').optional(),
  category: name.describe('e.g. sofa, chair, table, lamp').optional(),
  minPrice: price.optional(),
  maxPrice: price.optional(),
}

export function productTools({ entities }: { readonly entities: Entities }): readonly BuiltinTool[] {
  return [
    builtin(
      {
        ...{ name: 'search_products', kind: 'products.search', category: 'products', readOnly: true },
        description: 'Finds products by words, colour, category and price, cheapest first.',
      },
      z.strictObject({ ...productFields, limit: z.int().min(1).max(20).optional() }),
      async ({ limit, ...query }, { tenantId }) => listResult(await entities.of(tenantId).products(query, limit ?? 8)),
    ),
    builtin(
      {
        ...{ name: 'product_stats', kind: 'products.stats', category: 'products', readOnly: true },
        description: 'Counts products and tells their lowest, highest and average price, for all or for some.',
      },
      z.strictObject(productFields),
      async (query, { tenantId }) => ({ ...(await entities.of(tenantId).stats(query)) }),
    ),
  ]
}
