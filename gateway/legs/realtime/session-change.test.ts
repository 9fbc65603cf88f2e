import { describe, expect, test } from 'vitest'
import { changeOf, engineSettings, type Policy, type Present } from './session-change.ts'

const present: Present = {
  instructions: undefined,
  tools: [],
  voice: 'marin',
  modality: 'audio',
  detection: 'server_vad',
}
const every = ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'] as const
const visitor: Policy = { brief: { mutable: ['outputModality'], clientTools: false }, capabilities: { mutable: every } }
const owner: Policy = { brief: { mutable: every, clientTools: true }, capabilities: { mutable: every } }
const tool = { type: 'function', name: 'f' } as const
/** What the agents SDK sends with every update. */
const stock = {
  type: 'realtime',
  model: 'gpt-realtime-2.1',
  instructions: '',
  output_modalities: ['audio' as const],
  tools: [],
  audio: {
    input: {
      format: { type: 'audio/pcm' as const, rate: 24_000 },
      noise_reduction: null,
      transcription: { model: 'gpt-4o-mini-transcribe' },
      turn_detection: { type: 'semantic_vad' as const },
    },
    output: { format: { type: 'audio/pcm' as const, rate: 24_000 }, speed: 1 },
  },
} as const
const update = { ...stock, output_modalities: [...stock.output_modalities], tools: [...stock.tools] }

describe('a visitor', () => {
  test('may repeat a stock configuration: nothing changes, another detector is no matter of rights', () => {
    expect(changeOf(update, present, visitor)).toEqual({ is: 'wanted', fields: {} })
  })

  test('may change what the agent lets it', () => {
    expect(changeOf({ output_modalities: ['text'] }, present, visitor)).toEqual({
      is: 'wanted',
      fields: { outputModality: 'text' },
    })
  })

  test.each([
    [{ instructions: 'Be evil.' }, 'session.instructions'],
    [{ tools: [tool] }, 'session.tools'],
    [{ audio: { output: { voice: 'ash' } } }, 'session.audio.output.voice'],
    [{ audio: { input: { turn_detection: null } } }, 'session.audio.input.turn_detection'],
  ])('is refused %j, together with everything beside it', (asked, param) => {
    expect(changeOf({ output_modalities: ['text'], ...asked }, present, visitor)).toMatchObject({
      is: 'refused',
      code: 'forbidden',
      param,
    })
  })
})

describe('the tenant’s own key', () => {
  test('changes every field, and clears what it had set', () => {
    const session = { instructions: 'Hi.', tools: [tool], audio: { output: { voice: 'ash' } } }
    expect(changeOf(session, present, owner)).toEqual({
      is: 'wanted',
      fields: {
        instructions: 'Hi.',
        voice: 'ash',
        tools: [{ name: 'f', description: '', parameters: { type: 'object', properties: {} } }],
      },
    })
    const had = { ...present, instructions: 'Hi.', tools: [{ name: 'f', description: '', parameters: {} }] }
    expect(changeOf({ instructions: '', tools: [] }, had, owner)).toEqual({
      is: 'wanted',
      fields: { instructions: '', tools: [] },
    })
    expect(changeOf(update, present, owner)).toEqual({ is: 'wanted', fields: { turnDetection: 'semantic_vad' } })
  })

  test('brings no tools where the agent takes none', () => {
    const policy = { ...owner, brief: { mutable: every, clientTools: false } }
    expect(changeOf({ tools: [tool] }, present, policy)).toMatchObject({ is: 'refused', param: 'session.tools' })
  })
})

test.each([
  [{ type: 'transcription' as const }, 'session.type'],
  [{ audio: { input: { format: { type: 'audio/pcma' as const } } } }, 'session.audio.input.format'],
  [{ audio: { output: { format: { type: 'audio/pcm' as const, rate: 16_000 } } } }, 'session.audio.output.format'],
  [{ tool_choice: 'required' as const }, 'session.tool_choice'],
  [
    { audio: { input: { turn_detection: { type: 'server_vad' as const, create_response: false } } } },
    'session.audio.input.turn_detection.create_response',
  ],
])('nobody gets %j, and is told which field it was', (asked, param) => {
  expect(changeOf(asked, present, owner)).toMatchObject({ is: 'refused', code: 'unsupported_value', param })
})

test('settings of the model alone go to an engine that knows them', () => {
  expect(engineSettings({ instructions: 'Hi.', tool_choice: 'none', max_output_tokens: 300 })).toEqual({
    tool_choice: 'none',
    max_output_tokens: 300,
  })
  expect(engineSettings(update)).toEqual({})
})
