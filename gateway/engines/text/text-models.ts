// The text models of this process, made once and shared by all who ask.

import type { Clock } from '../../platform/clock.ts'
import { Recent } from '../recent.ts'
import { Asking } from './asking.ts'
import { createChat } from './chat.ts'
import { chosen, listing, problemOf, type TextPlan } from './choice.ts'
import { classify } from './classify.ts'
import { type BrainKnowledge, createDemoBrain } from './demo-brain.ts'
import { PartFailure } from './failure.ts'
import type { Llm } from './model.ts'
import type { Health } from './order.ts'
import { defaultTimes, type Times } from './patience.ts'
import { createSdkModel } from './sdk.ts'
import type { PartPlan } from './server.ts'
import type { TextChoice, TextModel, TextModels, TextWish } from './text-model.ts'

export interface TextModelNeeds {
  readonly plan: TextPlan
  /** Shared with engines that ask the models themselves. */
  readonly health: Health
  readonly knowledge: BrainKnowledge
  readonly clock: Clock
  readonly times?: Partial<Times>
}

export function createTextModels(needs: TextModelNeeds): TextModels {
  const { plan, clock, health } = needs
  const asking = new Asking({ clock, health, times: { ...defaultTimes, ...needs.times } })
  // Shared by all who ask: each remembers what its server does not take.
  const made = new Recent<Llm>()
  const demo = createDemoBrain(needs.knowledge)
  const llmOf = (part: PartPlan): Llm => {
    const llm = made.get(part.name) ?? (part.server.kind === 'http' ? createChat(part) : createSdkModel(part))
    made.set(part.name, llm)
    return llm
  }
  const choose = (wish: TextWish): TextChoice => {
    const { parts, passedOver, why } = chosen(plan, wish)
    const models = parts.map((part) => modelOf(part, llmOf(part), wish))
    return { models: models.length === 0 ? [demo] : health.inOrder(models), passedOver, why }
  }
  return {
    choose,
    chain: (wish) => choose(wish).models,
    ask: (models, prompt, on) => asking.ask(models, prompt, on),
    classify: (models, on) => classify((...asked) => asking.ask(...asked), models, on),
    failure: (thrown) => (thrown instanceof PartFailure ? thrown : undefined),
    list: () => listing(plan),
    problem: (wish) => problemOf(plan, wish),
  }
}

function modelOf(part: PartPlan, llm: Llm, wish: TextWish): TextModel {
  const own = {
    ...(wish.temperature === null ? {} : { temperature: wish.temperature }),
    ...(wish.maxTokens === null ? {} : { maxTokens: wish.maxTokens }),
  }
  return {
    provider: part.server.name,
    model: part.model,
    name: part.name,
    demo: false,
    async *answer(prompt, on) {
      try {
        yield* llm.answer({ ...own, ...prompt }, on)
      } catch (thrown) {
        // An abort with a reason of ours is a failure of the model: it was given up.
        throw on.signal.aborted && on.signal.reason instanceof PartFailure ? on.signal.reason : thrown
      }
    },
  }
}
