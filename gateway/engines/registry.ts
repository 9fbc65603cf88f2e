// The engines of this process: which can serve, and which one an agent gets.

import type { EngineFactory, Engines } from './engines.ts'

/** In order of preference. `forced` names the only kind that may serve; another is then off. */
export function createEngines(factories: readonly EngineFactory[], forced?: string): Engines {
  if (forced !== undefined && !factories.some(({ kind }) => kind === forced)) {
    throw new TypeError(`No engine is called ${forced}: ${factories.map(({ kind }) => kind).join(', ')}`)
  }
  const all = factories.map((factory) => limited(factory, forced))
  const only = all.find(({ kind }) => kind === forced)
  const able = all.filter(({ off }) => off === undefined)
  const choose = (kind?: string): EngineFactory => {
    const chosen = able.find((factory) => factory.kind === kind) ?? able[0] ?? only ?? all[0]
    if (chosen === undefined) throw new TypeError('No engine was given')
    return chosen
  }
  return {
    all,
    choose,
    chain(kind, second) {
      const first = choose(kind)
      const standIn = able.find((factory) => factory.kind === second && factory.kind !== first.kind)
      return standIn === undefined ? [first] : [first, standIn]
    },
  }
}

/** A forced kind stays as able as it is: an engine without its key says so rather than being replaced in silence. */
function limited(factory: EngineFactory, forced: string | undefined): EngineFactory {
  return forced === undefined || factory.kind === forced ? factory : { ...factory, off: `${forced} is forced` }
}
