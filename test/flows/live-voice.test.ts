// GPT-Live behind the gateway's ordinary front door: a visitor who writes, speaks and cuts in.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { connect, type TestClient } from '../harness/client.ts'
import { type ScriptedLive, startScriptedLive } from '../harness/scripted-live.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let voice: ScriptedLive
let text: ScriptedRealtime
let gateway: TestGateway
beforeAll(async () => {
  voice = await startScriptedLive({ apiKey: 'sk-test', pace: 4 })
  text = await startScriptedRealtime({ apiKey: 'sk-test' })
  gateway = await startGateway({
    PARLEY_ENGINE: 'openai-live',
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: text.baseUrl,
    OPENAI_LIVE_BASE_URL: voice.baseUrl,
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await voice.stop()
  await text.stop()
})

const turnsBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      unheard: z.string().optional(),
      voice: z.boolean(),
    }),
  ),
})
const receiptBody = z.object({
  totalMicro: z.number(),
  costUsdMicro: z.number().nullable(),
  lines: z.array(z.object({ meter: z.string(), quantity: z.number(), amountMicro: z.number() })),
})

async function turnsOf(sessionId: string) {
  return turnsBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
}

async function ended(sessionId: string): Promise<void> {
  await expect
    .poll(async () => (await gateway.get(`/v1/sessions/${sessionId}`)).body, { timeout: 10_000 })
    .toMatchObject({ state: 'ended' })
}

async function visitor(): Promise<{ client: TestClient; sessionId: string }> {
  const client = await connect(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    parley: true,
    origin: gateway.url,
  })
  return { client, sessionId: String((await client.event('parley.session')).session_id) }
}

async function speak(client: TestClient, words: string): Promise<void> {
  for (const piece of [...pieces(await speechPcm(words)), ...pieces(silencePcm(1_000))])
    client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
}

test('a written conversation costs no second of the voice; a spoken one is billed what the provider says last', async () => {
  text.on(/hours/, { say: 'From nine to six.' })
  voice.state.finalSeconds = 42.5
  const before = voice.connections.length
  const { client, sessionId } = await visitor()
  await using _ = client
  client.ask('What are your hours?')
  await client.event('response.done')
  expect(voice.connections).toHaveLength(before)
  client.send({ type: 'parley.voice', on: true })
  voice.hears('Do you have a red sofa?').on(/red sofa/, { delegate: true, say: 'One moment.' })
  text
    .on(/red sofa/, { call: { name: 'search_products', arguments: { query: 'red sofa' } } })
    .on(/"items"/, { say: 'We have the Alba.' })
  await client.until(() => ((voice.connections.at(-1)?.clockMs ?? 0) > 0 ? true : undefined), 'a session of the voice')
  await speak(client, 'Do you have a red sofa?')
  await expect
    .poll(async () => (await turnsOf(sessionId)).map(({ role, text: said }) => `${role}: ${said}`), { timeout: 10_000 })
    .toContain('agent: We have the Alba.')
  client.send({ type: 'parley.bye' })
  await ended(sessionId)
  const turns = await turnsOf(sessionId)
  expect(turns.filter(({ role }) => role === 'user').map(({ text: said, voice: aloud }) => [said, aloud])).toEqual([
    ['What are your hours?', false],
    ['Do you have a red sofa?', true],
  ])
  expect(turns.some(({ role }) => role === 'tool')).toBe(true)
  const receipt = receiptBody.parse((await gateway.get(`/v1/sessions/${sessionId}/receipt`)).body)
  const line = (meter: string) => receipt.lines.find((each) => each.meter === meter)?.quantity
  // Whole seconds, rounded down in the tenant's favour.
  expect(line('live.seconds')).toBe(42)
  expect(line('work.gpt-realtime-2_1.output.text.tokens')).toBeGreaterThan(0)
  expect(receipt.lines.reduce((sum, each) => sum + each.amountMicro, 0)).toBe(receipt.totalMicro)
  expect(receipt.costUsdMicro).toBeGreaterThan(35_000)
  expect(voice.connections.flatMap(({ errors }) => errors)).toEqual([])
})

test('[S9] a visitor who cuts in is believed about what was heard, and the model is told', async () => {
  const { client, sessionId } = await visitor()
  await using _ = client
  client.send({ type: 'parley.voice', on: true })
  const [itemId] = await client.until(
    ({ audioBytes }) => [...audioBytes].find(([, bytes]) => bytes >= 48 * 1_500),
    'a second of greeting',
  )
  voice.hears('Stop').on(/Stop/, {})
  await speak(client, 'Wait, stop please.')
  await client.event('parley.flush')
  client.send({ type: 'parley.played', item_id: itemId, played_ms: 1_000, final: true })
  await expect
    .poll(async () => (await turnsOf(sessionId)).find(({ role }) => role === 'agent'), { timeout: 10_000 })
    .toMatchObject({ state: 'interrupted', unheard: expect.stringMatching(/\S/) })
  const turn = (await turnsOf(sessionId)).find(({ role }) => role === 'agent')
  const note = await client.until(
    () => voice.last.of('session.thinking.append').find(({ content }) => content.includes('interrupted')),
    'the note',
  )
  expect(note.content).toContain(JSON.stringify(turn?.text))
  client.send({ type: 'parley.bye' })
  await ended(sessionId)
})
