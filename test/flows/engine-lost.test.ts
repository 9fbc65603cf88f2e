import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { connect, type TestClient } from '../harness/client.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const answer = 'We deliver on weekdays. The driver calls first. Two people carry it.'

let provider: ScriptedRealtime
let gateway: TestGateway
beforeAll(async () => {
  provider = await startScriptedRealtime({ apiKey: 'sk-test', pace: 10 })
  provider.on(/delivery/, { say: answer })
  gateway = await startGateway({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider.stop()
})
beforeEach(() => void provider.accept())

const turnsBody = z.object({ turns: z.array(z.object({ role: z.string(), state: z.string(), text: z.string() })) })

async function agentTurns(sessionId: string) {
  const { turns } = turnsBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body)
  return turns.filter(({ role }) => role === 'agent')
}

/** What the client was told that each item said in the end. */
function transcripts(client: TestClient): string[] {
  return client.ofType('response.output_audio_transcript.done').map(({ transcript }) => String(transcript))
}

function statuses(client: TestClient): unknown[] {
  const body = z.object({ response: z.object({ status: z.string() }) })
  return client.ofType('response.done').map((event) => body.parse(event).response.status)
}

test('a stock client sees the broken answer end and the rest of it follow, and never learns why', async () => {
  await using client = await connect(gateway.wsUrl, {
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    query: '?agent=productco',
  })
  const created = await client.event('session.created')
  const sessionId = z.object({ session: z.object({ id: z.string() }) }).parse(created).session.id
  client.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['audio'] } })
  provider.breakAt(30, 'drop')
  client.ask('How does delivery work?')
  await client.event('response.done', 2)
  expect(statuses(client)).toEqual(['incomplete', 'completed'])
  expect(transcripts(client).join(' ')).toBe(answer)
  expect(transcripts(client)).toHaveLength(2)
  expect(client.ofType('error')).toEqual([])
  for (const type of ['response.output_item.added', 'response.output_item.done', 'response.content_part.done'])
    expect(client.ofType(type), type).toHaveLength(2)
  await expect
    .poll(async () => (await agentTurns(sessionId)).map(({ text }) => text).join(' '), { timeout: 5_000 })
    .toBe(answer)
})

test('a visitor is told that it takes a moment, and hears every word once', async () => {
  await using visitor = await connect(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    parley: true,
    origin: gateway.url,
  })
  const sessionId = String((await visitor.event('parley.session')).session_id)
  provider.breakAt(12, 'drop')
  visitor.ask('How does delivery work?')
  const notice = await visitor.until(
    (client) => client.ofType('parley.notice').find(({ code }) => code === 'engine_trouble'),
    'the notice',
  )
  expect(notice.text).not.toBe('')
  await expect
    .poll(async () => (await agentTurns(sessionId)).map(({ text }) => text).join(' '), { timeout: 5_000 })
    .toBe(answer)
  expect(visitor.closed).toBeUndefined()
})

test('a provider that stays away ends the session with words, not with silence', async () => {
  await using visitor = await connect(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    parley: true,
    origin: gateway.url,
  })
  await visitor.event('parley.session')
  visitor.ask('How does delivery work?')
  await visitor.event('response.done')
  provider.refuse(503).drop()
  const end = await visitor.event('parley.end')
  expect(end).toMatchObject({ reason: 'engine_failed', problem: { code: expect.any(String) } })
})
