// Looking into the tenant's products. Prices are told in whole units of the currency, as people say them.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import { Problem } from '../../platform/problem.ts'
import type { EntityView } from '../../protocol/records.ts'
import { type BuiltinTool, builtin, listResult, type ToolContext } from '../tool.ts'

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

export interface ProductDeps {
  readonly entities: Entities
}

export function productTools(deps: ProductDeps): readonly BuiltinTool[] {
  const { entities } = deps
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
    listProducts(deps),
    inventory(deps),
    pricing(deps),
  ]
}

const key = z.string().min(1).max(120).describe('Slug, stock number or name of the product')
const quantity = z.int().min(1).max(1_000_000)

function listProducts({ entities }: ProductDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'list_products', kind: 'products.list_products', category: 'products', readOnly: true },
      description: 'Lists products by name, all or those of a category.',
    },
    z.strictObject({
      category: name.optional(),
      limit: z.int().min(1).max(50).optional(),
      cursor: z.string().max(1_000).describe('From the page before').optional(),
    }),
    async ({ category, limit = 20, cursor }, context) => {
      const mine = entities.of(context.tenantId).as(await context.auth())
      const where = category === undefined ? {} : { category: category.toLowerCase() }
      const { items, next } = await mine.list('product', { where, sort: 'name', limit, cursor })
      return { ...listResult(items.map((each) => pricedView(each))), next }
    },
  )
}

function inventory(deps: ProductDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'check_inventory', kind: 'products.check_inventory', category: 'products', readOnly: true },
      description: 'Tells whether a product is in stock, and how many there are where that is counted.',
    },
    z.strictObject({ product: key, quantity: quantity.optional() }),
    async ({ product, quantity: wanted = 1 }, context) => {
      const { view, item } = await productOf(deps, context, product)
      const { inStock, stock, sku } = item
      const left = inStock ? (stock ?? null) : 0
      const isEnough = inStock && (stock === undefined || stock >= wanted)
      return {
        slug: view.slug,
        name: item.name,
        sku: sku ?? null,
        inStock: inStock && stock !== 0,
        stock: left,
        enough: isEnough,
      }
    },
  )
}

function pricing(deps: ProductDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'get_pricing', kind: 'products.get_pricing', category: 'products', readOnly: true },
      description: 'Tells the price of a product, and what several come to.',
    },
    z.strictObject({ product: key, quantity: quantity.optional() }),
    async ({ product, quantity: count = 1 }, context) => {
      const { view, item } = await productOf(deps, context, product)
      const { priceCents, currency, name: called } = item
      const total = hundredths(priceCents * count)
      return { slug: view.slug, name: called, price: hundredths(priceCents), currency, quantity: count, total }
    },
  )
}

/** Product prices are kept in hundredths, whatever the currency. */
function hundredths(cents: number): string {
  const text = String(cents).padStart(3, '0')
  return `${text.slice(0, -2)}.${text.slice(-2)}`
}

const stored = z.object({
  name: z.string(),
  category: z.string(),
  priceCents: z.int(),
  currency: z.string().default('USD'),
  inStock: z.boolean().default(true),
  stock: z.int().optional(),
  sku: z.string().optional(),
})

const pricedView = ({ slug, data }: EntityView) => {
  const { priceCents, ...item } = stored.partial().parse(data)
  return { slug, ...item, price: priceCents === undefined ? null : hundredths(priceCents) }
}

/** `invalid` where several fit: the model is told which. */
async function productOf({ entities }: ProductDeps, context: ToolContext, key: string) {
  const mine = entities.of(context.tenantId).as(await context.auth())
  const bySlug = /^[a-z0-9-]{1,80}$/.test(key) ? await mine.get('product', key).catch(orUndefined) : undefined
  const bySku = bySlug ?? (await mine.list('product', { where: { sku: key }, limit: 1 })).items[0]
  const found = bySku === undefined ? (await mine.list('product', { q: key, limit: 5 })).items : [bySku]
  const same = found.filter((each) => each.title?.toLowerCase() === key.toLowerCase())
  const [only, other] = same.length > 0 ? same : found
  if (only === undefined) throw new Problem('not_found', 'There is no such product.')
  if (other !== undefined)
    throw new Problem('invalid', `Several products fit: ${found.map((each) => each.slug).join(', ')}.`)
  return { view: only, item: stored.parse(only.data) }
}

function orUndefined(error: unknown): undefined {
  if (error instanceof Problem && error.code === 'not_found') return undefined
  throw error
}
