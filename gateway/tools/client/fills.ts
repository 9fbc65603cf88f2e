// What visuals show of the tenant's records, by what the model named.

import { z } from 'zod'
import type { Entities, ProductView } from '../../entities/entities.ts'
import { Problem } from '../../platform/problem.ts'
import type { ProductCard } from '../../protocol/visuals/shop.ts'
import { digitsOf } from '../providers/minor-units.ts'
import type { JsonObject, ToolContext } from '../tool.ts'

export type Fill = (args: JsonObject, context: ToolContext) => Promise<JsonObject>

/** By the visual's name. */
export function recordFills(deps: { readonly entities: Entities }): Readonly<Record<string, Fill>> {
  return {
    async product_cards({ products, ...rest }, context) {
      const found = await Promise.all(texts(products).map((key) => productCard(deps, context, key)))
      const known = found.filter((each) => each !== undefined)
      if (known.length === 0) throw new Problem('not_found', 'There are no products of these slugs.')
      return { ...rest, products: known }
    },
    async speakers({ names }, { tenantId }) {
      const people = await Promise.all(texts(names).map((name) => deps.entities.of(tenantId).speakers(name)))
      const once = new Map(people.flat().map((each) => [each.slug, each]))
      if (once.size === 0) throw new Problem('not_found', 'There are no speakers of these names.')
      return {
        speakers: [...once.values()].map(({ name, title, company, topics, bio }) => ({
          ...{ name, topics: topics.join(', '), text: bio },
          role: [title, company].filter((text) => text !== '').join(', '),
        })),
      }
    },
  }
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []

const cardChars = 140
const slugPattern = /^[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?$/

/** By slug, or by the name as a person says it: "the red sofa" is one that is in stock. */
export async function productCard(
  { entities }: { readonly entities: Entities },
  { tenantId, auth }: Pick<ToolContext, 'tenantId' | 'auth'>,
  key: string,
): Promise<ProductCard | undefined> {
  const wanted = key.trim()
  if (slugPattern.test(wanted)) {
    const view = await entities
      .of(tenantId)
      .as(await auth())
      .get('product', wanted)
      .catch(() => undefined)
    const stored = storedProduct.safeParse(view?.data)
    if (view !== undefined && stored.success)
      return cardOf({ ...stored.data, slug: view.slug, price: stored.data.priceCents / 100 })
  }
  const all = await entities.of(tenantId).products({ query: wanted }, 20)
  const named = all.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  const product = named ?? all.find(({ inStock }) => inStock) ?? all[0]
  return product === undefined ? undefined : cardOf(product)
}

const storedProduct = z.object({
  name: z.string(),
  description: z.string().default(''),
  priceCents: z.int(),
  currency: z.string(),
  images: z.array(z.string()).default([]),
  inStock: z.boolean(),
})

type Shown = Pick<ProductView, 'slug' | 'name' | 'description' | 'price' | 'currency' | 'images' | 'inStock'>

function cardOf({ slug, name, description, price, currency, images, inStock }: Shown): ProductCard {
  const [imageUrl] = images
  return {
    ...{ slug, name, currency, inStock, unitMinor: Math.round(price * 10 ** digitsOf(currency)) },
    text: description.length > cardChars ? `${description.slice(0, cardChars)}…` : description,
    ...(imageUrl === undefined ? {} : { imageUrl }),
  }
}
