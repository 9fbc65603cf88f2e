import { expect, test } from 'vitest'
import { citedIn, renumbered } from './citations.ts'

const looked = (items: readonly object[], cites = true) => ({
  ...{ output: JSON.stringify({ count: items.length, items }), ok: true },
  ...(cites ? { cites: true as const } : {}),
})
const fees = { cite: 1, title: 'Fees', source: 'Fees.pdf', sourceId: 'src_1', page: 2, text: 'Nine euros.' }
const hours = { cite: 2, title: 'Hours', text: 'From ten.' }

test('[knowledge] an answer cites what its look-ups gave, and marks what its text refers to', () => {
  const second = renumbered(looked([{ ...fees, cite: 1, page: 7 }]), 2, { marked: true })
  expect(second.output).toContain('"cite":3')
  expect(second.output).toContain('square brackets')
  const cited = citedIn([looked([fees, hours]), second], 'It is nine euros [1], as always [3, 9].')
  expect(cited).toEqual([
    { n: 1, marked: true, sourceId: 'src_1', source: 'Fees.pdf', title: 'Fees', page: 2 },
    { n: 2, marked: false, sourceId: null, source: 'Hours', title: 'Hours' },
    { n: 3, marked: true, sourceId: 'src_1', source: 'Fees.pdf', title: 'Fees', page: 7 },
  ])
})

test('[knowledge] only look-ups are cited, whatever another tool answers; an address that is none of the web is left out', () => {
  expect(citedIn([looked([fees], false)], '[1]')).toEqual([])
  expect(citedIn([{ output: 'no JSON', cites: true }], '')).toEqual([])
  const odd = looked([{ ...fees, url: 'javascript:alert(1)' }])
  expect(citedIn([odd], '')[0]).not.toHaveProperty('url')
  expect(citedIn([looked([{ ...fees, url: 'https://a.example/fees' }])], '')[0]?.url).toBe('https://a.example/fees')
})

test('[knowledge] of too many those that are referred to stay', () => {
  const many = Array.from({ length: 30 }, (_, i) => ({ ...hours, cite: i + 1 }))
  const cited = citedIn([looked(many)], 'See [29].')
  expect(cited).toHaveLength(20)
  expect(cited.at(-1)).toMatchObject({ n: 29, marked: true })
})
