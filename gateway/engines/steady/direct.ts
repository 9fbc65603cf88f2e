// A direct call is an engine like any other, but nobody hears the one after it unless he is asked to.

import type { Engine, EngineFactory, EngineOptions, SteadyOptions } from '../engines.ts'
import type { Slot } from './chain.ts'

export function isDirect(engine: Engine | undefined): boolean {
  return engine?.capabilities.media === 'direct'
}

export function openFirst(factory: EngineFactory, options: EngineOptions, direct: SteadyOptions['direct']): Engine {
  return direct === undefined || factory.direct === undefined ? factory.open(options) : factory.direct(options, direct)
}

export function isReplaceable({ engine, ready }: Slot, direct: SteadyOptions['direct']): boolean {
  return !isDirect(engine) || (ready !== undefined && direct?.lost() === true)
}

/** Some have no cap before somebody wants to speak. A direct call is not exchanged: the session ends before it does. */
export function capOf(engine: Engine | undefined): number | null {
  return engine === undefined || isDirect(engine) ? null : engine.capabilities.maxDurationMs
}
