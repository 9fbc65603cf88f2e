import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import { Typed } from './typed.ts'

function typed(): { clock: ManualClock; typed: Typed; said: string[]; ids: Set<string>; refused: string[] } {
  const clock = new ManualClock()
  const said: string[] = []
  const ids = new Set<string>()
  const refused: string[] = []
  const made = new Typed({
    clock,
    say: (itemId, text) => {
      ids.add(itemId)
      said.push(text)
    },
    refused: (code) => refused.push(code),
  })
  return { clock, typed: made, said, ids, refused }
}

test('what is written is said once, under an id of its own; nothing is nothing', () => {
  const { typed: caller, said, ids } = typed()
  caller.text('  Hello ')
  caller.text('Hello')
  caller.text('   ')
  expect(said).toEqual(['Hello', 'Hello'])
  expect(ids.size).toBe(2)
})

test('too long or too much is refused, and told', async () => {
  const { clock, typed: caller, said, refused } = typed()
  caller.text('x'.repeat(4_001))
  expect(refused).toEqual(['too_large'])
  for (let i = 0; i < 12; i++) caller.text(String(i))
  expect(said).toHaveLength(10)
  expect(refused).toEqual(['too_large', 'rate_visitor', 'rate_visitor'])
  await clock.advance(1_000)
  caller.text('again')
  expect(said.at(-1)).toBe('again')
})

test('keys are one number: at its pause, or at the hash key', async () => {
  const { clock, typed: caller, said } = typed()
  for (const digit of '12') caller.key(digit)
  await clock.advance(1_500)
  caller.key('3')
  await clock.advance(1_999)
  expect(said).toEqual([])
  await clock.advance(1)
  expect(said).toEqual(['I press 1 2 3 on the keypad.'])
  caller.key('9')
  caller.key('#')
  expect(said.at(-1)).toBe('I press 9 on the keypad.')
  caller.key('#')
  caller.key('hello')
  await clock.advance(5_000)
  expect(said).toHaveLength(2)
})

test('a call that is over presses nothing any more', async () => {
  const { clock, typed: caller, said } = typed()
  caller.key('1')
  caller.close()
  await clock.advance(5_000)
  expect(said).toEqual([])
})
