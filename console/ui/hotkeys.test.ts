import { expect, test } from 'vitest'
import { createHotkeys } from './hotkeys.ts'

function recorded() {
  const keys = createHotkeys()
  const done: string[] = []
  const does = (name: string) => () => done.push(name)
  return { keys, done, does }
}

test('a sequence needs its keys in order and in time', () => {
  const { keys, done, does } = recorded()
  keys.register({ 'g l': does('live'), j: does('down') })
  keys.press('g', 0)
  keys.press('l', 500)
  keys.press('l', 600)
  keys.press('g', 2_000)
  keys.press('l', 3_500)
  expect(done).toEqual(['live'])
})

test('the second key of a sequence is not also a single shortcut', () => {
  const { keys, done, does } = recorded()
  keys.register({ 'g k': does('keys') })
  keys.register({ k: does('up') })
  keys.press('g', 0)
  keys.press('k', 100)
  keys.press('k', 200)
  expect(done).toEqual(['keys', 'up'])
})

test('later bindings win until they are taken back', () => {
  const { keys, done, does } = recorded()
  keys.register({ j: does('outer') })
  const leave = keys.register({ j: does('inner') })
  keys.press('j', 0)
  leave()
  leave()
  keys.press('j', 10)
  expect(done).toEqual(['inner', 'outer'])
  expect(keys.press('x', 20)).toBe(false)
})
