import { describe, expect, test } from 'vitest'
import type { Setting } from '../../engines/engines.ts'
import { changeOf } from './session-change.ts'
import { sessionFields } from './session-fields.ts'
import type { Policy, Present } from './session-part.ts'

const present: Present = {
  instructions: undefined,
  tools: [],
  voice: 'marin',
  modality: 'audio',
  detection: 'server_vad',
  settings: {},
  native: {},
}
const every = ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'] as const
const settings: Setting[] = [
  ...(['createsResponse', 'interruptsResponse', 'threshold', 'prefixPaddingMs', 'silenceMs', 'idleTimeoutMs'] as const),
  ...(['eagerness', 'transcription', 'noiseReduction', 'speed', 'toolChoice', 'maxOutputTokens'] as const),
]
const able = { mutable: every, settings, dialect: 'openai-realtime-ga' } as const
const unable = { mutable: every, dialect: 'none' } as const
const visitor: Policy = { brief: { mutable: ['outputModality'], clientTools: false }, capabilities: able }
const owner: Policy = { brief: { mutable: every, clientTools: true }, capabilities: able }
const tool = { type: 'function', name: 'f' } as const
/** What the agents SDK sends with every update. */
const stock = {
  type: 'realtime',
  model: 'gpt-realtime-2.1',
  instructions: '',
  output_modalities: ['audio'],
  tools: [],
  audio: {
    input: {
      format: { type: 'audio/pcm', rate: 24_000 },
      noise_reduction: null,
      transcription: { model: 'gpt-4o-mini-transcribe' },
      turn_detection: { type: 'semantic_vad' },
    },
    output: { format: { type: 'audio/pcm', rate: 24_000 }, speed: 1 },
  },
}

const change = (session: object, policy: Policy, now: Present = present) =>
  changeOf(sessionFields.parse(session), now, policy)
const fields = (session: object, policy: Policy, now?: Present) => {
  const answer = change(session, policy, now)
  return answer.is === 'wanted' ? answer.fields : answer
}
const input = (audio: object) => ({ audio: { input: audio } })

describe('a visitor', () => {
  test('may repeat a stock configuration: nothing changes, another detector is no matter of rights', () => {
    expect(fields(stock, visitor)).toEqual({})
  })

  test('may change what the agent lets it, and the format of its own audio', () => {
    expect(change({ output_modalities: ['text'], ...input({ format: { type: 'audio/pcmu' } }) }, visitor)).toEqual({
      is: 'wanted',
      fields: { outputModality: 'text' },
      native: {},
      leg: { inputFormat: 'audio/pcmu' },
    })
  })

  test('may not hear its own words, and has no say in how they are found', () => {
    expect(change(input({ transcription: null }), visitor)).toMatchObject({ fields: {}, leg: { transcripts: false } })
    const tuned = { transcription: { language: 'de' }, noise_reduction: { type: 'far_field' } }
    const detection = { turn_detection: { type: 'server_vad', threshold: 0.9, silence_duration_ms: 200 } }
    expect(fields(input({ ...tuned, ...detection }), visitor)).toEqual({})
  })

  test.each([
    [{ instructions: 'Be evil.' }, 'session.instructions'],
    [{ tools: [tool] }, 'session.tools'],
    [{ tool_choice: 'none' }, 'session.tool_choice'],
    [{ max_output_tokens: 100 }, 'session.max_output_tokens'],
    [{ truncation: 'disabled' }, 'session.truncation'],
    [{ parallel_tool_calls: false }, 'session.parallel_tool_calls'],
    [{ audio: { output: { voice: 'ash' } } }, 'session.audio.output.voice'],
    [{ audio: { output: { voice: { id: 'voice_1' } } } }, 'session.audio.output.voice'],
    [{ audio: { output: { speed: 1.5 } } }, 'session.audio.output.speed'],
    [input({ turn_detection: null }), 'session.audio.input.turn_detection'],
    [
      input({ turn_detection: { type: 'semantic_vad', create_response: false } }),
      'session.audio.input.turn_detection.create_response',
    ],
    [
      input({ turn_detection: { type: 'server_vad', idle_timeout_ms: 6_000 } }),
      'session.audio.input.turn_detection.idle_timeout_ms',
    ],
  ])('is refused %j, together with everything beside it', (asked, param) => {
    expect(change({ output_modalities: ['text'], ...asked }, visitor)).toMatchObject({
      is: 'refused',
      code: 'forbidden',
      param,
    })
  })
})

describe('the tenant’s own key', () => {
  test('changes every field, and clears what it had set', () => {
    const session = { instructions: 'Hi.', tools: [tool], audio: { output: { voice: 'ash' } } }
    expect(fields(session, owner)).toEqual({
      instructions: 'Hi.',
      voice: 'ash',
      tools: [{ name: 'f', description: '', parameters: { type: 'object', properties: {} } }],
    })
    const had = { ...present, instructions: 'Hi.', tools: [{ name: 'f', description: '', parameters: {} }] }
    expect(fields({ instructions: '', tools: [] }, owner, had)).toEqual({ instructions: '', tools: [] })
    expect(fields(stock, owner)).toEqual({
      turnDetection: 'semantic_vad',
      settings: { transcription: { model: 'gpt-4o-mini-transcribe' } },
    })
  })

  test('sets how turns are heard; each update replaces it as a whole', () => {
    const first = { type: 'server_vad', silence_duration_ms: 700, threshold: 0.7, interrupt_response: false }
    expect(fields(input({ turn_detection: first }), owner)).toEqual({
      settings: { turns: { silenceMs: 700, threshold: 0.7, interruptsResponse: false } },
    })
    const now = { ...present, settings: { turns: { silenceMs: 700, threshold: 0.7 } } }
    expect(fields(input({ turn_detection: { type: 'server_vad', threshold: 0.7 } }), owner, now)).toEqual({
      settings: { turns: { threshold: 0.7 } },
    })
    expect(
      fields(
        input({ turn_detection: { type: 'server_vad', ...{ threshold: 0.7, silence_duration_ms: 700 } } }),
        owner,
        now,
      ),
    ).toEqual({})
    expect(fields(input({ turn_detection: null }), owner, now)).toEqual({
      turnDetection: 'none',
      settings: { turns: {} },
    })
  })

  test('sets what only the provider’s own protocol has, in its words, once', () => {
    const session = { truncation: { type: 'retention_ratio', retention_ratio: 0.8 }, parallel_tool_calls: false }
    const include = ['item.input_audio_transcription.logprobs']
    expect(change({ ...session, include }, owner)).toMatchObject({ fields: {}, native: { ...session, include } })
    expect(change({ ...session, include }, owner, { ...present, native: { ...session, include } })).toMatchObject({
      native: {},
    })
    expect(
      change({ truncation: 'auto', include: null, parallel_tool_calls: true, tracing: 'auto' }, owner),
    ).toMatchObject({
      native: {},
    })
  })

  test('brings no tools where the agent takes none', () => {
    const policy = { ...owner, brief: { mutable: every, clientTools: false } }
    expect(change({ tools: [tool] }, policy)).toMatchObject({ is: 'refused', param: 'session.tools' })
  })

  test.each([
    [{ tool_choice: 'none' }, 'session.tool_choice'],
    [{ max_output_tokens: 100 }, 'session.max_output_tokens'],
    [{ reasoning: { effort: 'low' } }, 'session.reasoning'],
    [{ audio: { output: { speed: 1.2 } } }, 'session.audio.output.speed'],
    [input({ noise_reduction: { type: 'near_field' } }), 'session.audio.input.noise_reduction'],
    [input({ transcription: { language: 'de' } }), 'session.audio.input.transcription'],
    [
      input({ turn_detection: { type: 'server_vad', silence_duration_ms: 900 } }),
      'session.audio.input.turn_detection.silence_duration_ms',
    ],
  ])('is told when the engine cannot %j', (asked, param) => {
    const policy = { ...owner, capabilities: unable }
    expect(change(asked, policy)).toMatchObject({ is: 'refused', code: 'unsupported_value', param })
    expect(fields(stock, policy)).toEqual({ turnDetection: 'semantic_vad' })
    // What it would be anyway asks nothing of an engine.
    const usual = { type: 'server_vad', threshold: 0.5, silence_duration_ms: 500, idle_timeout_ms: null }
    expect(change(input({ turn_detection: usual }), policy)).toMatchObject({ is: 'wanted' })
  })
})

test.each([
  [{ type: 'transcription' }, 'session.type'],
  [{ audio: { output: { format: { type: 'audio/pcm', rate: 16_000 } } } }, 'session.audio.output.format.rate'],
  [{ tool_choice: 'required' }, 'session.tool_choice'],
  [{ tool_choice: { type: 'function', name: 'f' } }, 'session.tool_choice'],
  [{ tools: [{ type: 'mcp', server_label: 's', server_url: 'https://mcp.example' }] }, 'session.tools'],
  [{ prompt: { id: 'pmpt_1' } }, 'session.prompt'],
  [input({ noise_reduction: { type: 'near_field', strength: 0.5 } }), 'session.audio.input.noise_reduction.strength'],
])('nobody gets %j, and is told which field it was', (asked, param) => {
  expect(change(asked, owner)).toMatchObject({ is: 'refused', code: 'unsupported_value', param })
})
