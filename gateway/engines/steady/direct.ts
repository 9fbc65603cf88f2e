// A direct call is an engine like any other, but nobody hears the one after it unless he is asked to.

import type { Engine, EngineFactory, EngineOptions, SteadyOptions } from '../engines.ts'
import type { Chain, Slot } from './chain.ts'

export function isDirect(engine: Engine | undefined): boolean {
  return engine?.capabilities.media === 'direct'
}

export function openFirst(factory: EngineFactory, options: EngineOptions, direct: SteadyOptions['direct']): Engine {
  if (direct === undefined || factory.direct === undefined) return factory.open(options)
  return factory.direct.open(options, direct)
}

export function isReplaceable({ engine, ready }: Slot, direct: SteadyOptions['direct']): boolean {
  return !isDirect(engine) || (ready !== undefined && direct?.lost() === true)
}

/** Some have no cap before somebody wants to speak. A direct call is not exchanged: the session ends before it does. */
export function capOf(engine: Engine | undefined): number | null {
  return engine === undefined || isDirect(engine) ? null : engine.capabilities.maxDurationMs
}

/** Whose sound comes to us has no other way any more. */
export function leaveDirect(chain: Chain): void {
  if (chain.live && isDirect(chain.now?.engine)) chain.leave('sound_moved')
}
