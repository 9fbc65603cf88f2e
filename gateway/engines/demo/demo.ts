// The demo engine: no key, no network, no canned talk. It notices speech, reads text, answers from the tenant's own data
// and tools, and speaks with a built-in voice.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { EngineFactory } from '../engines.ts'
import { DemoEngine } from './demo-engine.ts'
import type { DemoKnowledge } from './mind.ts'
import { findRecogniser, type Recogniser } from './recogniser.ts'
import { createVoice, type Voice } from './voice.ts'

export interface DemoNeeds {
  readonly knowledge: DemoKnowledge
  readonly log: Log
  readonly clock: Clock
  /** By default the built-in one, in a thread of its own that starts with the first session. */
  readonly voice?: Voice
  /** By default what is on the PATH; null: none. */
  readonly recogniser?: Recogniser | null
}

export function createDemo(needs: DemoNeeds): EngineFactory {
  const { knowledge, log, clock } = needs
  const recogniser = needs.recogniser === undefined ? findRecogniser(log) : (needs.recogniser ?? undefined)
  const voice = needs.voice ?? createVoice({ log })
  const hears = recogniser === undefined ? 'speech' : 'words'
  return {
    kind: 'demo',
    defaultModel: 'demo',
    hears,
    open: (options) => new DemoEngine({ knowledge, log, clock, voice, recogniser }, options),
  }
}

/** What is said while the engine is exchanged, in PCM16 24 kHz. */
export interface HoldingLine {
  readonly text: string
  readonly pcm: Buffer
}

/** Made once, when first needed. Undefined for a language that the voice cannot speak, and where it cannot speak at all. */
export function createHoldingLine(voice: Voice): (language: string) => Promise<HoldingLine | undefined> {
  const text = 'One moment, please.'
  let made: Promise<HoldingLine | undefined> | undefined
  return async (language) => {
    if (!/^en\b/i.test(language)) return undefined
    made ??= voice.speak('slt', text).then(
      (pcm) => ({ text, pcm }),
      () => {
        made = undefined
        return undefined
      },
    )
    return made
  }
}
