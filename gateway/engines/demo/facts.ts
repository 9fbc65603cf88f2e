// What the demo can.

import type { Capabilities } from '../engines.ts'

export function capabilitiesOf(hears: Capabilities['hears']): Capabilities {
  return {
    conversation: 'turn',
    cancelSpeech: 'exact',
    truncate: 'native',
    say: 'exact',
    tools: 'inline',
    usage: 'cumulative',
    media: 'relayed',
    hears,
    inputAudio: 'pcm16_24k',
    outputAudio: 'pcm16_24k',
    maxDurationMs: null,
    mutable: ['tools', 'voice', 'turnDetection', 'outputModality'],
    settings: ['createsResponse', 'interruptsResponse', 'threshold', 'silenceMs', 'prefixPaddingMs', 'toolChoice'],
    dialect: 'none',
  }
}
