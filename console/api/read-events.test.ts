import { expect, test } from 'vitest'
import { readEvents, type SentEvent } from './read-events.ts'

function streamOf(...parts: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(encoder.encode(part))
      controller.close()
    },
  })
}

async function read(...parts: string[]): Promise<SentEvent[]> {
  const events: SentEvent[] = []
  for await (const event of readEvents(streamOf(...parts))) events.push(event)
  return events
}

test('events are read whole, wherever the network cuts them', async () => {
  const text = 'event: text\ndata: {"delta":"Grüße"}\n\n: still here\n\ndata: one\ndata: two\n\n'
  const whole = [
    { event: 'text', data: '{"delta":"Grüße"}' },
    { event: 'message', data: 'one\ntwo' },
  ]
  expect(await read(text)).toEqual(whole)
  expect(await read(...text)).toEqual(whole)
})

test('an event that never ended is left out', async () => {
  expect(await read('data: one\n\ndata: tw')).toEqual([{ event: 'message', data: 'one' }])
})
