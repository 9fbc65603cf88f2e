import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { connect, type TestClient } from '../harness/client.ts'
import { type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const answer = 'We deliver on weekdays. The driver calls first.'

let server: ScriptedCascade
let gateway: TestGateway
beforeAll(async () => {
  server = await startScriptedCascade({ apiKey: 'sk-secret', pace: 20 })
  server.on(/delivery/, { say: answer }).on(/sofa/, {
    calls: [{ name: 'search_products', arguments: '{"query":"sofa"}' }],
  })
  server.on(/"items"|"count"/, { say: 'There are some.' })
  gateway = await startGateway({
    CASCADE_LLM: 'own:mind',
    CASCADE_STT: 'own:ears',
    CASCADE_TTS: 'own:mouth',
    CASCADE_SERVERS: `own=${server.baseUrl} sk-secret`,
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await server.stop()
})

async function visit(): Promise<TestClient> {
  return connect(gateway.wsUrl, { token: await gateway.visitorToken(), parley: true, origin: gateway.url })
}

function hear(client: TestClient, pcm: Buffer): void {
  for (const piece of pieces(pcm)) client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
}

const turns = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      text: z.string(),
      unheard: z.string().nullish(),
      state: z.string(),
      latencyMs: z.number().nullish(),
      latency: z.record(z.string(), z.number()).default({}),
    }),
  ),
})

async function transcript(sessionId: string) {
  return turns.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body).turns
}

test('the engine is on, and is what an agent gets that asks for none', () => {
  expect(gateway.started.integrations).toContain('engine cascade: on')
  expect(gateway.log.join('')).not.toContain('sk-secret')
})

test('a visitor speaks, hears the answer, cuts in, and the model is told what was heard', async () => {
  await using client = await visit()
  const sessionId = String((await client.event('parley.session')).session_id)
  client.send({ type: 'parley.voice', on: true })
  server.hears('How does delivery work?', 'And on Sundays?')
  hear(client, Buffer.concat([await speechPcm('How does delivery work?'), silencePcm(900)]))
  const said = (each: TestClient) =>
    each.ofType('response.output_audio_transcript.delta').find(({ delta }) => delta === 'We')
  const itemId = String((await client.until(said, 'the answer')).item_id)
  await client.until(({ audioBytes }) => (audioBytes.get(itemId) ?? 0) > 48_000 || undefined, 'a second of sound')
  const heardMs = 'We deliver on w'.length * 60
  hear(client, await speechPcm('And on Sundays?'))
  await client.event('input_audio_buffer.speech_started', 2)
  client.send({ type: 'parley.played', item_id: itemId, played_ms: heardMs, final: true })
  hear(client, silencePcm(900))
  await expect.poll(() => server.chats.length, { timeout: 10_000 }).toBe(2)
  expect(server.lastChat.messages.slice(-3).map(({ role, content }) => [role, content])).toEqual([
    ['user', 'How does delivery work?'],
    ['assistant', 'We deliver on'],
    ['user', 'And on Sundays?'],
  ])
  const cut = async () =>
    (await transcript(sessionId)).filter(({ role, state }) => role === 'agent' && state === 'interrupted')
  await expect.poll(async () => (await cut()).map(({ text }) => text), { timeout: 5_000 }).toContain('We deliver on')
  // What the person waited for, part by part.
  const first = (await cut()).find(({ text }) => text === 'We deliver on')
  const { latency = {}, latencyMs } = first ?? {}
  expect(Object.keys(latency).toSorted()).toEqual(['endpointingMs', 'modelMs', 'sttMs', 'transportMs', 'ttsMs'])
  expect(latency.endpointingMs).toBe(600)
  expect(Object.values(latency).reduce((sum, ms) => sum + ms, 0)).toBe(latencyMs)
})

test('a stock client writes, a tool of the tenant runs, and the bill has every meter', async () => {
  await using client = await connect(gateway.wsUrl, {
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    query: '?agent=productco',
  })
  const created = await client.event('session.created')
  const sessionId = z.object({ session: z.object({ id: z.string() }) }).parse(created).session.id
  client.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['audio'] } })
  client.ask('Do you have a sofa?')
  await expect
    .poll(async () => (await transcript(sessionId)).some(({ text }) => text === 'There are some.'), { timeout: 10_000 })
    .toBe(true)
  expect(server.refused).toEqual([])
  client.socket.close()
  await client.ended()
  const receipt = z.object({ lines: z.array(z.object({ meter: z.string() })) })
  await expect
    .poll(
      async () => {
        const read = receipt.safeParse((await gateway.get(`/v1/sessions/${sessionId}/receipt`)).body)
        return read.data?.lines.map(({ meter }) => meter)
      },
      { timeout: 15_000 },
    )
    .toEqual(expect.arrayContaining(['input.text.tokens', 'output.text.tokens', 'speech.characters']))
})
