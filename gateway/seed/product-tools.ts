// The tools of the demo shop: descriptors as any tenant writes them, here of the gateway's own routes.

import type { NewTool } from '../tools/tools.ts'

const fields = {
  query: {
    type: 'string',
    maxLength: 300,
    description: 'What the person is looking for, in their words, e.g. "red sofa under 500"',
  },
  colour: { type: 'string', maxLength: 80, description: 'A basic colour' },
  category: { type: 'string', maxLength: 80, description: 'e.g. sofa, chair, table, lamp' },
  minPrice: { type: 'number', minimum: 0, maximum: 1_000_000 },
  maxPrice: { type: 'number', minimum: 0, maximum: 1_000_000 },
}
const object = (properties: object) => ({ type: 'object', properties, additionalProperties: false })
const criteria = 'query={query}&colour={colour}&category={category}&minPrice={minPrice}&maxPrice={maxPrice}'

export const productTools: readonly NewTool[] = [
  {
    ...{ name: 'search_products', kind: 'http', category: 'products', readOnly: true },
    description: 'Finds furniture by words, colour, category and price. Answers matching pieces only, cheapest first.',
    parameters: object({ ...fields, limit: { type: 'integer', minimum: 1, maximum: 20 } }),
    spec: { url: `parley:/v1/products/search?${criteria}&limit={limit}`, response: { items: { at: '/items' } } },
  },
  {
    ...{ name: 'product_stats', kind: 'http', category: 'products', readOnly: true },
    description: 'How many pieces match, with lowest, highest and average price, also per category.',
    parameters: object(fields),
    spec: {
      url: `parley:/v1/products/stats?${criteria}`,
      response: {
        pick: {
          ...{ count: '/count', minPrice: '/minPrice', maxPrice: '/maxPrice', avgPrice: '/avgPrice' },
          categories: '/categories',
        },
      },
    },
  },
]
