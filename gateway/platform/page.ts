// Lists that come in pages: the query that asks for one and the answer that holds one.

import { z } from 'zod'

/** Spread into the query of a list. */
export const pageQuery = {
  cursor: z.string().max(128).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
}

/** `next` is the cursor of the next page; null at the end. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() })
}
