import { expect, it } from 'vitest'
import { byWords } from './classify.ts'

const options = [
  { name: 'billing', about: 'Answers questions about invoices, payments and refunds' },
  { name: 'delivery-desk', about: 'Knows when parcels arrive and where they are' },
]

it('takes a message for the matter of whose words it has, always alike', () => {
  const found = byWords({ text: 'I want a refund for my last invoice', options })
  expect(found).toEqual({
    intent: expect.stringContaining('refund'),
    option: 'billing',
    certainty: found.certainty,
    by: 'words',
  })
  expect(byWords({ text: 'I want a refund for my last invoice', options })).toEqual(found)
  expect(byWords({ text: 'Where are my parcels? Ask the delivery please', options }).option).toBe('delivery-desk')
})

it('takes it for nobody’s where none or several fit', () => {
  expect(byWords({ text: 'Tell me a joke about penguins', options }).option).toBeNull()
  expect(byWords({ text: '', options }).option).toBeNull()
  const same = [
    { name: 'one', about: 'Refunds' },
    { name: 'two', about: 'Refunds' },
  ]
  expect(byWords({ text: 'refunds', options: same }).option).toBeNull()
})
