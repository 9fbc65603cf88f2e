import type { Capabilities } from '../engines.ts'

/** Of a relayed session, without its cap. */
export const capabilities: Omit<Capabilities, 'maxDurationMs'> = {
  conversation: 'turn',
  cancelSpeech: 'exact',
  truncate: 'native',
  say: 'wording',
  tools: 'inline',
  usage: 'cumulative',
  media: 'relayed',
  hears: 'words',
  inputAudio: 'pcm16_24k',
  outputAudio: 'pcm16_24k',
  /** The voice only until the first audio. */
  mutable: ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'],
  settings: [
    ...(['createsResponse', 'interruptsResponse', 'threshold', 'prefixPaddingMs', 'silenceMs'] as const),
    ...(['idleTimeoutMs', 'eagerness', 'transcription', 'noiseReduction', 'speed'] as const),
    ...(['toolChoice', 'maxOutputTokens'] as const),
  ],
  dialect: 'openai-realtime-ga',
}
