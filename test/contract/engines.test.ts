import { pino } from 'pino'
import { expect } from 'vitest'
import { createCascade } from '../../gateway/engines/cascade/cascade.ts'
import { readPlan } from '../../gateway/engines/cascade/plan.ts'
import { createDemo } from '../../gateway/engines/demo/demo.ts'
import { createVoice } from '../../gateway/engines/demo/voice.ts'
import type { EngineFactory } from '../../gateway/engines/engines.ts'
import { createGeminiLive } from '../../gateway/engines/gemini-live/gemini-live.ts'
import { createOpenAiLive } from '../../gateway/engines/openai-live/openai-live.ts'
import { createOpenAiRealtime } from '../../gateway/engines/openai-realtime/openai-realtime.ts'
import { createSteady } from '../../gateway/engines/steady/steady.ts'
import { systemClock } from '../../gateway/platform/clock.ts'
import { startScriptedCascade } from '../harness/scripted-cascade.ts'
import { startScriptedGemini } from '../harness/scripted-gemini.ts'
import { startScriptedLive } from '../harness/scripted-live.ts'
import { type ScriptedOptions, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { type EngineRig, engineContract } from './engine.contract.ts'

const log = pino({ level: 'silent' })
const clock = systemClock

const longText =
  'We deliver on every weekday between eight in the morning and six in the evening. The driver calls half an hour before. ' +
  'Two people carry the furniture to the room of your choice. They take the packaging with them when they leave.'

const tool = {
  name: 'search_products',
  description: 'Search the catalogue by colour and price.',
  parameters: {
    type: 'object',
    properties: { query: { type: 'string' }, colour: { type: 'string' }, maxPrice: { type: 'number' } },
  },
}
const output = JSON.stringify({
  count: 1,
  items: [{ name: 'Oslo sofa', colours: ['red'], price: 429, currency: 'EUR' }],
})

async function demoRig(): Promise<EngineRig> {
  const voice = createVoice({ log })
  const broken = createVoice({ log, module: new URL('data:text/javascript,throw new Error("no voice here")') })
  const faq = [
    { title: 'What is your return policy?', text: 'You can return anything within 30 days.', score: 5, kind: 'faq' },
    { title: 'How does delivery work?', text: longText, score: 5, kind: 'faq' },
  ]
  const knowledge = {
    search: async (_: string, text: string) => faq.filter((each) => each.title.includes(text.split(' ').at(-2) ?? '')),
  }
  return {
    factory: createDemo({ knowledge, log, clock, voice, recogniser: null }),
    refusing: createDemo({ knowledge, log, clock, voice: broken, recogniser: null }),
    question: { text: 'What is your return policy?', answer: /within 30 days/ },
    longQuestion: 'How does delivery work?',
    toolQuestion: {
      text: 'Show me a red sofa under 500',
      tool,
      arguments: { colour: 'red', maxPrice: 500 },
      output,
      answer: /Oslo sofa.*€429/,
    },
    close: async () => {
      await voice[Symbol.asyncDispose]()
      await broken[Symbol.asyncDispose]()
    },
  }
}

async function realtimeRig(options: ScriptedOptions = {}): Promise<EngineRig> {
  const provider = await startScriptedRealtime({ apiKey: 'sk-test', ...options })
  provider
    .on(/return/, { say: 'You can return anything within 30 days.' })
    .on(/delivery/, { say: longText, pace: 2 })
    .on(/One two three/, { say: 'One two three four five six. Eleven twelve thirteen.', audioMs: 3_000, pace: 4 })
    .on(/red sofa/, { call: { name: tool.name, arguments: { colour: 'red', maxPrice: 500 } } })
    .on(/Oslo sofa/, { say: 'The Oslo sofa costs €429.' })
  const needs = { baseUrl: provider.baseUrl, defaultModel: 'gpt-realtime-2.1', log, clock }
  return {
    factory: createOpenAiRealtime({ ...needs, apiKey: 'sk-test' }),
    refusing: createOpenAiRealtime({ ...needs, apiKey: 'sk-wrong' }),
    question: { text: 'What is your return policy?', answer: /within 30 days/ },
    longQuestion: 'How does delivery work?',
    toolQuestion: {
      text: 'Show me a red sofa under 500',
      tool,
      arguments: { colour: 'red', maxPrice: 500 },
      output,
      answer: /Oslo sofa.*€429/,
    },
    close: () => provider.stop(),
  }
}

async function geminiRig(model: string): Promise<EngineRig> {
  const provider = await startScriptedGemini({ apiKey: 'key-test' })
  provider
    .on(/return/, { say: 'You can return anything within 30 days.' })
    .on(/delivery/, { say: longText, pace: 2 })
    .on(/One two three/, { say: 'One two three four five six. Eleven twelve thirteen.', audioMs: 3_000, pace: 4 })
    .on(/red sofa/, { call: { name: tool.name, arguments: { colour: 'red', maxPrice: 500 } } })
    .on(/Oslo sofa/, { say: 'The Oslo sofa costs €429.' })
  const needs = { baseUrl: provider.baseUrl, defaultModel: model, log, clock }
  return {
    factory: createGeminiLive({ ...needs, apiKey: 'key-test' }),
    refusing: createGeminiLive({ ...needs, apiKey: 'key-wrong' }),
    question: { text: 'What is your return policy?', answer: /within 30 days/ },
    longQuestion: 'How does delivery work?',
    toolQuestion: {
      text: 'Show me a red sofa under 500',
      tool,
      arguments: { colour: 'red', maxPrice: 500 },
      output,
      answer: /Oslo sofa.*€429/,
    },
    close: async () => {
      const faults = provider.connections.flatMap((connection) => connection.faults)
      await provider.stop()
      expect(faults).toEqual([])
    },
  }
}

async function cascadeRig(): Promise<EngineRig> {
  const server = await startScriptedCascade({ apiKey: 'sk-test', pace: 4 })
  server
    .on(/return/, { say: 'You can return anything within 30 days.' })
    .on(/delivery/, { say: longText })
    .on(/red sofa/, { calls: [{ name: tool.name, arguments: JSON.stringify({ colour: 'red', maxPrice: 500 }) }] })
    .on(/Oslo sofa/, { say: 'The Oslo sofa costs €429.' })
    .hears('Do you have a red chair?')
  const voice = createVoice({ log })
  const factory = (key: string) => {
    const settings = { llm: 'own:chat', stt: 'own:whisper', tts: 'own:voice', servers: `own=${server.baseUrl} ${key}` }
    const { plan } = readPlan({ ...settings, openAiBaseUrl: 'https://api.openai.com/v1', keys: {} })
    return createCascade({ plan, voice, clock, log })
  }
  return {
    factory: factory('sk-test'),
    refusing: factory('sk-wrong'),
    question: { text: 'What is your return policy?', answer: /within 30 days/ },
    longQuestion: 'How does delivery work?',
    toolQuestion: {
      text: 'Show me a red sofa under 500',
      tool,
      arguments: { colour: 'red', maxPrice: 500 },
      output,
      answer: /Oslo sofa.*€429/,
    },
    close: async () => {
      await server.stop()
      await voice[Symbol.asyncDispose]()
    },
  }
}

/** GPT-Live, and behind it the Realtime engine in writing: the voice delegates, the other works. */
async function liveRig(): Promise<EngineRig> {
  const text = await startScriptedRealtime({ apiKey: 'sk-test' })
  const voice = await startScriptedLive({ apiKey: 'sk-test' })
  text
    .on(/return/, { say: 'You can return anything within 30 days.' })
    .on(/delivery/, { say: longText })
    .on(/red sofa/, { call: { name: tool.name, arguments: { colour: 'red', maxPrice: 500 } } })
    .on(/Oslo sofa/, { say: 'The Oslo sofa costs €429.' })
  voice
    .on(/return/, { say: 'You can return anything within 30 days.' })
    .on(/deliver/, { say: longText, pace: 2 })
    .on(/One two three/, { say: 'One two three four five six. Eleven twelve thirteen.', audioMs: 3_000, pace: 4 })
  const needs = { baseUrl: voice.baseUrl, defaultModel: 'gpt-live-1', log, clock }
  const desk = {
    model: 'gpt-realtime-2.1',
    open: createOpenAiRealtime({
      baseUrl: text.baseUrl,
      defaultModel: 'gpt-realtime-2.1',
      apiKey: 'sk-test',
      log,
      clock,
    }).open,
  }
  return {
    factory: createOpenAiLive({ ...needs, desk, apiKey: 'sk-test' }),
    refusing: createOpenAiLive({ ...needs, desk, apiKey: 'sk-wrong' }),
    question: { text: 'What is your return policy?', answer: /within 30 days/ },
    longQuestion: 'How does delivery work?',
    toolQuestion: {
      text: 'Show me a red sofa under 500',
      tool,
      arguments: { colour: 'red', maxPrice: 500 },
      output,
      answer: /Oslo sofa.*€429/,
    },
    // The model decides when a turn is over, and takes no part in deciding who else may.
    cannot: { manualTurns: 'no_turn_control' },
    close: async () => {
      await voice.stop()
      await text.stop()
      // Whatever the test was about: the provider took every event that it got.
      expect(voice.connections.flatMap(({ errors }) => errors)).toEqual([])
    },
  }
}

/** The same engine behind one that would replace it. */
async function steady(build: () => Promise<EngineRig>): Promise<EngineRig> {
  const rig = await build()
  const open = createSteady({ clock, random: Math.random, log })
  const behind = (factory: EngineFactory): EngineFactory => ({
    ...factory,
    open: (options) => open({ ...options, factories: [factory], history: () => options.brief.history }),
  })
  return { ...rig, factory: behind(rig.factory), refusing: behind(rig.refusing) }
}

engineContract('demo', demoRig)
engineContract('openai-realtime', () => realtimeRig())
engineContract('openai-realtime (names of the beta)', () => realtimeRig({ betaNames: true }))
engineContract('openai-live', liveRig)
// Tools beside the conversation, and tools that it waits for.
engineContract('gemini-live', () => geminiRig('gemini-3.8-live'))
engineContract('gemini-live, as before 3.8,', () => geminiRig('gemini-3.1-flash-live-preview'))
engineContract('cascade', cascadeRig)
engineContract('steady', () => steady(() => realtimeRig()))
engineContract('steady cascade', () => steady(cascadeRig))
