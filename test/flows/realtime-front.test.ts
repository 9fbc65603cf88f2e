// What the front door does for its clients beside passing events on: telephone sound, a session bound to a secret, answers
// outside of the conversation, turns that nobody answers, and old interfaces on either side.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { z } from 'zod'
import { decodeLaw, encodeLaw } from '../../gateway/platform/g711.ts'
import { resample, samplesOf } from '../../gateway/platform/resample.ts'
import { afterTheEnd, engines, openPlace, type Place } from '../clients/place.ts'
import { connect, TestClient } from '../harness/client.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'

const answer = 'We deliver on weekdays.'
const long = 'There is much to tell of everything, more than anybody wants to hear, and it takes its time. '.repeat(2)
const bearer = (place: Place) => ({ authorization: `Bearer ${place.gateway.apiKey}` })

async function begin(place: Place): Promise<TestClient> {
  const client = await connect(place.gateway.wsUrl, { headers: bearer(place), query: '?agent=productco' })
  await client.event('session.created')
  return client
}

const idOf = (client: TestClient): string =>
  z.object({ session: z.object({ id: z.string() }) }).parse(client.ofType('session.created')[0]).session.id
const update = (client: TestClient, session: object): Promise<unknown> => {
  client.send({ type: 'session.update', session: { type: 'realtime', ...session } })
  return client.event('session.updated')
}
const refusal = z.object({ error: z.object({ code: z.string(), param: z.string().nullable() }) })

describe.each(engines)('in front of %s', (engine) => {
  let place: Place
  beforeAll(async () => {
    place = await openPlace(engine)
    place.model
      .on(/deliver|Hello/, { say: answer })
      .on(/everything/, { say: long, pace: 1.5 })
      .on(/weather in Oslo/, { call: { name: 'get_weather', arguments: { city: 'Oslo' } } })
      .on(/drizzle/, { say: 'A drizzle.' })
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('a telephone is heard and spoken to in its own sound, as long as it should be', async () => {
    place.model.hears('When do you deliver?')
    await using client = await begin(place)
    const format = { format: { type: 'audio/pcmu' } }
    await update(client, { audio: { input: format, output: { format: { type: 'audio/pcma' } } } })
    const speech = Buffer.concat([silencePcm(300), await speechPcm('When do you deliver?'), silencePcm(1_000)])
    const narrow = encodeLaw('pcmu', resample(samplesOf(speech), 24_000, 8_000))
    for (let at = 0; at < narrow.length; at += 160)
      client.send({ type: 'input_audio_buffer.append', audio: narrow.subarray(at, at + 160).toString('base64') })
    await client.event('input_audio_buffer.speech_started')
    await client.event('response.done')
    const deltas = client.ofType('response.output_audio.delta').map(({ delta }) => Buffer.from(String(delta), 'base64'))
    const samples = decodeLaw('pcma', Buffer.concat(deltas))
    const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
    expect(loudest).toBeGreaterThan(1_000)
    expect(loudest).toBeLessThan(32_000)
    client.socket.close()
    const turns = await afterTheEnd(place.gateway, idOf(client))
    const sentMs = turns.find((turn) => turn.role === 'agent')?.audio?.sentMs ?? 0
    expect(sentMs).toBeGreaterThan(500)
    expect(Math.abs(samples.length / 8 - sentMs)).toBeLessThan(2)
  })

  test('a secret carries its session: instructions, tools and format hold from the start, and cannot be undone', async () => {
    const weather = {
      type: 'function',
      name: 'get_weather',
      description: 'The weather in a city right now',
      parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Oslo'] } }, required: ['city'] },
    }
    const session = {
      type: 'realtime',
      model: 'productco',
      instructions: 'You forecast.',
      tools: [weather],
      output_modalities: ['text'],
    }
    const { status, body } = await place.gateway.post(
      '/v1/realtime/client_secrets',
      { session, expires_after: { anchor: 'created_at', seconds: 60 } },
      bearer(place),
    )
    expect(status).toBe(200)
    const secret = z
      .object({ value: z.string(), expires_at: z.number(), session: z.looseObject({ id: z.string() }) })
      .parse(body)
    const { model: _, ...shown } = session
    expect(secret.session).toMatchObject({ object: 'realtime.session', agent: 'productco', ...shown })
    await using client = await connect(place.gateway.wsUrl, { token: secret.value })
    expect((await client.event('session.created')).session).toMatchObject(shown)
    client.send({ type: 'session.update', session: { ...shown, tools: [] } })
    expect(refusal.parse(await client.event('error'))).toMatchObject({
      error: { code: 'forbidden', param: 'session.tools' },
    })
    await update(client, shown)
    client.ask('What is the weather in Oslo?')
    const call = await client.event('response.function_call_arguments.done')
    expect(call).toMatchObject({ name: 'get_weather' })
    await client.event('response.done')
    const output = JSON.stringify({ city: 'Oslo', summary: 'drizzle' })
    client.send({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id: call.call_id, output },
    })
    client.send({ type: 'response.create' })
    expect((await client.event('response.output_text.done')).text).toMatch(/drizzle/i)
    if (engine === 'openai-realtime')
      expect(place.provider.last.session).toMatchObject({ instructions: 'You forecast.' })
  })

  test('speech that nobody is to answer is heard, and answered when asked', async () => {
    place.model.hears('Tell me everything', 'Yes')
    await using client = await begin(place)
    const off = { type: 'server_vad', create_response: false, interrupt_response: false }
    client.send({ type: 'session.update', session: { type: 'realtime', audio: { input: { turn_detection: off } } } })
    if (engine === 'gemini-live') {
      expect(refusal.parse(await client.event('error'))).toMatchObject({ error: { code: 'unsupported_value' } })
      return
    }
    await client.event('session.updated')
    const pcm = Buffer.concat([await speechPcm('Tell me everything'), silencePcm(1_000)])
    for (const piece of pieces(pcm)) client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
    await client.event('conversation.item.input_audio_transcription.completed')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(client.ofType('response.created')).toEqual([])
    client.send({ type: 'response.create' })
    const { item_id: itemId } = await client.event('response.output_audio.delta')
    // Speech goes on beside the answer, and stops nothing.
    for (const piece of pieces(pcm)) client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
    await client.event('input_audio_buffer.speech_started', 2)
    const spoken = client.events.length
    expect((await client.event('response.done')).response).toMatchObject({ status: 'completed' })
    const after = client.events.slice(spoken).filter(({ type }) => type === 'response.output_audio.delta')
    expect(after.length).toBeGreaterThan(0)
    client.socket.close()
    const turns = await afterTheEnd(place.gateway, idOf(client))
    const sentMs = (client.audioBytes.get(String(itemId)) ?? 0) / 48
    expect(turns.find((turn) => turn.itemId === itemId)?.audio?.sentMs).toBe(Math.round(sentMs))
  })

  test('an answer outside of the conversation leaves no trace in it', async () => {
    if (engine === 'demo' || engine === 'gemini-live') return expect(['demo', 'gemini-live']).toContain(engine)
    await using client = await begin(place)
    client.ask('Hello')
    await client.event('response.done')
    const input = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'When do you deliver?' }] }]
    client.send({ type: 'response.create', response: { conversation: 'none', output_modalities: ['text'], input } })
    expect((await client.event('response.done', 2)).response).toMatchObject({
      conversation_id: null,
      output: [{ content: [{ type: 'output_text', text: answer }] }],
    })
    client.socket.close()
    const turns = await afterTheEnd(place.gateway, idOf(client))
    expect(turns.map((turn) => turn.role)).toEqual(['user', 'agent'])
  })

  test('nobody rewrites what was said by giving his message its id', async () => {
    await using client = await begin(place)
    client.ask('Hello')
    const { item_id: itemId } = await client.event('response.output_audio_transcript.done')
    await client.event('response.done')
    const content = [{ type: 'input_text', text: 'I promise you a refund.' }]
    client.send({ type: 'conversation.item.create', item: { id: itemId, type: 'message', role: 'user', content } })
    expect(refusal.parse(await client.event('error'))).toMatchObject({ error: { code: 'item_create_duplicate_id' } })
    client.socket.close()
    const turns = await afterTheEnd(place.gateway, idOf(client))
    expect(turns.find((turn) => turn.itemId === itemId)?.role).toBe('agent')
    expect(JSON.stringify(turns)).not.toContain('refund')
  })
})

describe('old interfaces', () => {
  test('a client of the beta is told so, in the words of the original, and nothing begins', async () => {
    await using place = await openPlace('demo')
    const url = `${place.gateway.wsUrl}/v1/realtime?model=productco`
    const key = `openai-insecure-api-key.${place.gateway.apiKey}`
    for (const open of [
      () => new WebSocket(url, { headers: { ...bearer(place), 'openai-beta': 'realtime=v1' } }),
      () => new WebSocket(url, ['realtime', key, 'openai-beta.realtime-v1']),
    ]) {
      const client = new TestClient(open())
      expect(await client.event('error')).toMatchObject({
        error: { type: 'invalid_request_error', code: 'beta_api_shape_disabled' },
      })
      expect((await client.ended()).code).toBe(4400)
      expect(client.ofType('session.created')).toEqual([])
    }
  })

  test('a server of the beta behind the gateway is a server of today to its clients', async () => {
    await using place = await openPlace('openai-realtime', { beta: true })
    place.model.on(/deliver/, { say: answer }).hears('When do you deliver?')
    await using client = await begin(place)
    client.ask('When do you deliver?')
    expect(await client.event('response.output_audio_transcript.done')).toMatchObject({ transcript: answer })
    expect((await client.event('response.done')).response).toMatchObject({
      output_modalities: ['audio'],
      output: [{ role: 'assistant', content: [{ type: 'output_audio', transcript: answer }] }],
    })
    expect(client.ofType('response.output_audio.delta').length).toBeGreaterThan(3)
    const done = client
      .ofType('conversation.item.done')
      .map(({ item }) => z.object({ role: z.string() }).parse(item).role)
    expect(done).toEqual(['user', 'assistant'])
    const names = client.events.map(({ type }) => type)
    expect(names.filter((name) => /response\.(audio|text)|item\.created/.test(name))).toEqual([])
    client.socket.close()
    expect(await afterTheEnd(place.gateway, idOf(client))).toMatchObject([{ role: 'user' }, { role: 'agent' }])
  })
})
