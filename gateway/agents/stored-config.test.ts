import { expect, test } from 'vitest'
import type { AgentConfigBody, AgentConfigView } from '../protocol/agents.ts'
import { agentConfig } from './config.ts'
import { readStoredConfig, withTodaysNames } from './stored-config.ts'

/** As the first version of this program wrote it. */
const first = {
  engine: 'openai-realtime',
  model: 'gpt-realtime',
  voice: 'cedar',
  language: 'de',
  instructions: 'Sell sofas.',
  library: true,
  greeting: null,
  closing: 'Bye.',
  tools: ['search'],
  deniedTools: ['refund'],
  limits: {
    ...{ idleMs: 60_000, maxDurationMs: 90_000, sessionCreditsMicro: 7 },
    ...{ dailyMessages: 5, dailyCreditsMicro: 9_000_000 },
  },
  clientTools: false,
  mutable: { visitor: [], api: ['voice'] },
  speaks: false,
}

test('[S000-5] a config of the first shape is read under the names of today, and nothing of it is lost', () => {
  const { instructions, tools, deniedTools, limits, ...same } = first
  const { dailyMessages, dailyCreditsMicro, ...kept } = limits
  expect(readStoredConfig(first)).toEqual({
    ...agentConfig.parse({}),
    ...same,
    systemPrompt: instructions,
    enabledTools: tools,
    disabledTools: deniedTools,
    maxMessagesPerDay: dailyMessages,
    maxCostPerDay: dailyCreditsMicro,
    limits: kept,
  })
})

test('a config of today is read as it is, and what a later version added is left out', () => {
  const today = agentConfig.parse({ systemPrompt: 'Be kind.', maxMessagesPerDay: 3, temperature: 0.5 })
  expect(readStoredConfig(today)).toEqual(today)
  expect(readStoredConfig({ ...today, fromLater: 1 })).toEqual(today)
})

test('a value that is no config is refused, not guessed at', () => {
  expect(() => readStoredConfig('hello')).toThrow()
  expect(() => readStoredConfig({ limits: 'none' })).toThrow()
  expect(withTodaysNames({ limits: 'none' })).toEqual({ limits: 'none' })
})

test('the wire type of a config is what the schema gives and takes', () => {
  const told: AgentConfigView = agentConfig.parse({})
  const given: AgentConfigBody = { displayName: 'Ana' }
  expect(agentConfig.parse(given).displayName).toBe('Ana')
  expect(agentConfig.parse(told)).toEqual(told)
})
