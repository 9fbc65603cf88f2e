// What the Live door gives and refuses, on the raw wire, with the built-in engine behind it: credentials, configuration,
// formats, work on our side, fixtures, those that attach, and what goes over HTTP.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { decodeLaw, encodeLaw } from '../../gateway/platform/g711.ts'
import { resample, samplesOf } from '../../gateway/platform/resample.ts'
import { connectLive, type LiveClient } from '../harness/live-client.ts'
import { silencePcm, speechPcm } from '../harness/speech.ts'
import { newApiKey, startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway({ PARLEY_ENGINE: 'demo' })
  // The first sentence of the built-in voice takes seconds on a busy machine.
  await speechPcm('Hello.')
  const { client } = await call()
  client.send({ type: 'session.commentary.append', content: 'Hello, and welcome.', delegation_id: null })
  await client.until(({ sound }) => sound.length > 0 || undefined, 'the voice')
  await client[Symbol.asyncDispose]()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const responses = { delegation: { type: 'responses', responses: { model: 'any' } } }
const startedBody = z.looseObject({ session: z.looseObject({ id: z.string() }) })
const turnsBody = z.object({ turns: z.array(z.looseObject({ role: z.string(), text: z.string(), state: z.string() })) })

async function call(session: object = {}): Promise<{ client: LiveClient; sessionId: string }> {
  const client = await connectLive(gateway.wsUrl, { token: gateway.apiKey })
  client.send({ type: 'session.start', session: { model: 'productco', ...session } })
  return { client, sessionId: startedBody.parse(await client.event('session.started')).session.id }
}

async function visitor(session: object = {}): Promise<LiveClient> {
  const client = await connectLive(gateway.wsUrl, {
    token: await gateway.visitorToken(),
    subprotocol: true,
    origin: gateway.url,
  })
  client.send({ type: 'session.start', event_id: 's', session: { model: 'gpt-live-1', ...session } })
  return client
}

function write(client: LiveClient, text: string): void {
  const content = [{ type: 'input_text', text }]
  client.send({ type: 'response.item.create', item: { type: 'message', role: 'user', content } })
  client.send({ type: 'response.create' })
}

describe('who comes in', () => {
  test('without a credential, with a wrong one, for an agent that is none: an error, then the close', async () => {
    for (const [token, session, code, close] of [
      [undefined, undefined, 'unauthenticated', 4401],
      [newApiKey(), undefined, 'unauthenticated', 4401],
      ['nonsense', undefined, 'unauthenticated', 4401],
      [gateway.apiKey, { model: 'gpt-live-1' }, 'unknown_agent', 4404],
    ] as const) {
      await using client = await connectLive(gateway.wsUrl, token === undefined ? {} : { token })
      if (session !== undefined) client.send({ type: 'session.start', session })
      expect(await client.event('error')).toMatchObject({ event_id: expect.any(String), error: { code } })
      expect(await client.ended()).toMatchObject({ code: close })
      expect(client.types).toEqual(['error'])
    }
  })

  test('what comes before session.start is an error and changes nothing; the session starts all the same', async () => {
    await using client = await connectLive(gateway.wsUrl, { token: gateway.apiKey, path: '?agent=productco' })
    client.send({ type: 'session.close', event_id: 'early' })
    expect(await client.event('error')).toMatchObject({
      error: { code: 'session_not_started', client_event_id: 'early' },
    })
    client.socket.send('{')
    client.send({ type: 'session.start', event_id: 'mine', session: { model: 'gpt-live-1' } })
    const started = await client.event('session.started')
    expect(started).toMatchObject({
      client_event_id: 'mine',
      session: {
        model: 'gpt-live-1',
        status: 'active',
        store: false,
        audio: { format: { type: 'audio/pcm', rate: 24_000 } },
        delegation: { type: 'client' },
      },
    })
    // The tenant's own instructions are not told.
    expect(JSON.stringify(started)).not.toContain('search_products')
    expect(started.session).not.toHaveProperty('instructions')
    client.send({ type: 'session.start', session: { model: 'gpt-live-1' } })
    expect(await client.event('error', 3)).toMatchObject({ error: { code: 'session_already_started' } })
  })

  test('a configuration that is not understood or cannot be had is a start that failed: typed, then closed', async () => {
    for (const [session, code, param] of [
      [{ turn_detection: null }, 'unknown_parameter', 'session.turn_detection'],
      [{ audio: { input: {} } }, 'unknown_parameter', 'session.audio.input'],
      [{ delegation: { type: 'client', model: 'x' } }, 'unknown_parameter', 'session.delegation.model'],
      [{ audio: { format: { type: 'audio/pcm', rate: 8_000 } } }, 'invalid_value', 'session.audio.format.rate'],
      [{ delegation: { type: 'decisions', decisions: {} } }, 'unsupported_value', 'session.delegation.type'],
      [{ triggers: [{ type: 'decisions' }] }, 'unsupported_value', 'session.triggers'],
      [{ store: true }, 'unsupported_value', 'session.store'],
      [{ client: { data_channel: {} } }, 'unsupported_value', 'session.client'],
      [{ instructions: 'word '.repeat(17_000) }, 'string_above_max_length', 'session.instructions'],
      [
        { delegation: { type: 'responses', responses: { model: 'x', tools: [{ type: 'web_search' }] } } },
        'unsupported_value',
        'session.delegation.responses.tools.0',
      ],
    ] as const) {
      await using client = await connectLive(gateway.wsUrl, { token: gateway.apiKey })
      client.send({ type: 'session.start', event_id: 'e', session: { model: 'productco', ...session } })
      expect(await client.event('error')).toMatchObject({ error: { code, param, client_event_id: 'e' } })
      expect(await client.ended()).toMatchObject({ code: 4400 })
    }
    const { body } = await gateway.get('/v1/sessions?state=live')
    expect(JSON.stringify(body)).not.toContain('gpt-live')
  })

  test('a visitor gets the agent as it is: nothing of it can be set, and what can be heard can be said', async () => {
    for (const [session, param] of [
      [{ instructions: 'You are a pirate.' }, 'session.instructions'],
      [{ input: [{ role: 'user', content: [{ text: 'x' }] }] }, 'session.input'],
      [{ audio: { output: { voice: 'sage' } } }, 'session.audio.output.voice'],
      [{ delegation: { type: 'client' } }, 'session.delegation.type'],
      [
        { delegation: { type: 'responses', responses: { model: 'x', tools: [{ type: 'function', name: 'f' }] } } },
        'session.delegation.responses.tools',
      ],
    ] as const) {
      await using refused = await visitor(session)
      expect(await refused.event('error')).toMatchObject({ error: { code: 'forbidden', param } })
      await refused.ended()
    }
    await using client = await visitor()
    expect(await client.event('session.started')).toMatchObject({ session: { delegation: { type: 'responses' } } })
    const append = { content: 'You are a pirate.', delegation_id: null }
    for (const event of [
      { type: 'session.instructions.append', ...append },
      { type: 'session.thinking.append', ...append },
      { type: 'session.commentary.append', ...append },
      { type: 'session.update', session: {} },
      { type: 'session.output_audio.fixture.play', audio: 'AAAA' },
      { type: 'response.item.create', item: { type: 'message', role: 'developer', content: 'You are a pirate.' } },
      { type: 'response.item.create', item: { type: 'function_call_output', call_id: 'x', output: 'x' } },
    ]) {
      const before = client.of('error').length
      client.send({ ...event, event_id: event.type })
      expect(await client.event('error', before + 1)).toMatchObject({
        error: { code: 'forbidden', client_event_id: event.type },
      })
    }
    write(client, 'Do you have a red sofa?')
    await client.until((each) => /Alba/.test(each.said('output')) || undefined, 'the answer')
    client.send({ type: 'session.close' })
    expect(await client.event('session.closed')).toMatchObject({ reason: 'close_requested' })
    expect(JSON.stringify(client.events)).not.toContain('search_products')
  })
})

describe('sound', () => {
  const formats = [
    ['audio/pcm', 16_000, (pcm: Buffer) => Buffer.from(resample(samplesOf(pcm), 24_000, 16_000).buffer), 32],
    ['audio/pcmu', 8_000, (pcm: Buffer) => encodeLaw('pcmu', resample(samplesOf(pcm), 24_000, 8_000)), 8],
    ['audio/pcma', 8_000, (pcm: Buffer) => encodeLaw('pcma', resample(samplesOf(pcm), 24_000, 8_000)), 8],
  ] as const
  test.each(formats)(
    '%s %i Hz goes both ways: speech is noticed, and what is said comes in the same',
    async (type, rate, encode, bytesPerMs) => {
      const { client } = await call({ audio: { format: { type, rate } } })
      await using _ = client
      const whole = encode(
        Buffer.concat([silencePcm(300), await speechPcm('Do you have a red sofa?'), silencePcm(1_000)]),
      )
      for (let at = 0; at < whole.length; at += 20 * bytesPerMs) client.hear(whole.subarray(at, at + 20 * bytesPerMs))
      // The demo hears that somebody spoke, and says so.
      const beganMs = performance.now()
      await client.until((each) => /heard you speak|sofa/.test(each.said('output')) || undefined, 'the answer')
      // As much of it as time has passed: the bytes are of this format and no other.
      const ms = client.soundBytes / bytesPerMs
      expect(ms).toBeGreaterThan(500)
      expect(ms).toBeLessThan(performance.now() - beganMs + 300)
      const decode = {
        'audio/pcm': samplesOf,
        'audio/pcmu': (bytes: Buffer) => decodeLaw('pcmu', bytes),
        'audio/pcma': (bytes: Buffer) => decodeLaw('pcma', bytes),
      }[type]
      const loudest = decode(Buffer.concat(client.sound)).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
      expect(loudest).toBeGreaterThan(3_000)
      expect(client.of('error')).toEqual([])
    },
  )

  test('half a sample and no base64 are invalid_audio, and the session goes on', async () => {
    const { client } = await call()
    await using _ = client
    client.send({ type: 'session.input_audio.append', event_id: 'odd', audio: Buffer.alloc(3).toString('base64') })
    expect(await client.event('error')).toMatchObject({
      error: { code: 'invalid_audio', param: 'audio', client_event_id: 'odd' },
    })
    client.socket.send('{"type":"session.input_audio.append","audio":"AA=="}')
    client.socket.send('{"type":"session.input_audio.append","audio":"****"}')
    client.socket.send('{"type":"session.input_audio.append","audio":"AAAA","extra":1}')
    client.socket.send(Buffer.from([1, 2, 3]))
    for (const [i, code] of ['invalid_audio', 'invalid_audio', 'unknown_parameter', 'invalid_value'].entries())
      expect(await client.event('error', i + 2)).toMatchObject({ error: { code } })
    client.send({ type: 'session.thinking.append', content: 'Still here.', delegation_id: null })
    await client.event('session.thinking.appended')
  })

  test('a fixture is played as it is, alone; what is said into it is not heard', async () => {
    const { client, sessionId } = await call()
    await using _ = client
    const tone = Buffer.alloc(48 * 700)
    for (let i = 0; i < tone.length / 2; i++) tone.writeInt16LE(Math.round(9_000 * Math.sin(i / 9)), i * 2)
    const speech = Buffer.concat([await speechPcm('Nobody hears this.'), silencePcm(1_000)])
    client.send({ type: 'session.output_audio.fixture.play', event_id: 'f', audio: tone.toString('base64') })
    expect(await client.event('session.output_audio.fixture.playing')).toMatchObject({ client_event_id: 'f' })
    client.send({ type: 'session.thinking.append', content: 'x', delegation_id: null })
    expect(await client.event('error')).toMatchObject({ error: { code: 'output_audio_fixture_active' } })
    client.hear(speech)
    expect(await client.event('session.output_audio.fixture.played')).toMatchObject({ client_event_id: 'f' })
    await client.quiet()
    expect(Buffer.concat(client.sound).subarray(0, tone.length)).toEqual(tone)
    const { turns } = turnsBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body)
    expect(turns).toEqual([])
    for (const audio of [Buffer.alloc(3), Buffer.alloc(48 * 30_001)]) {
      const before = client.of('error').length
      client.send({ type: 'session.output_audio.fixture.play', audio: audio.toString('base64') })
      expect(await client.event('error', before + 1)).toMatchObject({ error: { code: 'invalid_audio' } })
    }
  })
})

describe('work on our side', () => {
  test("the agent's own tools run here: the client sees that there is work, not what it is", async () => {
    const { client, sessionId } = await call(responses)
    await using _ = client
    write(client, 'Do you have a red sofa?')
    await client.until((each) => /Alba/.test(each.said('output')) || undefined, 'the answer')
    const created = client.of('session.delegation.created')
    expect(created.length).toBeGreaterThan(0)
    const known = new Set(created.map(({ delegation }) => z.looseObject({ id: z.string() }).parse(delegation).id))
    const nested = client.of('response.event')
    expect(nested.every(({ delegation_id }) => known.has(String(delegation_id)))).toBe(true)
    const types = nested.map(({ event }) => z.looseObject({ type: z.string() }).parse(event).type)
    expect(types).toContain('response.created')
    expect(types).toContain('response.completed')
    expect(JSON.stringify(nested)).not.toContain('search_products')
    const { turns } = turnsBody.parse((await gateway.get(`/v1/sessions/${sessionId}/transcript`)).body)
    expect(turns.map(({ role }) => role)).toEqual(expect.arrayContaining(['user', 'tool', 'agent']))
  })

  test('a client that sends all it has at once is answered once', async () => {
    await using client = await connectLive(gateway.wsUrl, { token: gateway.apiKey })
    client.send({ type: 'session.start', session: { model: 'productco', ...responses } })
    write(client, 'Do you have a red sofa?')
    await client.until((each) => /Alba/.test(each.said('output')) || undefined, 'the answer')
    expect(client.said('output')).toMatch(/^I found/)
    expect(client.types[0]).toBe('session.started')
  })

  test("a function of the client's is called through a backend response, answered, and the answer spoken", async () => {
    const tool = {
      type: 'function',
      name: 'get_weather',
      description: 'The weather in a city right now',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string', enum: ['Paris', 'Oslo'] } },
        required: ['city'],
      },
    }
    const { client } = await call({ delegation: { type: 'responses', responses: { model: 'any', tools: [tool] } } })
    await using _ = client
    write(client, 'What is the weather in Paris?')
    const done = await client.until(
      (each) =>
        each.of('response.event').find(({ event }) => JSON.stringify(event).includes('"response.output_item.done"')),
      'the call',
    )
    const { item } = z.looseObject({ item: z.looseObject({ call_id: z.string() }) }).parse(done.event)
    expect(item).toMatchObject({ type: 'function_call', name: 'get_weather', arguments: '{"city":"Paris"}' })
    client.send({ type: 'response.create', event_id: 'too early' })
    expect(await client.event('error')).toMatchObject({ error: { client_event_id: 'too early' } })
    client.send({
      type: 'response.item.create',
      item: { type: 'function_call_output', call_id: item.call_id, output: '"A drizzle."' },
    })
    client.send({ type: 'response.create' })
    await client.until((each) => /drizzle/i.test(each.said('output')) || undefined, 'the answer')
    client.send({
      type: 'response.item.create',
      event_id: 'again',
      item: { type: 'function_call_output', call_id: 'call_x', output: '' },
    })
    expect(await client.event('error', 2)).toMatchObject({ error: { code: 'invalid_value', client_event_id: 'again' } })
    expect(client.of('error')).toHaveLength(2)
  })

  test('the kind of delegation is decided at the start; its functions may change', async () => {
    const { client } = await call(responses)
    await using _ = client
    for (const delegation of [null, { type: 'client' }]) {
      const before = client.of('error').length
      client.send({ type: 'session.update', session: { delegation } })
      expect(await client.event('error', before + 1)).toMatchObject({ error: { code: 'immutable_field_update' } })
    }
    const tools = [{ type: 'function', name: 'ring_bell', description: 'Rings the bell' }]
    client.send({
      type: 'session.update',
      event_id: 'u',
      session: { delegation: { type: 'responses', responses: { tools } } },
    })
    expect(await client.event('session.updated')).toMatchObject({
      client_event_id: 'u',
      session: { delegation: { responses: { model: 'any', tools: [{ name: 'ring_bell' }] } } },
    })
  })

  test('decisions, keys of a phone, events of no protocol: typed, and the session goes on', async () => {
    const { client } = await call()
    await using _ = client
    for (const [event, code] of [
      [{ type: 'decision.create', event_id: 'd' }, 'unsupported'],
      [{ type: 'transport.dtmf.send', event: '1' }, 'unsupported'],
      [{ type: 'response.create' }, 'invalid_value'],
      [{ type: 'conversation.item.create' }, 'invalid_value'],
      [{ type: 'session.commentary.append', content: 'x' }, 'missing_required_parameter'],
      [
        { type: 'session.commentary.append', content: 'word '.repeat(600), delegation_id: null },
        'string_above_max_length',
      ],
      [{ event_id: 'x' }, 'missing_required_parameter'],
    ] as const) {
      const before = client.of('error').length
      client.send(event)
      expect(await client.event('error', before + 1)).toMatchObject({ error: { code } })
    }
    expect(client.closed).toBeUndefined()
  })
})

describe('those that attach', () => {
  const path = (id: string) => `/${id}/attach?graceful_close=true`

  test('they see everything, hear both sides with times, and may steer', async () => {
    const { client, sessionId } = await call(responses)
    await using _ = client
    await using side = await connectLive(gateway.wsUrl, { token: gateway.apiKey, path: path(sessionId) })
    expect(await side.event('session.started')).toEqual(client.of('session.started')[0])
    client.hear(silencePcm(100))
    expect(await side.event('session.input_audio.append')).toEqual({
      type: 'session.input_audio.append',
      audio: silencePcm(100).toString('base64'),
    })
    side.send({
      type: 'session.commentary.append',
      event_id: 'from aside',
      content: 'Your parcel is here.',
      delegation_id: null,
    })
    expect(await client.event('session.commentary.appended')).toMatchObject({ client_event_id: 'from aside' })
    await client.until((each) => /parcel/.test(each.said('output')) || undefined, 'the sentence')
    await client.quiet()
    expect(Buffer.concat(side.sound)).toEqual(Buffer.concat(client.sound))
    const spans = side.of('session.output_audio.delta')
    for (const [i, { start_ms, end_ms }] of spans.entries()) {
      expect(Number(end_ms)).toBeGreaterThan(Number(start_ms))
      expect(Number(start_ms)).toBeGreaterThanOrEqual(Number(spans[i - 1]?.end_ms ?? 0))
    }
    side.send({ type: 'session.input_audio.append', audio: 'AAAA' })
    side.send({ type: 'session.start', session: { model: 'x' } })
    expect(await side.event('error', 2)).toMatchObject({ error: { code: 'session_already_started' } })
    expect(client.of('error')).toEqual([])
    const both = (each: LiveClient) =>
      each.events.filter(({ type }) => !/audio|error/.test(type)).map(({ event_id }) => event_id)
    expect(both(side)).toEqual(both(client))
    side.send({ type: 'session.close', event_id: 'end' })
    for (const each of [client, side]) {
      expect(await each.event('session.closed')).toMatchObject({ reason: 'close_requested', client_event_id: 'end' })
      expect(await each.ended()).toMatchObject({ code: 1000 })
    }
  })

  test("somebody else's session does not exist; a visitor attaches to none; what is over is over", async () => {
    const { client, sessionId } = await call()
    await using _ = client
    const { tenants, identity } = gateway.app.slices
    const other = await tenants.bySlug('cypress')
    if (other === undefined) throw new Error('no other tenant')
    const foreign = await identity.createApiKey(other.id, 'other')
    for (const [token, id, code] of [
      [foreign.raw, sessionId, 4404],
      [newApiKey(), sessionId, 4401],
      [await gateway.visitorToken(), sessionId, 4403],
      [gateway.apiKey, 'sess_none', 4404],
    ] as const) {
      await using side = await connectLive(gateway.wsUrl, { token, path: path(id) })
      await side.event('error')
      expect(await side.ended()).toMatchObject({ code })
    }
    await using fork = await connectLive(gateway.wsUrl, { token: gateway.apiKey, path: `/${sessionId}/fork` })
    expect(await fork.event('error')).toMatchObject({ error: { code: 'unsupported' } })
    expect(await fork.ended()).toMatchObject({ code: 4422 })
  })
})

describe('over HTTP', () => {
  const auth = () => ({ authorization: `Bearer ${gateway.apiKey}` })

  test('hangup ends the session as its client would', async () => {
    const { client, sessionId } = await call()
    await using _ = client
    expect(await gateway.post(`/v1/live/sessions/${sessionId}/hangup`, undefined, auth())).toMatchObject({
      status: 200,
      body: undefined,
    })
    expect(await client.event('session.closed')).toMatchObject({ reason: 'close_requested' })
    expect((await gateway.post('/v1/live/sessions/sess_none/hangup', undefined, auth())).status).toBe(404)
    expect((await gateway.post(`/v1/live/sessions/${sessionId}/hangup`, undefined)).status).toBe(401)
  })

  test('what is not served says why', async () => {
    const media = { session: { model: 'productco' }, transport: { type: 'webrtc', sdp: 'v=0' } }
    for (const [path, body] of [
      ['', media],
      ['/sess_1/fork', media],
      ['/sess_1/accept', { session: { type: 'live', model: 'x' } }],
      ['/sess_1/reject', { status_code: 486 }],
      ['/sess_1/refer', { target_uri: 'tel:+1' }],
    ] as const) {
      const answer = await gateway.post(`/v1/live/sessions${path}`, body, auth())
      expect(answer).toMatchObject({
        status: 422,
        body: { error: { code: 'unsupported', message: expect.stringMatching(/.{20}/) } },
      })
    }
    expect((await gateway.get('/v1/live/sessions/sess_1/content')).status).toBe(422)
  })
})
