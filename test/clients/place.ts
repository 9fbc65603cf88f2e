// Where stock clients are tried: a gateway with one engine behind it, reachable over ws: and wss:, and what it stored.

import { expect } from 'vitest'
import { z } from 'zod'
import { startScriptedCascade } from '../harness/scripted-cascade.ts'
import { startScriptedGemini } from '../harness/scripted-gemini.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { startTlsFront, type TlsFront } from '../harness/tls-front.ts'

/** Every case runs against each. */
export const engines = ['demo', 'openai-realtime', 'cascade', 'gemini-live'] as const
export type EngineName = (typeof engines)[number]

export interface Reply {
  readonly say?: string
  readonly call?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }
  /** How many times faster than real time the sound leaves, where that can be told. */
  readonly pace?: number
}

/** Whatever model is behind the engine, by one script. The demo has none: a script changes nothing. */
export interface Model {
  /** Later patterns win. */
  on(pattern: RegExp, reply: Reply): Model
  /** What the next stretches of speech are. */
  hears(...texts: readonly string[]): Model
}

interface Behind {
  readonly env: Readonly<Record<string, string>>
  readonly model: Model
  stop(): Promise<void>
}

export interface Place extends AsyncDisposable {
  readonly gateway: TestGateway
  readonly front: TlsFront
  readonly model: Model
  /** Behind the engine `openai-realtime`; nobody connects to it otherwise. */
  readonly provider: ScriptedRealtime
}

export async function openPlace(engine: EngineName, options: { readonly beta?: boolean } = {}): Promise<Place> {
  const provider = await startScriptedRealtime(options)
  const { env, model, stop } = await behind(engine, provider)
  const gateway = await startGateway({ ...env, PARLEY_ENGINE: engine })
  const front = await startTlsFront(gateway.started.port)
  return {
    gateway,
    front,
    model,
    provider,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]()
      await gateway[Symbol.asyncDispose]()
      await stop()
    },
  }
}

export async function behind(engine: EngineName, provider: ScriptedRealtime): Promise<Behind> {
  const stop = (): Promise<void> => provider.stop()
  if (engine === 'cascade') return cascade(stop)
  if (engine === 'gemini-live') return gemini(stop)
  const model: Model = {
    on(pattern, reply) {
      provider.on(pattern, reply)
      return model
    },
    hears(...texts) {
      provider.hears(...texts)
      return model
    },
  }
  const env = engine === 'demo' ? {} : { OPENAI_API_KEY: 'test', OPENAI_BASE_URL: provider.baseUrl }
  return { env, model, stop }
}

async function cascade(stop: () => Promise<void>): Promise<Behind> {
  const server = await startScriptedCascade({ apiKey: 'sk-test', pace: 4 })
  const model: Model = {
    on(pattern, { say, call }) {
      const calls =
        call === undefined ? {} : { calls: [{ name: call.name, arguments: JSON.stringify(call.arguments) }] }
      server.on(pattern, { ...(say === undefined ? {} : { say }), ...calls })
      return model
    },
    hears(...texts) {
      server.hears(...texts)
      return model
    },
  }
  return {
    model,
    env: {
      CASCADE_LLM: 'own:mind',
      CASCADE_STT: 'own:ears',
      CASCADE_TTS: 'own:mouth',
      CASCADE_SERVERS: `own=${server.baseUrl} sk-test`,
    },
    async stop() {
      await server.stop()
      await stop()
    },
  }
}

async function gemini(stop: () => Promise<void>): Promise<Behind> {
  const provider = await startScriptedGemini({ apiKey: 'key-test' })
  const model: Model = {
    on(pattern, reply) {
      provider.on(pattern, reply)
      return model
    },
    hears(...texts) {
      provider.hears(...texts)
      return model
    },
  }
  return {
    model,
    env: { GEMINI_API_KEY: 'key-test', GEMINI_BASE_URL: provider.baseUrl },
    async stop() {
      const faults = provider.connections.flatMap((connection) => connection.faults)
      await provider.stop()
      await stop()
      expect(faults).toEqual([])
    },
  }
}

const sessionBody = z.object({ state: z.string(), endReason: z.string().optional(), channel: z.string() })
const turnsBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      unheard: z.string().optional(),
      itemId: z.string(),
      voice: z.boolean(),
      tool: z.object({ name: z.string(), state: z.string(), output: z.string().optional() }).optional(),
      audio: z.object({ sentMs: z.number(), playedMs: z.number() }).optional(),
    }),
  ),
})
const receiptBody = z.object({
  totalMicro: z.number(),
  entryId: z.string(),
  lines: z.array(z.object({ meter: z.string(), amountMicro: z.number() })),
})
const entriesBody = z.object({ items: z.array(z.object({ id: z.string(), amountMicro: z.number() })) })

export type StoredTurn = z.output<typeof turnsBody>['turns'][number]

export async function turnsOf(gateway: TestGateway, sessionId: string): Promise<readonly StoredTurn[]> {
  return turnsBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
}

/** Waits for the end of a session whose client has closed; asserts what is true of every ended one. Returns its turns. */
export async function afterTheEnd(gateway: TestGateway, sessionId: string): Promise<readonly StoredTurn[]> {
  // `ended` is told at once, the reason when all of it is stored.
  await expect
    .poll(async () => sessionBody.parse((await gateway.get(`/v1/sessions/${sessionId}`)).body), { timeout: 10_000 })
    .toMatchObject({ state: 'ended', endReason: 'client_gone', channel: 'api' })
  const receipt = receiptBody.parse((await gateway.get(`/v1/sessions/${sessionId}/receipt`)).body)
  const { items } = entriesBody.parse((await gateway.get('/v1/credits/entries')).body)
  expect(receipt.lines.reduce((sum, line) => sum + line.amountMicro, 0)).toBe(receipt.totalMicro)
  expect(receipt.totalMicro).toBeGreaterThan(0)
  expect(items.find((entry) => entry.id === receipt.entryId)?.amountMicro).toBe(-receipt.totalMicro)
  const turns = await turnsOf(gateway, sessionId)
  expect(turns.filter((turn) => turn.state === 'partial')).toEqual([])
  return turns
}

/** Waits until `find` gives something; `what` is for the message. */
export async function until<T>(find: () => T | undefined, what: () => string, timeoutMs = 15_000): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = find()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
