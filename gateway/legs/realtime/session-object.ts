// The GA session object as a client of Parley sees it.

import type { EngineBrief, EngineTool } from '../../engines/engines.ts'
import { sampleRateHz } from '../../protocol/realtime.ts'

const automatic = { create_response: true, interrupt_response: true }
const detections = {
  none: null,
  semantic_vad: { type: 'semantic_vad', eagerness: 'auto', ...automatic },
  server_vad: {
    type: 'server_vad',
    threshold: 0.5,
    prefix_padding_ms: 300,
    silence_duration_ms: 500,
    idle_timeout_ms: null,
    ...automatic,
  },
}

export function sessionObject(facts: {
  readonly sessionId: string
  readonly model: string
  readonly voice: string
  readonly instructions: string
  readonly tools: readonly EngineTool[]
  readonly modality: 'audio' | 'text'
  readonly detection: EngineBrief['turnDetection']
  readonly settings: Readonly<Record<string, unknown>>
}): Readonly<Record<string, unknown>> {
  const format = { type: 'audio/pcm', rate: sampleRateHz }
  return {
    type: 'realtime',
    object: 'realtime.session',
    id: facts.sessionId,
    model: facts.model,
    output_modalities: [facts.modality],
    instructions: facts.instructions,
    tools: facts.tools.map((tool) => ({ type: 'function', ...tool })),
    tool_choice: 'auto',
    max_output_tokens: 'inf',
    tracing: null,
    truncation: 'auto',
    prompt: null,
    include: null,
    ...facts.settings,
    audio: {
      input: {
        format,
        transcription: null,
        noise_reduction: null,
        turn_detection: detections[facts.detection],
      },
      output: { format, voice: facts.voice, speed: 1 },
    },
  }
}
