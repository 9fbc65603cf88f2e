import { expect, test } from 'vitest'
import { createLiveStore } from './live-store.ts'
import { sampleSession } from './samples.ts'

test('a burst of events is one notification, and the state is never behind', () => {
  const waiting: (() => void)[] = []
  const store = createLiveStore((notify) => waiting.push(notify))
  let told = 0
  const leave = store.subscribe(() => told++)
  store.dispatch({ type: 'event', event: { type: 'session', session: sampleSession({ id: 'a' }) } })
  store.dispatch({ type: 'event', event: { type: 'session', session: sampleSession({ id: 'b' }) } })
  expect(store.get().sessions.size).toBe(2)
  expect(waiting).toHaveLength(1)
  waiting.shift()?.()
  expect(told).toBe(1)
  store.dispatch({ type: 'event', event: { type: 'session', session: sampleSession({ id: 'c' }) } })
  leave()
  waiting.shift()?.()
  expect(told).toBe(1)
})
