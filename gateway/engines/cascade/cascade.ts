// The cascade engine: speech into words, a language model, and a voice, each a list of servers asked in order. Turns are
// detected here; what the servers must speak is OpenAI's HTTP, or for models what the AI SDK has a provider for.

import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Voice } from '../demo/voice.ts'
import type { EngineBrief, EngineFactory } from '../engines.ts'
import { Recent } from '../recent.ts'
import { createChat } from '../text/chat.ts'
import { PartFailure } from '../text/failure.ts'
import type { Llm } from '../text/model.ts'
import { Health } from '../text/order.ts'
import { defaultTimes, type Times } from '../text/patience.ts'
import { Probe } from '../text/probe.ts'
import { createSdkModel } from '../text/sdk.ts'
import type { PartPlan } from '../text/server.ts'
import { CascadeEngine, Deafness } from './cascade-engine.ts'
import type { CascadeParts } from './facts.ts'
import type { Stt, Tts } from './part.ts'
import { type CascadePlan, partFor } from './plan.ts'
import { builtInSpeech, createSpeech } from './speech.ts'
import { createTranscription } from './transcription.ts'

export interface CascadeNeeds {
  readonly plan: CascadePlan
  /** The built-in one, where the plan names it. */
  readonly voice: Voice
  readonly clock: Clock
  readonly log: Log
  readonly times?: Partial<Times>
}

export function createCascade(needs: CascadeNeeds): EngineFactory {
  const { plan, clock, log } = needs
  const health = new Health(clock, log)
  const deafness = new Deafness()
  const makers = new Makers(needs)
  const times = { ...defaultTimes, ...needs.times }
  return {
    kind: 'cascade',
    ...(plan.llm.length === 0 ? { off: 'no CASCADE_LLM' } : {}),
    defaultModel: plan.llm[0]?.name ?? '',
    hears: plan.stt.length === 0 ? 'speech' : 'words',
    open: (options) => {
      const plans = plansFor(options.brief, plan)
      const parts = makers.parts(plans)
      const model = plans.llm[0]?.name ?? ''
      return new CascadeEngine(
        { clock, log, times, health, deafness, parts, model, ready: () => makers.ready(plans, options.brief) },
        options,
      )
    },
  }
}

type Plans = Pick<CascadePlan, 'llm' | 'stt' | 'tts'>

/** The agent's own model comes first; the built-in voice speaks English only. */
function plansFor({ model, language }: EngineBrief, plan: CascadePlan): Plans {
  const own = model === '' ? undefined : partFor(model, plan)
  const llm = own === undefined ? plan.llm : [own, ...plan.llm.filter(({ name }) => name !== own.name)]
  const tts = plan.tts.filter(({ server }) => server.kind !== 'builtin' || /^en\b/i.test(language))
  return { llm, stt: plan.stt, tts }
}

/** Parts are shared by all sessions: each remembers what its server does not take. */
class Makers {
  readonly #needs: CascadeNeeds
  readonly #probe: Probe
  readonly #llms = new Recent<Llm>()
  readonly #ears: readonly Stt[]
  readonly #voices: ReadonlyMap<PartPlan, Tts>

  constructor(needs: CascadeNeeds) {
    this.#needs = needs
    this.#probe = new Probe(needs.clock)
    this.#ears = needs.plan.stt.map(createTranscription)
    this.#voices = new Map(needs.plan.tts.map((plan) => [plan, this.#voice(plan)]))
  }

  #voice(plan: PartPlan): Tts {
    return plan.server.kind === 'builtin' ? builtInSpeech(plan.name, this.#needs.voice) : createSpeech(plan)
  }

  parts({ llm, tts }: Plans): CascadeParts {
    return {
      llms: llm.map((plan) => this.#llm(plan)),
      ears: this.#ears,
      voices: tts.flatMap((plan) => this.#voices.get(plan) ?? []),
    }
  }

  #llm(plan: PartPlan): Llm {
    const made = this.#llms.get(plan.name) ?? (plan.server.kind === 'http' ? createChat(plan) : createSdkModel(plan))
    this.#llms.set(plan.name, made)
    return made
  }

  /** Of every part that the session needs, somebody must be there. */
  async ready({ llm, stt, tts }: Plans, { outputModality }: EngineBrief): Promise<PartFailure | undefined> {
    const lists = outputModality === 'audio' ? [llm, stt, tts] : [llm]
    const failures = await Promise.all(lists.map((list) => this.#anyOf(list)))
    return failures.find((failure) => failure !== undefined)
  }

  /** Asks all at once, and waits no longer than for the first that is there. */
  async #anyOf(plans: readonly PartPlan[]): Promise<PartFailure | undefined> {
    if (plans.length === 0) return undefined
    const tries = plans.map(async (plan) => {
      const failure = await this.#failure(plan)
      if (failure !== undefined) throw failure
    })
    return Promise.any(tries).then(
      () => undefined,
      (thrown: unknown) => {
        const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown
        return first instanceof PartFailure ? first : new PartFailure('unreachable')
      },
    )
  }

  #failure({ server }: PartPlan): Promise<PartFailure | undefined> {
    if (server.kind !== 'builtin') return this.#probe.failure(server)
    return this.#needs.voice.warm().then(
      () => undefined,
      () => new PartFailure('voice_unavailable'),
    )
  }
}
