// Sessions in writing: the cascade without ears and voice, whose mind is the agent's own text models. The same models, prompt
// and tools answer messages that come without a session.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { EngineFactory, EngineOptions } from '../engines.ts'
import type { Llm } from '../text/model.ts'
import type { Health } from '../text/order.ts'
import { defaultTimes, type Times } from '../text/patience.ts'
import type { TextModel, TextModels } from '../text/text-model.ts'
import { CascadeEngine, Deafness } from './cascade-engine.ts'

export interface TextEngineNeeds {
  readonly models: TextModels
  /** The one that the models report to. */
  readonly health: Health
  readonly clock: Clock
  readonly log: Log
  readonly times?: Partial<Times>
}

/** Of a brief that says nothing of who writes. */
const anyModel = { provider: '', model: '', fallbacks: [], temperature: null, maxTokens: null } as const

export function textModelsOf(models: TextModels, { text }: Pick<EngineOptions['brief'], 'text'>): readonly TextModel[] {
  return models.chain(text ?? anyModel)
}

export function createTextEngine(needs: TextEngineNeeds): EngineFactory {
  const { models, health, clock, log } = needs
  const deafness = new Deafness()
  const times = { ...defaultTimes, ...needs.times }
  return {
    kind: 'text',
    defaultModel: models.chain(anyModel)[0]?.name ?? '',
    modelFor: (text) => models.chain(text)[0]?.name ?? '',
    hears: 'speech',
    open: (options) => {
      const chain = textModelsOf(models, options.brief)
      const parts = { llms: chain.map((model) => askedBy(options, model)), ears: [], voices: [] }
      const model = chain[0]?.name ?? ''
      return new CascadeEngine(
        { clock, log, times, health, deafness, parts, model, ready: () => Promise.resolve(undefined) },
        options,
      )
    },
  }
}

function askedBy({ tenantId }: EngineOptions, model: TextModel): Llm {
  return { name: model.name, answer: (prompt, on) => model.answer({ ...prompt, tenantId }, on) }
}
