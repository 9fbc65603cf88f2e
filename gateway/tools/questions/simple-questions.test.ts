import { expect, test } from 'vitest'
import type { CatalogType } from './catalog.ts'
import { queryIn } from './query.ts'
import { readQuestion } from './simple-questions.ts'

const number = (name: string) => ({ name, kind: 'number' as const, values: [] })
const text = (name: string, values: readonly string[] = []) => ({ name, kind: 'text' as const, values })
const catalog: readonly CatalogType[] = [
  {
    ...{ slug: 'deal', name: 'Deal' },
    fields: [
      text('title'),
      text('stage', ['new', 'proposal', 'won', 'lost']),
      number('valueMinor'),
      number('probability'),
    ],
  },
  {
    ...{ slug: 'invoice', name: 'Invoice' },
    fields: [
      text('status', ['open', 'paid', 'void']),
      text('currency'),
      number('totalMinor'),
      number('taxMinor'),
      text('dueOn'),
    ],
  },
  { slug: 'company', name: 'Company', fields: [text('name'), text('city'), number('employees')] },
  { slug: 'booking-resource', name: 'Booking resource', fields: [] },
]
const read = (question: string) => readQuestion(question, catalog, '2027-05-01')

test.each([
  [
    'How many deals are open?',
    { type: 'deal', where: { stage: { in: ['new', 'proposal'] } }, aggregate: { function: 'count' } },
  ],
  ['how many deals were won', { type: 'deal', where: { stage: 'won' }, aggregate: { function: 'count' } }],
  [
    'sum of invoices unpaid',
    { type: 'invoice', where: { status: { in: ['open'] } }, aggregate: { function: 'sum', field: 'totalMinor' } },
  ],
  [
    'total of paid invoices by currency',
    {
      type: 'invoice',
      where: { status: 'paid' },
      aggregate: { function: 'sum', field: 'totalMinor', groupBy: 'currency' },
    },
  ],
  ['average tax of invoices', { type: 'invoice', aggregate: { function: 'avg', field: 'taxMinor' } }],
  ['number of companies per city', { type: 'company', aggregate: { function: 'count', groupBy: 'city' } }],
  ['highest number of employees of a company', { type: 'company', aggregate: { function: 'max', field: 'employees' } }],
  [
    'how many invoices are overdue',
    {
      type: 'invoice',
      where: { status: { in: ['open'] }, dueOn: { lt: '2027-05-01' } },
      aggregate: { function: 'count' },
    },
  ],
  ['list the companies', { type: 'company', limit: 10 }],
  ['how many booking resources', { type: 'booking-resource', aggregate: { function: 'count' } }],
])('[S000-33] “%s” is understood without a model', (question, query) => {
  expect(read(question)).toEqual(query)
})

test.each(['how many unicorns are there', 'deals', 'sum of companies', 'what is the weather', ''])(
  '[S000-33] “%s” is not guessed at',
  (question) => {
    expect(read(question)).toBeUndefined()
  },
)

test('[S000-33] of what a model writes only a question counts', () => {
  expect(queryIn('Sure! {"type":"deal","where":null,"aggregate":{"function":"count","field":null}} ok')).toEqual({
    ...{ type: 'deal', aggregate: { function: 'count' } },
  })
  expect(queryIn('{}')).toBeUndefined()
  expect(queryIn('{"type":"deal","$where":"1"}')).toBeUndefined()
  expect(queryIn('{"type":"deal","where":{"a":{"$gt":1}}}')).toBeUndefined()
  expect(queryIn('I do not know')).toBeUndefined()
  expect(queryIn('{"type":"deal","limit":1000000}')).toBeUndefined()
})
