// Simple questions in English, read without a model: "how many deals are open", "sum of unpaid invoices by currency". What is not
// understood is no question: nothing is guessed. Pure.

import type { CatalogField, CatalogType } from './catalog.ts'
import type { AggregateFunction, DataQuery } from './query.ts'

const asksFor: readonly (readonly [AggregateFunction, RegExp])[] = [
  ['avg', /\b(average|mean|avg)\b/],
  ['max', /\b(highest|largest|biggest|maximum|max|most expensive)\b/],
  ['min', /\b(lowest|smallest|cheapest|minimum|min|least)\b/],
  ['sum', /\b(sum|total|altogether|how much|worth|revenue|value of)\b/],
  ['count', /\b(how many|number of|count)\b/],
]

/** Words that people say for values of certain fields. */
const closed = new Set(['won', 'lost', 'cancelled', 'paid', 'void', 'closed', 'done', 'completed', 'shipped'])
const states = ['status', 'stage', 'state'] as const

/** `today`: `YYYY-MM-DD`. Undefined: not understood. */
export function readQuestion(question: string, catalog: readonly CatalogType[], today: string): DataQuery | undefined {
  const text = question
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const type = catalog.find((each) => names(each).some((name) => saysWord(text, name)))
  if (type === undefined) return undefined
  const where = conditionsIn(text, type, today)
  const asked = asksFor.find(([, pattern]) => pattern.test(text))?.[0]
  const base = { type: type.slug, ...(Object.keys(where).length === 0 ? {} : { where }) }
  if (asked === undefined) return /\b(list|show|which|what|find)\b/.test(text) ? { ...base, limit: 10 } : undefined
  const groupBy = groupIn(text, type)
  const group = groupBy === undefined ? {} : { groupBy }
  if (asked === 'count') return { ...base, aggregate: { function: 'count', ...group } }
  const field = amountIn(text, type)
  if (field === undefined) return undefined
  return { ...base, aggregate: { function: asked, field, ...group } }
}

const names = ({ slug, name }: CatalogType): string[] =>
  [slug.replaceAll('-', ' '), slug, name.toLowerCase()].flatMap((each) => [each, ...pluralsOf(each)])

const pluralsOf = (word: string): string[] => [`${word}s`, `${word}es`, word.replace(/y$/, 'ies')]

const saysWord = (text: string, word: string): boolean => ` ${text} `.includes(` ${word} `)

const wordsOf = (field: string): string =>
  field
    .replace(/(Minor|Cents)$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()

function conditionsIn(text: string, { fields }: CatalogType, today: string): NonNullable<DataQuery['where']> {
  const where: NonNullable<DataQuery['where']> = {}
  for (const { name, values } of fields)
    for (const value of values) if (saysWord(text, value.toLowerCase().replaceAll('-', ' '))) where[name] = value
  const state = states.map((each) => fields.find((field) => field.name === each)).find((each) => each !== undefined)
  if (state !== undefined && where[state.name] === undefined) {
    const open = state.values.filter((each) => !closed.has(each))
    if (/\b(open|unpaid|pending|outstanding|overdue|active)\b/.test(text) && open.length > 0)
      where[state.name] = { in: open }
  }
  if (saysWord(text, 'overdue') && fields.some((each) => each.name === 'dueOn')) where.dueOn = { lt: today }
  return where
}

function groupIn(text: string, { fields }: CatalogType): string | undefined {
  const after = /\b(?:by|per|for each)\s+(.+)$/.exec(text)?.[1]
  if (after === undefined) return undefined
  return fields.find((each) => saysWord(after, wordsOf(each.name)) || saysWord(after, each.name.toLowerCase()))?.name
}

/** A number that is named, else the one that an amount of money stands in. */
function amountIn(text: string, { fields }: CatalogType): string | undefined {
  const numbers = fields.filter((each: CatalogField) => each.kind === 'number')
  const said = numbers.find((each) => each.name !== 'totalMinor' && saysWord(text, wordsOf(each.name)))
  const amount = ['totalMinor', 'amountMinor', 'valueMinor', 'priceCents', 'amount', 'total', 'value', 'price']
  return (said ?? amount.map((each) => numbers.find((field) => field.name === each)).find((each) => each !== undefined))
    ?.name
}
