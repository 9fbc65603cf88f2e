import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxSlugChars, numberedSlug, slugOf, slugPattern } from './slug.ts'

test.each([
  ['Müller & Söhne AG', 'muller-sohne-ag'],
  ['  --Hello,   World!-- ', 'hello-world'],
  ['Straße 5', 'strasse-5'],
  ['日本', 'tenant'],
  ['', 'tenant'],
])('[S001-36] the slug of %j is %s', (name, slug) => {
  expect(slugOf(name, 'tenant')).toBe(slug)
})

test('[S001-36] a slug is lower-case with inner hyphens and at most 50 characters, whatever the name and the suffix', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer({ min: 1, max: 99_999 }), (name, nth) => {
      const slug = numberedSlug(slugOf(name, 'tenant'), nth)
      expect(slug).toMatch(slugPattern)
      expect(slug.length).toBeLessThanOrEqual(maxSlugChars)
    }),
  )
})

test('[S001-36] the same name twice gets a suffix that fits', () => {
  expect(numberedSlug('shop', 1)).toBe('shop')
  expect(numberedSlug('shop', 2)).toBe('shop-2')
  const long = 'a'.repeat(49)
  expect(numberedSlug(`${long}b`, 12)).toBe(`${'a'.repeat(47)}-12`)
})
