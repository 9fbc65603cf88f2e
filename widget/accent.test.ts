import { expect, test } from 'vitest'
import { luminance, parseAccent, textOn } from './accent.ts'

test('only a plain colour is taken', () => {
  expect(parseAccent('#B3432B')).toBe('#b3432b')
  expect(parseAccent('#0af')).toBe('#00aaff')
  for (const text of ['', 'red', '#12345', 'url(x)', '#fff;--x:1']) expect(parseAccent(text)).toBeUndefined()
})

test('text on the accent is readable whatever the accent', () => {
  for (const accent of ['#000000', '#ffffff', '#ffd60a', '#2f6f5e', '#b3432b', '#3b4cca', '#808080', '#00d5ff']) {
    const [dark = 0, light = 0] = [luminance(accent), luminance(textOn(accent))].toSorted((a, b) => a - b)
    expect((light + 0.05) / (dark + 0.05)).toBeGreaterThan(4.5)
  }
})
