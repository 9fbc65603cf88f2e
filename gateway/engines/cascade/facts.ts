// What a cascade can, by the parts it has.

import type { Capabilities } from '../engines.ts'
import type { PartFailure } from '../text/failure.ts'
import type { Llm } from '../text/model.ts'
import type { Stt, Tts } from './part.ts'

export interface CascadeParts {
  readonly llms: readonly Llm[]
  /** Empty: speech is noticed, its words are not known. */
  readonly ears: readonly Stt[]
  /** Empty: answers are written. */
  readonly voices: readonly Tts[]
}

/** What the model is told of speech without words: its language is the person's, ours is not. */
export function unheard(failure: PartFailure | undefined, speechMs: number): string {
  const seconds = (speechMs / 1000).toFixed(1)
  return failure === undefined
    ? `(The person spoke for ${seconds} seconds. You cannot understand speech here: ask them, in their language, to write.)`
    : `(The person spoke for ${seconds} seconds, but the words were lost: ask them to say it again.)`
}

export function capabilitiesOf({ ears, voices }: CascadeParts): Capabilities {
  return {
    conversation: 'turn',
    cancelSpeech: 'exact',
    truncate: 'rewrite',
    say: 'exact',
    tools: 'inline',
    usage: 'cumulative',
    media: 'relayed',
    hears: ears.length === 0 ? 'speech' : 'words',
    ...(voices.length === 0 ? { speaks: false } : {}),
    inputAudio: 'pcm16_24k',
    outputAudio: 'pcm16_24k',
    maxDurationMs: null,
    mutable: ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'],
    settings: [
      ...(['createsResponse', 'interruptsResponse', 'threshold', 'silenceMs', 'prefixPaddingMs', 'eagerness'] as const),
      ...(['transcription', 'toolChoice', 'maxOutputTokens'] as const),
    ],
    answers: ['aside', 'input', 'instructions', 'maxOutputTokens', 'toolChoice', 'tools', 'voice'],
    dialect: 'none',
  }
}
