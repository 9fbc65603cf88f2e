import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/harness/clock.ts'
import type { AgentState, Words } from './line.ts'
import { Outbox } from './outbox.ts'

/** A room that takes one message when told, or fails it. */
class SlowRoom {
  readonly told: unknown[] = []
  #waiting: { resolve(): void; reject(error: Error): void }[] = []
  most = 0

  #take(message: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        resolve: () => {
          this.told.push(message)
          resolve()
        },
        reject,
      })
      this.most = Math.max(this.most, this.#waiting.length)
    })
  }
  words = (words: Words): Promise<void> => this.#take(words)
  tell = (event: unknown): Promise<void> => this.#take(event)
  state = (state: AgentState): Promise<void> => this.#take(state)
  async next(): Promise<void> {
    this.#waiting.shift()?.resolve()
    await new Promise((resolve) => setImmediate(resolve))
  }
  async fail(): Promise<void> {
    this.#waiting.shift()?.reject(new Error('gone'))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const agent = (text: string, final = false, segmentId = 'a'): Words => ({ segmentId, text, final, by: 'agent' })

test('one message is on its way at a time; words that changed meanwhile are told once, as they are', async () => {
  const clock = new ManualClock()
  const room = new SlowRoom()
  const outbox = new Outbox(clock)
  outbox.use(room)
  outbox.words(agent('One'))
  outbox.words(agent('One two'))
  outbox.words(agent('One two three.', true))
  await room.next()
  await room.next()
  await room.next()
  expect(room.told).toEqual([agent('One'), agent('One two three.', true)])
  expect(room.most).toBe(1)
})

test('words in progress are told every 150 ms at most, decided ones at once', async () => {
  const clock = new ManualClock()
  const room = new SlowRoom()
  const outbox = new Outbox(clock)
  outbox.use(room)
  outbox.words(agent('One'))
  await room.next()
  outbox.words(agent('One two'))
  await clock.advance(100)
  await room.next()
  expect(room.told).toHaveLength(1)
  await clock.advance(60)
  await room.next()
  expect(room.told).toHaveLength(2)
  outbox.words(agent('One two three.', true))
  await room.next()
  expect(room.told.at(-1)).toEqual(agent('One two three.', true))
})

test('an answer cut before its first word is told only where something is to be taken back', async () => {
  const room = new SlowRoom()
  const outbox = new Outbox(new ManualClock())
  outbox.use(room)
  outbox.words(agent('', true))
  await room.next()
  expect(room.told).toEqual([])
  outbox.words(agent('Hello'))
  await room.next()
  outbox.words(agent('', true))
  await room.next()
  expect(room.told).toEqual([agent('Hello'), agent('', true)])
})

test('of several states only the last is told, and one that is told already is not', async () => {
  const room = new SlowRoom()
  const outbox = new Outbox(new ManualClock())
  outbox.use(room)
  outbox.state('listening')
  outbox.state('thinking')
  outbox.state('speaking')
  await room.next()
  await room.next()
  outbox.state('speaking')
  await room.next()
  expect(room.told).toEqual(['listening', 'speaking'])
})

test('what a lost room did not take, the next one gets', async () => {
  const clock = new ManualClock()
  const room = new SlowRoom()
  const outbox = new Outbox(clock)
  outbox.use(room)
  outbox.tell({ type: 'first' })
  outbox.words(agent('Said.', true))
  await room.fail()
  const next = new SlowRoom()
  outbox.use(next)
  const flushed = outbox.flushed()
  await next.next()
  await next.next()
  await flushed
  expect(next.told).toEqual([{ type: 'first' }, agent('Said.', true)])
  expect(room.told).toEqual([])
})

test('a room that takes nothing is not owed more than 64 events', async () => {
  const room = new SlowRoom()
  const outbox = new Outbox(new ManualClock())
  outbox.use(room)
  for (let i = 0; i < 200; i++) outbox.tell({ i })
  for (let i = 0; i < 200; i++) await room.next()
  expect(room.told).toHaveLength(64)
})
