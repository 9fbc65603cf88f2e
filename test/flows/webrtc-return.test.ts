// A client of our own protocol whose call is lost: it comes back by another call, or over a WebSocket.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { TestClient } from '../harness/client.ts'
import { PeerClient, Refused } from '../harness/peer.ts'
import { openParley, turnsOf, type Way, wayBack } from '../harness/returning-client.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { silencePcm, speechPcm } from '../harness/speech.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { UdpRelay } from '../harness/udp-relay.ts'

const answer = 'We deliver on weekdays, the driver calls first, and two people carry it up to your floor.'

let provider: ScriptedRealtime
let gateway: TestGateway
beforeAll(async () => {
  provider = await startScriptedRealtime({ apiKey: 'sk-test', pace: 8 })
  provider.on(/delivery/, { say: answer, audioMs: 6_000 })
  gateway = await startGateway({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider.stop()
})

function call(token: string, way: UdpRelay, back?: Way): Promise<PeerClient> {
  return PeerClient.call({
    url: gateway.url,
    token,
    query: '?protocol=parley.v1',
    label: 'parley',
    way,
    headers: {
      origin: gateway.url,
      ...(back === undefined ? {} : { 'parley-resume': `${back.sessionId}.${back.token}.${back.lastSeq}` }),
    },
  })
}

const isOver = (client: Pick<TestClient, 'events'>): boolean =>
  turnsOf(client.events).some(({ role, state }) => role === 'agent' && state === 'final')

test('an answer that was cut by the network goes on over the next call, in its own words', async () => {
  await using relay = await UdpRelay.start()
  const token = await gateway.visitorToken()
  await using first = await call(token, relay)
  await first.event('parley.session')
  first.send({ type: 'parley.voice', on: true })
  first.send({ type: 'parley.say', item_id: 'item_1', text: 'How does delivery work?' })
  await first.event('output_audio_buffer.started')
  await sleep(2_000)
  relay.isCut = true
  const back = wayBack(first)
  await using way = await UdpRelay.start()
  await using second = await call(token, way, back)
  expect(await second.event('parley.session')).toMatchObject({ session_id: back.sessionId, resumed: { gap: false } })
  second.send({ type: 'parley.voice', on: true })
  await second.event('output_audio_buffer.stopped', 1, 20_000)
  const turns = turnsOf([...first.events, ...second.events]).filter(({ role }) => role === 'agent')
  const cut = turns.find(({ state }) => state === 'interrupted')
  expect(String(cut?.text)).not.toBe('')
  expect(String(cut?.unheard)).not.toBe('')
  const said = turns.map(({ text }) => String(text)).join(' ')
  expect(said).toContain('up to your floor.')
  const view = z.object({ transport: z.string() })
  expect(view.parse((await gateway.get(`/v1/sessions/${back.sessionId}`)).body).transport).toBe('webrtc')
  second.send({ type: 'parley.bye' })
  await second.until(() => second.channelClosed || undefined, 'the channel to close')
})

test('what was lost over a call goes on over a WebSocket, sound included, and back again', async () => {
  await using relay = await UdpRelay.start()
  const token = await gateway.visitorToken()
  await using first = await call(token, relay)
  await first.event('parley.session')
  relay.isCut = true
  await using second = await openParley(gateway.wsUrl, token, wayBack(first))
  const session = await second.event('parley.session')
  expect(session).toMatchObject({ resumed: { gap: false } })
  second.send({ type: 'parley.voice', on: true })
  second.send({ type: 'parley.say', item_id: 'item_2', text: 'How does delivery work?' })
  await second.until((client) => (client.audioBytes.size > 0 ? true : undefined), 'sound')
  const transport = async (): Promise<unknown> =>
    z.object({ transport: z.string() }).parse((await gateway.get(`/v1/sessions/${session.session_id}`)).body).transport
  expect(await transport()).toBe('websocket')
  await using way = await UdpRelay.start()
  await using third = await call(token, way, wayBack(second))
  await third.event('parley.session')
  expect(await second.ended()).toMatchObject({ code: 4411 })
  third.send({ type: 'parley.voice', on: true })
  await third.event('output_audio_buffer.started', 1, 20_000)
  await third.until(() => (isOver({ events: [...second.events, ...third.events] }) ? true : undefined), 'the end')
  expect(await transport()).toBe('webrtc')
})

test('a microphone is heard while it is switched on, whatever its track carries', async () => {
  await using relay = await UdpRelay.start()
  await using peer = await call(await gateway.visitorToken(), relay)
  await peer.event('parley.session')
  await peer.say(Buffer.concat([await speechPcm('Can anybody hear me?'), silencePcm(800)]))
  expect(peer.ofType('input_audio_buffer.speech_started')).toEqual([])
  peer.send({ type: 'parley.voice', on: true })
  await peer.event('output_audio_buffer.started')
  await peer.say(Buffer.concat([await speechPcm('Can anybody hear me?'), silencePcm(800)]))
  await peer.event('input_audio_buffer.speech_started')
})

test('a way back that is none is refused', async () => {
  await using relay = await UdpRelay.start()
  const token = await gateway.visitorToken()
  await using peer = await call(token, relay)
  await peer.event('parley.session')
  const refused = await call(token, relay, { ...wayBack(peer), sessionId: 'sess_0000000000000000000' }).catch(
    (error: unknown) => error,
  )
  expect(refused).toBeInstanceOf(Refused)
  expect(refused).toMatchObject({ status: 410, body: { error: { code: 'gone' } } })
})
