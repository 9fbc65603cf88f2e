import type { Capabilities, DirectCall } from '../engines.ts'

/** Of a relayed session, without its cap, which the provider tells when it starts. */
const capabilities: Omit<Capabilities, 'maxDurationMs'> = {
  conversation: 'continuous',
  cancelSpeech: 'gate-only',
  truncate: 'note',
  say: 'wording',
  tools: 'delegated',
  usage: 'cumulative',
  media: 'relayed',
  hears: 'words',
  inputAudio: 'pcm16_24k',
  outputAudio: 'pcm16_24k',
  /** Instructions are appended to those the voice began with. */
  mutable: ['instructions', 'tools', 'outputModality'],
  dialect: 'none',
}

export function capabilitiesOf(direct: DirectCall | undefined, maxDurationMs: number | null): Capabilities {
  return { ...capabilities, media: direct === undefined ? 'relayed' : 'direct', maxDurationMs }
}
