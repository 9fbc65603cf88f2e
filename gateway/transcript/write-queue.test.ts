import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { WriteQueue } from './write-queue.ts'

function setup() {
  const clock = new ManualClock()
  const commands: { readonly items: readonly string[]; readonly done: PromiseWithResolvers<readonly string[]> }[] = []
  const queue = new WriteQueue<string, string>({
    clock,
    write(items) {
      const done = Promise.withResolvers<readonly string[]>()
      commands.push({ items, done })
      return done.promise
    },
  })
  return { clock, commands, queue }
}

test('what comes within a moment goes in one command, and each caller gets its own outcomes', async () => {
  const { clock, commands, queue } = setup()
  const answers = Promise.all([queue.add(['a', 'b']), queue.add(['c']), queue.add(['d'], () => false)])
  await clock.advance(30)
  expect(commands.map((each) => each.items)).toEqual([['a', 'b', 'c']])
  commands[0]?.done.resolve(['A', 'B', 'C'])
  expect(await answers).toEqual([['A', 'B'], ['C'], undefined])
})

test('[T6] a command without an answer fails after 5 s and its callers may add again', async () => {
  const { clock, commands, queue } = setup()
  const first = queue.add(['a']).catch((error: unknown) => String(error))
  await clock.advance(6_000)
  expect(await first).toContain('did not answer')
  const again = queue.add(['a'])
  await clock.advance(30)
  commands[1]?.done.resolve(['A'])
  expect(await again).toEqual(['A'])
})

test('[T6] a silent store is sent two commands at a time; what waits goes when one of them ended or was given up', async () => {
  const { clock, commands, queue } = setup()
  for (let n = 0; n < 10; n++) {
    queue.add([`${n}`]).catch(() => {})
    await clock.advance(100)
  }
  expect(commands.map((each) => each.items)).toEqual([['0'], ['1']])
  commands[0]?.done.reject(new Error('gone'))
  await clock.advance(30)
  expect(commands[2]?.items).toEqual(['2', '3', '4', '5', '6', '7', '8', '9'])
  queue.add(['10']).catch(() => {})
  await clock.advance(5_000)
  expect(commands[3]?.items).toEqual(['10'])
})
