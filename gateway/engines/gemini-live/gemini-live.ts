// The Gemini Live engine: one session of the provider's BidiGenerateContent each, over WebSockets.

import type { Capabilities, EngineFactory } from '../engines.ts'
import { needsKey } from './address.ts'
import { GeminiEngine, type GeminiLiveNeeds } from './engine.ts'

const capabilities: Capabilities = {
  conversation: 'turn',
  /** There is no word for it: the rest of a stopped answer is made, paid for and dropped. */
  cancelSpeech: 'gate-only',
  /** The provider keeps what it has sent; it is told what was heard, when it is next told anything. */
  truncate: 'note',
  say: 'wording',
  tools: 'inline',
  usage: 'cumulative',
  media: 'relayed',
  hears: 'words',
  inputAudio: 'pcm16_24k',
  outputAudio: 'pcm16_24k',
  /** A connection lives ten minutes; the session moves from one to the next by itself. */
  maxDurationMs: null,
  /** The first three by moving the session, at the next moment in which nobody speaks. */
  mutable: ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'],
  /** Turns as our own detector hears them; the last two are part of the setup. */
  settings: ['threshold', 'silenceMs', 'prefixPaddingMs', 'toolChoice', 'maxOutputTokens'],
  dialect: 'none',
}

export function createGeminiLive(needs: GeminiLiveNeeds): EngineFactory {
  const off = (needs.apiKey ?? '') === '' && needsKey(needs.baseUrl) ? 'no API key' : undefined
  return {
    kind: 'gemini-live',
    ...(off === undefined ? {} : { off }),
    defaultModel: needs.defaultModel,
    hears: 'words',
    open: (options) => new GeminiEngine(needs, capabilities, options),
  }
}
