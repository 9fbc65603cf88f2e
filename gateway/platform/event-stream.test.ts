import { expect, it } from 'vitest'
import { systemClock } from './clock.ts'
import { eventStream } from './event-stream.ts'

it('writes named and nameless events, and ends when the work is done', async () => {
  const stream = eventStream(systemClock, async (send) => {
    send({ event: 'text', data: { delta: 'a\nb' } })
    send({ data: '[DONE]' })
  })
  expect(await new Response(stream).text()).toBe('event: text\ndata: {"delta":"a\\nb"}\n\ndata: [DONE]\n\n')
})

it('lets the work go on when the listener leaves, and ends when it fails', async () => {
  let done = false
  const gate = Promise.withResolvers<void>()
  const left = eventStream(systemClock, async (send) => {
    send({ data: 1 })
    await gate.promise
    send({ data: 2 })
    done = true
  })
  const reader = left.getReader()
  await reader.read()
  await reader.cancel()
  gate.resolve()
  await expect.poll(() => done).toBe(true)
  const failing = eventStream(systemClock, async (send) => {
    send({ data: 'x' })
    throw new Error('a defect')
  })
  expect(await new Response(failing).text()).toBe('data: x\n\n')
})
