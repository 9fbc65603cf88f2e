import type { Capabilities } from '../engines.ts'

/** Without the cap of a session, which the provider tells when it starts. */
export const capabilities: Omit<Capabilities, 'maxDurationMs'> = {
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
