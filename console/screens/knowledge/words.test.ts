import { expect, test } from 'vitest'
import { fileSize } from './words.ts'

test('sizes are told as file managers tell them', () => {
  expect(fileSize(0)).toBe('0 B')
  expect(fileSize(1_499)).toBe('1 kB')
  expect(fileSize(20_400_000)).toBe('20.4 MB')
})
