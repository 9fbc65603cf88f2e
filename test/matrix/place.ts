// A gateway with one engine behind it, for every engine; and how that engine's provider is lost in the middle of an answer.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Worker } from 'node:worker_threads'
import { startScriptedCascade } from '../harness/scripted-cascade.ts'
import { startScriptedGemini } from '../harness/scripted-gemini.ts'
import { startScriptedLive } from '../harness/scripted-live.ts'
import { startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import type { EngineName } from './cells.ts'

export interface Place extends AsyncDisposable {
  readonly gateway: TestGateway
  /** What the next stretch of speech is understood as. The demo has no words for it. */
  hears(text: string): void
  /** While `ask` is answered, and not before `heard`, whoever answers is lost. */
  loses(ask: () => Promise<void>, heard: () => Promise<void>): Promise<void>
}

export const answer = 'We deliver on weekdays, and two people carry it up.'
export const found = 'We have the Alba.'
export const story =
  'Once upon a time there was a sofa that nobody wanted to buy. It was far too large for any room in the whole town. ' +
  'Then one day a giant came to the shop. He sat down on it, and he smiled for the first time in his life.'
export const legend =
  'Once there was a king, who slept on a sofa for seven years. Then he got up, and he went for a walk in the garden.'
const search = { name: 'search_products', arguments: { query: 'red sofa' } }

/** Seconds of sound a second: an answer is still being made when it is cut. */
const pace = 2

type Behind = Omit<Place, 'gateway' | keyof AsyncDisposable> & {
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export async function openPlace(engine: EngineName): Promise<Place> {
  const { env, hears, loses, stop } = await {
    'openai-realtime': behindRealtime,
    'openai-live': behindLive,
    cascade: behindCascade,
    'gemini-live': behindGemini,
    demo: behindDemo,
  }[engine]()
  const gateway = await startGateway({ PARLEY_ENGINE: engine, ...env })
  return {
    gateway,
    hears,
    loses,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await stop()
    },
  }
}

/** Says which media the agent's calls have, and that it does not speak first. */
export async function setAgent({ app }: TestGateway, media: 'relayed' | 'direct'): Promise<void> {
  const { tenants, agents } = app.slices
  const tenant = await tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  const scope = agents.of(tenant.id)
  const agent = await scope.bySlug('productco')
  if (agent === undefined) throw new Error('no agent')
  await scope.saveDraft(agent.id, { ...agent.draft, media, greeting: null })
  await scope.publish(agent.id)
}

async function afterwards(ask: () => Promise<void>, heard: () => Promise<void>, lose: () => void): Promise<void> {
  await ask()
  await heard()
  lose()
}

async function behindRealtime(): Promise<Behind> {
  const provider = await startScriptedRealtime({ apiKey: 'sk-test', pace })
  provider
    .on(/delivery/, { say: answer })
    .on(/red sofa/, { call: search })
    .on(/"items"|"count"/, { say: found })
    .on(/wait/i, { say: 'Of course.' })
    .on(/story/, { say: story })
    .on(/legend/, { say: legend })
  return {
    env: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl },
    hears: (text) => void provider.hears(text),
    loses: (ask, heard) =>
      afterwards(ask, heard, () => {
        provider.drop()
        for (const call of provider.calls) call.end(1011)
      }),
    stop: () => provider.stop(),
  }
}

async function behindLive(): Promise<Behind> {
  const voice = await startScriptedLive({ apiKey: 'sk-test', pace })
  const desk = await startScriptedRealtime({ apiKey: 'sk-test' })
  voice
    .on(/delivery/, { say: answer })
    .on(/red sofa/, { delegate: true, say: 'One moment.' })
    .on(/wait/i, { say: 'Of course.' })
    .on(/story/, { say: story })
    .on(/legend/, { say: legend })
  desk
    .on(/delivery/, { say: answer })
    .on(/red sofa/, { call: search })
    .on(/"items"|"count"/, { say: found })
    .on(/story/, { say: story, pace })
    .on(/legend/, { say: legend, pace })
  return {
    env: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: desk.baseUrl, OPENAI_LIVE_BASE_URL: voice.baseUrl },
    hears: (text) => void voice.hears(text),
    loses: (ask, heard) =>
      afterwards(ask, heard, () => {
        for (const connection of voice.connections) connection.drop()
        for (const call of voice.calls) call.end(1011)
      }),
    async stop() {
      await voice.stop()
      await desk.stop()
    },
  }
}

async function behindCascade(): Promise<Behind> {
  const server = await startScriptedCascade({ apiKey: 'sk-test', pace: 4 })
  server
    .on(/delivery/, { say: answer })
    .on(/red sofa/, { calls: [{ name: search.name, arguments: JSON.stringify(search.arguments) }] })
    .on(/"items"|"count"/, { say: found })
    .on(/wait/i, { say: 'Of course.' })
    .on(/story/, { say: story })
    .on(/legend/, { say: legend, wordMs: 20 })
  return {
    env: {
      CASCADE_LLM: 'own:mind',
      CASCADE_STT: 'own:ears',
      CASCADE_TTS: 'own:mouth',
      CASCADE_SERVERS: `own=${server.baseUrl} sk-test`,
    },
    hears: (text) => void server.hears(text),
    // Its connections are one a request: the stream of words breaks behind the first sentence.
    async loses(ask, heard) {
      server.breaks('chat', { how: 'cut', after: 18 })
      await ask()
      await heard()
    },
    stop: () => server.stop(),
  }
}

async function behindGemini(): Promise<Behind> {
  const provider = await startScriptedGemini({ apiKey: 'key-test', pace })
  provider
    .on(/delivery/, { say: answer })
    .on(/red sofa/, { call: search })
    .on(/"items"|"count"/, { say: found })
    .on(/wait/i, { say: 'Of course.' })
    .on(/story/, { say: story })
    .on(/legend/, { say: legend })
  return {
    env: { GEMINI_API_KEY: 'key-test', GEMINI_BASE_URL: provider.baseUrl },
    hears: (text) => void provider.hears(text),
    loses: (ask, heard) => afterwards(ask, heard, () => provider.drop()),
    stop: () => provider.stop(),
  }
}

/** The demo has no provider: what it can lose is the thread that is its voice. */
async function behindDemo(): Promise<Behind> {
  const workers = new Set<Worker>()
  const began = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('worker' in message)) return
    if (message.worker instanceof Worker) workers.add(message.worker)
  }
  subscribe('worker_threads', began)
  return {
    env: {},
    hears: () => {},
    loses: (ask, heard) =>
      afterwards(ask, heard, () => {
        const voices = [...workers].filter(({ threadName }) => threadName === 'parley-voice')
        if (voices.length === 0) throw new Error('no voice to lose')
        for (const voice of voices) void voice.terminate()
      }),
    async stop() {
      unsubscribe('worker_threads', began)
      await Promise.resolve()
    },
  }
}
