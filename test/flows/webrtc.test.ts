// Calls over WebRTC from a peer on the same library, over loopback: everything but the browser.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connect } from '../harness/client.ts'
import { PeerClient, type PeerClientOptions, Refused } from '../harness/peer.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { silencePcm, speechPcm } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { UdpRelay } from '../harness/udp-relay.ts'

const answer = 'We deliver on weekdays, the driver calls first, and two people carry it up to your floor.'
const long = Array.from({ length: 8 }, () => answer).join(' ')

const sessionBody = z.object({
  state: z.string(),
  endReason: z.string().optional(),
  transport: z.string().optional(),
  engine: z.object({ kind: z.string() }),
})
const turnsBody = z.object({
  turns: z.array(
    z.object({
      role: z.string(),
      state: z.string(),
      text: z.string(),
      unheard: z.string().optional(),
      voice: z.boolean(),
      tool: z.object({ name: z.string(), state: z.string() }).optional(),
      audio: z.object({ sentMs: z.number(), playedMs: z.number() }).optional(),
    }),
  ),
})

let provider: ScriptedRealtime
let gateway: TestGateway
beforeAll(async () => {
  provider = await startScriptedRealtime({ apiKey: 'sk-test', pace: 4 })
  provider
    .on(/delivery/, { say: answer, audioMs: 3_000 })
    .on(/everything/, { say: long, audioMs: 24_000 })
    .on(/^\[/, { say: answer, audioMs: 3_000 })
    .on(/weather/, { call: { name: 'get_weather', arguments: { city: 'Oslo' } } })
    .on(/drizzle/, { say: 'A drizzle at eleven degrees.' })
  gateway = await startGateway({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider.stop()
})
beforeEach(() => void provider.accept())

function call(more: Partial<PeerClientOptions> = {}): Promise<PeerClient> {
  return PeerClient.call({ url: gateway.url, token: gateway.apiKey, query: '?model=productco', ...more })
}

const sessionOf = (peer: PeerClient): string => peer.callId.replace('rtc_', 'sess_')
const viewOf = async (peer: PeerClient) =>
  sessionBody.parse((await gateway.get(`/v1/sessions/${sessionOf(peer)}`)).body)
const turnsOf = async (peer: PeerClient) =>
  turnsBody.parse((await gateway.get(`/v1/sessions/${sessionOf(peer)}/transcript`)).body).turns

async function ended(peer: PeerClient, reason: string): Promise<void> {
  await expect.poll(() => viewOf(peer), { timeout: 20_000 }).toMatchObject({ state: 'ended', endReason: reason })
}

async function calls(): Promise<string> {
  const { body } = await gateway.get('/health')
  return z.object({ checks: z.object({ calls: z.string() }) }).parse(body).checks.calls
}

describe.each(['demo', 'openai-realtime'] as const)('a peer, answered by %s', (engine) => {
  let own: TestGateway
  beforeAll(async () => {
    own =
      engine === 'demo'
        ? await startGateway({ PARLEY_ENGINE: 'demo' })
        : await startGateway({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl })
  })
  afterAll(() => own[Symbol.asyncDispose]())
  const here = (more: Partial<PeerClientOptions> = {}): Promise<PeerClient> =>
    call({ url: own.url, token: own.apiKey, ...more })

  test('speaks and is answered aloud; what was heard is what is written, and the session says how it came', async () => {
    await using peer = await here()
    await peer.event('session.created')
    await peer.say(Buffer.concat([silencePcm(300), await speechPcm('How does the delivery work?'), silencePcm(800)]))
    await peer.event('input_audio_buffer.speech_stopped')
    await peer.event('output_audio_buffer.started')
    await peer.event('output_audio_buffer.stopped', 1, 30_000)
    expect(peer.ofType('response.output_audio.delta')).toEqual([])
    expect(peer.ofType('error')).toEqual([])
    const { body } = await own.get(`/v1/sessions/${sessionOf(peer)}/transcript`)
    const { turns } = turnsBody.parse(body)
    expect(turns.map(({ role, voice }) => ({ role, voice }))).toEqual([
      { role: 'user', voice: true },
      { role: 'agent', voice: true },
    ])
    const audio = turns[1]?.audio
    expect(audio?.playedMs).toBe(audio?.sentMs)
    const heardMs = peer.sounds.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
    expect(Math.abs(heardMs - (audio?.sentMs ?? 0))).toBeLessThan(800)
    expect((await own.get(`/v1/sessions/${sessionOf(peer)}`)).body).toMatchObject({
      state: 'live',
      transport: 'webrtc',
      channel: 'api',
      engine: { kind: engine },
    })
  })

  test('writes, is answered in writing when it wants that, and its own tool is called', async () => {
    await using peer = await here()
    await peer.event('session.created')
    const weather = {
      type: 'function',
      name: 'get_weather',
      description: 'The weather in a city right now',
      parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Oslo'] } }, required: ['city'] },
    }
    peer.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'], tools: [weather] } })
    await peer.event('session.updated')
    peer.ask('What is the weather in Oslo?')
    const done = await peer.event('response.function_call_arguments.done', 1, 20_000)
    expect(done).toMatchObject({ name: 'get_weather' })
    peer.send({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id: done.call_id, output: '{"summary":"drizzle at 11 degrees"}' },
    })
    peer.send({ type: 'response.create' })
    await peer.event('response.output_text.done')
    expect(peer.ofType('output_audio_buffer.started')).toEqual([])
    expect(peer.ofType('error')).toEqual([])
  })

  test('cuts in: silence within 200 ms, and the item ends where it was heard', async () => {
    await using peer = await here()
    await peer.event('session.created')
    peer.ask(engine === 'demo' ? 'Tell me about your red sofas and the delivery' : 'Tell me everything')
    const before = { sounds: peer.sounds.length, loudMs: peer.loudMs }
    await peer.event('output_audio_buffer.started', 1, 20_000)
    await sleep(1_500)
    void peer.say(Buffer.concat([await speechPcm('Wait, stop there please.'), silencePcm(1_000)]))
    const began = peer.sounds[before.sounds]?.fromMs ?? 0
    await peer.event('output_audio_buffer.cleared')
    const atMs = performance.now()
    // The engine that made the answer goes on to make another: what counts is the gap.
    await peer.until(() => (!peer.isHearing ? true : undefined), 'silence')
    const silentMs = (peer.sounds.at(-1)?.toMs ?? 0) - atMs
    process.stdout.write(`${engine}: heard for ${Math.round(silentMs)} ms after the flush\n`)
    expect(silentMs).toBeLessThan(200)
    const { body } = await own.get(`/v1/sessions/${sessionOf(peer)}/transcript`)
    const cut = turnsBody.parse(body).turns.find(({ state }) => state === 'interrupted')
    expect(cut?.unheard?.length).toBeGreaterThan(0)
    // The player waits while somebody may be cutting in: what was heard is more than the sound and less than the time.
    const playedMs = cut?.audio?.playedMs ?? 0
    expect(playedMs).toBeGreaterThan(peer.loudMs - before.loudMs - 300)
    expect(playedMs).toBeLessThan((peer.sounds.at(-1)?.toMs ?? 0) - began + 300)
    // Its sound has no pauses of its own.
    if (engine === 'openai-realtime') expect(playedMs).toBeLessThan(peer.loudMs - before.loudMs + 300)
    if (engine === 'openai-realtime') {
      const truncated = await peer.event('conversation.item.truncated')
      // One is rounded down for the provider, the other to the nearest.
      expect(Math.abs(Number(truncated.audio_end_ms) - Number(cut?.audio?.playedMs))).toBeLessThanOrEqual(1)
    }
  })

  test('muted, says nothing', async () => {
    await using peer = await here()
    await peer.event('session.created')
    peer.mute(true)
    await peer.say(await speechPcm('Can anybody hear me now?'))
    await sleep(1_500)
    expect(peer.ofType('input_audio_buffer.speech_started')).toEqual([])
    peer.mute(false)
    await peer.say(Buffer.concat([await speechPcm('Can anybody hear me now?'), silencePcm(800)]))
    await peer.event('input_audio_buffer.speech_started')
  })
})

describe('a player at the gateway', () => {
  test('is cleared by the client; cancelling alone lets it play what came', async () => {
    await using peer = await call()
    await peer.event('session.created')
    peer.ask('Tell me everything')
    await peer.event('output_audio_buffer.started')
    await sleep(1_000)
    peer.send({ type: 'response.cancel' })
    await peer.event('response.done')
    await sleep(400)
    expect(peer.isHearing).toBe(true)
    peer.send({ type: 'output_audio_buffer.clear' })
    await peer.event('output_audio_buffer.cleared')
    await sleep(400)
    expect(peer.isHearing).toBe(false)
    const cut = (await turnsOf(peer)).at(-1)
    expect(cut).toMatchObject({ role: 'agent', state: 'interrupted' })
    const heardMs = (peer.sounds.at(-1)?.toMs ?? 0) - (peer.sounds.at(-1)?.fromMs ?? 0)
    expect(Math.abs((cut?.audio?.playedMs ?? 0) - heardMs)).toBeLessThan(300)
  })

  test('is no way in: audio over the events is refused by name, and the call goes on', async () => {
    await using peer = await call()
    await peer.event('session.created')
    peer.send({ type: 'input_audio_buffer.append', audio: Buffer.alloc(960).toString('base64') })
    expect(await peer.event('error')).toMatchObject({ error: { code: 'invalid_value', param: 'type' } })
    peer.sendText('{')
    expect(await peer.event('error', 2)).toMatchObject({ error: { code: 'invalid_json' } })
    peer.ask('How does delivery work?')
    await peer.event('output_audio_buffer.stopped', 1, 20_000)
  })
})

describe('the end of a call', () => {
  test('the client closes it, hangs up by HTTP, or an operator ends it', async () => {
    const one = await call()
    await one.event('session.created')
    one.close()
    await ended(one, 'client_ended')

    await using two = await call()
    await two.event('session.created')
    const hangup = `/v1/realtime/calls/${two.callId}/hangup`
    expect((await gateway.post(hangup, {})).status).toBe(401)
    expect(
      (await gateway.post(hangup, {}, { authorization: `Bearer ${await gateway.visitorToken()}`, origin: gateway.url }))
        .status,
    ).toBe(404)
    expect((await gateway.post(hangup, {}, { authorization: `Bearer ${gateway.apiKey}` })).status).toBe(200)
    await ended(two, 'client_ended')
    await two.until(() => two.channelClosed || undefined, 'the channel to close')
    expect(
      (await gateway.post('/v1/realtime/calls/rtc_0/hangup', {}, { authorization: `Bearer ${gateway.apiKey}` })).status,
    ).toBe(404)

    await using three = await call()
    await three.event('session.created')
    await gateway.post(
      `/v1/sessions/${sessionOf(three)}/end`,
      { reason: 'enough' },
      { authorization: `Bearer ${gateway.apiKey}` },
    )
    expect(await three.event('error')).toMatchObject({ error: { code: 'ended_by_operator' } })
    await three.until(() => three.channelClosed || undefined, 'the channel to close')
  })

  test('a network that is gone ends it as lost; one that comes back within seconds does not', async () => {
    await using relay = await UdpRelay.start()
    await using peer = await call({ way: relay })
    await peer.event('session.created')
    relay.isCut = true
    await sleep(4_000)
    relay.isCut = false
    peer.ask('How does delivery work?')
    await peer.event('output_audio_buffer.stopped', 1, 20_000)
    relay.isCut = true
    await ended(peer, 'client_gone')
  })

  test('a lost engine is replaced under the call', async () => {
    await using peer = await call()
    await peer.event('session.created')
    provider.breakAt(30, 'drop')
    peer.ask('How does delivery work?')
    await peer.event('response.done', 2, 20_000)
    await peer.event('output_audio_buffer.stopped', 2, 20_000)
    expect(peer.ofType('error')).toEqual([])
    const said = (await turnsOf(peer)).filter(({ role }) => role === 'agent').map(({ text }) => text)
    expect(said.join(' ')).toBe(answer)
  })

  test('a gateway that stops says so and closes', async () => {
    const own = await startGateway({ PARLEY_ENGINE: 'demo' })
    const peer = await PeerClient.call({ url: own.url, token: own.apiKey, query: '?model=productco' })
    await peer.event('session.created')
    await own[Symbol.asyncDispose]()
    expect(await peer.event('error')).toMatchObject({ error: { code: 'draining' } })
    await peer.until(() => peer.channelClosed || undefined, 'the channel to close')
    peer.close()
  })

  test('a hundred calls leave nothing behind', async () => {
    for (let i = 0; i < 20; i++) {
      const five = await Promise.all(Array.from({ length: 5 }, () => call()))
      await Promise.all(five.map((peer) => peer.event('session.created')))
      for (const peer of five) peer.close()
      await expect.poll(calls, { timeout: 10_000 }).toBe('0')
    }
    await expect.poll(() => gateway.app.slices.sessions.liveCount, { timeout: 10_000 }).toBe(0)
  })

  test('an answer that nobody uses is given up, and costs nothing', async () => {
    await using relay = await UdpRelay.start()
    relay.isCut = true
    await expect(call({ way: relay })).rejects.toThrow('channel')
    await expect.poll(calls, { timeout: 5_000 }).toBe('0')
    const last = z.object({ items: z.array(z.object({ state: z.string(), creditsMicro: z.number() })) })
    await expect
      .poll(async () => last.parse((await gateway.get('/v1/sessions?limit=1')).body).items[0])
      .toMatchObject({ state: 'ended', creditsMicro: 0 })
  })

  test('a peer without a channel is talked with all the same', async () => {
    await using peer = await call({ label: undefined })
    await sleep(500)
    await peer.say(Buffer.concat([await speechPcm('How does the delivery work?'), silencePcm(800)]))
    await peer.until(() => (peer.isHearing ? true : undefined), 'an answer', 20_000)
    peer.close()
    await ended(peer, 'client_gone')
  })
})

describe('who is not let in', () => {
  async function refusal(more: Partial<PeerClientOptions>): Promise<Refused> {
    const answered = await call(more).catch((error: unknown) => error)
    if (!(answered instanceof Refused)) throw new Error(`not refused: ${String(answered)}`)
    return answered
  }

  test('is told in the original’s shape', async () => {
    for (const [more, status, code] of [
      [{ token: '' }, 401, 'unauthenticated'],
      [{ token: 'ek_none' }, 401, 'unauthenticated'],
      [{ query: '' }, 404, 'unknown_agent'],
      [{ query: '?agent=none' }, 404, 'unknown_agent'],
      [{ session: '{' }, 400, 'invalid'],
      [{ session: { type: 'realtime', tools: 1 } }, 400, 'invalid'],
      [{ way: { offer: () => 'v=0\r\n', answer: (sdp) => sdp } }, 400, 'invalid'],
      [{ way: { offer: () => 'nonsense', answer: (sdp) => sdp } }, 400, 'invalid'],
      [{ way: { offer: (sdp) => sdp.slice(0, 900), answer: (sdp) => sdp } }, 400, 'invalid'],
      [{ way: { offer: (sdp) => `${sdp}a=x:${'y'.repeat(70_000)}\r\n`, answer: (sdp) => sdp } }, 413, 'too_large'],
    ] as const satisfies readonly (readonly [Partial<PeerClientOptions>, number, string])[]) {
      const { status: given, body } = await refusal(more)
      expect([given, body]).toMatchObject([
        status,
        {
          error: {
            type: 'invalid_request_error',
            code,
            param: null,
            message: expect.any(String),
            retry: expect.any(String),
          },
        },
      ])
    }
    const json = await gateway.post('/v1/realtime/calls', {}, { authorization: `Bearer ${gateway.apiKey}` })
    expect(json).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } })
    expect(await calls()).toBe('0')
  })

  test('a page is another’s than the token’s', async () => {
    const token = await gateway.visitorToken()
    const foreign = await refusal({ token, query: '', headers: { origin: 'https://evil.example' } })
    expect(foreign).toMatchObject({ status: 403, body: { error: { code: 'origin_refused' } } })
    await using own = await call({ token, query: '', headers: { origin: gateway.url } })
    await own.event('session.created')
  })

  test('may read why from any page, and asks before it sends', async () => {
    const asked = await fetch(`${gateway.url}/v1/realtime/calls`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-openai-agents-sdk',
      },
    })
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-origin')).toBe('*')
    expect(asked.headers.get('access-control-allow-headers')).toContain('x-openai-agents-sdk')
    const refused = await fetch(`${gateway.url}/v1/realtime/calls`, {
      method: 'POST',
      headers: { origin: 'https://shop.example', 'content-type': 'application/sdp' },
      body: 'v=0',
    })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-allow-origin')).toBe('*')
    expect(refused.headers.get('access-control-allow-credentials')).toBeNull()
  })

  test('there is no room, no switch or no library: each by name, so that a client can take the WebSocket', async () => {
    await using small = await startGateway({ PARLEY_ENGINE: 'demo', WEBRTC_MAX_CALLS: '1' })
    const at = (own: TestGateway) => ({ url: own.url, token: own.apiKey })
    const first = await call(at(small))
    await first.event('session.created')
    expect(await refusal(at(small))).toMatchObject({
      status: 429,
      body: { error: { type: 'rate_limit_error', code: 'too_many', retryAfterMs: 5_000 } },
    })
    first.close()
    await using off = await startGateway({ PARLEY_ENGINE: 'demo', WEBRTC: 'false' })
    expect(await refusal(at(off))).toMatchObject({ status: 501, body: { error: { code: 'webrtc_unavailable' } } })
    await using instead = await connect(off.wsUrl, {
      headers: { authorization: `Bearer ${off.apiKey}` },
      query: '?agent=productco',
    })
    await instead.event('session.created')
  })

  test('a browser learns where a relay is, with credentials of its own, if it may call', async () => {
    const secret = 'shared with the relay'
    await using relayed = await startGateway({
      PARLEY_ENGINE: 'demo',
      WEBRTC_ICE_URLS: 'stun:stun.example:3478, turn:turn.example:3478',
      WEBRTC_TURN_SECRET: secret,
      WEBRTC_TURN_SECONDS: '600',
    })
    const ask = (headers: Record<string, string>) => fetch(`${relayed.url}/v1/realtime/ice`, { headers })
    const refused = await ask({ origin: 'https://shop.example' })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, '*'])
    const answered = await ask({ authorization: `Bearer ${await relayed.visitorToken()}`, origin: relayed.url })
    const { ice_servers: servers, expires_at: expiresAt } = z
      .object({ ice_servers: z.array(z.record(z.string(), z.unknown())), expires_at: z.number() })
      .parse(await answered.json())
    expect(Math.abs(expiresAt - Date.now() / 1000 - 600)).toBeLessThan(10)
    expect(servers).toEqual([
      { urls: ['stun:stun.example:3478'] },
      {
        urls: ['turn:turn.example:3478'],
        username: expect.stringMatching(new RegExp(`^${expiresAt}:cont_`)),
        credential: expect.any(String),
      },
    ])
    expect(JSON.stringify(servers)).not.toContain(secret)
    expect(relayed.log.join('\n')).not.toContain(String(servers[1]?.credential))
  })
})
