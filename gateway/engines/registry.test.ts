import { pino } from 'pino'
import { expect, it } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { Engine, EngineEvent, EngineFactory, EngineKind, EngineOptions } from './engines.ts'
import { createEngines } from './registry.ts'

const log = pino({ level: 'silent' })

function factory(kind: EngineKind, off?: string): EngineFactory & { readonly opened: EngineOptions[] } {
  const opened: EngineOptions[] = []
  return {
    kind,
    ...(off === undefined ? {} : { off }),
    defaultModel: kind,
    hears: 'words',
    opened,
    open(options) {
      opened.push(options)
      return {} as Engine
    },
  }
}

function setup(given: readonly ReturnType<typeof factory>[], forced?: string) {
  const clock = new ManualClock()
  const engines = createEngines(given, { clock, log, forced })
  const kinds = (kind?: string, ...fallbacks: string[]) =>
    engines.chain(kind, fallbacks).factories.map((each) => each.kind)
  /** A session is opened with this engine, and its provider does this. */
  const happens = (kind: EngineKind, ...events: EngineEvent[]) => {
    const told: EngineEvent[] = []
    const brief = {} as EngineOptions['brief']
    const onEvent = (event: EngineEvent) => void told.push(event)
    engines.all.find((each) => each.kind === kind)?.open({ tenantId: 't', sessionId: 's', brief, onEvent })
    const opened = given.find((each) => each.kind === kind)?.opened.at(-1)
    for (const event of events) opened?.onEvent(event)
    expect(told).toEqual(events)
  }
  return { clock, engines, kinds, happens }
}

const ready: EngineEvent = { type: 'ready', source: 'provider', engineSessionId: 'x', model: 'm' }
const refused = (code: string): EngineEvent => ({
  type: 'closed',
  source: 'local',
  cause: 'refused',
  code,
  message: '',
})

it('gives an agent the engine it asks for while that one can serve', () => {
  const { kinds } = setup([factory('openai-realtime'), factory('demo')])
  expect(kinds('demo')).toEqual(['demo'])
  expect(kinds()).toEqual(['openai-realtime'])
  expect(kinds('auto')).toEqual(['openai-realtime'])
  expect(kinds('unknown')).toEqual(['openai-realtime'])
})

it('falls back to the first that can serve, and says why the other one does not', () => {
  const { engines, kinds } = setup([factory('openai-realtime', 'no API key'), factory('demo')])
  expect(kinds('openai-realtime')).toEqual(['demo'])
  expect(engines.chain('openai-realtime').passedOver).toEqual([{ kind: 'openai-realtime', reason: 'no API key' }])
  expect(engines.chain('auto').passedOver).toEqual([])
})

it('serves only the forced kind, whatever an agent asks for', () => {
  const { engines, kinds } = setup([factory('openai-realtime'), factory('demo')], 'demo')
  expect(kinds('openai-realtime')).toEqual(['demo'])
  expect(engines.all[0]?.off).toBe('demo is forced')
})

it('does not replace a forced kind that lacks its key by another in silence', () => {
  const { engines } = setup([factory('demo'), factory('openai-realtime', 'no API key')], 'openai-realtime')
  expect(engines.chain().factories).toMatchObject([{ kind: 'openai-realtime', off: 'no API key' }])
})

it('refuses to force what does not exist', () => {
  expect(() => setup([factory('demo')], 'gemini')).toThrow('No engine is called gemini')
})

it('gives the engines of the list that can serve, each once, in its order', () => {
  const given = [factory('openai-realtime'), factory('openai-live', 'not offered'), factory('cascade'), factory('demo')]
  const { engines, kinds } = setup(given)
  expect(kinds('cascade', 'openai-live', 'openai-realtime', 'cascade')).toEqual(['cascade', 'openai-realtime'])
  expect(kinds('openai-live', 'cascade', 'demo')).toEqual(['cascade', 'demo'])
  expect(kinds('auto', 'demo')).toEqual(['openai-realtime', 'demo'])
  expect(kinds('auto', 'openai-realtime')).toEqual(['openai-realtime'])
  expect(engines.chain('openai-live', ['cascade']).passedOver).toEqual([{ kind: 'openai-live', reason: 'not offered' }])
})

it('begins with another engine while one is refused again and again, and tries it again after a while', async () => {
  const { clock, engines, happens, kinds } = setup([factory('openai-realtime'), factory('cascade'), factory('demo')])
  happens('openai-realtime', refused('http_503'))
  happens('openai-realtime', refused('http_503'))
  expect(kinds('openai-realtime', 'cascade')).toEqual(['openai-realtime', 'cascade'])
  happens('openai-realtime', refused('http_503'))
  expect(kinds('openai-realtime', 'cascade')).toEqual(['cascade', 'openai-realtime'])
  expect(kinds('auto')).toEqual(['cascade'])
  expect(kinds('openai-realtime')).toEqual(['openai-realtime'])
  expect(engines.chain('openai-realtime', ['cascade']).passedOver).toEqual([
    { kind: 'openai-realtime', reason: 'refused (http_503), rests for 10 s' },
  ])
  await clock.advance(10_000)
  expect(kinds('auto')).toEqual(['openai-realtime'])
  // Still refused: the rest is longer.
  happens('openai-realtime', refused('http_503'))
  await clock.advance(19_999)
  expect(kinds('auto')).toEqual(['cascade'])
  await clock.advance(1)
  happens('openai-realtime', ready)
  happens('openai-realtime', refused('http_503'))
  expect(kinds('auto')).toEqual(['openai-realtime'])
})

it('believes a wrong key at once, and a provider that says how long', async () => {
  const { clock, happens, kinds } = setup([factory('openai-realtime'), factory('cascade')])
  happens('openai-realtime', refused('http_401'))
  expect(kinds('auto')).toEqual(['cascade'])
  const limit: EngineEvent = { type: 'rateLimited', source: 'provider', retryAfterMs: 60_000 }
  for (let i = 0; i < 3; i++) happens('cascade', limit, refused('http_429'))
  // All rest: the first of them is still better than none.
  expect(kinds('auto')).toEqual(['openai-realtime'])
  await clock.advance(59_999)
  expect(kinds('cascade', 'openai-realtime')).toEqual(['openai-realtime', 'cascade'])
  await clock.advance(1)
  expect(kinds('cascade', 'openai-realtime')).toEqual(['cascade', 'openai-realtime'])
})
