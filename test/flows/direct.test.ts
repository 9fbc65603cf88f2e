// Calls that go past the gateway: a peer as the browser, the engine's provider as the other end, the session and its bill here.

import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import { z } from 'zod'
import type { AgentConfigInput } from '../../gateway/agents/agents.ts'
import { subprotocol } from '../../gateway/protocol/realtime.ts'
import { TestClient } from '../harness/client.ts'
import { until } from '../harness/direct-rig.ts'
import { PeerClient, type PeerClientOptions } from '../harness/peer.ts'
import { type ScriptedLive, startScriptedLive } from '../harness/scripted-live.ts'
import { ScriptedPeer } from '../harness/scripted-peer.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const answer = 'We deliver on weekdays, the driver calls first, and two people carry it up to your floor.'

const sessionBody = z.object({
  state: z.string(),
  endReason: z.string().optional(),
  transport: z.string().optional(),
  creditsMicro: z.number(),
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
    }),
  ),
})
const receiptBody = z.object({
  totalMicro: z.number(),
  costUsdMicro: z.number().nullable(),
  lines: z.array(z.object({ meter: z.string(), quantity: z.number(), amountMicro: z.number() })),
})

let provider: ScriptedRealtime
let live: ScriptedLive
let gateway: TestGateway
beforeAll(async () => {
  provider = await startScriptedRealtime({ apiKey: 'sk-test', pace: 10 })
  live = await startScriptedLive({ apiKey: 'sk-test', pace: 2 })
  gateway = await startGateway({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_LIVE_BASE_URL: live.baseUrl,
  })
  provider
    .on(/delivery/, { say: answer })
    .on(/red sofa/, { call: { name: 'search_products', arguments: { query: 'red sofa' } } })
    .on(/"items"/, { say: 'We have the Alba.' })
  live.on(/delivery/, { say: answer })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider.stop()
  await live.stop()
  expect(ScriptedPeer.open).toBe(0)
})
beforeEach(async () => {
  provider.accept()
  live.refuseCalls(undefined)
  await agent({ engine: 'openai-realtime', media: 'direct', greeting: 'Hello, how can I help you?' })
})

async function agent(change: AgentConfigInput): Promise<void> {
  const { tenants, agents } = gateway.app.slices
  const tenant = await tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no tenant')
  const scope = agents.of(tenant.id)
  const [found] = await scope.list()
  if (found === undefined) throw new Error('no agent')
  await scope.saveDraft(found.id, { ...found.draft, ...change })
  await scope.publish(found.id)
}

function call(more: Partial<PeerClientOptions> = {}): Promise<PeerClient> {
  return PeerClient.call({ url: gateway.url, token: gateway.apiKey, query: '?model=productco', ...more })
}

/** A client of ours: its events come over a socket beside the call. */
async function visitor(): Promise<{ readonly peer: PeerClient; readonly client: TestClient }> {
  const token = await gateway.visitorToken()
  const headers = { origin: gateway.url }
  const peer = await call({ token, query: '?protocol=parley.v1&media=direct', headers })
  const offers = [subprotocol.parley, subprotocol.tokenPrefix + token]
  const resume = peer.headers.get('x-parley-resume') ?? ''
  const socket = new WebSocket(`${gateway.wsUrl}/v1/realtime`, [...offers, subprotocol.resumePrefix + resume], headers)
  const client = new TestClient(socket)
  await once(socket, 'open')
  return { peer, client }
}

const sessionOf = (peer: PeerClient): string => peer.callId.replace('rtc_', 'sess_')
const viewOf = async (id: string) => sessionBody.parse((await gateway.get(`/v1/sessions/${id}`)).body)
const turnsOf = async (peer: PeerClient) =>
  turnsBody.parse((await gateway.get(`/v1/sessions/${sessionOf(peer)}/transcript`)).body).turns

async function ended(peer: PeerClient, reason: string): Promise<void> {
  await expect
    .poll(() => viewOf(sessionOf(peer)), { timeout: 20_000 })
    .toMatchObject({ state: 'ended', endReason: reason })
}

async function hangUp(peer: PeerClient): Promise<void> {
  const response = await fetch(`${gateway.url}/v1/realtime/calls/${peer.callId}/hangup`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.apiKey}` },
  })
  expect(response.status).toBe(200)
}

test('a caller talks with the provider itself; transcript, tools and bill are here, and hanging up ends both', async () => {
  await using peer = await call()
  expect(peer.headers.get('x-parley-media')).toBe('direct')
  expect((await peer.event('session.created')).session).toBeDefined()
  provider.hears('How does the delivery work?')
  await peer.say(await speechPcm('How does the delivery work?'))
  await peer.event('output_audio_buffer.stopped', 1, 20_000)
  expect(peer.sounds.length).toBeGreaterThan(0)
  provider.hears('Do you have a red sofa?')
  await peer.say(await speechPcm('Do you have a red sofa?'))
  await peer.event('output_audio_buffer.stopped', 2, 20_000)
  await expect
    .poll(async () => (await turnsOf(peer)).map(({ role, text }) => `${role}: ${text}`), { timeout: 10_000 })
    .toEqual([
      'user: How does the delivery work?',
      `agent: ${answer}`,
      'user: Do you have a red sofa?',
      expect.stringMatching(/^tool/),
      'agent: We have the Alba.',
    ])
  expect(await viewOf(sessionOf(peer))).toMatchObject({ state: 'live', transport: 'direct' })
  await hangUp(peer)
  await ended(peer, 'client_ended')
  expect([provider.lastCall.hangUps, provider.lastCall.isOver]).toEqual([1, true])
  const receipt = receiptBody.parse((await gateway.get(`/v1/sessions/${sessionOf(peer)}/receipt`)).body)
  expect(receipt.costUsdMicro).toBeGreaterThan(0)
  expect(receipt.lines.reduce((sum, each) => sum + each.amountMicro, 0)).toBe(receipt.totalMicro)
})

test('[S9] a caller who cuts in is written down as the provider heard it', async () => {
  await using peer = await call()
  await peer.event('session.created')
  peer.ask('How does the delivery work?')
  await until(() => peer.isHearing, 'sound')
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  await peer.say(Buffer.concat([await speechPcm('Wait, stop please.'), silencePcm(300)]))
  const { audio_end_ms: heardMs } = await peer.event('conversation.item.truncated')
  await expect
    .poll(async () => (await turnsOf(peer)).find(({ role }) => role === 'agent'), { timeout: 10_000 })
    .toMatchObject({ state: 'interrupted', unheard: expect.stringMatching(/your floor/) })
  const turn = (await turnsOf(peer)).find(({ role }) => role === 'agent')
  // Spoken evenly, at 60 ms a character: within half a second of what was heard.
  expect(Math.abs((turn?.text.length ?? 0) * 60 - Number(heardMs))).toBeLessThan(500)
  expect(`${turn?.text} ${turn?.unheard}`).toBe(answer)
  await hangUp(peer)
  await ended(peer, 'client_ended')
})

test('a caller who leaves ends the session', async () => {
  const peer = await call()
  await peer.event('session.created')
  peer.close()
  await ended(peer, 'client_ended')
})

test('an agent that does not say so, a client that wants settings of its own, another protocol: the gateway ends the call', async () => {
  const requests = provider.callRequests
  await using own = await call({ session: { type: 'realtime', output_modalities: ['text'] } })
  expect(own.headers.get('x-parley-media')).toBe('gateway')
  await agent({ media: 'relayed' })
  await using relayed = await call()
  expect(relayed.headers.get('x-parley-media')).toBe('gateway')
  // A stock client would get events of GPT-Live.
  await agent({ engine: 'openai-live', media: 'direct' })
  await using stock = await call()
  expect(stock.headers.get('x-parley-media')).toBe('gateway')
  expect([provider.callRequests - requests, live.callRequests]).toEqual([0, 0])
})

test('a provider that does not take the call costs nothing: the gateway takes it', async () => {
  provider.refuseCalls(500)
  await using peer = await call()
  expect(peer.headers.get('x-parley-media')).toBe('gateway')
  const page = z.object({ items: z.array(z.object({ id: z.string(), endReason: z.string().optional() })) })
  await expect
    .poll(async () => {
      const { items } = page.parse((await gateway.get('/v1/sessions?limit=2')).body)
      return items.find(({ endReason }) => endReason === 'engine_failed')?.id
    })
    .toBeDefined()
  const { items } = page.parse((await gateway.get('/v1/sessions?limit=2')).body)
  const failed = items.find(({ endReason }) => endReason === 'engine_failed')?.id ?? ''
  expect((await viewOf(failed)).creditsMicro).toBe(0)
  await peer.event('session.created')
  peer.ask('How does the delivery work?')
  await peer.event('output_audio_buffer.started')
})

test('the control may be lost: the call goes on, and its transcript with it', async () => {
  await using peer = await call()
  await peer.event('session.created')
  peer.ask('How does the delivery work?')
  await peer.event('response.output_audio_transcript.delta')
  provider.lastCall.dropSidebands()
  await peer.event('output_audio_buffer.stopped', 1, 20_000)
  await expect
    .poll(async () => (await turnsOf(peer)).find(({ role }) => role === 'agent'), { timeout: 10_000 })
    .toMatchObject({ text: answer, state: 'final' })
  expect(provider.lastCall.attachments).toBe(2)
  await hangUp(peer)
  await ended(peer, 'client_ended')
})

test('a browser that changes its session again and again is cut off', async () => {
  await using peer = await call()
  await peer.event('session.created')
  for (let i = 0; i < 5 && !provider.lastCall.isOver; i++) {
    peer.send({ type: 'session.update', session: { type: 'realtime', instructions: `Obey me ${i}.` } })
    await new Promise((resolve) => setTimeout(resolve, 80))
  }
  await ended(peer, 'client_ended')
})

test('a client of ours hears its events over a socket beside the call; when the call is lost it goes on there', async () => {
  const { peer, client } = await visitor()
  await using _peer = peer
  await using _client = client
  expect(peer.headers.get('x-parley-media')).toBe('direct')
  await client.event('parley.session')
  client.send({ type: 'parley.voice', on: true })
  await client.until(
    ({ events }) => events.find((each) => JSON.stringify(each).includes('how can I help')),
    'the greeting',
  )
  await until(() => peer.sounds.length > 0, 'the greeting aloud')
  expect([...client.audioBytes.values()]).toEqual([])
  // The provider loses the call, in the middle of a sentence.
  provider.lastCall.isDeaf = true
  provider.lastCall.end(1011)
  const notice = await client.until(({ events }) => events.find(({ code }) => code === 'media_lost'), 'the notice')
  expect(notice.type).toBe('parley.notice')
  // What was not heard of it is said here, and nothing twice.
  const greeted = async () => (await turnsOf(peer)).flatMap(({ text }) => text || []).join(' ')
  await expect.poll(greeted, { timeout: 10_000 }).toBe('Hello, how can I help you?')
  const { size } = client.audioBytes
  expect(size).toBeGreaterThan(0)
  client.ask('How does the delivery work?')
  await client.until(({ audioBytes }) => audioBytes.size > size || undefined, 'the answer over the socket')
  await expect
    .poll(async () => (await turnsOf(peer)).at(-1), { timeout: 10_000 })
    .toMatchObject({ role: 'agent', text: answer })
  client.send({ type: 'parley.bye' })
  await ended(peer, 'client_ended')
})

test('who sends his voice over the socket has no other way: the call is left and he is heard there', async () => {
  const { peer, client } = await visitor()
  await using _peer = peer
  await using _client = client
  await client.event('parley.session')
  client.send({ type: 'parley.voice', on: true })
  provider.hears('How does the delivery work?')
  const speech = Buffer.concat([await speechPcm('How does the delivery work?'), silencePcm(1_000)])
  for (const piece of pieces(speech))
    client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
  await client.until(
    ({ audioBytes }) => [...audioBytes.values()].find((bytes) => bytes > 48_000),
    'sound over the socket',
  )
  expect(provider.lastCall.isOver).toBe(true)
  client.send({ type: 'parley.bye' })
  await ended(peer, 'client_ended')
})

test('GPT-Live past us: fifteen seconds are booked at once, the provider’s last word counts', async () => {
  await agent({ engine: 'openai-live', media: 'direct' })
  live.state.finalSeconds = 21.5
  const { peer, client } = await visitor()
  await using _peer = peer
  await using _client = client
  await client.event('parley.session')
  live.hears('How does the delivery work?')
  await peer.say(await speechPcm('How does the delivery work?'))
  await expect
    .poll(async () => (await turnsOf(peer)).map(({ role, text }) => `${role}: ${text}`), { timeout: 15_000 })
    .toEqual(['user: How does the delivery work?', `agent: ${answer}`])
  client.send({ type: 'parley.bye' })
  await ended(peer, 'client_ended')
  const receipt = receiptBody.parse((await gateway.get(`/v1/sessions/${sessionOf(peer)}/receipt`)).body)
  expect(receipt.lines.find(({ meter }) => meter === 'live.seconds')?.quantity).toBe(21)
  expect(live.lastCall.isOver).toBe(true)
})
