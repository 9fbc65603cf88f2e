// The engines of this process: which can serve, and which ones an agent gets.

import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { EngineChoice, EngineFactory, Engines, PassedOver } from './engines.ts'
import { Rests } from './refusals.ts'

export interface RegistryNeeds {
  readonly clock: Clock
  readonly log: Log
  /** The only kind that may serve; the others are then off. */
  readonly forced?: string | undefined
}

/** In order of preference. */
export function createEngines(given: readonly EngineFactory[], { clock, log, forced }: RegistryNeeds): Engines {
  if (forced !== undefined && !given.some(({ kind }) => kind === forced)) {
    throw new TypeError(`No engine is called ${forced}: ${given.map(({ kind }) => kind).join(', ')}`)
  }
  const rests = new Rests(clock, log)
  const all = given.map((factory) => watched(limited(factory, forced), rests))
  return { all, chain: (kind, fallbacks = []) => choose({ all, rests, forced }, kind, fallbacks) }
}

interface Known {
  readonly all: readonly EngineFactory[]
  readonly rests: Rests
  readonly forced: string | undefined
}

function choose(known: Known, kind: string | undefined, fallbacks: readonly string[]): EngineChoice {
  const { all, rests, forced } = known
  const isNamed = kind !== undefined && kind !== 'auto'
  const able = all.filter(({ off }) => off === undefined)
  const isResting = (factory: EngineFactory): boolean => rests.reason(factory.kind) !== undefined
  const best = able.find((factory) => !isResting(factory)) ?? able[0]
  const names = new Set([isNamed ? kind : best?.kind, ...fallbacks])
  const asked = [...names].flatMap((name) => able.filter((factory) => factory.kind === name))
  // One that rests is better than none.
  const inOrder = [...asked.filter((factory) => !isResting(factory)), ...asked.filter(isResting)]
  const anyone = best ?? all.find((factory) => factory.kind === forced) ?? all[0]
  const [first, ...others] = inOrder.length > 0 || anyone === undefined ? inOrder : [anyone]
  if (first === undefined) throw new TypeError('No engine was given')
  const wanted = isNamed ? [kind, ...fallbacks] : able.map((factory) => factory.kind)
  return { factories: [first, ...others], passedOver: passedOver(known, wanted, first) }
}

function passedOver({ all, rests }: Known, wanted: readonly string[], first: EngineFactory): readonly PassedOver[] {
  const at = wanted.indexOf(first.kind)
  return wanted.slice(0, at === -1 ? wanted.length : at).map((kind) => {
    const factory = all.find((each) => each.kind === kind)
    return { kind, reason: factory?.off ?? rests.reason(kind) ?? 'unknown' }
  })
}

/** A forced kind stays as able as it is: an engine without its key says so rather than being replaced in silence. */
function limited(factory: EngineFactory, forced: string | undefined): EngineFactory {
  return forced === undefined || factory.kind === forced ? factory : { ...factory, off: `${forced} is forced` }
}

/** What becomes of its connections is remembered for the sessions after. */
function watched(factory: EngineFactory, rests: Rests): EngineFactory {
  const { kind } = factory
  return {
    ...factory,
    open(options) {
      let retryAfterMs: number | null = null
      return factory.open({
        ...options,
        onEvent(event) {
          if (event.type === 'ready') rests.served(kind)
          else if (event.type === 'rateLimited') retryAfterMs = event.retryAfterMs
          else if (event.type === 'closed' && event.cause === 'refused') rests.refused(kind, event.code, retryAfterMs)
          options.onEvent(event)
        },
      })
    },
  }
}
