import { expect, it } from 'vitest'
import type { EngineFactory, EngineKind } from './engines.ts'
import { createEngines } from './registry.ts'

function factory(kind: EngineKind, off?: string): EngineFactory {
  return {
    kind,
    ...(off === undefined ? {} : { off }),
    defaultModel: kind,
    hears: 'words',
    open: () => {
      throw new Error('not opened here')
    },
  }
}

it('gives an agent the engine it asks for while that one can serve', () => {
  const engines = createEngines([factory('openai-realtime'), factory('demo')])
  expect(engines.choose('demo').kind).toBe('demo')
  expect(engines.choose().kind).toBe('openai-realtime')
  expect(engines.choose('unknown').kind).toBe('openai-realtime')
})

it('falls back to the first that can serve, and keeps the reason of the other', () => {
  const engines = createEngines([factory('openai-realtime', 'no API key'), factory('demo')])
  expect(engines.choose('openai-realtime').kind).toBe('demo')
  expect(engines.all.map(({ kind, off }) => [kind, off])).toEqual([
    ['openai-realtime', 'no API key'],
    ['demo', undefined],
  ])
})

it('serves only the forced kind, whatever an agent asks for', () => {
  const engines = createEngines([factory('openai-realtime'), factory('demo')], 'demo')
  expect(engines.choose('openai-realtime').kind).toBe('demo')
  expect(engines.all[0]?.off).toBe('demo is forced')
})

it('does not replace a forced kind that lacks its key by another in silence', () => {
  const engines = createEngines([factory('demo'), factory('openai-realtime', 'no API key')], 'openai-realtime')
  expect(engines.choose()).toMatchObject({ kind: 'openai-realtime', off: 'no API key' })
})

it('refuses to force what does not exist', () => {
  expect(() => createEngines([factory('demo')], 'gemini')).toThrow('No engine is called gemini')
})

it('gives a second engine only where that is another one and can serve', () => {
  const engines = createEngines([factory('openai-realtime'), factory('demo')])
  const kinds = (kind?: string, second?: string) => engines.chain(kind, second).map((each) => each.kind)
  expect(kinds('openai-realtime', 'demo')).toEqual(['openai-realtime', 'demo'])
  expect(kinds('demo', 'openai-realtime')).toEqual(['demo', 'openai-realtime'])
  expect(kinds('demo', 'demo')).toEqual(['demo'])
  expect(kinds('openai-realtime', 'none')).toEqual(['openai-realtime'])
  expect(kinds()).toEqual(['openai-realtime'])
  const keyless = createEngines([factory('openai-realtime', 'no API key'), factory('demo')])
  expect(keyless.chain('openai-realtime', 'demo').map((each) => each.kind)).toEqual(['demo'])
  expect(keyless.chain('demo', 'openai-realtime').map((each) => each.kind)).toEqual(['demo'])
})
