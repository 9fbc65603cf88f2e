// The GA session object as a client of Parley sees it.

import type { EngineBrief, EngineSettings, EngineTool } from '../../engines/engines.ts'
import { sampleRateHz } from '../../protocol/realtime.ts'
import { turnDefaults } from './listening-change.ts'
import type { AudioFormatName } from './session-fields.ts'
import { nativeDefaults } from './session-part.ts'

type Json = Readonly<Record<string, unknown>>

export interface SessionFacts {
  readonly sessionId: string
  readonly model: string
  readonly voice: string
  readonly instructions: string
  readonly tools: readonly EngineTool[]
  readonly modality: 'audio' | 'text'
  readonly detection: EngineBrief['turnDetection']
  readonly settings: EngineSettings
  readonly native: Json
  readonly inputFormat: AudioFormatName
  readonly outputFormat: AudioFormatName
  /** The client is told what the person said. */
  readonly transcripts: boolean
}

export function sessionObject(facts: SessionFacts): Json {
  const { settings } = facts
  return {
    type: 'realtime',
    object: 'realtime.session',
    id: facts.sessionId,
    model: facts.model,
    output_modalities: [facts.modality],
    instructions: facts.instructions,
    tools: facts.tools.map((tool) => ({ type: 'function', ...tool })),
    tool_choice: settings.toolChoice ?? 'auto',
    max_output_tokens: settings.maxOutputTokens ?? 'inf',
    // Traces are kept by the provider, for whoever has its key.
    tracing: null,
    prompt: null,
    truncation: nativeDefaults.truncation,
    include: nativeDefaults.include,
    ...facts.native,
    audio: {
      input: {
        format: formatOf(facts.inputFormat),
        transcription: facts.transcripts ? transcriptionOf(settings.transcription) : null,
        noise_reduction: settings.noiseReduction == null ? null : { type: settings.noiseReduction },
        turn_detection: detectionOf(facts.detection, settings.turns ?? {}),
      },
      output: { format: formatOf(facts.outputFormat), voice: facts.voice, speed: settings.speed ?? 1 },
    },
  }
}

export function formatOf(type: AudioFormatName): Json {
  return type === 'audio/pcm' ? { type, rate: sampleRateHz } : { type }
}

/** Without a name: of the engine's choosing. */
function transcriptionOf(settings: EngineSettings['transcription']): Json {
  return { ...settings }
}

function detectionOf(kind: EngineBrief['turnDetection'], turns: NonNullable<EngineSettings['turns']>): Json | null {
  if (kind === 'none') return null
  const { createsResponse, interruptsResponse, threshold, prefixPaddingMs, silenceMs, idleTimeoutMs, eagerness } = {
    ...turnDefaults,
    ...turns,
  }
  const automatic = { create_response: createsResponse, interrupt_response: interruptsResponse }
  if (kind === 'semantic_vad') return { type: kind, eagerness, ...automatic }
  return {
    type: kind,
    threshold,
    prefix_padding_ms: prefixPaddingMs,
    silence_duration_ms: silenceMs,
    idle_timeout_ms: idleTimeoutMs,
    ...automatic,
  }
}
