import { expect, it } from 'vitest'
import { cardsOf } from './cards.ts'

it('makes cards of a list of things with names, and of nothing else', () => {
  const items = [
    {
      name: 'Alba',
      description: 'A red sofa.',
      price: 499,
      images: ['https://shop.example/a.jpg'],
      url: 'javascript:x',
    },
    { title: 'Talk', url: 'https://shop.example/talk' },
    { sku: 'no name' },
    'text',
  ]
  expect(cardsOf(JSON.stringify({ count: 4, items }))).toEqual([
    { title: 'Alba', text: 'A red sofa.', imageUrl: 'https://shop.example/a.jpg', price: 499 },
    { title: 'Talk', url: 'https://shop.example/talk' },
  ])
  for (const other of ['', '{}', '[]', '{"items":"x"}', '{"error":{"code":"x"}}', 'no json'])
    expect(cardsOf(other)).toEqual([])
})
