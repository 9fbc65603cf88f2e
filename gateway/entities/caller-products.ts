// The catalogue as one caller may ask it: with their rows, and without what is masked from them.

import type { AuthContext } from '../platform/access.ts'
import { found, Problem } from '../platform/problem.ts'
import type { Filter } from '../platform/row-filter.ts'
import type { ProductView } from './entity.ts'
import { builtInKind } from './entity-kind.ts'
import type { ProductQuery, ProductStats } from './product-query.ts'
import { rowsFilter } from './record-query.ts'

export interface CallerProducts {
  /** Cheapest first. `not_found` for who cannot read products, `forbidden` for who asks by what is masked. */
  products(query: ProductQuery, limit: number): Promise<readonly Partial<ProductView>[]>
  /** As `products`. */
  productStats(query: ProductQuery): Promise<ProductStats>
}

export interface Catalogue {
  products(query: ProductQuery, limit: number, rows: Filter | undefined): Promise<readonly ProductView[]>
  stats(query: ProductQuery, rows: Filter | undefined): Promise<ProductStats>
}

/** Where a rule knows what is shown under another name. */
const fieldOf = (shown: string): string =>
  shown === 'slug' ? 'slug' : `data.${shown === 'price' ? 'priceCents' : shown}`
/** What words are looked for in, and what a price in words asks. */
const searched = ['name', 'category', 'material', 'tags', 'colours', 'priceCents'].map((each) => `data.${each}`)

export function callerProducts(auth: AuthContext, catalogue: Catalogue): CallerProducts {
  const sees = (field: string) => auth.sees('entities', field, 'product')
  const rowsFor = (query: ProductQuery, fields: readonly string[]): Filter | undefined => {
    if (!auth.may('entities.read', 'product')) throw new Problem('not_found')
    const asked = Object.values(query).some((each) => each !== undefined) ? searched : fields
    if (!asked.every(sees)) throw new Problem('forbidden')
    return rowsFilter({ kind: found(builtInKind('product')), auth })
  }
  return {
    async products(query, limit) {
      // In the order of their prices, so that it tells of them.
      const views = await catalogue.products(query, limit, rowsFor(query, ['data.priceCents']))
      return views.map((view) => Object.fromEntries(Object.entries(view).filter(([name]) => sees(fieldOf(name)))))
    },
    productStats: async (query) => catalogue.stats(query, rowsFor(query, ['data.priceCents', 'data.category'])),
  }
}
