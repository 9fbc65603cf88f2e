// The GPT-Live engine: a full-duplex voice without tools or turns. What it delegates is done by a text engine of ours with
// the session's tools and approvals (or, if so configured, by a Responses model at the provider). A session of the provider
// costs by the second, so there is one only while the conversation is spoken; a written one is the text engine's alone.

import type { DirectCall, EngineFactory, EngineOptions } from '../engines.ts'
import { needsKey } from '../upstream/address.ts'
import { LiveEngine } from './live-engine.ts'
import type { LiveNeeds } from './needs.ts'

export interface OpenAiLiveNeeds extends LiveNeeds {
  /** Whether there is GPT-Live at that address at all: few servers of the Realtime protocol have it. Default: yes. */
  readonly isOffered?: boolean
}

export function createOpenAiLive(needs: OpenAiLiveNeeds): EngineFactory {
  const off = needs.isOffered === false ? 'no address' : isKeyMissing(needs) ? 'no API key' : undefined
  return {
    kind: 'openai-live',
    ...(off === undefined ? {} : { off }),
    defaultModel: needs.defaultModel,
    hears: 'words',
    open: (options: EngineOptions) => new LiveEngine(needs, options),
    direct: {
      dialect: 'none',
      open: (options: EngineOptions, call: DirectCall) => new LiveEngine(needs, options, call),
    },
  }
}

function isKeyMissing({ apiKey, baseUrl }: OpenAiLiveNeeds): boolean {
  return (apiKey ?? '') === '' && needsKey(baseUrl)
}
