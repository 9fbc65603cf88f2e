import { expect, it } from 'vitest'
import { readClientEvent } from '../../../test/harness/scripted-realtime-wire.ts'
import type { EngineBrief } from '../engines.ts'
import { maxDurationMs, realtimeAddress } from '../upstream/address.ts'
import * as commands from './commands.ts'

const brief: EngineBrief = {
  instructions: 'Be kind.',
  voice: 'cedar',
  language: 'en-GB',
  model: 'gpt-realtime-2.1',
  tools: [{ name: 'look_up', description: 'Looks up.', parameters: { type: 'object', properties: {} } }],
  outputModality: 'audio',
  turnDetection: 'semantic_vad',
  history: [],
}

it('makes of a brief a session the provider takes whole', () => {
  const event = commands.sessionUpdate(brief, 'gpt-transcribe')
  expect(readClientEvent(JSON.stringify(event))).toHaveProperty('event')
  expect(event.session).toMatchObject({
    type: 'realtime',
    output_modalities: ['audio'],
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: 24_000 },
        transcription: { model: 'gpt-transcribe', language: 'en' },
        turn_detection: { type: 'semantic_vad', create_response: true, interrupt_response: true },
      },
      output: { voice: 'cedar' },
    },
  })
})

it.each([
  ['slt', 'marin'],
  ['', 'marin'],
  ['voice_abc', { id: 'voice_abc' }],
  ['echo', 'echo'],
])('speaks with a voice the provider has when the agent asks for %j', (voice, expected) => {
  expect(commands.sessionUpdate({ ...brief, voice }, 'x')).toHaveProperty('session.audio.output.voice', expected)
})

it('turns turn detection off with null, and changes only what was given', () => {
  expect(commands.sessionUpdate({ ...brief, turnDetection: 'none' }, 'x')).toHaveProperty(
    'session.audio.input.turn_detection',
    null,
  )
  const change = (fields: Parameters<typeof commands.sessionChange>[0]['fields']) =>
    commands.sessionChange({ fields, brief: { ...brief, ...fields }, transcriptionModel: 'x' })
  expect(change({ instructions: 'New.' })).toEqual({
    type: 'session.update',
    session: { type: 'realtime', instructions: 'New.' },
  })
  expect(change({ tools: [], turnDetection: 'none' })).toEqual({
    type: 'session.update',
    session: { type: 'realtime', tools: [], audio: { input: { turn_detection: null } } },
  })
})

it('asks for what the agent’s config says of the listening, and replaces it as a whole when a part changes', () => {
  const settings = {
    turns: { silenceMs: 700, createsResponse: false },
    transcription: { prompt: 'Parley, Alba' },
    noiseReduction: 'far_field',
    speed: 1.2,
    toolChoice: 'none',
    maxOutputTokens: 200,
  } as const
  const own: EngineBrief = { ...brief, turnDetection: 'server_vad', settings }
  const whole = commands.sessionUpdate(own, 'gpt-transcribe')
  expect(readClientEvent(JSON.stringify(whole))).toHaveProperty('event')
  expect(whole.session).toMatchObject({
    tool_choice: 'none',
    max_output_tokens: 200,
    audio: {
      input: {
        transcription: { model: 'gpt-transcribe', language: 'en', prompt: 'Parley, Alba' },
        noise_reduction: { type: 'far_field' },
        turn_detection: {
          type: 'server_vad',
          create_response: false,
          interrupt_response: true,
          silence_duration_ms: 700,
        },
      },
      output: { speed: 1.2 },
    },
  })
  const fields = { settings: { turns: { threshold: 0.7 }, noiseReduction: null } }
  const after = { ...own, settings: { ...settings, ...fields.settings } }
  const change = commands.sessionChange({ fields, brief: after, transcriptionModel: 'x', eventId: 'e1' })
  expect(readClientEvent(JSON.stringify(change))).toHaveProperty('event')
  expect(change).toEqual({
    type: 'session.update',
    event_id: 'e1',
    session: {
      type: 'realtime',
      audio: {
        input: {
          noise_reduction: null,
          turn_detection: { type: 'server_vad', create_response: true, interrupt_response: true, threshold: 0.7 },
        },
      },
    },
  })
})

it('passes a client’s own event on in full, with the id the session chose', () => {
  const raw = {
    type: 'conversation.item.create',
    event_id: 'mine',
    previous_item_id: 'root',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
  }
  expect(commands.userText({ type: 'userText', itemId: 'item_1', text: 'hi', raw })).toEqual({
    ...raw,
    item: { id: 'item_1', ...raw.item },
  })
})

it('quotes the sentence to say, quotes in it included', () => {
  const text = 'Say "hello", please.'
  expect(JSON.stringify(commands.sayNow(text))).toContain(JSON.stringify(JSON.stringify(text)).slice(1, -1))
})

it.each([
  ['https://api.openai.com/v1', 'wss://api.openai.com/v1/realtime?model=m', 'authorization'],
  ['http://127.0.0.1:8000/v1/', 'ws://127.0.0.1:8000/v1/realtime?model=m', 'authorization'],
  ['ws://localhost:8000/v1/realtime', 'ws://localhost:8000/v1/realtime?model=m', 'authorization'],
  ['https://x.openai.azure.com/openai/v1', 'wss://x.openai.azure.com/openai/v1/realtime?model=m', 'api-key'],
  [
    'https://x.cognitiveservices.azure.com/openai/v1',
    'wss://x.cognitiveservices.azure.com/openai/v1/realtime?model=m',
    'api-key',
  ],
  [
    'https://openai.azure.com.evil.example/v1',
    'wss://openai.azure.com.evil.example/v1/realtime?model=m',
    'authorization',
  ],
])('connects to %s', (baseUrl, url, header) => {
  const address = realtimeAddress(baseUrl, 'm', 'key')
  expect(address.url).toBe(url)
  expect(Object.keys(address.headers)).toEqual([header])
})

it('sends no credential when it has none', () => {
  expect(realtimeAddress('ws://localhost/v1', 'm', undefined).headers).toEqual({})
})

it('asks to go on under the session’s own instructions, which those of an answer replace', () => {
  const event = commands.goOn('He said "wait', 'Be kind.')
  expect(readClientEvent(JSON.stringify(event))).toHaveProperty('event')
  expect(event).toHaveProperty(
    'response.instructions',
    expect.stringMatching(/^Be kind\.\n\n.*Do not repeat.*"He said \\"wait"$/s),
  )
  expect(commands.goOn('', 'Be kind.')).toEqual({ type: 'response.create' })
})

it('knows how long a provider lets a session live', () => {
  expect(maxDurationMs('https://api.openai.com/v1')).toBe(3_600_000)
  expect(maxDurationMs('https://eu.openai.azure.com/openai/v1')).toBe(1_800_000)
  expect(maxDurationMs('not an address')).toBe(3_600_000)
})
