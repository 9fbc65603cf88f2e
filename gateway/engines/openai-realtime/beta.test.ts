import { expect, it } from 'vitest'
import { Beta } from './beta.ts'

const modern = (beta: Beta, event: object) =>
  beta.frames(event)?.map((frame) => JSON.parse(frame.toString()) as Record<string, unknown>)

it('leaves what is of today as it is, unparsed frames of it going on', () => {
  const today = [
    { type: 'response.output_audio.done', item_id: 'i', response_id: 'r' },
    {
      type: 'conversation.item.added',
      item: { id: 'i', type: 'message', role: 'user', content: [{ type: 'input_text' }] },
    },
    { type: 'response.done', response: { id: 'r', output_modalities: ['audio'], output: [] } },
    { type: 'error', error: { code: 'x' } },
    7,
  ]
  expect(today.map((event) => new Beta().frames(event))).toEqual(today.map(() => undefined))
})

it('names events, parts and the fields of a response as they are named today, and keeps the rest', () => {
  const beta = new Beta()
  const ids = { event_id: 'e', response_id: 'r', item_id: 'i', output_index: 0, content_index: 0 }
  expect(modern(beta, { type: 'response.audio_transcript.done', ...ids, transcript: 'Hi.' })).toEqual([
    { type: 'response.output_audio_transcript.done', ...ids, transcript: 'Hi.' },
  ])
  const said = {
    id: 'i',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'audio', transcript: 'Hi.' }],
  }
  const now = { ...said, content: [{ type: 'output_audio', transcript: 'Hi.' }] }
  const old = {
    id: 'r',
    status: 'completed',
    modalities: ['text', 'audio'],
    voice: 'alloy',
    output_audio_format: 'pcm16',
  }
  expect(
    modern(beta, { type: 'response.done', event_id: 'e', response: { ...old, output: [said], usage: null } }),
  ).toEqual([
    {
      type: 'response.done',
      event_id: 'e',
      response: {
        id: 'r',
        status: 'completed',
        output_modalities: ['audio'],
        audio: { output: { voice: 'alloy' } },
        output: [now],
        usage: null,
      },
    },
  ])
})

it('makes of one event about an item the two that tell that it is there and that it is whole', () => {
  const beta = new Beta()
  const user = {
    id: 'i1',
    type: 'message',
    role: 'user',
    status: 'completed',
    content: [{ type: 'input_text', text: 'Hi' }],
  }
  const created = { type: 'conversation.item.created', event_id: 'e', previous_item_id: null }
  expect(modern(beta, { ...created, item: user })).toMatchObject([
    { type: 'conversation.item.added', event_id: 'e', previous_item_id: null, item: user },
    { type: 'conversation.item.done', previous_item_id: null, item: user },
  ])
  const begun = { id: 'i2', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
  expect(modern(beta, { ...created, item: begun })).toMatchObject([{ type: 'conversation.item.added', item: begun }])
  const ended = { ...begun, status: 'completed', content: [{ type: 'text', text: 'Hello' }] }
  const end = { type: 'response.output_item.done', response_id: 'r', output_index: 0, item: ended }
  const whole = { ...ended, content: [{ type: 'output_text', text: 'Hello' }] }
  expect(modern(beta, end)).toMatchObject([
    { type: 'conversation.item.done', item: whole },
    { type: 'response.output_item.done', item: whole },
  ])
})
