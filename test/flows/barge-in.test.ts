// Speech over an answer of the Realtime engine, through the ordinary front door: what a stock client and the panel are told, and
// what the provider is asked.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type TestClient } from '../harness/client.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const story = 'Once upon a time there was a sofa that nobody wanted to buy, because it was far too large for any room.'
let openai: ScriptedRealtime
let gateway: TestGateway
beforeAll(async () => {
  openai = await startScriptedRealtime({ apiKey: 'sk-test', pace: 4 })
  openai.on(/story/, { say: story, audioMs: 20_000 }).on(/price/, { say: 'It is four hundred euros.' })
  gateway = await startGateway({
    PARLEY_ENGINE: 'openai-realtime',
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: openai.baseUrl,
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await openai.stop()
})

async function speak(client: TestClient, words: string): Promise<void> {
  for (const piece of pieces(Buffer.concat([await speechPcm(words), silencePcm(900)]), 20)) {
    client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function listening(parley: boolean): Promise<TestClient> {
  const client = parley
    ? await connect(gateway.wsUrl, { token: await gateway.visitorToken(), parley: true, origin: gateway.url })
    : await connect(gateway.wsUrl, { token: gateway.apiKey, query: '?agent=productco' })
  if (parley) client.send({ type: 'parley.voice', on: true })
  if (parley) await client.event('response.done')
  client.ask('Tell me a story')
  await client.until(
    ({ audioBytes }) => ([...audioBytes.values()].some((bytes) => bytes > 48 * 3_000) ? true : undefined),
    'the story',
  )
  return client
}

test('[S42] [S40] a stock client hears nothing of a nod, and of an interruption when it is one', async () => {
  await using client = await listening(false)
  const [connection] = openai.connections.slice(-1)
  expect(connection?.session.audio?.input?.turn_detection).toMatchObject({
    create_response: false,
    interrupt_response: false,
  })
  openai.hears('Uh-huh')
  await speak(client, 'uh-huh')
  await client.event('conversation.item.input_audio_transcription.completed')
  expect(client.ofType('input_audio_buffer.speech_started')).toEqual([])
  expect(connection?.of('response.create')).toHaveLength(1)
  expect(connection?.of('response.cancel')).toHaveLength(0)
  openai.hears('What is the price of it?')
  await speak(client, 'Excuse me, what is the price of this large sofa?')
  await client.event('input_audio_buffer.speech_started')
  await client.until(
    ({ events }) => events.some((event) => JSON.stringify(event).includes('four hundred')) || undefined,
    'the answer to the interruption',
  )
  expect(connection?.of('response.create')).toHaveLength(2)
  expect(connection?.errors).toEqual([])
})

test('[S41] the panel is held while somebody speaks and let go on after a nod', async () => {
  await using client = await listening(true)
  // Of the greeting, over which the question was typed.
  const flushed = client.ofType('parley.flush').length
  openai.hears('Yeah')
  await speak(client, 'yeah')
  await client.until((each) => each.ofType('parley.hold').length >= 2 || undefined, 'hold and release')
  expect(client.ofType('parley.hold').map(({ on }) => on)).toEqual([true, false])
  expect(client.ofType('parley.hold').every((event) => event.seq === undefined)).toBe(true)
  expect(client.ofType('parley.flush')).toHaveLength(flushed)
})
