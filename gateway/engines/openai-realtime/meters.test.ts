import { expect, it } from 'vitest'
import { responseUsage, UsageMeters } from './meters.ts'

const usage = responseUsage.parse({
  input_tokens: 300,
  output_tokens: 90,
  input_token_details: {
    text_tokens: 200,
    audio_tokens: 100,
    image_tokens: 0,
    cached_tokens: 192,
    cached_tokens_details: { text_tokens: 128, audio_tokens: 64, image_tokens: 0 },
  },
  output_token_details: { text_tokens: 20, audio_tokens: 70 },
})

it('takes cached tokens out of the input: no token is on two meters', () => {
  const meters = new UsageMeters().response('resp_1', usage)
  expect(meters).toEqual({
    'input.text.tokens': 72,
    'input.audio.tokens': 36,
    'input.cached.text.tokens': 128,
    'input.cached.audio.tokens': 64,
    'output.text.tokens': 20,
    'output.audio.tokens': 70,
  })
  expect(Object.values(meters ?? {}).reduce((a, b) => a + b, 0)).toBe(390)
})

it('counts a response once, however often it is reported', () => {
  const meters = new UsageMeters()
  meters.response('resp_1', usage)
  expect(meters.response('resp_1', usage)).toBeUndefined()
  expect(meters.response('resp_2', usage)).toMatchObject({ 'output.audio.tokens': 140 })
})

it('splits a cached total that comes without its parts, never below zero', () => {
  const partial = { text_tokens: 10, audio_tokens: 30, image_tokens: 0, cached_tokens: 25 }
  const meters = new UsageMeters().response(
    'resp_1',
    responseUsage.parse({ input_tokens: 40, input_token_details: partial }),
  )
  expect(meters).toEqual({
    'input.audio.tokens': 15,
    'input.cached.text.tokens': 10,
    'input.cached.audio.tokens': 15,
  })
})

it('counts a total without details as text', () => {
  const meters = new UsageMeters().response('resp_1', responseUsage.parse({ input_tokens: 5, output_tokens: 6 }))
  expect(meters).toEqual({ 'input.text.tokens': 5, 'output.text.tokens': 6 })
})

it('meters transcription by duration or by tokens, once per item', () => {
  const meters = new UsageMeters()
  meters.transcription('item_1', { type: 'duration', seconds: 1.5 })
  meters.transcription('item_1', { type: 'duration', seconds: 1.5 })
  expect(meters.transcription('item_2', { type: 'tokens', input_tokens: 14, output_tokens: 3 })).toEqual({
    'transcription.seconds': 1.5,
    'transcription.input.tokens': 14,
    'transcription.output.tokens': 3,
  })
})

it('keeps a response and an item of the same id apart', () => {
  const meters = new UsageMeters()
  meters.response('x', usage)
  expect(meters.transcription('x', { type: 'duration', seconds: 1 })).toBeDefined()
})
