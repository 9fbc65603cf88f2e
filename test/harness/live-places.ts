// A gateway with one engine behind its Live door, and the provider's script in one vocabulary for all of them.

import { startScriptedCascade } from './scripted-cascade.ts'
import { startScriptedLive } from './scripted-live.ts'
import { startScriptedRealtime } from './scripted-realtime.ts'
import { startGateway, type TestGateway } from './start-gateway.ts'

export const liveEngines = ['openai-realtime', 'cascade', 'openai-live'] as const
export type LiveEngineName = (typeof liveEngines)[number]

export interface LivePlace extends AsyncDisposable {
  readonly gateway: TestGateway
  /** What the next stretch of speech is understood as. */
  hears(text: string): void
  /** Sentences are answered so; the tool is called instead where one is named. */
  answers(pattern: RegExp, reply: { readonly say?: string; readonly call?: string; readonly arguments?: object }): void
  /** The provider's connections break, once. */
  breaks(): void
  /** …and it takes no others. */
  staysAway(): void
  /** Everything the provider was told in words, as JSON. */
  told(): string
}

export async function openLivePlace(
  engine: LiveEngineName,
  env: Readonly<Record<string, string>> = {},
): Promise<LivePlace> {
  return { 'openai-realtime': realtimePlace, cascade: cascadePlace, 'openai-live': livePlace }[engine](env)
}

type Env = Readonly<Record<string, string>>

async function realtimePlace(env: Env): Promise<LivePlace> {
  const provider = await startScriptedRealtime({ pace: 4 })
  const gateway = await startGateway({
    PARLEY_ENGINE: 'openai-realtime',
    OPENAI_API_KEY: 'test',
    OPENAI_BASE_URL: provider.baseUrl,
    ...env,
  })
  return {
    gateway,
    hears: (text) => void provider.hears(text),
    answers: (pattern, { say, call, arguments: given = {} }) =>
      void provider.on(pattern, {
        ...(say === undefined ? {} : { say }),
        ...(call === undefined ? {} : { call: { name: call, arguments: given } }),
      }),
    breaks: () => provider.drop(),
    staysAway: () => provider.refuse(503).drop(),
    told: () => JSON.stringify(provider.connections.map(({ received }) => received)),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await provider.stop()
    },
  }
}

async function cascadePlace(env: Env): Promise<LivePlace> {
  const server = await startScriptedCascade({ pace: 20 })
  const gateway = await startGateway({
    CASCADE_LLM: 'own:mind',
    CASCADE_STT: 'own:ears',
    CASCADE_TTS: 'own:mouth',
    CASCADE_SERVERS: `own=${server.baseUrl}`,
    PARLEY_ENGINE: 'cascade',
    ...env,
  })
  return {
    gateway,
    hears: (text) => void server.hears(text),
    answers: (pattern, { say, call, arguments: given = {} }) =>
      void server.on(pattern, {
        ...(say === undefined ? {} : { say }),
        ...(call === undefined ? {} : { calls: [{ name: call, arguments: JSON.stringify(given) }] }),
      }),
    breaks: () => void server.breaks('chat', { how: 'cut', after: 2 }),
    staysAway: () => void server.always('chat', { how: 'status', status: 503 }),
    told: () => JSON.stringify(server.chats),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

async function livePlace(env: Env): Promise<LivePlace> {
  const voice = await startScriptedLive({ pace: 4 })
  const desk = await startScriptedRealtime()
  const gateway = await startGateway({
    PARLEY_ENGINE: 'openai-live',
    OPENAI_API_KEY: 'test',
    OPENAI_BASE_URL: desk.baseUrl,
    OPENAI_LIVE_BASE_URL: voice.baseUrl,
    ...env,
  })
  return {
    gateway,
    hears: (text) => void voice.hears(text),
    answers(pattern, { say, call, arguments: given = {} }) {
      if (call === undefined) {
        voice.on(pattern, say === undefined ? {} : { say })
        desk.on(pattern, say === undefined ? {} : { say })
      } else {
        voice.on(pattern, { delegate: true, say: 'One moment.' })
        desk.on(pattern, { call: { name: call, arguments: given } })
      }
    },
    breaks() {
      for (const connection of voice.connections) connection.drop()
    },
    staysAway() {
      voice.refuse(503)
      desk.refuse(503).drop()
      for (const connection of voice.connections) connection.drop()
    },
    told: () =>
      JSON.stringify([
        voice.connections.map(({ received }) => received),
        desk.connections.map(({ received }) => received),
      ]),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await voice.stop()
      await desk.stop()
    },
  }
}
