import fc from 'fast-check'
import { expect, test } from 'vitest'
import { imagesOf } from './images.ts'

const a = 'https://img.example/a.jpg'
const b = 'https://img.example/b.jpg'

test.each([
  ['a string', a, [a]],
  ['a comma list', `${a}, ${b}`, [a, b]],
  ['a comma list without blanks', `${a},${b}`, [a, b]],
  ['a list of file names', 'a.jpg,b.jpg', ['a.jpg', 'b.jpg']],
  ['lines', `${a}\n${b}`, [a, b]],
  ['{url}', { url: a }, [a]],
  ['[{url}]', [{ url: a }, { url: b }], [a, b]],
  ['[{src}] and {href}', [{ src: a }, { href: b }], [a, b]],
  ['null', null, []],
  ['undefined', undefined, []],
  ['an empty string', '  ', []],
  ['a number', 7, []],
  ['nested arrays', [[a], [[b]]], [a, b]],
  ['a nested object', { images: [{ image: { url: a } }, b] }, [a, b]],
  ['JSON text', JSON.stringify([{ url: a }, b]), [a, b]],
  ['broken JSON text', '[not json', ['[not json']],
  ['the new shape', [a, b], [a, b]],
  ['repeats and blanks', [a, '', a, null, ` ${b} `], [a, b]],
  ['a comma inside an address', 'https://img.example/w_300,h_200/a.jpg', ['https://img.example/w_300,h_200/a.jpg']],
  ['a data address', 'data:image/png;base64,AAAA', ['data:image/png;base64,AAAA']],
  ['paths', '/img/a.jpg, /img/b.jpg', ['/img/a.jpg', '/img/b.jpg']],
])('%s becomes a list of addresses', (_name, shape, expected) => {
  expect(imagesOf(shape)).toEqual(expected)
})

test('it never throws, gives strings without repeats, and is stable on its own result', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 5 }), (shape) => {
      const once = imagesOf(shape)
      expect(once.every((each) => typeof each === 'string' && each.trim() === each && each !== '')).toBe(true)
      expect(new Set(once).size).toBe(once.length)
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.webUrl()), (addresses) => {
      expect(imagesOf(imagesOf(addresses))).toEqual(imagesOf(addresses))
    }),
  )
})

test('an object that contains itself ends', () => {
  const loop: { url: string; images: unknown } = { url: a, images: undefined }
  loop.images = loop
  expect(imagesOf(loop)).toEqual([a])
})
