// Where stock text clients are tried: a gateway whose agents are answered by one kind of model, all by the same script.

import { startScriptedCascade } from '../harness/scripted-cascade.ts'
import { startScriptedModels } from '../harness/scripted-models.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

export const textModels = ['openai-compatible', 'anthropic', 'demo'] as const
export type TextModelName = (typeof textModels)[number]

export interface TextPlace extends AsyncDisposable {
  readonly gateway: TestGateway
  /** Undefined: nobody counts. */
  readonly tokens: { readonly input: number; readonly cached: number } | undefined
  /** Of the model behind, as JSON: everything it was asked so far. */
  asked(): string
  /** Later patterns win. */
  on(pattern: RegExp, reply: Reply): void
}

export interface Reply {
  readonly say?: string
  readonly call?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }
}

/** What the models behind answer; the demo makes its own words. */
const script: readonly (readonly [RegExp, Reply])[] = [
  [/opening|hours/i, { say: 'We open at nine, and close at five.' }],
  [/weather/i, { call: { name: 'search_weather', arguments: { query: 'Paris' } } }],
  [/degrees/, { say: 'It has 21 degrees in Paris.' }],
  [/sofa/i, { call: { name: 'search_products', arguments: { query: 'sofa' } } }],
  [/"items"|"count"/, { say: 'There are sofas.' }],
  [/as JSON/i, { say: '```json\n{"open": 9}\n```' }],
]

export async function openTextPlace(
  name: TextModelName,
  env: Readonly<Record<string, string>> = {},
): Promise<TextPlace> {
  const { env: own, ...behind } = await { 'openai-compatible': compatible, anthropic, demo }[name]()
  const gateway = await startGateway({ ...own, ...env })
  return {
    gateway,
    tokens: behind.tokens,
    asked: behind.asked,
    on: behind.on,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await behind.stop()
    },
  }
}

interface Behind extends Pick<TextPlace, 'asked' | 'on' | 'tokens'> {
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

async function compatible(): Promise<Behind> {
  const server = await startScriptedCascade({ apiKey: 'sk-test' })
  const on = (pattern: RegExp, { say, call }: Reply) => {
    const calls = call === undefined ? {} : { calls: [{ name: call.name, arguments: JSON.stringify(call.arguments) }] }
    server.on(pattern, { ...(say === undefined ? {} : { say }), ...calls })
  }
  for (const [pattern, reply] of script) on(pattern, reply)
  return {
    env: { OPENROUTER_API_KEY: 'sk-test', OPENROUTER_BASE_URL: server.baseUrl },
    tokens: { input: 1, cached: 0 },
    asked: () => JSON.stringify(server.chats),
    on,
    stop: () => server.stop(),
  }
}

async function anthropic(): Promise<Behind> {
  const models = await startScriptedModels()
  for (const [pattern, reply] of script) models.on(pattern, reply)
  return {
    env: { ANTHROPIC_API_KEY: 'sk-test', ANTHROPIC_BASE_URL: models.baseUrl('anthropic') },
    tokens: { input: 120, cached: 30 },
    asked: () => JSON.stringify(models.asked.map(({ body }) => body)),
    on: (pattern, reply) => void models.on(pattern, reply),
    stop: () => models.stop(),
  }
}

async function demo(): Promise<Behind> {
  return { env: {}, tokens: undefined, asked: () => '[]', on: () => undefined, stop: async () => undefined }
}
