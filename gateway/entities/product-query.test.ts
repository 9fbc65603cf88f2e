import { expect, test } from 'vitest'
import { parseProductQuery, wordsOf } from './product-query.ts'

test.each([
  ['red sofa under 500', { words: ['sofa'], colours: ['red'], maxPriceCents: 50_000 }],
  ['Show me RED couches below $499.99, please', { words: ['sofa'], colours: ['red'], maxPriceCents: 49_999 }],
  ['lamps between 50 and 150 dollars', { words: ['lamp'], colours: [], minPriceCents: 5_000, maxPriceCents: 15_000 }],
  ['desks from 200 to 1,000', { words: ['desk'], colours: [], minPriceCents: 20_000, maxPriceCents: 100_000 }],
  ['a gray or blue rug', { words: ['rug'], colours: ['grey', 'blue'] }],
  ['what is your cheapest bookcase?', { words: ['shelf'], colours: [] }],
  ['oak table over 300', { words: ['oak', 'table'], colours: [], minPriceCents: 30_000 }],
  ['anything up to 1k', { words: [], colours: [], maxPriceCents: 100_000 }],
  ["I'm looking for an armchair", { words: ['armchair'], colours: [] }],
  ['red spaceship under 500', { words: ['spaceship'], colours: ['red'], maxPriceCents: 50_000 }],
  ['', { words: [], colours: [] }],
])('"%s" is understood', (text, criteria) => {
  expect(parseProductQuery(text)).toEqual(criteria)
})

test('products and queries are cut into the same words', () => {
  expect(wordsOf('Shelves')).toEqual(wordsOf('shelf'))
  expect(wordsOf('Benches, Boxes & Glasses')).toEqual(wordsOf('bench box glass'))
  expect(wordsOf('Bus')).toEqual(['bus'])
})
