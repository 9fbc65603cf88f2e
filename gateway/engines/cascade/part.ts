// The senses of an answer: ears and mouth, whoever serves them. Its mind is `../text/model.ts`.

import type { Transcript } from './meters.ts'

/** Puts speech into words. */
export interface Stt {
  readonly name: string
  /** `pcm`: PCM16 24 kHz. Throws PartFailure, or the signal's reason. */
  hear(
    speech: { readonly pcm: Buffer; readonly language: string; readonly hint?: string | undefined },
    signal: AbortSignal,
  ): Promise<Transcript>
}

/** Speaks one sentence. */
export interface Tts {
  readonly name: string
  /**
   * PCM16 24 kHz in pieces of any even length, as they come. Calls `taken` once the provider has accepted the text, which it
   * then charges. Throws PartFailure, or the signal's reason.
   */
  say(
    sentence: { readonly text: string; readonly voice: string },
    on: { readonly signal: AbortSignal; taken(): void },
  ): AsyncIterable<Buffer>
}
