// A question about the tenant's records, as data: written by a model or read from simple words, and checked either way.

import { z } from 'zod'

const scalar = z.union([z.string().max(200), z.number(), z.boolean(), z.null()])
const bound = z.union([z.string().max(200), z.number()])
const comparison = z.strictObject({
  ...{ eq: scalar.optional(), ne: scalar.optional(), in: z.array(scalar).min(1).max(50).optional() },
  ...{ gt: bound.optional(), gte: bound.optional(), lt: bound.optional(), lte: bound.optional() },
})

export const functions = ['count', 'sum', 'avg', 'min', 'max'] as const
export type AggregateFunction = (typeof functions)[number]

export const dataQuery = z.strictObject({
  /** Slug of an entity type. */
  type: z.string().min(1).max(40),
  where: z.record(z.string().max(120), z.union([scalar, comparison])).optional(),
  /** A field, `-` in front for downwards. */
  sort: z.string().max(120).optional(),
  limit: z.int().min(1).max(50).optional(),
  aggregate: z
    .strictObject({
      function: z.enum(functions),
      field: z.string().max(120).optional(),
      groupBy: z.string().max(120).optional(),
    })
    .optional(),
})
export type DataQuery = z.output<typeof dataQuery>

/** The first JSON object in what a model wrote, if it is a question. */
export function queryIn(written: string): DataQuery | undefined {
  const text = written.slice(written.indexOf('{'), written.lastIndexOf('}') + 1)
  try {
    return dataQuery.safeParse(withoutNulls(JSON.parse(text))).data
  } catch {
    return undefined
  }
}

/** Models fill what they leave out with null; a condition may be null. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      if (each === null) return []
      return [[name, name === 'aggregate' ? withoutNulls(each) : each]]
    }),
  )
}
