import { expect, test } from 'vitest'
import { encodeAudio } from '../gateway/protocol/realtime.ts'
import { readFrame } from './wire.ts'

const parse = (event: object) => readFrame(JSON.stringify(event))?.event

test('a binary frame is audio of its item', () => {
  const pcm = Uint8Array.from([1, 2, 3, 4])
  const frame = readFrame(encodeAudio('item_1', pcm).buffer)
  expect(frame).toEqual({ seq: undefined, event: { type: 'audio', itemId: 'item_1', pcm } })
})

test('base64 audio of engines that speak the standard protocol is the same event', () => {
  expect(parse({ type: 'response.output_audio.delta', item_id: 'a', delta: 'AQIDBA==' })).toEqual({
    type: 'audio',
    itemId: 'a',
    pcm: Uint8Array.from([1, 2, 3, 4]),
  })
})

test.each([
  ['response.output_audio_transcript.delta', { delta: 'x' }, { role: 'agent', spoken: true, delta: 'x' }],
  ['response.output_audio_transcript.done', { transcript: 'x' }, { role: 'agent', spoken: true, final: 'x' }],
  ['response.output_text.delta', { delta: 'x' }, { role: 'agent', spoken: false, delta: 'x' }],
  ['response.output_text.done', { text: 'x' }, { role: 'agent', spoken: false, final: 'x' }],
  ['conversation.item.input_audio_transcription.delta', { delta: 'x' }, { role: 'user', spoken: true, delta: 'x' }],
  [
    'conversation.item.input_audio_transcription.completed',
    { transcript: 'x' },
    { role: 'user', spoken: true, final: 'x' },
  ],
])('%s is text', (type, fields, expected) => {
  expect(parse({ type, item_id: 'i', ...fields })).toEqual({ type: 'text', itemId: 'i', ...expected })
})

test('speech and responses begin and end', () => {
  expect(parse({ type: 'input_audio_buffer.speech_started', item_id: 'u', audio_start_ms: 1 })).toEqual({
    type: 'speech',
    phase: 'start',
  })
  expect(parse({ type: 'response.done', response: {} })).toEqual({ type: 'response', phase: 'stop' })
})

test('an error is shown only when it carries a problem of the table', () => {
  const parley = { code: 'no_slot', message: 'busy', retry: 'backoff', retryAfterMs: 2_000 }
  expect(parse({ type: 'error', error: {}, parley })).toEqual({ type: 'refused', problem: parley })
  expect(parse({ type: 'error', error: { code: 'invalid_value', message: 'x' } })).toBeUndefined()
  expect(parse({ type: 'error', error: {}, parley: { code: 'toString', message: 'x' } })).toBeUndefined()
})

test('our own events pass as they are', () => {
  const event = { type: 'parley.heartbeat', n: 4 }
  expect(parse(event)).toEqual(event)
})

test.each([['not json'], ['[]'], ['null'], ['{}'], ['{"type":1}'], ['{"type":"rate_limits.updated"}']])(
  '%s is ignored',
  (text) => {
    expect(readFrame(text)?.event).toBeUndefined()
  },
)

test('a broken binary frame is ignored', () => {
  expect(readFrame(new ArrayBuffer(0))).toBeUndefined()
  expect(readFrame(Uint8Array.from([2, 0, 1, 1]).buffer)).toBeUndefined()
})

test('a frame that is not understood counts all the same, or the next one would leave a hole', () => {
  expect(readFrame('{"seq":7,"type":"rate_limits.updated"}')).toEqual({ seq: 7, event: undefined })
  expect(readFrame('{"seq":8,"type":"parley.turn"}')?.seq).toBe(8)
  expect(readFrame('{"seq":"9","type":"parley.turn"}')?.seq).toBeUndefined()
})

test('the hello tells where counting begins and has no number itself', () => {
  expect(readFrame('{"type":"parley.session","seq":12}')).toMatchObject({ seq: undefined, event: { seq: 12 } })
})
