// What of a request a model takes, as data. What is not in the table is learnt from the first refusal (`server.ts`, `sdk.ts`).

import type { ServerKind } from './server.ts'

export interface Sampling {
  /** `null`: it is never sent. Otherwise the highest that is taken; more becomes this. */
  readonly maxTemperature: number | null
  /** How `maxTokens` is called in chat completions. */
  readonly limitName: 'max_tokens' | 'max_completion_tokens'
}

interface Rule extends Sampling {
  readonly model: RegExp
  readonly kinds: readonly ServerKind[]
}

const openAi = ['http', 'openai-responses'] as const
const usual: Sampling = { maxTemperature: 2, limitName: 'max_tokens' }

/** The first that fits decides. A model of a relay has its vendor before a slash. */
const rules: readonly Rule[] = [
  // Models that reason have one temperature, and call the limit by its newer name.
  {
    kinds: openAi,
    model: /^(openai\/)?(o[134](-|$)|gpt-[5-9])/,
    maxTemperature: null,
    limitName: 'max_completion_tokens',
  },
  // Search previews take no sampling at all.
  {
    kinds: openAi,
    model: /^(openai\/)?gpt-4o(-mini)?-search/,
    maxTemperature: null,
    limitName: 'max_completion_tokens',
  },
  { kinds: ['http'], model: /^deepseek-reasoner/, maxTemperature: null, limitName: 'max_tokens' },
  // From Opus 4.7 on the sampling of Claude cannot be set: 400, even for the default value.
  {
    kinds: ['anthropic', 'http'],
    model: /^(anthropic\/)?claude-(opus-4-[7-9]|(opus|sonnet|haiku)-[5-9])/,
    maxTemperature: null,
    limitName: 'max_tokens',
  },
  { kinds: ['anthropic', 'http'], model: /^(anthropic\/)?claude-/, maxTemperature: 1, limitName: 'max_tokens' },
]

export function samplingOf(kind: ServerKind, model: string): Sampling {
  return rules.find((rule) => rule.kinds.includes(kind) && rule.model.test(model)) ?? usual
}

/** Undefined: not to be sent. */
export function temperatureFor(wanted: number | undefined, kind: ServerKind, model: string): number | undefined {
  const { maxTemperature } = samplingOf(kind, model)
  if (wanted === undefined || maxTemperature === null) return undefined
  return Math.min(Math.max(wanted, 0), maxTemperature)
}
